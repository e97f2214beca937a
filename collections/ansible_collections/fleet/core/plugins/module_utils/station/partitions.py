# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The section partitions: what lies on the disks, mounted or not."""

from __future__ import annotations

import json
from typing import Any

from ..errors import ToolError
from .block import Block, disks
from .root import Root
from .row import Row

SECTOR = 512
"""Bytes of the unit of /sys/block, whatever the disk's own sectors are."""


def collect(root: Root) -> list[Row]:
    """Return the partitions of each disk: the kernel's, or those of the table when the kernel knows none."""
    rows: list[Row] = []
    for disk in disks(root):
        parts = [child for child in disk.children if child.type == "part"]
        rows += [_known(root, disk, part) for part in parts] or _of_table(root, disk)
    return rows


def _known(root: Root, disk: Block, part: Block) -> Row:
    start = root.number(f"/sys/block/{disk.name}/{part.name}/start")
    row: Row = {
        "device": part.path,
        "size": part.size >> 20,
        "type": part.get("parttypename") or part.get("parttype"),
        "filesystem": part.get("fstype"),
        "label": part.get("label"),
        "uuid": part.get("uuid"),
    }
    return row if start is None else {**row, "start": start * SECTOR}


def _of_table(root: Root, disk: Block) -> list[Row]:
    if disk.type != "disk" or not disk.size or not root.has("sfdisk"):
        return []
    try:
        table: dict[str, Any] = json.loads(root.tool("sfdisk", "--json", disk.path))["partitiontable"]
    except (ToolError, KeyError, TypeError, ValueError):
        # A disk without a table, or with a filesystem of its own, is nothing unusual.
        return []
    sector = int(table.get("sectorsize", SECTOR))
    return [
        {
            "device": str(part["node"]),
            "start": int(part["start"]) * sector,
            "size": int(part["size"]) * sector >> 20,
            "type": str(part.get("type", "")),
            "label": str(part.get("name", "")),
        }
        for part in table.get("partitions", [])
    ]
