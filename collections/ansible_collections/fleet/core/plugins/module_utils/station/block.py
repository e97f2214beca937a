# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Block devices as lsblk tells of them: what the sections storages, partitions and smart stand on."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from ..errors import ToolError
from .root import Root

COLUMNS = "NAME,PATH,TYPE,SIZE,VENDOR,MODEL,SERIAL,REV,WWN,TRAN,HCTL,RM,ROTA,FSTYPE,LABEL,UUID,PARTTYPENAME,PARTTYPE"
# Columns that util-linux before 2.36 does not have.
_NEWER = ",PARTTYPENAME"
# What lives in memory, on a server or on other disks, and the areas of an eMMC that hold firmware.
_NO_DISK = re.compile(r"(loop|ram|zram|nbd|md|dm-)\d+|mmcblk\d+(boot\d+|rpmb)")


@dataclass(frozen=True)
class Block:
    """A block device and what lies in it."""

    name: str
    path: str
    type: str
    """disk, rom, part, crypt, lvm, raid1 …"""
    size: int
    """Bytes."""
    values: dict[str, str]
    """Other columns of lsblk, in lowercase; those without a value are left out."""
    children: list[Block] = field(default_factory=list)

    def get(self, column: str) -> str:
        """Return a column's text; empty when there is none."""
        return self.values.get(column, "")


def disks(root: Root) -> list[Block]:
    """Return disks and drives. ToolError when lsblk is missing or prints something else."""
    return root.once(_disks)


def _disks(root: Root) -> list[Block]:
    try:
        text = root.tool("lsblk", "--json", "--bytes", "--output", COLUMNS)
    except ToolError:
        text = root.tool("lsblk", "--json", "--bytes", "--output", COLUMNS.replace(_NEWER, ""))
    try:
        devices = [_block(each) for each in json.loads(text)["blockdevices"]]
    except (KeyError, TypeError, ValueError) as error:
        raise ToolError(f"lsblk printed what is no list of devices: {text[:80]!r}") from error
    return [block for block in devices if block.type in ("disk", "rom") and not _NO_DISK.fullmatch(block.name)]


def _block(raw: dict[str, Any]) -> Block:
    return Block(
        name=str(raw["name"]),
        path=str(raw["path"]),
        type=str(raw["type"]),
        size=int(raw["size"] or 0),
        values={column: str(value).strip() for column, value in raw.items() if value is not None and column != "children"},
        children=[_block(child) for child in raw.get("children", [])],
    )
