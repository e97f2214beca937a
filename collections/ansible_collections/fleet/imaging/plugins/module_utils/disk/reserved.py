# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The partition of a disk that is reserved for the station's local backup: which one it is, where it stays, where a new one goes.

It has a type and a name of its own, and is found by both; its number means nothing, so that it never meets one of an image's partitions.
While it is being made it has another name: a partition of that name was never a backup, and is made anew.
"""

from __future__ import annotations

import dataclasses
import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Optional

from ansible_collections.fleet.core.plugins.module_utils.errors import InputError

from .device import Disk
from .table import GPT, Entry, PartitionTable, TableError

TYPE = "9CA2271A-15B9-40F5-87C6-A932A6E72DBE"
NAME = "fleet-backup"
UNFINISHED = "fleet-backup-new"

ATTRS = "RequiredPartition GUID:62,63"
"""Disk tools leave it alone, Windows gives it no letter, and Linux does not mount it by itself (UEFI 2.10, 5.3.3; Discoverable Partitions
Specification: no-auto)."""

MIB = 1 << 20

_LEAST = 16 * MIB
"""Bytes of a new one at least: whoever writes 20 means gigabytes, and would learn it only when the table is on the disk."""


class NoRoom(TableError):
    """The disk has no room for a local backup."""


class NoBackup(TableError):
    """The disk has no partition for a local backup."""


@dataclass(frozen=True)
class Reserved:
    """The partition of a local backup in a table that is about to be written."""

    entry: Entry
    new: bool

    def size(self, table: PartitionTable) -> int:
        """Bytes."""
        return self.entry.size * table.sector_size


def is_reserved(entry: Entry) -> bool:
    """Whether a partition is a local backup's, finished or not: it is no part of a system, nor of an image. Renamed, it is its admin's."""
    return entry.type == TYPE and entry.name in (NAME, UNFINISHED)


def find(table: PartitionTable) -> Optional[Entry]:
    """The local backup of a disk with this table; TableError when there are several."""
    found = [entry for entry in table.entries if is_reserved(entry) and entry.name == NAME]
    if len(found) > 1:
        raise TableError(
            f"Partitions {found[0].number} and {found[1].number} are both named {NAME}",
            remedy="One of them came with a disk that was copied: delete that one with sfdisk --delete",
        )
    return found[0] if found else None


def find_on(disk: Disk) -> Optional[Entry]:
    """The local backup of a disk; None also when it has no table that could be read."""
    try:
        table = PartitionTable.from_disk(disk)
    except TableError:
        return None
    return find(table)


def without(table: PartitionTable) -> PartitionTable:
    """The table without what is a station's own: for the table of an image."""
    return dataclasses.replace(table, entries=tuple(entry for entry in table.entries if not is_reserved(entry)))


def bytes_of(text: str, disk: Disk, default: int) -> int:
    """How large a new backup is to be: a number of bytes, a share of the disk such as ``25%``, or the default when the text is empty."""
    match = re.fullmatch(r"([0-9]{1,18})(%?)", text.strip())
    if text.strip() and (not match or not int(match[1]) or (match[2] and int(match[1]) > 90)):
        raise InputError(f"{text!r:.40} is no size of a local backup", remedy="Give bytes, as 20000000000, or a share, as 25%")
    if not match:
        return default
    size = disk.size * int(match[1]) // 100 if match[2] else int(match[1])
    if size < _LEAST:
        raise InputError(
            f"{text!r:.40} is too small for a local backup on {disk.describe()}. Nothing was changed",
            remedy=f"Give {_LEAST} bytes or more, as 20000000000, or a share, as 25%",
        )
    return size


def kept(entry: Entry, table: PartitionTable, others: Iterable[int]) -> Reserved:
    """The disk's own backup for a table that has partitions of other numbers; it gets another number when one of them is its own."""
    _require_gpt(table, "cannot keep the station's local backup", "Erase that with the mode disk of a clone, or backup: erase")
    taken = set(others)
    if entry.number in taken or entry.number > table.table_length:
        entry = dataclasses.replace(entry, number=_free_number(table, taken))
    return Reserved(entry, new=False)


def made(size: int, table: PartitionTable, last: int, others: Iterable[int], walls: Sequence[Entry] = ()) -> Reserved:
    """A new backup of size bytes at the end of the disk, in front of what is kept there (walls). last: the last usable sector."""
    _require_gpt(table, "cannot have a local backup, which is found by its name", "Restore without a backup, or capture a model with a GPT")
    sectors, grain = -(-size // table.sector_size), MIB // table.sector_size
    end = last + 1
    for wall in sorted(walls, key=lambda each: each.start, reverse=True):
        if wall.end > (end - sectors) // grain * grain:
            end = min(end, wall.start)
    start = (end - sectors) // grain * grain
    if start < table.first_lba:
        room = max(0, end - table.first_lba) * table.sector_size
        raise NoRoom(
            f"A local backup of {size} bytes is larger than the disk, which has {room} bytes for partitions. Nothing was changed",
            remedy="Give a smaller backup_size",
            needed=size,
            available=room,
        )
    number = _free_number(table, set(others))
    return Reserved(Entry(number, start, end - start, TYPE, str(uuid.uuid4()).upper(), NAME, ATTRS), new=True)


def room_at_end(table: PartitionTable) -> int:
    """Bytes behind the last partition of a GPT, what an unfinished backup takes included; TableError of an MBR."""
    _require_gpt(table, "cannot have a local backup, which is found by its name", "Restore the station from an image with a GPT first")
    used = max((entry.end for entry in without(table).entries), default=table.first_lba)
    grain = MIB // table.sector_size
    return max(0, table.last_lba + 1 - -(-used // grain) * grain) * table.sector_size


def _require_gpt(table: PartitionTable, what: str, remedy: str) -> None:
    if table.label != GPT:
        raise TableError(f"A partition table of the kind MBR (dos) {what}. Nothing was changed", remedy=remedy)


def _free_number(table: PartitionTable, taken: set[int]) -> int:
    for number in range(table.table_length, 0, -1):
        if number not in taken:
            return number
    raise TableError(f"The table has room for {table.table_length} partitions, and none is left for the local backup. Nothing was changed")
