# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""XFS (xfs_algorithms_and_data_structures, "Superblocks"). It grows while mounted and never shrinks."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.fleet.core.plugins.module_utils.command import run
from ansible_collections.fleet.core.plugins.module_utils.errors import ToolError

from ..disk.device import device_size
from .base import CLEAN, CLEAN_SHUTDOWN, Extent, Filesystem, FilesystemError, State, read_at
from .mounted import run_mounted
from .usedmap import partclone_domain

_NEEDS_REPAIR = 0x10


@dataclass(frozen=True)
class _Superblock:
    block_size: int
    blocks: int
    realtime_blocks: int
    log_start: int
    incompat: int

    @classmethod
    def read(cls, device: Path) -> _Superblock:
        data = read_at(device, 0, 512)
        if len(data) < 512 or data[:4] != b"XFSB":
            raise FilesystemError(f"{device} has no XFS superblock")
        block_size, blocks, realtime = struct.unpack_from(">IQQ", data, 4)
        (log_start,) = struct.unpack_from(">Q", data, 48)
        (version,) = struct.unpack_from(">H", data, 100)
        incompat = struct.unpack_from(">I", data, 216)[0] if version & 0xF == 5 else 0
        return cls(block_size, blocks, realtime, log_start, incompat)


class Xfs(Filesystem):
    """XFS with an internal log."""

    can_grow = True

    @property
    def size(self) -> int:
        superblock = _Superblock.read(self.device)
        return superblock.blocks * superblock.block_size

    @property
    def block_size(self) -> int:
        return _Superblock.read(self.device).block_size

    def own_state(self) -> State:
        superblock = _Superblock.read(self.device)
        if superblock.log_start == 0 or superblock.realtime_blocks:
            return State(False, "unsupported", "its log or its files are on another device", "Make the model's filesystem on one device")
        if superblock.incompat & _NEEDS_REPAIR:
            return State(False, "damaged", "it is marked as needing repair", f"Run xfs_repair {self.device}")
        log = log_state(self.device)
        if log != "CLEAN":  # partclone would end with 0 and leave a silently corrupt image
            return State(False, "dirty", f"its log is {log or 'unreadable'}", f"{CLEAN_SHUTDOWN}, or mount and unmount {self.device}")
        return CLEAN

    def extents(self) -> Iterable[Extent]:
        return partclone_domain("partclone.xfs", self.device, device_size(self.device))

    def check(self) -> None:
        log = log_state(self.device)
        if log != "CLEAN":  # xfs_repair -n only warns of this
            raise FilesystemError(f"The log of {self.device} is {log or 'unreadable'}", remedy=f"Mount and unmount {self.device}")
        try:
            run(["xfs_repair", "-n", str(self.device)])
        except ToolError as error:
            raise FilesystemError(f"{self.device} is damaged: {error}", remedy=f"Run xfs_repair {self.device}") from error

    def grow(self) -> None:
        if self.size // self.block_size < device_size(self.device) // self.block_size:
            run_mounted("xfs", "nouuid", self.device, ["xfs_growfs", "-d"])
            self.check()


def log_state(device: Path) -> str:
    """CLEAN or DIRTY as xfs_logprint finds the log's head and tail; empty when it cannot."""
    done = run(["xfs_logprint", "-t", str(device)], ok=None)
    for line in done.stdout.splitlines():
        _before, found, state = line.partition("state: <")
        if found and line.lstrip().startswith("log tail:"):
            return state.strip().rstrip(">")
    return ""
