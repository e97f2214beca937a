#!/usr/bin/python
# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write a station's answers for the installer onto the boot server."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: installer_answers
short_description: A station's answers for the installer of Debian or Ubuntu
version_added: "0.1.0"
description:
  - Runs on the boot server. Writes the answers of one station for Debian's installer (preseed) or Ubuntu's (autoinstall), and its files -
    SSH keys, password hashes, the domain's secrets -, which the boot server hands out once, over HTTPS (role fleet.imaging.unattended).
  - The installer finds the disk by O(disk_identity) and stops, with nothing written, when not exactly one of the station's disks has it.
  - The station gets an SSH host key that is made here and returned, so that Ansible knows whom it connects to. No one-time password, hash
    or key is in what the installer reads over HTTP.
  - Everything is checked first; bad values change nothing. Texts that could end a line or a word of the answers are refused.
options:
  state:
    description: V(absent) takes the station's answers and files away.
    type: str
    choices: [present, absent]
    default: present
  mac:
    description: MAC address of the card that the station starts from, in any notation.
    type: str
    required: true
  folder:
    description: Where the hand-out service finds them. It must not be below what a web server serves.
    type: path
    default: /var/lib/fleet-install
  owner:
    description: Account that the hand-out service runs as. Without it, the files belong to who runs the module.
    type: str
  system:
    description: What is installed.
    type: str
    choices: [debian-12, ubuntu-22.04, ubuntu-24.04]
  hostname:
    description: Name of the station, without a domain.
    type: str
  disk_identity:
    description:
      - The disk that is erased, such as V(serial:S4EVNX0M) or V(wwn:0x5002538e40), with V(size:…) in bytes besides when wanted.
        M(fleet.imaging.disk_info) shows it.
    type: str
  boot_server:
    description: Address of the boot server, as stations reach it over HTTP.
    type: str
  files_server:
    description: Its address over HTTPS, as its certificate names it. Default is the host of O(boot_server).
    type: str
  authority:
    description: Certificate of the authority that signed the boot server's certificate, as PEM.
    type: str
  desktop:
    description: The desktop. Ubuntu has no V(lxde).
    type: str
    choices: [none, gnome, lxde, lxqt, mate, xfce]
    default: none
  packages:
    description: Packages besides.
    type: list
    elements: str
    default: []
  domain:
    description: What the station belongs to.
    type: dict
    suboptions:
      name:
        description: The DNS domain.
        type: str
      join:
        description:
          - V(ad) joins the Active Directory of that name at the first start. V(ldap) takes users from an LDAP directory. V(none) gives the
            station its domain name only.
        type: str
        choices: [none, ad, ldap]
        default: none
      one_time_password:
        description: For V(ad) - the password of the computer account that was made beforehand (C(adcli preset-computer)).
        type: str
      uri:
        description: For V(ldap) - address of the directory.
        type: str
      base:
        description: For V(ldap) - where its users are.
        type: str
      bind_dn:
        description: For V(ldap) - the account that looks users up, unless everybody may.
        type: str
      bind_password:
        description: For V(ldap) - its password. It stays on the station, readable by root.
        type: str
      authority:
        description: For V(ldap) - certificate of the directory's authority, as PEM.
        type: str
  locale:
    description: Language and country.
    type: str
    default: en_US.UTF-8
  keyboard:
    description: Layout of the keyboard, with its variant in parentheses, such as V(fr(latin9\)).
    type: str
    default: us
  time_zone:
    description: Time zone.
    type: str
    default: Etc/UTC
  partitioning:
    description: V(atomic) is one filesystem on the whole disk; V(lvm) the same in a volume group.
    type: str
    choices: [atomic, lvm]
    default: atomic
  mirror:
    description: Where packages come from. Default is the distribution's own address.
    type: str
  proxy:
    description: HTTP proxy for packages.
    type: str
  updates:
    description: Whether security and stable updates are installed.
    type: bool
    default: true
  ssh_keys:
    description: Public keys that may log in as root.
    type: list
    elements: str
    default: []
  root_password_hash:
    description: Root's password as crypt(5) hash; without it, root has none.
    type: str
  account:
    description: An account for a person, who may become root.
    type: dict
    suboptions:
      login:
        description: Login name.
        type: str
        required: true
      full_name:
        description: The person's name.
        type: str
      password_hash:
        description: The password as crypt(5) hash; without it, nobody logs in with a password.
        type: str
  arguments:
    description: Further arguments of the installer's kernel, such as V(console=ttyS0,115200).
    type: list
    elements: str
    default: []
  medium:
    description: For Ubuntu - path of the installation medium on the boot server.
    type: str
extends_documentation_fragment:
  - fleet.core.attributes
attributes:
  check_mode:
    support: full
    details: An SSH host key is made only without it.
  diff_mode:
    support: full
    details: Of the station's files, only the names are shown.
