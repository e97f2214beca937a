# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GRUB where a BIOS finds it: boot.img in the first sector, the core in the BIOS boot partition or behind an MBR.

The layout is that of GRUB 2.02 to 2.12 (grub-core/boot/i386/pc/boot.S and diskboot.S, util/setup.c, include/grub/i386/pc/boot.h).
Written by ourselves because grub-install cannot tell what it would change, and asks devices that a virtual disk does not have.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass

from ansible_collections.fleet.core.plugins.module_utils.errors import ToolError

from ..disk.bootcode import CODE
from ..disk.device import Disk
from ..disk.table import DOS, PartitionTable
from ..filesystem.base import read_at
from ..installed.volume import BIOS_BOOT, InstalledError
from .grub import Home, Platform

_SECTOR = 512
_BPB = slice(0x3, 0x5A)
_KERNEL_SECTOR = 0x5C
_BOOT_DRIVE, _DRIVE_CHECK = 0x64, 0x66
_BLOCKLIST = _SECTOR - 12
_SEGMENT = 0x820
_MAGIC = b"GRUB"


@dataclass(frozen=True)
class BiosLoader:
    """Bytes that belong on a disk: (offset, contents), the core before the boot code that leads to it."""

    disk: Disk
    pieces: tuple[tuple[int, bytes], ...]

    def changes(self) -> list[tuple[int, bytes]]:
        """The pieces that the disk does not hold."""
        return [(offset, data) for offset, data in self.pieces if read_at(self.disk.path, offset, len(data)) != data]

    def write(self) -> None:
        """Write what differs and read it back. Nothing of the disk may be mounted."""
        descriptor = os.open(self.disk.path, os.O_RDWR | os.O_EXCL | os.O_CLOEXEC)
        try:
            for offset, data in self.changes():
                os.pwrite(descriptor, data, offset)
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if self.changes():
            raise ToolError(f"{self.disk.describe()} does not hold the boot loader that was written", remedy="Look at the disk's health")


def boots_grub(disk: Disk) -> bool:
    """Whether the boot code is GRUB's."""
    return _MAGIC in read_at(disk.path, 0, CODE)


def is_blank(disk: Disk) -> bool:
    """Whether there is no boot code."""
    return not any(read_at(disk.path, 0, CODE))


def has_place(table: PartitionTable) -> bool:
    """Whether GRUB's core has a place on a disk with this table."""
    return table.sector_size == _SECTOR and (table.label == DOS or any(entry.type == BIOS_BOOT for entry in table.entries))


def loader(disk: Disk, table: PartitionTable, platform: Platform, home: Home) -> BiosLoader:
    """What belongs on the disk for GRUB to find its folder. Raises InstalledError when there is not enough room."""
    core = platform.core(home.prefix, home.search, ["biosdisk", *home.modules])
    start, room = _place(table)
    sectors = -(-len(core) // _SECTOR)
    if sectors > room:
        raise InstalledError(
            f"GRUB's core needs {sectors} sectors of {disk.describe()}, and there are {room} for it. Nothing was changed",
            remedy="Let the model's first partition begin at 1 MiB, or give it a BIOS boot partition of 1 MiB",
        )
    body = bytearray(core.ljust(sectors * _SECTOR, b"\0"))
    struct.pack_into("<QHH", body, _BLOCKLIST, start + 1, sectors - 1, _SEGMENT)
    boot = bytearray(platform.modules["boot.img"][:_SECTOR])
    if len(boot) < _SECTOR or boot[510:] != b"\x55\xaa":
        raise InstalledError("boot.img of the installed GRUB is not a boot sector", remedy="Reinstall GRUB's package on the model")
    boot[_BPB] = read_at(disk.path, 0, _SECTOR)[_BPB]
    struct.pack_into("<Q", boot, _KERNEL_SECTOR, start)
    boot[_BOOT_DRIVE] = 0xFF
    boot[_DRIVE_CHECK : _DRIVE_CHECK + 2] = b"\x90\x90"  # some BIOSes say 0x00 for the first hard disk
    return BiosLoader(disk, ((start * _SECTOR, bytes(body)), (0, bytes(boot[:CODE]))))


def _place(table: PartitionTable) -> tuple[int, int]:
    """First sector for the core, and how many there are."""
    if table.label == DOS:
        return 1, min(entry.start for entry in table.entries) - 1
    entry = next(each for each in table.entries if each.type == BIOS_BOOT)
    return entry.start, entry.size
