# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fitting a partition table to a disk of another size.

Starts stay where they are, except behind the partition that gives or takes the room: the last one by position that is neither kept
(its contents stay on the disk) nor movable (its contents are made anew, as swap). Movable partitions behind it slide along, so
``root, swap`` on a larger disk becomes a larger root with the swap at the new end, and an extended partition follows its logical ones.
Room changes in whole MiB, which keeps every alignment. Nothing grows on a disk of the model's own size: free space there was left on
purpose.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Optional

from .table import DOS, GPT, Entry, PartitionTable, TableError, array_sectors

MIB = 1 << 20


class DiskTooSmall(TableError):
    """The partitions do not fit the disk, even with the last one shrunk as far as its contents allow."""


def fit(
    table: PartitionTable,
    disk_size: int,
    sector_size: int,
    grow_last: bool,
    minimums: Mapping[int, int],
    movable: Collection[int],
    keep: Sequence[Entry],
    behind: Optional[Entry] = None,
) -> PartitionTable:
    """The table laid out on a disk of disk_size bytes.

    minimums are bytes per partition number below which its contents cannot shrink (its size, when not given). keep are partitions of the
    disk as it is now, which replace those of the same number. behind is one more, of a number that nobody has: for all others the disk
    ends where it begins. Raises DiskTooSmall with the bytes needed, TableError when sectors differ in size or a kept partition is in the
    way.
    """
    if sector_size != table.sector_size:
        raise TableError(
            f"The image comes from a disk with sectors of {table.sector_size} bytes, this disk has {sector_size}. Nothing was changed",
            remedy="Filesystems and boot loaders depend on the sector size: capture a model with the same one",
        )
    sectors = disk_size // sector_size
    last_lba = last_usable(table, sectors)
    kept = {entry.number: entry for entry in keep}
    mine = [entry for entry in table.entries if entry.number not in kept]
    end = min(last_lba + 1, behind.start) if behind else last_lba + 1
    changed = _redistribute(table, mine, kept, (end, last_lba + 1), grow_last, minimums, movable, same_disk=sectors == table.disk_sectors)
    try:
        return replace(
            table,
            entries=tuple(sorted([*changed, *kept.values(), *([behind] if behind else [])], key=lambda entry: entry.number)),
            last_lba=last_lba if table.label == GPT else 0,
            disk_sectors=sectors,
        )
    except TableError as error:
        if not kept:
            raise
        raise TableError(
            f"The table cannot be applied while keeping partition {', '.join(map(str, sorted(kept)))}: {error}. Nothing was changed",
            remedy="Keep other partitions, or none, or change the model's table",
        ) from error


def last_usable(table: PartitionTable, sectors: int) -> int:
    """The last sector that a table like this one leaves to partitions on a disk of so many sectors."""
    if table.label == DOS:
        return min(sectors, 1 << 32) - 1
    return sectors - 2 - array_sectors(table.table_length, table.sector_size)


def _redistribute(
    table: PartitionTable,
    mine: Sequence[Entry],
    kept: Mapping[int, Entry],
    ends: tuple[int, int],
    grow_last: bool,
    minimums: Mapping[int, int],
    movable: Collection[int],
    same_disk: bool,
) -> Sequence[Entry]:
    """ends: the first sector behind what these partitions may take, and behind what any may take."""
    end, have = ends[0], ends[1] * table.sector_size
    candidates = [entry for entry in mine if entry.number not in movable and not table.is_extended(entry)]
    if not candidates:
        behind = max((entry.end for entry in mine), default=0) - end
        if behind > 0:
            raise _too_small("The partitions reach behind the end of this disk", have, behind * table.sector_size)
        return mine
    last = max(candidates, key=lambda entry: entry.start)
    wall = min([end, *(entry.start for entry in kept.values() if entry.start > last.start)])
    affected = [entry for entry in mine if entry.end > last.start and (entry.start < wall or wall == end)]
    grain = MIB // table.sector_size
    room = (wall - max(entry.end for entry in affected)) // grain * grain
    if room > 0 and (same_disk or not grow_last):
        return mine
    minimum = minimums.get(last.number, last.size * table.sector_size)
    left = (last.size + room) * table.sector_size
    if room < 0 and left < minimum:
        what = f"Partition {last.number} needs at least {minimum} bytes, and {max(0, left)} are left for it on this disk"
        raise _too_small(what, have, minimum - left)
    return [_moved(entry, last, room) if entry in affected else entry for entry in mine]


def _too_small(what: str, have: int, lacking: int) -> DiskTooSmall:
    needed = have + lacking + MIB
    return DiskTooSmall(
        f"{what}. Nothing was changed",
        remedy=f"Use a disk with at least {needed} bytes, or make the model's last partition smaller",
        needed=needed,
    )


def _moved(entry: Entry, last: Entry, room: int) -> Entry:
    """What is behind the last partition slides; the last one and what contains it (the extended partition) grow or shrink."""
    if entry.start > last.start:
        return replace(entry, start=entry.start + room)
    return replace(entry, size=entry.size + room)
