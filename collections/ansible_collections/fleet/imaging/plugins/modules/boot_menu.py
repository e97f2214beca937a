#!/usr/bin/python

# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the boot menu of a site."""

from __future__ import annotations

DOCUMENTATION = r"""
module: boot_menu
short_description: Write the boot menu of a site
version_added: "0.1.0"
author: Fleet contributors (@fleet)
description:
  - Runs on a boot server. Writes the menu that stations show for which nothing else is wanted, for iPXE and for GRUB.
  - The local disk is the first entry, and starts when nobody chooses. Everything else is behind a password; without one, there is
    nothing else.
extends_documentation_fragment:
  - fleet.core.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
options:
  title:
    description: What stands above the menu, such as the name of the site.
    type: str
    default: Fleet
  timeout:
    description: Seconds until the local disk starts.
    type: int
    default: 5
  user:
    description: Name that is asked for with the password.
    type: str
    default: admin
  password_hash:
    description:
      - Hash of the password, as C(grub-mkpasswd-pbkdf2) prints it. GRUB checks it on the station, so everybody in the network can read
        it; the boot service checks it for iPXE, which sends the password in the clear.
    type: str
    default: ""
  style:
    description: V(graphical) or V(text) menus in GRUB. iPXE of Debian 12 shows text.
    type: str
    choices: [graphical, text]
    default: graphical
  tasks:
    description: Entries behind the password, in the menu's own order.
    type: list
    elements: str
    choices: [image, clone, backup, restore, repartition, memtest]
    default: [image, clone, backup, restore, repartition, memtest]
  installers:
    description: Installers that the menu offers, behind the password as well.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name in URLs.
        type: str
        required: true
      title:
        description: Name for people.
        type: str
        required: true
      kernel:
        description: Kernel, below both folders that the boot server serves.
        type: str
        required: true
      initrd:
        description: Initial RAM disk.
        type: str
        default: ""
      arguments:
        description: Arguments of the kernel, one each.
        type: list
        elements: str
        default: []
  loaders:
    description: Loaders below C(/EFI) of local disks; the first that is there starts. The default is in the collection.
    type: list
    elements: str
  colours:
    description: Background, text, and what is chosen.
    type: list
    elements: str
    default: ["#1d2b3a", "#c9d4df", "#ff9d3c"]
  picture:
    description: PNG picture behind the graphical menu, as its name in the folder C(grub) of TFTP.
    type: str
    default: ""
  config:
    description: What the boot server was told of its site.
    type: path
    default: /etc/fleet/boot/boot.json
seealso:
  - module: fleet.imaging.boot_entry
"""

EXAMPLES = r"""
- name: Write the menu
  fleet.imaging.boot_menu:
    title: Lycée Jules Ferry
    password_hash: "{{ vault_boot_menu_password_hash }}"
"""

RETURN = r"""
files:
  description: Files that changed, or would in check mode.
  returned: success
  type: list
  elements: str
  sample: [/srv/fleet-boot/http/menu.ipxe, /srv/fleet-boot/tftp/grub/grub.cfg]
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.imaging.plugins.module_utils.netboot import menu, site
from ansible_collections.fleet.imaging.plugins.module_utils.netboot.texts import TASKS

_TASKS = [*TASKS, "memtest"]
ARGUMENT_SPEC = {
    "title": {"type": "str", "default": "Fleet"},
    "timeout": {"type": "int", "default": 5},
    "user": {"type": "str", "default": "admin"},
    "password_hash": {"type": "str", "default": "", "no_log": True},
    "style": {"type": "str", "choices": list(menu.STYLES), "default": "graphical"},
    "tasks": {"type": "list", "elements": "str", "choices": _TASKS, "default": _TASKS},
    "installers": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "title": {"type": "str", "required": True},
            "kernel": {"type": "str", "required": True},
            "initrd": {"type": "str", "default": ""},
            "arguments": {"type": "list", "elements": "str", "default": []},
        },
    },
    "loaders": {"type": "list", "elements": "str"},
    "colours": {"type": "list", "elements": "str", "default": ["#1d2b3a", "#c9d4df", "#ff9d3c"]},
    "picture": {"type": "str", "default": ""},
    "config": {"type": "path", "default": site.CONFIG},
}


def main() -> None:
    """Do what the task says."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        changed = menu.apply(site.load(Path(module.params["config"])), menu.from_params(module.params), check=module.check_mode)
    except FleetError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(changed=bool(changed), files=changed)


if __name__ == "__main__":
    main()
