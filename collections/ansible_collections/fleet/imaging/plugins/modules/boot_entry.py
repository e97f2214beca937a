#!/usr/bin/python

# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell a station what it starts next over the network."""

from __future__ import annotations

DOCUMENTATION = r"""
module: boot_entry
short_description: Tell a station what it starts next over the network
version_added: "0.1.0"
author: Fleet contributors (@fleet)
description:
  - Runs on a boot server (P(fleet.imaging.boot_server#role)), or is delegated to it. Writes the files of one network card that iPXE and
    GRUB ask for, each whole or not at all. It does not restart the station.
  - For entries of the imaging environment it makes a one-time token, with which the station registers the host key that it makes when it
    starts. The token is handed to the station alone, by the boot service, and is in no result and no log.
extends_documentation_fragment:
  - fleet.core.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
options:
  mac:
    description: MAC address of the station's network card, in any notation. A station with several cards has an entry for each.
    type: str
    required: true
  station:
    description: Name of the station, which the imaging environment shows.
    type: str
    required: true
  entry:
    description:
      - V(imaging-once) starts the imaging environment once; what was before, V(disk) or V(menu), comes after it. The entry is used up as
        soon as the station has fetched it.
      - V(imaging) starts it always.
      - V(disk) starts the local disk at once, V(menu) shows the menu and starts the local disk when nobody chooses. A card of which
        nothing is known has V(menu).
      - V(installer) starts O(kernel) once.
    type: str
    choices: [imaging-once, imaging, disk, menu, installer]
    required: true
  kernel:
    description: Kernel of an installer, as V(installer/debian/vmlinuz), below both folders that the boot server serves.
    type: str
  initrd:
    description: Its initial RAM disk.
    type: str
    default: ""
  arguments:
    description: Further arguments of the kernel, one each. Everybody in the network can read them.
    type: list
    elements: str
    default: []
  language:
    description: Language of the imaging environment on this station; that of the boot server when it is not given.
    type: str
    choices: [en, fr]
  token_lifetime:
    description: Seconds within which the station has to register its host key.
    type: int
    default: 3600
  config:
    description: What the boot server was told of its site.
    type: path
    default: /etc/fleet/boot/boot.json
seealso:
  - module: fleet.imaging.boot_menu
"""

EXAMPLES = r"""
- name: Let the station start the imaging environment next time
  fleet.imaging.boot_entry:
    mac: "{{ fleet_macs | first }}"
    station: "{{ inventory_hostname }}"
    entry: imaging-once
  delegate_to: "{{ boot_server }}"
"""

RETURN = r"""
mac:
  description: The card, in one notation.
  returned: success
  type: str
  sample: 52:54:00:77:00:01
entry:
  description: What the station starts next.
  returned: success
  type: str
  sample: imaging-once
then:
  description: What it starts after an entry that is for once.
  returned: success
  type: str
  sample: disk
expires:
  description: When the token expires, in seconds since 1970; 0 without one.
  returned: success
  type: int
  sample: 1795300000
host_key:
  description: Path on the boot server of the station's host key. It appears there once the station has registered it with the token.
  returned: success
  type: str
  sample: /var/lib/fleet-boot/host-keys/52-54-00-77-00-01
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.imaging.plugins.module_utils.netboot import change, site
from ansible_collections.fleet.imaging.plugins.module_utils.netboot.entry import ENTRIES, System

ARGUMENT_SPEC = {
    "mac": {"type": "str", "required": True},
    "station": {"type": "str", "required": True},
    "entry": {"type": "str", "choices": list(ENTRIES), "required": True},
    "kernel": {"type": "str"},
    "initrd": {"type": "str", "default": ""},
    "arguments": {"type": "list", "elements": "str", "default": []},
    "language": {"type": "str", "choices": ["en", "fr"]},
    "token_lifetime": {"type": "int", "default": 3600, "no_log": False},
    "config": {"type": "path", "default": site.CONFIG},
}


def main() -> None:
    """Do what the task says."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    said = module.params
    system = System(said["kernel"], said["initrd"]) if said["kernel"] else None
    request = change.Request(
        said["mac"], said["station"], said["entry"], system, tuple(said["arguments"]), said["language"] or "", said["token_lifetime"]
    )
    try:
        outcome = change.apply(site.load(Path(said["config"])), request, check=module.check_mode)
    except FleetError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(**outcome.as_dict())


if __name__ == "__main__":
    main()
