#!/usr/bin/python

# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Describe a virtual room."""

from __future__ import annotations

DOCUMENTATION = r"""
module: room_info
short_description: Describe a virtual room
version_added: "0.1.0"
author: Fleet contributors (@fleet)
description:
  - Returns a room's stations with their addresses, disks, boot entries, and whether they run, and its machines.
extends_documentation_fragment:
  - fleet.core.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
options:
  path:
    description: Folder of the room.
    type: path
    required: true
seealso:
  - module: fleet.lab.room
"""

EXAMPLES = r"""
- name: Look at the room
  fleet.lab.room_info:
    path: /var/tmp/room
  register: found
"""

RETURN = r"""
room:
  description: The room, or null when there is none in this folder.
  returned: success
  type: dict
  contains:
    name:
      description: Name of the room.
      type: str
      returned: always
      sample: room
    path:
      description: Its folder.
      type: str
      returned: always
      sample: /var/tmp/room
    subnet:
      description: Its IPv4 subnet.
      type: str
      returned: always
      sample: 10.77.0.0/24
    namespace:
      description: Network namespace with its bridge, from which the stations are reached.
      type: str
      returned: always
      sample: fleet-6295c7d8
    root:
      description: Cached Debian root of its imaging environments.
      type: str
      returned: always
      sample: /var/cache/fleet/lab/root-e4059c988a09
    stations:
      description: Its stations; disk_size is in bytes.
      type: list
      elements: dict
      returned: always
      sample:
        - name: station1
          role: station
          address: 10.77.0.4
          mac: 52:54:00:35:44:dc
          disk_size: 2147483648
          disk_identity: size:2147483648
          loop: /dev/loop1
          boot: imaging
          rate: ""
          loss: 0.0
          system: false
          running: true
          console: /var/tmp/room/stations/station1/console.log
    machines:
      description: Its machines, as M(fleet.lab.machine) returns them.
      type: list
      elements: dict
      returned: always
      sample:
        - name: pc1
          firmware: uefi
          mac: 52:54:00:5a:10:07
          address: 10.77.0.5
          running: true
          folder: /var/tmp/room/machines/pc1
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.lab.plugins.module_utils.room.room import Room
from ansible_collections.fleet.lab.plugins.module_utils.room.state import State

ARGUMENT_SPEC = {"path": {"type": "path", "required": True}}


def main() -> None:
    """Do what the task says."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        room = Room(module.params["path"])
        state = State.load(room.path)
        found = room.describe(state) if state and state.complete else None
    except FleetError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(changed=False, room=found)


if __name__ == "__main__":
    main()
