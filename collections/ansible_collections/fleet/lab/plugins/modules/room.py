#!/usr/bin/python

# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Create and remove a virtual room."""

from __future__ import annotations

DOCUMENTATION = r"""
module: room
short_description: Create and remove a virtual room of stations
version_added: "0.1.0"
author: Fleet contributors (@fleet)
description:
  - A room is a bridge in a network namespace of its own, and stations on it. Each has systemd as first process, its own
    network namespace, SSH, and a disk that is a loop device.
  - A loop around systemd-nspawn is the station's firmware. It starts the imaging environment or the system on the station's own
    disk, as the boot entry says, whenever the station reboots.
  - Creating again changes only what differs. Stations that were switched off are started.
  - Everything is made on the host where the module runs, as root; nothing is added to that host's own network.
extends_documentation_fragment:
  - fleet.core.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
options:
  path:
    description:
      - Folder of the room; it identifies the room on its host.
      - Colons, commas, backslashes and quotes are not possible in it.
    type: path
    required: true
  state:
    description:
      - V(absent) ends every process and removes every namespace, mount, loop device and file of the room, also after a crash.
    type: str
    choices: [present, absent]
    default: present
  name:
    description: Name of the room; the folder's own name when empty.
    type: str
    default: ""
  cache:
    description:
      - Folder for the stations' Debian root and its packages, built on first use and shared by rooms.
      - Required when creating; taken from the environment variable E(FLEET_CACHE) when not given.
    type: path
  subnet:
    description: IPv4 subnet of the room. As rooms cannot see each other, all may have the same.
    type: str
    default: 10.77.0.0/24
  central:
    description: Whether the room has a central host, named C(central), which keeps what it writes over reboots.
    type: bool
    default: true
  central_packages:
    description:
      - Debian packages that the central host has besides those of the stations, which have no network to install any.
      - It cannot change while the central host is there.
    type: list
    elements: str
    default: []
    version_added: "0.1.0"
  system_packages:
    description:
      - Debian packages that systems on stations' disks have besides those of the imaging environment.
      - With a kernel (C(linux-image-cloud-amd64)), C(initramfs-tools), and GRUB (C(grub2-common), C(grub-pc-bin), C(grub-efi-amd64-signed),
        C(shim-signed)) the system starts on a machine as well, once M(fleet.imaging.boot_repair) has put its boot loader there.
      - They do not change for a disk that is there.
    type: list
    elements: str
    default: []
    version_added: "0.1.0"
  timeout:
    description: Seconds within which every station must answer SSH.
    type: int
    default: 60
  stations:
    description: The stations the room shall have; others are removed.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the station, at most 32 lower-case letters, digits and inner hyphens.
        type: str
        required: true
      role:
        description: Whether this is the V(model) that images are captured from. It decides the group in the inventory.
        type: str
        choices: [station, model]
        default: station
      disk:
        description: Size of its disk, such as V(400M) or V(4G), or V(0) for none. It cannot change later.
        type: str
        default: "0"
      rate:
        description: Limit of its network link in both directions, such as V(100mbit). Empty means none.
        type: str
        default: ""
      loss:
        description: Percentage of the packets towards the station that are lost.
        type: float
        default: 0
      boot:
        description: Boot entry when it is first started; later it is changed by M(fleet.lab.boot_entry).
        type: str
        choices: [imaging, disk, imaging-once]
        default: imaging
      system:
        description: Whether a Debian system is installed on its disk when it is made. The disk needs 600M at least.
        type: bool
        default: false
seealso:
  - module: fleet.lab.room_info
  - module: fleet.lab.boot_entry
"""

EXAMPLES = r"""
- name: Create a room with a model and two stations
  fleet.lab.room:
    path: /var/tmp/room
    cache: /var/cache/fleet
    stations:
      - name: model
        role: model
        disk: 1G
        system: true
      - name: station1
        disk: 2G
      - name: station2
        disk: 2G
        rate: 100mbit
        loss: 1

- name: Remove it
  fleet.lab.room:
    path: /var/tmp/room
    state: absent
"""

RETURN = r"""
room:
  description: The room, as returned by M(fleet.lab.room_info).
  returned: when it is created, except in check mode
  type: dict
  sample:
    name: room
    path: /var/tmp/room
    subnet: 10.77.0.0/24
    namespace: fleet-6295c7d8
    stations: []
"""

from ansible.module_utils.basic import AnsibleModule, env_fallback

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress
from ansible_collections.fleet.lab.plugins.module_utils.room.apply import apply
from ansible_collections.fleet.lab.plugins.module_utils.room.station import ENTRIES

STATION_SPEC = {
    "name": {"type": "str", "required": True},
    "role": {"type": "str", "choices": ["station", "model"], "default": "station"},
    "disk": {"type": "str", "default": "0"},
    "rate": {"type": "str", "default": ""},
    "loss": {"type": "float", "default": 0},
    "boot": {"type": "str", "choices": list(ENTRIES), "default": "imaging"},
    "system": {"type": "bool", "default": False},
}

ARGUMENT_SPEC = {
    "path": {"type": "path", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "name": {"type": "str", "default": ""},
    "cache": {"type": "path", "fallback": (env_fallback, ["FLEET_CACHE"])},
    "subnet": {"type": "str", "default": "10.77.0.0/24"},
    "central": {"type": "bool", "default": True},
    "central_packages": {"type": "list", "elements": "str", "default": []},
    "system_packages": {"type": "list", "elements": "str", "default": []},
    "timeout": {"type": "int", "default": 60},
    "stations": {"type": "list", "elements": "dict", "default": [], "options": STATION_SPEC},
}


def main() -> None:
    """Do what the task says."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, required_if=[("state", "present", ["cache"])], supports_check_mode=True)
    try:
        result = apply(module.params, Progress.from_module(module), check=module.check_mode)
    except FleetError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
