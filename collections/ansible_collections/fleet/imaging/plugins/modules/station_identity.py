#!/usr/bin/python
# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Give a restored system the identity of its station."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: station_identity
short_description: Give the system restored to a disk the identity of its station
version_added: "0.1.0"
description:
  - Works on a disk that nobody uses, from the imaging environment. Mounts the Linux system that is on it where nobody else sees it, and
    makes it this station's own - host name, hosts file, machine-id, SSH host keys, network settings, files with the station's values,
    and when asked identifiers of filesystems, swap, volume groups and partitions, with every file that names them.
  - A second run changes nothing on the disk. One that was cut is run again and goes on.
  - What is on the disk is not trusted. Links in it are followed as its own system would follow them, never out of it.
  - Run M(fleet.imaging.boot_repair) afterwards when O(unique) is given.
options:
  hostname:
    description: Name of the station, without a domain.
    type: str
    required: true
  domain:
    description: Domain of the station, for the hosts file.
    type: str
  seed:
    description:
      - What the machine-id and the identifiers are derived from, so that the station always gets the same; must be another for every
        station. O(hostname) by default. A UUID that nobody knows makes the machine-id one that nobody can guess.
    type: str
  mac:
    description:
      - MAC address of the station's network card. Settings that are bound to the model's card are bound to this one; without it, to any.
    type: str
  network:
    description: A static address, for NetworkManager, netplan, systemd-networkd or ifupdown, whichever the system has.
    type: dict
    suboptions:
      address:
        description: Address with the length of its prefix, such as V(10.0.0.5/24).
        type: str
        required: true
      gateway:
        description: Address of the router.
        type: str
      dns:
        description: Addresses of name servers.
        type: list
        elements: str
        default: []
      search:
        description: Domains in which names are looked for.
        type: list
        elements: str
        default: []
      interface:
        description: Name of the network interface; without it, the one with O(mac), or any.
        type: str
  ssh_host_keys:
    description: Whether the station gets SSH host keys of its own, unless it has them already.
    type: bool
    default: true
  files:
    description: Files with values of this station, such as licence keys. Their contents are never shown.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Path in the installed system.
        type: str
        required: true
      content:
        description: Contents.
        type: str
        required: true
      mode:
        description: Permissions.
        type: str
        default: '0600'
      uid:
        description: Number of the owner, as the installed system counts.
        type: int
        default: 0
      gid:
        description: Number of the group.
        type: int
        default: 0
  unique:
    description:
      - Which identifiers become the station's own.
      - V(partitions) are those of the partition table and is refused on a disk with Windows, which would not start any more.
    type: list
    elements: str
    choices: [filesystems, swap, lvm, partitions]
    default: []
  volume_group:
    description: Name that the disk's only LVM volume group gets.
    type: str
  hooks:
    description:
      - Folder on the station with the site's own programs. They run one after the other in the order of their names, with the variables
        E(FLEET_STATION), E(FLEET_DOMAIN), E(FLEET_MACHINE_ID), E(FLEET_DISK), E(FLEET_ROOT_PARTITION), E(FLEET_ROOT) (where the system is
        mounted), E(FLEET_ADDRESS) and E(FLEET_MAC), and O(values) as JSON on standard input.
      - One that ends with another code than 0 fails the station, with what it printed. One that ended well runs again only when it, or
        what it is told, has changed, or the disk was restored again.
    type: path
  values:
    description:
      - What the hooks are told on standard input; an object. Nothing of it is shown.
      - In what a hook prints, texts in it of four characters or more are hidden, unless the hook has them in its variables as well.
    type: json
    default: '{}'
extends_documentation_fragment:
  - fleet.core.attributes
  - fleet.imaging.options.installed
attributes:
  check_mode:
    support: full
    details: New keys are made, and hooks are run, only without it.
  diff_mode:
    support: full
    details: Keys and files with the station's values are not shown.
author:
  - Fleet contributors (@fleet)
seealso:
  - module: fleet.imaging.image_restore
  - module: fleet.imaging.boot_repair
"""

EXAMPLES = r"""
- name: Make the restored system this station's own
  fleet.imaging.station_identity:
    disk_identity: "{{ fleet_disk_identity }}"
    hostname: "{{ inventory_hostname_short }}"
    seed: "{{ fleet_uuid }}"
    unique: [filesystems, swap]
    files:
      - path: /etc/cad/licence
        content: "{{ fleet_secrets.cad_licence }}"
  register: identity

