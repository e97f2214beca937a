#!/usr/bin/python
# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lay out a disk like a model's."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: disk_layout
short_description: Partition a disk like a model, and format it
version_added: "0.1.0"
description:
  - Applies a partition table with all its identifiers to a disk, whole or while keeping chosen data partitions, and optionally makes
    new empty filesystems like the model's.
  - On a larger disk the last partition grows, on a smaller one it shrinks. Swap behind it slides along.
  - Refuses a disk that is not the one named in O(erase), that is in use, too small, or has sectors of another size; then nothing is
    changed.
  - What was written is read back and compared.
options:
  disk:
    description: Path of the disk, such as C(/dev/sda), or its identity. The one named in O(erase) when not given.
    type: str
  erase:
    description:
      - Identity of the disk that may be changed, as M(fleet.imaging.disk_info) says it, such as V(serial:S4EWNX0N123456) or
        V(size:256060514304), or several joined by commas. It must match, whatever O(disk) says.
    type: str
    required: true
  table:
    description:
      - The partition table, as C(table) of M(fleet.imaging.disk_info) or as C(sfdisk --json) gives it.
      - C(filesystem) of a partition (C(type), and optionally C(uuid) and C(label)) says what O(format) makes there.
    type: dict
    required: true
  keep:
    description:
      - Numbers of the disk's partitions that stay as they are, contents and all. They take the place of those with the same number
        in O(table). Without it the whole disk is laid out anew.
    type: list
    elements: int
    default: []
  format:
    description:
      - Whether to make new empty filesystems. A partition that already has the filesystem with that type, UUID and label is left
        alone, with its files, unless the partition table changes.
      - Otherwise partitions hold whatever was at their place.
    type: bool
    default: false
  grow:
    description: Whether the last partition takes the room of a larger disk.
    type: bool
    default: true
  backup:
    description:
      - Whether the station's local backup stays (V(keep)), wherever O(table) has its partitions, or not (V(erase)).
      - One in O(table) is that of the other station, and is left out.
    type: str
    choices: [keep, erase]
    default: keep
extends_documentation_fragment:
  - fleet.core.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
author:
  - Fleet contributors (@fleet)
seealso:
  - module: fleet.imaging.disk_info
  - module: fleet.imaging.image_restore
"""

EXAMPLES = r"""
- name: Look at the model
  fleet.imaging.disk_info:
    disk: serial:S4EWNX0N000001
  register: model
  delegate_to: model-room12

- name: Partition and format like the model, but keep the data partition
  fleet.imaging.disk_layout:
    erase: "serial:{{ station_disk_serial }}"
    table: "{{ model.disks[0].table }}"
    keep: [4]
    format: true
"""

RETURN = r"""
disk:
  description: Path of the disk.
  returned: success
  type: str
  sample: /dev/sda
table:
  description: The table that is, or in check mode would be, on the disk.
  returned: success
  type: dict
formatted:
  description: Numbers of the partitions that got, or would get, a new filesystem.
  returned: success
  type: list
  elements: int
  sample: [1, 2]
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.core.plugins.module_utils.stop import stoppable
from ansible_collections.fleet.imaging.plugins.module_utils.disk.device import Disk
from ansible_collections.fleet.imaging.plugins.module_utils.disk.identity import DiskIdentity
from ansible_collections.fleet.imaging.plugins.module_utils.disk.layout import LayoutPlan

ARGUMENT_SPEC = {
    "disk": {"type": "str"},
    "erase": {"type": "str", "required": True},
    "table": {"type": "dict", "required": True},
    "keep": {"type": "list", "elements": "int", "default": []},
    "format": {"type": "bool", "default": False},
    "grow": {"type": "bool", "default": True},
    "backup": {"type": "str", "choices": ["keep", "erase"], "default": "keep"},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    asked = module.params
    try:
        with stoppable():
            erase = DiskIdentity.parse(asked["erase"])
            disk = Disk.open(asked["disk"] or asked["erase"])
            keeping = {"keep": asked["keep"], "keep_backup": asked["backup"] == "keep"}
            plan = LayoutPlan.build(disk, erase, asked["table"], make=asked["format"], grow=asked["grow"], **keeping)
            result = plan.preview() if module.check_mode or not plan.changed else plan.run()
    except FleetError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
