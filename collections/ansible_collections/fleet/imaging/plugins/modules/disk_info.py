#!/usr/bin/python
# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Describe the disks of a station."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: disk_info
short_description: Describe disks, their partitions and filesystems
version_added: "0.1.0"
description:
  - Tells of every disk, or of one, its identity, partition table, filesystems and how full they are.
  - Tells of every filesystem whether it can be captured; if not, why (mounted, dirty, hibernated, encrypted, damaged, unsupported,
    ambiguous) and what to do.
  - Never changes anything on a disk. Where no udev runs, device nodes of partitions are made in C(/dev).
options:
  disk:
    description:
      - Path of the disk, such as C(/dev/sda), or its identity, such as C(serial:S4EWNX0N123456) or C(size:256060514304), or several of
        these joined by commas. All disks when not given.
    type: str
  used:
    description: Whether to count the bytes in use of filesystems that are not mounted, which takes seconds for each.
    type: bool
    default: true
extends_documentation_fragment:
  - fleet.core.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
author:
  - Fleet contributors (@fleet)
seealso:
  - module: fleet.imaging.disk_layout
  - module: fleet.imaging.image_capture
"""

EXAMPLES = r"""
- name: What is on the disks?
  fleet.imaging.disk_info:
  register: station

- name: Stop unless the system partition can be captured
  ansible.builtin.assert:
    that: item.state.clean
    fail_msg: "{{ item.path }}: {{ item.state.detail }}. {{ item.state.remedy }}"
  loop: "{{ station.disks[0].partitions }}"
  loop_control:
    label: "{{ item.path }}"
"""

RETURN = r"""
disks:
  description: The disks, by path.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: Its device node.
      type: str
      returned: always
      sample: /dev/sda
    identity:
      description: All that identifies it; copy this, or the part of it that suffices, into a playbook as the disk that may be erased.
      type: str
      returned: always
      sample: "serial:S4EWNX0N123456,wwn:0x5002538e40a1b2c3,size:256060514304"
    serial:
      description: Serial number; empty when it has none.
      type: str
      returned: always
      sample: S4EWNX0N123456
    wwn:
      description: World Wide Name; empty when it has none.
      type: str
      returned: always
      sample: "0x5002538e40a1b2c3"
    model:
      description: Name of the product.
      type: str
      returned: always
      sample: Samsung SSD 860
    size:
      description: Bytes.
      type: int
      returned: always
      sample: 256060514304
    sector_size:
      description: Bytes of a logical sector.
      type: int
      returned: always
      sample: 512
    read_only:
      description: Whether it is write-protected.
      type: bool
      returned: always
    in_use:
      description: Why it must not be touched, in words; empty when nobody uses it.
      type: list
      elements: str
      returned: always
      sample: [/dev/sda2 is mounted at /]
    table:
      description:
        - Its partition table as C(sfdisk --json) has it, with C(number) and C(filesystem) for each partition; null without one.
        - M(fleet.imaging.disk_layout) takes it for another disk.
      type: dict
      returned: always
    problem:
      description: What is wrong with its partition table; empty when nothing is.
      type: str
      returned: always
    backups:
      description:
        - The versions of images in the station's local backup, oldest first; C(error) tells what is wrong with one, or with the backup. Its
          chunks are counted, not read.
      type: list
      elements: dict
      returned: always
      sample: [{image: room12, version: 20261121T083000Z, created: "2026-11-21T08:30:00Z", error: ""}]
    partitions:
      description: The partitions, by number.
      type: list
      elements: dict
      returned: always
      contains:
        number:
          description: Its number.
          type: int
          returned: always
          sample: 2
        path:
          description: Its device node.
          type: str
          returned: always
          sample: /dev/sda2
        start:
          description: Where it begins, in bytes.
          type: int
          returned: always
          sample: 537919488
        size:
          description: Bytes.
          type: int
          returned: always
          sample: 255521193984
        type:
          description: Type in the partition table, a GUID or the hexadecimal number of an MBR.
          type: str
          returned: always
          sample: 0FC63DAF-8483-4772-8E79-3D69D8477DE4
        uuid:
          description: UUID of the partition; empty on an MBR.
          type: str
          returned: always
          sample: 45F10888-CEAC-184C-B972-214C12326F1F
        name:
          description: Name in the partition table.
          type: str
          returned: always
          sample: root
        filesystem:
          description:
            - Type, UUID, label, size and block size (both in bytes) of what is on it; C(raw) for contents that are none.
            - Null for an extended partition.
          type: dict
          returned: always
          sample: {type: ext4, uuid: 759a01b2-53b2-4093-a3f5-f81585a1b858, label: root, size: 255521193984, block_size: 4096}
        state:
          description: Whether it can be captured (C(clean)); if not, the C(reason) in one word, the C(detail) and the C(remedy).
          type: dict
          returned: always
          sample: {clean: false, reason: hibernated, detail: Windows is hibernated, remedy: Start Windows and shut it down}
        mounted_at:
          description: Where it is mounted.
          type: list
          elements: str
          returned: always
        used:
          description: Bytes in use; null when that cannot be known or was not asked for.
          type: int
          returned: always
          sample: 4831838208
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.imaging.plugins.module_utils.backup.volume import listed
from ansible_collections.fleet.imaging.plugins.module_utils.disk.device import Disk
from ansible_collections.fleet.imaging.plugins.module_utils.disk.report import describe

ARGUMENT_SPEC = {
    "disk": {"type": "str"},
    "used": {"type": "bool", "default": True},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    name = module.params["disk"]
    try:
        found = [Disk.open(name)] if name else Disk.all()
        disks = [{**describe(disk, module.params["used"]), "backups": listed(disk)} for disk in found]
    except FleetError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(changed=False, disks=disks)


if __name__ == "__main__":
    main()