author:
  - Fleet contributors (@fleet)
seealso:
  - module: fleet.imaging.installer_files
"""

EXAMPLES = r"""
- name: Write the station's answers
  fleet.imaging.installer_answers:
    system: debian-12
    hostname: "{{ inventory_hostname_short }}"
    mac: "{{ fleet_macs | first }}"
    disk_identity: "{{ fleet_disk_identity }}"
    boot_server: http://10.0.12.1
    authority: "{{ lookup('ansible.builtin.file', 'boot-ca.pem') }}"
    desktop: xfce
    locale: fr_FR.UTF-8
    keyboard: fr
    time_zone: Europe/Paris
    ssh_keys: ["{{ lookup('ansible.builtin.file', '~/.ssh/id_ed25519.pub') }}"]
  delegate_to: boot-lyon
  register: answers
"""

RETURN = r"""
host_key:
  description: The public SSH host key that the station will have; empty in check mode when it is to be made.
  returned: success
  type: str
  sample: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0aVJ7c0xPDZsXKD7xKR5XBC1kkPYaSVGEZYOYK0gHl
arguments:
  description: What the installer's kernel must be told. Nothing in it is secret. A semicolon needs quotes in GRUB's configuration.
  returned: when O(state=present)
  type: list
  elements: str
  sample: ["auto=true", "priority=critical", "url=http://10.0.12.1/install/52-54-00-77-00-01/preseed.cfg"]
"""

import pwd
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.imaging.plugins.module_utils.installer import answers
from ansible_collections.fleet.imaging.plugins.module_utils.installer.domain import JOINS
from ansible_collections.fleet.imaging.plugins.module_utils.installer.request import PARTITIONING, Installation, folder_of
from ansible_collections.fleet.imaging.plugins.module_utils.installer.systems import DESKTOPS, SYSTEMS

ARGUMENT_SPEC = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "mac": {"type": "str", "required": True},
    "folder": {"type": "path", "default": "/var/lib/fleet-install"},
    "owner": {"type": "str"},
    "system": {"type": "str", "choices": list(SYSTEMS)},
    "hostname": {"type": "str"},
    "disk_identity": {"type": "str"},
    "boot_server": {"type": "str"},
    "files_server": {"type": "str"},
    "authority": {"type": "str"},
    "desktop": {"type": "str", "choices": list(DESKTOPS), "default": "none"},
    "packages": {"type": "list", "elements": "str", "default": []},
    "domain": {
        "type": "dict",
        "options": {
            "name": {"type": "str"},
            "join": {"type": "str", "choices": list(JOINS), "default": "none"},
            "one_time_password": {"type": "str", "no_log": True},
            "uri": {"type": "str"},
            "base": {"type": "str"},
            "bind_dn": {"type": "str"},
            "bind_password": {"type": "str", "no_log": True},
            "authority": {"type": "str"},
        },
    },
    "locale": {"type": "str", "default": "en_US.UTF-8"},
    "keyboard": {"type": "str", "default": "us", "no_log": False},
    "time_zone": {"type": "str", "default": "Etc/UTC"},
    "partitioning": {"type": "str", "choices": list(PARTITIONING), "default": "atomic"},
    "mirror": {"type": "str"},
    "proxy": {"type": "str"},
    "updates": {"type": "bool", "default": True},
    "ssh_keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
    "root_password_hash": {"type": "str", "no_log": True},
    "account": {
        "type": "dict",
        "options": {
            "login": {"type": "str", "required": True},
            "full_name": {"type": "str"},
            "password_hash": {"type": "str", "no_log": True},
        },
    },
    "arguments": {"type": "list", "elements": "str", "default": []},
    "medium": {"type": "str"},
}
NEEDED = ("system", "hostname", "disk_identity", "boot_server", "authority")


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec=ARGUMENT_SPEC,
        supports_check_mode=True,
        required_if=[("state", "present", NEEDED), ("system", "ubuntu-22.04", ["medium"]), ("system", "ubuntu-24.04", ["medium"])],
    )
    asked = module.params
    folder = Path(asked["folder"])
    try:
        if asked["state"] == "absent":
            module.exit_json(**answers.remove(folder_of(asked["mac"]), folder, check=module.check_mode).as_dict())
        installation = Installation.parse(asked)
        owner = pwd.getpwnam(asked["owner"])[2:4] if asked["owner"] else None
        result = answers.write(installation, folder, owner, check=module.check_mode)
        told = answers.kernel_arguments(installation)
    except KeyError:
        module.fail_json(msg=f"There is no account {asked['owner']} on this host. Run the role fleet.imaging.unattended for it first")
    except FleetError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(arguments=told, **result.as_dict())


if __name__ == "__main__":
    main()
