# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NTFS, through ntfs-3g's tools. No single probe sees every state in which it must not be captured; it is refused on any."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.fleet.core.plugins.module_utils.command import Completed, run

from ..disk.device import device_size
from .base import CLEAN, Extent, Filesystem, FilesystemError, State, read_at, too_small, write_at
from .usedmap import partclone_domain

_SHUTDOWN = "Start Windows, turn off hibernation and fast startup (powercfg /h off), and shut down with shutdown /s /t 0"
_CHECK = "Start Windows, run chkdsk /f on the volume, and shut down with shutdown /s /t 0"

_PROBE_CODES = {
    13: State(False, "damaged", "its file table and the copy of it differ, or it is inconsistent (ntfs-3g.probe: 13)", _CHECK),
    14: State(False, "hibernated", "Windows is hibernated or was shut down with fast startup (ntfs-3g.probe: 14)", _SHUTDOWN),
    15: State(False, "dirty", "it was not unmounted cleanly (ntfs-3g.probe: 15)", _SHUTDOWN),
    16: State(False, "mounted", "another program uses it (ntfs-3g.probe: 16)", "Unmount it"),
}
"""What ntfs-3g.probe(8) says with its exit code."""


@dataclass(frozen=True)
class _BootSector:
    sector_size: int
    sectors: int
    cluster_size: int

    @classmethod
    def read(cls, device: Path) -> _BootSector:
        data = read_at(device, 0, 512)
        if len(data) < 512 or data[3:11] != b"NTFS    ":
            raise FilesystemError(f"{device} has no NTFS boot sector")
        sector_size, cluster = struct.unpack_from("<HB", data, 11)
        (sectors,) = struct.unpack_from("<Q", data, 0x28)
        cluster_sectors = cluster if cluster <= 0x80 else 1 << (256 - cluster)
        if sector_size not in (512, 1024, 2048, 4096) or not cluster_sectors:
            raise FilesystemError(f"{device} has a malformed NTFS boot sector")
        return cls(sector_size, sectors, sector_size * cluster_sectors)

    @property
    def backup_offset(self) -> int:
        """Where the backup boot sector belongs: the sector behind the volume, which the volume's size does not count."""
        return self.sectors * self.sector_size


class Ntfs(Filesystem):
    """NTFS."""

    can_grow = can_shrink = True

    @property
    def size(self) -> int:
        boot = _BootSector.read(self.device)
        return boot.backup_offset + boot.sector_size

    @property
    def block_size(self) -> int:
        return _BootSector.read(self.device).cluster_size

    def own_state(self) -> State:
        probe = run(["ntfs-3g.probe", "--readwrite", str(self.device)], ok=None)
        if probe.rc in _PROBE_CODES:
            return _PROBE_CODES[probe.rc]
        if probe.rc != 0:
            return State(False, "damaged", f"ntfs-3g.probe ended with {probe.rc}: {probe.stderr.strip()}", _CHECK)
        info = self._info()
        if info.rc != 0:  # the only one that sees the volume's dirty mark
            said = " ".join((info.stderr or info.stdout).split())
            return State(False, "dirty", f"ntfsresize --info ended with {info.rc}: {said[-300:]}", _CHECK)
        return CLEAN

    def extents(self) -> Iterable[Extent]:
        boot = _BootSector.read(self.device)
        last = boot.backup_offset // boot.cluster_size * boot.cluster_size
        yield last, boot.backup_offset + boot.sector_size - last  # the backup boot sector, which partclone's map leaves out
        yield from partclone_domain("partclone.ntfs", self.device, device_size(self.device))

    def check(self) -> None:
        state = self.own_state()
        if not state.clean:
            raise FilesystemError(f"{self.device} is {state.reason}: {state.detail}", remedy=state.remedy)
        boot = _BootSector.read(self.device)
        if read_at(self.device, boot.backup_offset, 512) != read_at(self.device, 0, 512):
            raise FilesystemError(f"{self.device} has no backup boot sector at its end", remedy=_CHECK)

    def grow(self) -> None:
        if self.size + self.block_size <= device_size(self.device):
            self._resize()

    def minimum_size(self) -> int:
        self.require_clean()
        info = self._info()
        found = re.search(r"might resize at ([0-9]+) bytes", info.stdout)
        if not found:  # a full volume: "ERROR: Volume is full" or nothing to free
            return self.size
        return min(int(found.group(1)) + 2 * self.block_size, self.size)

    def shrink(self, size: int) -> None:
        if size < self.minimum_size():
            raise too_small(self, size)
        if size < self.size:
            self._resize("--size", str(size))

    def _info(self) -> Completed:
        return run(["ntfsresize", "--info", "--no-progress-bar", str(self.device)], ok=None)

    def _resize(self, *options: str) -> None:
        self.require_clean()
        run(["ntfsresize", "--force", "--force", "--no-progress-bar", *options, str(self.device)])
        self._write_backup_boot_sector()
        # ntfsresize asks Windows for a chkdsk by the dirty mark; the check below does that work now
        run(["ntfsfix", "--clear-dirty", str(self.device)])
        self.check()

    def _write_backup_boot_sector(self) -> None:
        """ntfsresize leaves none at the volume's new end, and without it Windows cannot repair a damaged first sector."""
        boot = _BootSector.read(self.device)
        write_at(self.device, boot.backup_offset, read_at(self.device, 0, boot.sector_size))
