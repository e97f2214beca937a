#!/usr/bin/python

# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell a station of a virtual room what to start next."""

from __future__ import annotations

DOCUMENTATION = r"""
module: boot_entry
short_description: Tell a station of a virtual room what to start next
version_added: "0.1.0"
author: Fleet contributors (@fleet)
description:
  - Sets the boot entry that the firmware of a station reads whenever the station starts. It does not reboot the station.
extends_documentation_fragment:
  - fleet.core.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
options:
  path:
    description: Folder of the room.
    type: path
    required: true
  station:
    description: Name of the station.
    type: str
    required: true
  entry:
    description:
      - V(imaging) starts the imaging environment, V(disk) the system on the station's own disk.
      - V(imaging-once) starts the imaging environment once; the entry is V(disk) from then on.
    type: str
    choices: [imaging, disk, imaging-once]
    required: true
seealso:
  - module: fleet.lab.room
"""

EXAMPLES = r"""
- name: Let the station start from its disk next time
  fleet.lab.boot_entry:
    path: "{{ fleet_room }}"
    station: "{{ inventory_hostname }}"
    entry: disk
  delegate_to: localhost
"""

RETURN = r"""
entry:
  description: What the station starts next.
  returned: success
  type: str
  sample: disk
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.lab.plugins.module_utils.room.room import Room
from ansible_collections.fleet.lab.plugins.module_utils.room.station import ENTRIES

ARGUMENT_SPEC = {
    "path": {"type": "path", "required": True},
    "station": {"type": "str", "required": True},
    "entry": {"type": "str", "choices": list(ENTRIES), "required": True},
}


def main() -> None:
    """Do what the task says."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    station, entry = module.params["station"], module.params["entry"]
    try:
        room = Room(module.params["path"])
        before = room.boot_entry(station)
        if before != entry and not module.check_mode:
            room.set_boot_entry(station, entry)
    except FleetError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(changed=before != entry, entry=entry, diff={"before": f"{before}\n", "after": f"{entry}\n"})


if __name__ == "__main__":
    main()
