# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""FAT12, FAT16 and FAT32 (Microsoft, "FAT: General Overview of On-Disk Format" 1.03). Base tools cannot resize them."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.fleet.core.plugins.module_utils.command import run
from ansible_collections.fleet.core.plugins.module_utils.errors import ToolError

from ..disk.device import device_size
from .base import CLEAN, CLEAN_SHUTDOWN, Extent, Filesystem, FilesystemError, State, read_at
from .usedmap import partclone_domain


@dataclass(frozen=True)
class _BootSector:
    sector_size: int
    cluster_sectors: int
    reserved: int
    sectors: int
    bits: int
    dirty: bool

    @classmethod
    def read(cls, device: Path) -> _BootSector:
        data = read_at(device, 0, 512)
        sector_size, cluster, reserved, fats, roots, small, _media, fat16 = struct.unpack_from("<HBHBHHBH", data, 11)
        large, fat32 = struct.unpack_from("<II", data, 32)
        sectors, fat_sectors = small or large, fat16 or fat32
        if sector_size not in (512, 1024, 2048, 4096) or not cluster or not fats or not sectors or not fat_sectors:
            raise FilesystemError(f"{device} has no FAT boot sector")
        root_sectors = -(-roots * 32 // sector_size)
        clusters = (sectors - reserved - fats * fat_sectors - root_sectors) // cluster
        # like Linux and not like Microsoft's text, by the field and not by the clusters: small EFI partitions break the rule
        bits = 32 if fat16 == 0 else 12 if clusters < 4085 else 16
        dirty = bool(data[0x41 if bits == 32 else 0x25] & 0x1)
        return cls(sector_size, cluster, reserved, sectors, bits, dirty)


class Fat(Filesystem):
    """vfat."""

    @property
    def size(self) -> int:
        boot = _BootSector.read(self.device)
        return boot.sectors * boot.sector_size

    @property
    def block_size(self) -> int:
        boot = _BootSector.read(self.device)
        return boot.cluster_sectors * boot.sector_size

    def own_state(self) -> State:
        boot = _BootSector.read(self.device)
        if boot.dirty or not self._clean_bits(boot):
            return State(False, "dirty", "its dirty mark is set", f"{CLEAN_SHUTDOWN}, or run fsck.vfat -a {self.device}")
        return CLEAN

    def _clean_bits(self, boot: _BootSector) -> bool:
        """The second entry of the FAT has one bit for a clean unmount and one for no I/O error; FAT12 has none."""
        if boot.bits == 12:
            return True
        width, mask = (2, 0xC000) if boot.bits == 16 else (4, 0x0C000000)
        entry = int.from_bytes(read_at(self.device, boot.reserved * boot.sector_size + width, width), "little")
        return entry & mask == mask

    def extents(self) -> Iterable[Extent]:
        return partclone_domain("partclone.vfat", self.device, device_size(self.device))

    def check(self) -> None:
        try:
            run(["fsck.vfat", "-n", str(self.device)])
        except ToolError as error:
            raise FilesystemError(f"{self.device} is damaged: {error}", remedy=f"Run fsck.vfat {self.device}") from error
