# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Loop disks with one GPT partition, and mounts of it; both are undone when their context ends."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.fleet.core.plugins.module_utils.command import run
from ansible_collections.fleet.imaging.plugins.module_utils.disk.device import Disk

_TABLE = "label: gpt\nlabel-id: 6d1f0d3c-5d7c-4f6f-9a01-2b1f0f5c7a10\nstart=2048, uuid=0a7c9f51-33f8-4f0e-8e5d-7f0e5b9c1d22\n"


class LoopDisk:
    """A disk: a backing file and its loop device."""

    def __init__(self, backing: Path, path: Path) -> None:
        self.backing = backing
        self.path = path

    @property
    def partition(self) -> Path:
        """The node of its only partition."""
        return Disk.open(self.path).partition(1).path

    @property
    def size(self) -> int:
        """Bytes."""
        return self.backing.stat().st_size

    def partitioned(self) -> LoopDisk:
        """Give it its table."""
        run(["sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", "--wipe=never", str(self.path)], stdin=_TABLE)
        Disk.open(self.path).refresh()
        return self

    def settle(self) -> None:
        """Wait until all that was written to it is in its backing file."""
        for path in (self.path, *self.path.parent.glob(f"{self.path.name}p[0-9]*")):
            with contextlib.suppress(OSError):
                handle = os.open(path, os.O_RDWR)
                try:
                    os.fsync(handle)
                finally:
                    os.close(handle)

    def warm(self) -> None:
        """Read its partition, so that nobody pays for the first look."""
        with self.partition.open("rb", buffering=0) as device, open(os.devnull, "wb") as nowhere:
            shutil.copyfileobj(device, nowhere, 1 << 20)


@contextlib.contextmanager
def loop_disk(backing: Path, size: int = 0) -> Iterator[LoopDisk]:
    """A loop disk on a backing file: a new one, sparse, of size bytes, or one that is there. The file is gone afterwards if it was new."""
    if size:
        with backing.open("wb") as file:
            file.truncate(size)
    try:
        path = Path(run(["losetup", "--find", "--show", str(backing)]).stdout.strip())
        try:
            disk = LoopDisk(backing, path)
            Disk.open(path).refresh()
            yield disk
        finally:
            run(["partx", "--delete", "--nr", "1:128", str(path)], ok=None)
            for node in path.parent.glob(f"{path.name}p[0-9]*"):
                node.unlink(missing_ok=True)
            run(["losetup", "--detach", str(path)], ok=None)
    finally:
        if size:
            backing.unlink(missing_ok=True)


@contextlib.contextmanager
def mounted(device: Path, folder: Path) -> Iterator[Path]:
    """A partition, mounted at a folder."""
    folder.mkdir(exist_ok=True)
    run(["mount", "-t", "ext4", "-o", "noatime", str(device), str(folder)])
    try:
        yield folder
    finally:
        run(["umount", str(folder)])


def copy_sparse(source: Path, target: Path) -> None:
    """A copy of a backing file, holes included."""
    run(["cp", "--sparse=auto", "--reflink=never", str(source), str(target)])
