#!/usr/bin/python

# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine of a virtual room: a station with real firmware."""

from __future__ import annotations

DOCUMENTATION = r"""
module: machine
short_description: Switch a machine of a virtual room on and off
version_added: "0.1.0"
author: Fleet contributors (@fleet)
description:
  - A machine is a station that QEMU emulates, with real firmware. It stands on the bridge of a room, beside the room's stations, boots from
    its network card or its disk as any PC, and can be woken by magic packets.
  - It is described the first time it is named; what is not given later stays as it is.
  - Everything is on the host where the module runs, as root. A room's machines go with it.
  - Whether and with what the machine's address answers is up to what it boots; the module does not wait for that.
extends_documentation_fragment:
  - fleet.core.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
options:
  path:
    description: Folder of the room, which exists.
    type: path
    required: true
  name:
    description: Name of the machine, at most 32 lower-case letters, digits and inner hyphens. No station of the room has it.
    type: str
    required: true
  state:
    description:
      - V(on) switches it on unless it runs. V(off) pulls its plug; its disk and its UEFI variables stay.
      - V(reset) presses the reset button of one that runs, or switches it off and on when its hardware shall change.
      - It switches one on that was off.
      - V(absent) removes it with its disk.
    type: str
    choices: ["on", "off", reset, absent]
    default: "on"
  firmware:
    description:
      - V(bios) is SeaBIOS, V(uefi) OVMF, V(secureboot) OVMF that starts only what Microsoft's keys vouch for.
      - Default is V(bios).
    type: str
    choices: [bios, uefi, secureboot]
  memory:
    description: Memory in MiB; 1024 by default.
    type: int
  processors:
    description: Number of processors; 1 by default.
    type: int
  disk:
    description: Size of its disk, such as V(4G); none by default. It cannot change later.
    type: str
  disk_bus:
    description: How the disk is attached; V(virtio) by default.
    type: str
    choices: [virtio, sata, nvme]
  disk_format:
    description: Format of the disk's image, which is sparse in both; V(raw) by default.
    type: str
    choices: [raw, qcow2]
  boot:
    description: What firmware tries, in this order, and nothing else; V(network) and then V(disk) by default.
    type: list
    elements: str
    choices: [network, disk, usb]
  protocol:
    description: How UEFI boots from the network; V(pxe) by default.
    type: str
    choices: [pxe, http]
  card:
    description: Model of the network card; V(virtio-net-pci) by default.
    type: str
    choices: [virtio-net-pci, e1000, e1000e, rtl8139]
  bios_console:
    description:
      - Whether a BIOS has its screen and keyboard on the serial console; V(true) by default.
      - Not for boot loaders that drive the serial line themselves.
    type: bool
  mac:
    description: MAC address of its network card, in any notation; made of the room's path and the name by default.
    type: str
  address:
    description: IPv4 address that it is given by whoever serves DHCP in the room; the next that is free by default.
    type: str
  wake:
    description: Whether magic packets switch it on while it is off (UDP ports 7 and 9, and Ethernet type 0x0842).
    type: bool
  wake_password:
    description: SecureOn password that must follow in a magic packet, as V(01:02:03:04:05:06); an empty one lifts it.
    type: str
  usb:
    description: Path of the image of a USB key; what the machine writes to it is forgotten.
    type: path
  kernel:
    description: Path of a kernel that is started directly.
    type: path
  initrd:
    description: Path of its initrd.
    type: path
  append:
    description: Its command line.
    type: str
seealso:
  - module: fleet.lab.room
  - module: fleet.imaging.wake
"""

EXAMPLES = r"""
- name: Start a blank machine, which boots from the network
  fleet.lab.machine:
    path: /var/tmp/room
    name: pc1
    firmware: secureboot
    disk: 4G

- name: Let another sleep until a magic packet comes
  fleet.lab.machine:
    path: /var/tmp/room
    name: pc2
    state: "off"
    wake: true

- name: Let the first one start from its own disk
  fleet.lab.machine:
    path: /var/tmp/room
    name: pc1
    state: reset
    boot: [disk]
"""

RETURN = r"""
machine:
  description: The machine; disk_size is in bytes, memory in MiB. console is a file, console_input a pipe to type into.
  returned: when there is one, except in check mode
  type: dict
  sample:
    name: pc1
    firmware: secureboot
    mac: 52:54:00:35:44:dc
    address: 10.77.0.4
    memory: 1024
    disk_size: 4294967296
    disk_identity: serial:fleet-5254003544dc
    boot: [network, disk]
    running: true
    folder: /var/tmp/room/machines/pc1
    console: /var/tmp/room/machines/pc1/console.log
    console_input: /var/tmp/room/machines/pc1/console.in
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.lab.plugins.module_utils.machine.apply import apply
from ansible_collections.fleet.lab.plugins.module_utils.machine.hardware import BUSES, CARDS, FIRMWARES, FORMATS, PROTOCOLS, SOURCES

ARGUMENT_SPEC = {
    "path": {"type": "path", "required": True},
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["on", "off", "reset", "absent"], "default": "on"},
    "firmware": {"type": "str", "choices": list(FIRMWARES)},
    "memory": {"type": "int"},
    "processors": {"type": "int"},
    "disk": {"type": "str"},
    "disk_bus": {"type": "str", "choices": list(BUSES)},
    "disk_format": {"type": "str", "choices": list(FORMATS)},
    "boot": {"type": "list", "elements": "str", "choices": list(SOURCES)},
    "protocol": {"type": "str", "choices": list(PROTOCOLS)},
    "card": {"type": "str", "choices": list(CARDS)},
    "bios_console": {"type": "bool"},
    "mac": {"type": "str"},
    "address": {"type": "str"},
    "wake": {"type": "bool"},
    "wake_password": {"type": "str", "no_log": True},
    "usb": {"type": "path"},
    "kernel": {"type": "path"},
    "initrd": {"type": "path"},
    "append": {"type": "str"},
}


def main() -> None:
    """Do what the task says."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        result = apply(module.params, check=module.check_mode)
    except FleetError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
