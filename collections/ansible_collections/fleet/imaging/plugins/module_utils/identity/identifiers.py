# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Identifiers of filesystems, swap, volume groups and partitions of a station's own, in place of the model's.

They are derived from the station's seed, so a second run finds that all is done, and one that was cut goes on. Files that name them are
changed first (see references): whatever is still the model's when a run is cut tells the next one what to look for.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

from ansible_collections.fleet.core.plugins.module_utils.command import run
from ansible_collections.fleet.core.plugins.module_utils.errors import InputError, ToolError

from ..disk.device import Disk
from ..disk.table import DOS, PartitionTable
from ..filesystem import read_signature
from ..installed.system import System
from ..installed.volume import Volume, part_uuid
from .request import Request

_FILESYSTEMS = ("ext2", "ext3", "ext4", "xfs", "btrfs", "vfat", "exfat", "ntfs")
_WINDOWS = "Windows finds its disk by these (BCD): with new ones it would not start"


@dataclass(frozen=True)
class NewIdentifier:
    """One identifier that changes: of what, as a word for people, and on which volume (None: the partition table's)."""

    of: str
    old: str
    new: str
    volume: Optional[Volume] = None

    def as_json(self) -> dict[str, str]:
        return {"of": self.of, "old": self.old, "new": self.new}


def planned(system: System, request: Request) -> list[NewIdentifier]:
    """What is still the model's, of the kinds that were asked for. Raises InputError when that would keep Windows from starting."""
    found: list[NewIdentifier] = []
    for volume in system.volumes:
        wanted = (volume.type in _FILESYSTEMS and "filesystems" in request.unique) or (volume.type == "swap" and "swap" in request.unique)
        if wanted and volume.uuid:
            found.append(NewIdentifier(f"{volume.type} on {_name(volume)}", volume.uuid, _of_filesystem(volume, request), volume))
    if "partitions" in request.unique:
        if system.has_windows:
            raise InputError(f"unique: partitions cannot be new on {system.disk.describe()}. {_WINDOWS}. Nothing was changed")
        found += _of_table(system.table, table_of(system.table, request))
    return [each for each in found if each.old.lower() != each.new.lower()]


def _name(volume: Volume) -> str:
    return f"partition {volume.name}" if volume.number else volume.name


def _of_filesystem(volume: Volume, request: Request) -> str:
    own = request.derived(f"filesystem {volume.name}")
    if volume.type in ("vfat", "exfat"):
        return f"{own.hex[:4]}-{own.hex[4:8]}".upper()
    return own.hex[:16].upper() if volume.type == "ntfs" else str(own)


def table_of(table: PartitionTable, request: Request) -> PartitionTable:
    """The table with the station's own identifiers of disk and partitions."""
    own = request.derived("disk")
    if table.label == DOS:
        return dataclasses.replace(table, id=f"0x{own.hex[:8]}")
    entries = tuple(dataclasses.replace(each, uuid=str(request.derived(f"partition {each.number}")).upper()) for each in table.entries)
    return dataclasses.replace(table, id=str(own).upper(), entries=entries)


def _of_table(old: PartitionTable, new: PartitionTable) -> list[NewIdentifier]:
    found = [NewIdentifier("the partition table", old.id, new.id)]
    for entry in old.entries:
        if not old.is_extended(entry):
            found.append(NewIdentifier(f"partition {entry.number}", part_uuid(old, entry.number), part_uuid(new, entry.number)))
    return found


def write(disk: Disk, table: PartitionTable, request: Request, plan: Sequence[NewIdentifier]) -> None:
    """Change them on the disk, whose filesystems must not be mounted. Raises ToolError; what was not reached is done by the next run."""
    for each in plan:
        if each.volume:
            _write(each.volume, each.new)
    if any(each.volume is None for each in plan):
        table_of(table, request).apply(disk)


def _write(volume: Volume, new: str) -> None:
    device = str(volume.device)
    remedy = "Run it again; if that does not help, restore the station again"
    if volume.type.startswith("ext"):
        run(["e2fsck", "-f", "-p", device], ok=(0, 1), remedy=remedy)  # tune2fs insists on it where metadata have checksums
        run(["tune2fs", "-U", new, device], stdin="y\n", remedy=remedy)
    elif volume.type == "swap":
        run(["swaplabel", "--uuid", new, device], remedy=remedy)
    else:
        argv = {
            "xfs": ["xfs_admin", "-U", new, device],
            "btrfs": ["btrfstune", "-f", "-M", new, device],
            "vfat": ["fatlabel", "-i", device, new.replace("-", "")],
            "exfat": ["tune.exfat", "-I", f"0x{new.replace('-', '')}", device],
            "ntfs": ["ntfslabel", f"--new-serial={new}", device],
        }[volume.type]
        run(argv, remedy=remedy)
    found = read_signature(volume.device).uuid
    if found.lower() != new.lower():  # swaplabel, for one, ends with 0 for what it cannot read
        raise ToolError(f"{volume.describe()} was given the identifier {new}, but has {found}", remedy=remedy)