- name: Let everybody know its keys
  ansible.builtin.known_hosts:
    name: "{{ inventory_hostname }}"
    key: "{{ inventory_hostname }} {{ (identity.ssh_host_keys | selectattr('type', 'eq', 'ed25519') | first).public }}"
  delegate_to: localhost
"""

RETURN = r"""
hostname:
  description: The station's name.
  returned: success
  type: str
  sample: pc07
old_hostname:
  description: The name that the system had.
  returned: success
  type: str
  sample: model-room12
machine_id:
  description: The station's machine-id.
  returned: success
  type: str
  sample: 0f6c4b8d3a5e5b7f9c1d2e3f4a5b6c7d
system:
  description: What the system calls itself.
  returned: success
  type: str
  sample: Debian GNU/Linux 12 (bookworm)
root:
  description: Where the system's root filesystem is - number of the partition, or volume group and volume.
  returned: success
  type: str
  sample: "3"
network_manager:
  description: Who manages the network in the system; empty when no static address was asked for.
  returned: success
  type: str
  sample: NetworkManager
ssh_host_keys:
  description: The station's public keys; in check mode, none when new ones would be made.
  returned: success
  type: list
  elements: dict
  contains:
    type:
      description: Kind of the key.
      type: str
      sample: ed25519
    public:
      description: The key as in known_hosts, without a name.
      type: str
      sample: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0aVJ7c0xPDZsXKD7xKR5XBC1kkPYaSVGEZYOYK0gHl
    fingerprint:
      description: The key's fingerprint as ssh-keygen prints it.
      type: str
      sample: SHA256:zyO3EJ8NSNXcYhy0CGLYVKRWhJPfvsZsfBl8Eu5rzrQ
new_ssh_host_keys:
  description: Whether new SSH host keys were, or would be, made.
  returned: success
  type: bool
identifiers:
  description: Identifiers that changed, or would.
  returned: success
  type: list
  elements: dict
  sample: [{of: swap on partition 2, old: 7d3c3c5c-9a55-4c5e-8e59-0f5d3e0d6a11, new: 21d0a4de-4a53-5b8e-a5ad-2b0b0a5b4c3d}]
hooks:
  description: Hooks that ran, or would run, with what they printed.
  returned: success
  type: list
  elements: dict
  sample: [{name: 10-cad, output: licence activated}]
notes:
  description: What an admin should know; also given as warnings.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.core.plugins.module_utils.stop import stoppable
from ansible_collections.fleet.imaging.plugins.module_utils.identity.request import UNIQUE, Request
from ansible_collections.fleet.imaging.plugins.module_utils.identity.station import give
from ansible_collections.fleet.imaging.plugins.module_utils.installed.params import INSTALLED_SPEC, named_disk

ARGUMENT_SPEC = {
    **INSTALLED_SPEC,
    "hostname": {"type": "str", "required": True},
    "domain": {"type": "str"},
    "seed": {"type": "str", "no_log": True},
    "mac": {"type": "str"},
    "network": {
        "type": "dict",
        "options": {
            "address": {"type": "str", "required": True},
            "gateway": {"type": "str"},
            "dns": {"type": "list", "elements": "str", "default": []},
            "search": {"type": "list", "elements": "str", "default": []},
            "interface": {"type": "str"},
        },
    },
    "ssh_host_keys": {"type": "bool", "default": True, "no_log": False},
    "files": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "path": {"type": "str", "required": True},
            "content": {"type": "str", "required": True, "no_log": True},
            "mode": {"type": "str", "default": "0600"},
            "uid": {"type": "int", "default": 0},
            "gid": {"type": "int", "default": 0},
        },
    },
    "unique": {"type": "list", "elements": "str", "choices": list(UNIQUE), "default": []},
    "volume_group": {"type": "str"},
    "hooks": {"type": "path"},
    "values": {"type": "json", "default": "{}", "no_log": True},
}


def conceal(module: AnsibleModule) -> None:
    """Forget the contents of files: Ansible would replace short ones, such as a seat's number, wherever they occur in the result."""
    for file in module.params["files"]:
        module.no_log_values.discard(file["content"])
        file["content"] = "(secret)"


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    asked = module.params
    try:
        with stoppable():
            request = Request.parse(asked)
            conceal(module)
            disk = named_disk(asked)
            result = give(disk, asked["root"], request, check=module.check_mode, require=asked["require"])
    except FleetError as error:
        module.fail_json(msg=str(error), **error.details)
    for note in result.notes:
        module.warn(note)
    module.exit_json(**result.as_dict())


if __name__ == "__main__":
    main()
