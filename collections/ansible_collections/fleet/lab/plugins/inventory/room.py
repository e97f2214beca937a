# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inventory of a virtual room."""

from __future__ import annotations

DOCUMENTATION = r"""
name: room
short_description: Stations of a virtual room
version_added: "0.1.0"
author: Fleet contributors (@fleet)
description:
  - Reads the stations of a room created by M(fleet.lab.room), in the groups C(stations), C(models) and C(content_stores), and its
    machines, created by M(fleet.lab.machine), in the group C(machines).
  - Files are named C(*.room.yml). A room that does not exist gives no hosts, and a warning.
  - The stations are reached over SSH by entering the room's network namespace, which needs root.
  - Every host has the variables C(fleet_room), C(fleet_mac) and C(fleet_disk_identity), stations besides C(fleet_disk) and
    C(fleet_boot_entry), machines C(fleet_macs), C(fleet_firmware) and C(fleet_machine), the machine's folder.
options:
  plugin:
    description: Always V(fleet.lab.room).
    type: str
    required: true
    choices: [fleet.lab.room]
  path:
    description: Folder of the room; a relative one starts at the folder of the inventory file.
    type: str
    required: true
  groups:
    description: V(false) gives connection variables alone, for a room whose stations, groups and disks are in the station database.
    type: bool
    default: true
seealso:
  - module: fleet.lab.room
  - module: fleet.lab.machine
"""

EXAMPLES = r"""
plugin: fleet.lab.room
path: ../../.cache/demo
"""

from pathlib import Path

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin
from ansible.utils.display import Display

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.lab.plugins.module_utils.machine import roster
from ansible_collections.fleet.lab.plugins.module_utils.room import connection, host
from ansible_collections.fleet.lab.plugins.module_utils.room.state import State

display = Display()


class InventoryModule(BaseInventoryPlugin):
    """The plugin."""

    NAME = "fleet.lab.room"

    def verify_file(self, path):
        """Accept *.room.yml."""
        return super().verify_file(path) and path.endswith((".room.yml", ".room.yaml"))

    def parse(self, inventory, loader, path, cache=True):
        """Fill the inventory with the room's stations."""
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        try:
            room = host.folder(str(Path(path).parent / self.get_option("path")))
            state = State.load(room)
            grouped = self.get_option("groups")
            for group in (*connection.GROUPS.values(), connection.MACHINES) if grouped else ():
                inventory.add_group(group)
            if state is None or not state.complete:
                display.warning(f"There is no room in {room}: create it with the module fleet.lab.room")
                return
            for machine in roster.machines(room):
                inventory.add_host(machine.hardware.name, group=connection.MACHINES if grouped else None)
                for name, value in connection.machine_variables(room, state, machine).items():
                    if grouped or name not in ("fleet_disk_identity", "fleet_macs"):
                        inventory.set_variable(machine.hardware.name, name, value)
            for station in state.stations:
                inventory.add_host(station.name, group=connection.GROUPS[station.role] if grouped else None)
                for name, value in connection.variables(room, state, station).items():
                    if grouped or name != "fleet_disk_identity":
                        inventory.set_variable(station.name, name, value)
        except (FleetError, OSError) as error:
            raise AnsibleParserError(f"{path}: {error}") from error
