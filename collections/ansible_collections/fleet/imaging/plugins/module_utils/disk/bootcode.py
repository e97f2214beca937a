# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bytes outside partitions without which a restored disk does not boot."""

from __future__ import annotations

from .table import DOS, PartitionTable

CODE = 440
"""Bytes of boot code in the first sector; what follows is the disk id and the table, which sfdisk writes."""

GAP_END = 1 << 20
"""Where a loader's second stage ends at the latest: GRUB embeds its core directly behind the MBR, in less than a MiB."""


def ranges(table: PartitionTable) -> list[tuple[int, int]]:
    """(offset, length) in bytes: the boot code, and on MBR disks the gap up to the first partition (GRUB manual, BIOS installation).

    GPT disks keep the second stage in a BIOS boot partition, which is captured as such.
    """
    found = [(0, CODE)]
    if table.label == DOS:
        first = min((entry.start * table.sector_size for entry in table.entries), default=GAP_END)
        end = min(first, GAP_END)
        if end > table.sector_size:
            found.append((table.sector_size, end - table.sector_size))
    return found
