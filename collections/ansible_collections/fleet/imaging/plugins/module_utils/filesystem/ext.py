# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ext2, ext3 and ext4 (kernel documentation, filesystems/ext4/super.rst)."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.fleet.core.plugins.module_utils.command import run
from ansible_collections.fleet.core.plugins.module_utils.errors import ToolError

from ..disk.device import device_size
from .base import CLEAN, CLEAN_SHUTDOWN, Extent, Filesystem, FilesystemError, State, read_at, too_small
from .usedmap import partclone_domain

_SUPERBLOCK = 1024
_VALID, _ERRORS = 0x1, 0x2
_RECOVER, _JOURNAL_DEVICE, _64BIT = 0x4, 0x8, 0x80
_HAS_JOURNAL = 0x4


@dataclass(frozen=True)
class _Superblock:
    blocks: int
    block_size: int
    state: int
    compat: int
    incompat: int
    journal_inode: int
    last_orphan: int

    @classmethod
    def read(cls, device: Path) -> _Superblock:
        data = read_at(device, _SUPERBLOCK, 1024)
        if len(data) < 1024 or data[0x38:0x3A] != b"\x53\xef":
            raise FilesystemError(f"{device} has no ext superblock")
        low, log_size, state, compat, incompat, journal, orphan, high = (
            struct.unpack_from(form, data, offset)[0]
            for form, offset in (
                ("<I", 4),
                ("<I", 0x18),
                ("<H", 0x3A),
                ("<I", 0x5C),
                ("<I", 0x60),
                ("<I", 0xE0),
                ("<I", 0xE8),
                ("<I", 0x150),
            )
        )
        if log_size > 6:
            raise FilesystemError(f"{device} has an ext superblock with an impossible block size")
        blocks = low + (high << 32 if incompat & _64BIT else 0)
        return cls(blocks, 1024 << log_size, state, compat, incompat, journal, orphan)


class Ext(Filesystem):
    """One of ext2, ext3, ext4."""

    can_grow = can_shrink = True

    @property
    def size(self) -> int:
        superblock = _Superblock.read(self.device)
        return superblock.blocks * superblock.block_size

    @property
    def block_size(self) -> int:
        return _Superblock.read(self.device).block_size

    def inodes(self) -> tuple[int, int]:
        """Inodes in all, and in use. How many there are is set when the filesystem is made, and limits the number of files."""
        total, free = (struct.unpack_from("<I", read_at(self.device, _SUPERBLOCK, 0x14), offset)[0] for offset in (0, 0x10))
        return total, total - free

    def own_state(self) -> State:
        superblock = _Superblock.read(self.device)
        repair = f"{CLEAN_SHUTDOWN}, or run e2fsck -f -p {self.device}"
        if superblock.incompat & _JOURNAL_DEVICE or (superblock.compat & _HAS_JOURNAL and not superblock.journal_inode):
            return State(False, "unsupported", "its journal is on another device", "Give the model an internal journal (tune2fs -j)")
        if superblock.incompat & _RECOVER:
            return State(False, "dirty", "its journal holds changes that are not written back (needs_recovery)", repair)
        if superblock.state & _ERRORS:
            return State(False, "dirty", "it is marked as having errors", f"Run e2fsck -f {self.device}")
        if not superblock.state & _VALID or superblock.last_orphan:
            return State(False, "dirty", "it was not unmounted cleanly", repair)
        return CLEAN

    def extents(self) -> Iterable[Extent]:
        return partclone_domain(f"partclone.{self.type}", self.device, device_size(self.device))

    def check(self) -> None:
        try:
            run(["e2fsck", "-f", "-n", str(self.device)])
        except ToolError as error:
            raise FilesystemError(f"{self.device} is damaged: {error}", remedy=f"Run e2fsck -f {self.device}") from error

    def grow(self) -> None:
        if self.size // self.block_size < device_size(self.device) // self.block_size:
            self._resize()

    def minimum_size(self) -> int:
        done = run(["resize2fs", "-P", str(self.device)])
        found = re.search(r"minimum size of the filesystem: ([0-9]+)", done.stdout)
        if not found:
            raise ToolError(f"resize2fs -P {self.device} did not tell the minimum size: {done.stdout.strip()}")
        return min(int(found.group(1)) * self.block_size, self.size)

    def shrink(self, size: int) -> None:
        if size < self.minimum_size():
            raise too_small(self, size)
        if size < self.size:
            self._resize(f"{size // 1024}K")

    def _resize(self, *to: str) -> None:
        run(["e2fsck", "-f", "-p", str(self.device)], ok=(0, 1))
        run(["resize2fs", str(self.device), *to])
        self.check()
