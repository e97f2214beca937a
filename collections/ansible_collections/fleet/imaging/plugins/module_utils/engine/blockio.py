# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading and writing a block device past the page cache.

With O_DIRECT a restore does not push the station's memory out, needs one copy less, and a read after a write comes from the disk
and not from memory, so that verification means something. Plain files that refuse O_DIRECT are read and written through the cache.
"""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Optional

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError

_ALIGNMENT = 4096
"""Bytes: what every disk takes for O_DIRECT, and a multiple of every sector size."""

BRIDGE = 128 << 10
"""Bytes of unused space that are read or overwritten along with what lies around them, rather than by one more system call."""


HEAD = 128 << 10
"""Bytes at a partition's start that hold every filesystem's superblock (btrfs has it at 64 KiB, the others before): a mount changes
them, and without them nothing mounts."""


class DiskIOError(FleetError):
    """The disk failed to read or write."""


def aligned_buffer(size: int) -> mmap.mmap:
    """Memory that O_DIRECT takes."""
    return mmap.mmap(-1, size)


def runs(slices: Iterable[tuple[int, int]], bridge: int) -> Iterator[tuple[int, int]]:
    """Join slices (offset, length) whose gap is at most bridge bytes."""
    start = end = -1
    for offset, length in slices:
        if start >= 0 and offset - end <= bridge:
            end = offset + length
            continue
        if start >= 0:
            yield start, end - start
        start, end = offset, offset + length
    if start >= 0:
        yield start, end - start


class BlockFile:
    """A block device or a plain file, opened for direct I/O; safe to use from several threads."""

    def __init__(self, path: Path, *, write: bool = False, exclusive: bool = False, direct: bool = True) -> None:
        """exclusive: nobody can mount the device meanwhile, and it fails when somebody has (block devices only)."""
        self.path = path
        flags = (os.O_RDWR if write else os.O_RDONLY) | os.O_CLOEXEC | (os.O_EXCL if exclusive else 0)
        try:
            self._cached = os.open(path, flags)
        except OSError as error:
            busy = error.errno == errno.EBUSY
            raise DiskIOError(
                f"{path} {'is in use' if busy else f'cannot be opened: {error.strerror}'}",
                remedy="Unmount it, or start the station in the imaging environment" if busy else "Check the name and the permissions",
            ) from error
        self.size = os.lseek(self._cached, 0, os.SEEK_END)
        self._uncached: Optional[int] = None
        if direct:
            with contextlib.suppress(OSError):  # a filesystem without O_DIRECT
                self._uncached = os.open(path, (flags & ~os.O_EXCL) | os.O_DIRECT)
        self._direct = self._uncached is not None

    def __enter__(self) -> BlockFile:
        return self

    def __exit__(self, *_error: object) -> None:
        os.close(self._cached)
        if self._uncached is not None:
            os.close(self._uncached)

    def read(self, offset: int, view: memoryview) -> None:
        """Fill view from offset (bytes); DiskIOError when the device fails or ends before."""
        done = 0
        while done < len(view):
            try:
                count = os.preadv(self._handle(offset + done, len(view) - done), [view[done:]], offset + done)
            except OSError as error:
                if error.errno == errno.EINVAL and self._direct:
                    self._direct = False  # it wants a coarser alignment: use the cache from now on
                    continue
                raise self._failure("read", offset + done, error) from error
            if not count:
                raise DiskIOError(f"{self.path} ends at byte {offset + done}, {len(view) - done} bytes short")
            done += count

    def write(self, offset: int, view: memoryview) -> None:
        """Write view at offset (bytes); it is on the disk only after sync."""
        done = 0
        while done < len(view):
            try:
                done += os.pwrite(self._handle(offset + done, len(view) - done), view[done:], offset + done)
            except OSError as error:
                if error.errno == errno.EINVAL and self._direct:
                    self._direct = False  # it wants a coarser alignment: use the cache from now on
                    continue
                raise self._failure("write", offset + done, error) from error

    def sync(self) -> None:
        """Wait until what was written is on the disk; DiskIOError when it is not."""
        try:
            os.fsync(self._cached)
            os.posix_fadvise(self._cached, 0, 0, os.POSIX_FADV_DONTNEED)  # where there is no O_DIRECT: let a read come from the disk
        except OSError as error:
            raise self._failure("write", 0, error) from error

    def _handle(self, offset: int, length: int) -> int:
        if self._uncached is None or not self._direct or offset % 512 or length % 512:
            return self._cached
        return self._uncached

    def _failure(self, verb: str, offset: int, error: OSError) -> DiskIOError:
        return DiskIOError(
            f"{self.path} cannot {verb} at byte {offset}: {error.strerror}",
            remedy="The disk is failing or full: look at its SMART state and replace it; what was written so far counts for nothing",
            device=str(self.path),
            offset=offset,
        )


def read_used(file: BlockFile, offset: int, slices: tuple[tuple[int, int], ...], view: memoryview) -> None:
    """Fill view with the chunk at offset of the device: its used slices from the device, zeros elsewhere."""
    if slices == ((0, len(view)),):
        file.read(offset, view)
        return
    end = 0
    for start, length in _whole_blocks(runs(slices, BRIDGE), min(len(view), file.size - offset)):
        file.read(offset + start, view[start : start + length])
    for start, length in slices:
        if start > end:
            view[end:start] = bytes(start - end)
        end = start + length
    if end < len(view):
        view[end:] = bytes(len(view) - end)


def _whole_blocks(spans: Iterable[tuple[int, int]], limit: int) -> Iterator[tuple[int, int]]:
    """Widen spans to whole blocks, so that they can be read directly, but not beyond limit: the device may end before the chunk does."""
    for start, length in spans:
        first = start - start % _ALIGNMENT
        last = max(start + length, min(limit, -(-(start + length) // _ALIGNMENT) * _ALIGNMENT))
        yield first, last - first
