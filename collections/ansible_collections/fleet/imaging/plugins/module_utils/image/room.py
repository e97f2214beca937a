# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table that a disk gets from an image: fitted, with the partitions that stay, and with the station's local backup."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Optional

from ..backup.delivery import ERASE, WRITE, BackupOptions, default_size
from ..disk import reserved
from ..disk.device import Disk
from ..disk.fit import DiskTooSmall, last_usable
from ..disk.reserved import NoRoom, Reserved
from ..disk.table import Entry, PartitionTable, TableError
from .description import ImageDescription, PartitionContent


def laid_out(
    disk: Disk, image: ImageDescription, contents: Sequence[PartitionContent], keep: Collection[int], grow: bool, backup: BackupOptions
) -> tuple[PartitionTable, Optional[Reserved]]:
    """The table, and the partition of the local backup in it; TableError with the reason when there is no room, and nothing was changed.

    contents: the partitions that are restored; keep: numbers of the disk's partitions that stay.
    """
    kept = _kept(disk, keep)
    place = _backup(disk, image, kept, backup)

    def fitted(behind: Optional[Entry]) -> PartitionTable:
        return image.table.fitted(
            disk.size,
            disk.sector_size,
            grow,
            minimums={content.number: content.minimum_size for content in contents},
            movable=[content.number for content in contents if content.is_swap],
            keep=kept,
            behind=behind,
        )

    try:
        table = fitted(place.entry if place else None)
    except DiskTooSmall as error:
        if not place:
            raise
        fitted(None)  # it is too small without a backup as well: that is the reason then
        raise _no_room(disk, place.size(image.table), place.new, int(error.details["needed"])) from error
    _refuse_boot_code_over(kept, image, table)
    return table, place


def _kept(disk: Disk, numbers: Collection[int]) -> list[Entry]:
    return [PartitionTable.from_disk(disk).entry(number) for number in numbers] if numbers else []


def _backup(disk: Disk, image: ImageDescription, kept: Sequence[Entry], backup: BackupOptions) -> Optional[Reserved]:
    """The local backup that stays, or is to be made."""
    if backup.what == ERASE:
        return None
    others = {entry.number for entry in [*image.table.entries, *kept]}
    own = reserved.find_on(disk)
    if own:
        return reserved.kept(own, image.table, others)
    if backup.what != WRITE:
        return None
    size = reserved.bytes_of(backup.size, disk, default_size(image.manifest))
    return reserved.made(size, image.table, last_usable(image.table, disk.size // image.table.sector_size), others, kept)


def _no_room(disk: Disk, size: int, new: bool, needed: int) -> NoRoom:
    """What is needed, and what there is; all in bytes."""
    instead = "Give a smaller backup_size, restore without a backup" if new else "Erase the backup (mode disk of a clone, backup: erase)"
    return NoRoom(
        f"{disk.describe()} has no room for both the image and a local backup of {size} bytes: {needed} bytes are needed,"
        f" {disk.size} are there. Nothing was changed",
        remedy=f"{instead}, or make the model's last partition smaller",
        needed=needed,
        available=disk.size,
    )


def _refuse_boot_code_over(kept: Sequence[Entry], image: ImageDescription, table: PartitionTable) -> None:
    """The gap behind the model's MBR may be where this disk has a partition that is to stay."""
    for offset, length in image.bootcode.extents if image.bootcode else ():
        for entry in kept:
            if offset < entry.end * table.sector_size and entry.start * table.sector_size < offset + length:
                raise TableError(
                    f"The model's boot loader lies where the disk has partition {entry.number}, which is to be kept. Nothing was changed",
                    remedy="Keep other partitions, or restore without keep",
                )
