# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""exFAT (Microsoft, "exFAT file system specification" 1.00). Base tools cannot resize it."""

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

_VOLUME_DIRTY, _MEDIA_FAILURE = 0x2, 0x4


@dataclass(frozen=True)
class _BootSector:
    sectors: int
    flags: int
    sector_shift: int
    cluster_shift: int

    @classmethod
    def read(cls, device: Path) -> _BootSector:
        data = read_at(device, 0, 512)
        if len(data) < 512 or data[3:11] != b"EXFAT   ":
            raise FilesystemError(f"{device} has no exFAT boot sector")
        (sectors,) = struct.unpack_from("<Q", data, 72)
        flags, sector_shift, cluster_shift = struct.unpack_from("<HBB", data, 106)
        if not 9 <= sector_shift <= 12 or cluster_shift > 25 - sector_shift:
            raise FilesystemError(f"{device} has a malformed exFAT boot sector")
        return cls(sectors, flags, sector_shift, cluster_shift)


class ExFat(Filesystem):
    """exFAT."""

    @property
    def size(self) -> int:
        boot = _BootSector.read(self.device)
        return boot.sectors << boot.sector_shift

    @property
    def block_size(self) -> int:
        boot = _BootSector.read(self.device)
        return 1 << (boot.sector_shift + boot.cluster_shift)

    def own_state(self) -> State:
        flags = _BootSector.read(self.device).flags
        if flags & _MEDIA_FAILURE:
            return State(False, "damaged", "it is marked as having failing media", "Replace the model's disk")
        if flags & _VOLUME_DIRTY:
            return State(False, "dirty", "its dirty mark is set", f"{CLEAN_SHUTDOWN}, or run fsck.exfat {self.device}")
        return CLEAN

    def extents(self) -> Iterable[Extent]:
        return partclone_domain("partclone.exfat", self.device, device_size(self.device))

    def check(self) -> None:
        try:
            run(["fsck.exfat", "-n", str(self.device)])
        except ToolError as error:
            raise FilesystemError(f"{self.device} is damaged: {error}", remedy=f"Run fsck.exfat {self.device}") from error
