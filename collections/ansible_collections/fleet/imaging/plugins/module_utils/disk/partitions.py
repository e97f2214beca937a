# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A partition's device, once the kernel and the table on the disk agree on where it lies."""

from __future__ import annotations

from .device import Disk, NoSuchDisk, Partition
from .table import PartitionTable, TableError


def partition_of(disk: Disk, table: PartitionTable, number: int) -> Partition:
    """The partition that the table describes; TableError when the kernel shows it elsewhere, even after it read the table again.

    A kernel that still knows an older table would let a restore write over the wrong partition, and a capture read from it.
    """
    entry = table.entry(number)
    wanted = (entry.start * table.sector_size, entry.size * table.sector_size)
    for attempt in (1, 2):
        try:
            found = disk.partition(number)
            if (found.start, found.size) == wanted:
                return found
        except NoSuchDisk as error:
            shown = str(error)
        else:
            shown = f"It begins at byte {found.start} there and has {found.size}"
        if attempt == 1:
            disk.refresh()
    raise TableError(
        f"The kernel shows partition {number} of {disk.describe()} elsewhere than the partition table says: {shown.rstrip('.')}",
        remedy="Something holds an old partition: reboot the station into the imaging environment and repeat",
    )
