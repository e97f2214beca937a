# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files engine: a filesystem's files as an archive, restored into a filesystem made anew, of whatever size the partition has.

It archives what fsarchiver brings back whole: ext2, ext3, ext4 and XFS. Partitions with anything else (the EFI system partition,
NTFS, btrfs with its subvolumes) are captured by the block engine within the same image; each stream says which engine made it.
A digest of the tree is taken at capture; it tells that a restore is right, and that a partition needs none.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from ansible_collections.fleet.core.plugins.module_utils.command import available, run
from ansible_collections.fleet.core.plugins.module_utils.content.manifest import Stream
from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError, ToolError
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress

from ..filesystem import Filesystem, FilesystemError, probe
from ..filesystem.base import write_at
from ..filesystem.ext import Ext
from ..filesystem.mounted import with_files
from . import fsarchiver
from .blockio import HEAD
from .blocks import BlocksEngine
from .driver import Engine, PartitionJob
from .stream_reader import StreamSource
from .stream_writer import StreamWriter, Target, VerificationFailed
from .tree import tree_digest

ARCHIVED = ("ext2", "ext3", "ext4", "xfs")
"""What fsarchiver brings back whole. It calls its own NTFS support unstable and makes folders of btrfs subvolumes."""

_MARGIN = 16 << 20
"""Bytes of room that are asked for beyond what is needed."""

_SMALLEST = {"xfs": 300 << 20}
"""Bytes below which mkfs refuses (mkfs.xfs(8) since 5.19)."""


class NoRoom(FleetError):
    """The work folder cannot take the archive."""


class FilesEngine(Engine):
    """Files by fsarchiver's archives."""

    name = "files"

    def __init__(self, work_dir: Path) -> None:
        super().__init__(work_dir)
        self._blocks = BlocksEngine(work_dir)

    def source(self, number: int, filesystem: Filesystem, progress: Progress) -> AbstractContextManager[StreamSource]:
        """An archive in the work folder, which needs at most as much room as the files; the partition itself for other filesystems."""
        engine = self._archived if filesystem.type in ARCHIVED else self._blocks.source
        return engine(number, filesystem, progress)

    @contextmanager
    def _archived(self, number: int, filesystem: Filesystem, progress: Progress) -> Iterator[StreamSource]:
        filesystem.require_clean()
        used = _used(filesystem)
        self._require_room(used)
        with self._workspace() as folder:
            archive = folder / "archive.fsa"

            def take(root: Path) -> str:
                progress.begin(f"archive partition {number}", 100, "%")
                fsarchiver.save(filesystem.device, archive, progress)
                progress.begin(f"check partition {number}", used)
                return tree_digest(root, progress)

            tree = with_files(filesystem.type, filesystem.device, take)
            size = archive.stat().st_size
            meta = {
                "target": "partition",
                "number": number,
                "engine": self.name,
                "archive": fsarchiver.NAME,
                "tree": tree,
                "filesystem": {
                    **filesystem.as_meta(),
                    "minimum_size": self.minimum_size(filesystem),
                    **({"bytes_per_inode": _bytes_per_inode(filesystem)} if isinstance(filesystem, Ext) else {}),
                },
            }
            yield StreamSource(f"p{number}", archive, size, ((0, size),), meta)

    def minimum_size(self, filesystem: Filesystem) -> int:
        """What a new filesystem needs for the files: their blocks, its own, and its inodes."""
        if filesystem.type not in ARCHIVED:
            return self._blocks.minimum_size(filesystem)
        needed = filesystem.minimum_size() if filesystem.can_shrink else _used(filesystem)
        inodes = filesystem.inodes()[1] * _bytes_per_inode(filesystem) if isinstance(filesystem, Ext) else 0
        needed = max(needed, inodes)
        return min(max(needed + needed // 20 + _MARGIN, _SMALLEST.get(filesystem.type, 0)), filesystem.size)

    def require(self, streams: Sequence[Stream]) -> None:
        """fsarchiver, and room for the largest archive: they are held one after the other."""
        archives = [stream.size for stream in streams if _is_archive(stream)]
        if not archives:
            return
        if not available(fsarchiver.NAME):
            raise ToolError("fsarchiver is not installed on this host. Nothing was changed", remedy="Install the package fsarchiver")
        self._require_room(max(archives))

    def differing(self, jobs: Sequence[PartitionJob], others: Sequence[Target], writer: StreamWriter) -> int:
        """An archive is restored as a whole, or not at all when the partition holds its files already."""
        archives, plain = _sorted(jobs)
        whole = sum(job.stream.used for job in archives if not self._is_there(job, writer))
        return whole + self._blocks.differing(plain, others, writer)

    def restore(self, jobs: Sequence[PartitionJob], others: Sequence[Target], writer: StreamWriter) -> None:
        """Restore the archives that differ, then what the block engine has: boot loaders come last."""
        archives, plain = _sorted(jobs)
        for job in archives:
            if self._is_there(job, writer):
                chunks = sum(1 for _chunk in job.stream.chunks())
                writer.count.chunks += chunks
                writer.count.same += chunks
            else:
                self._restore(job, writer)
        self._blocks.restore(plain, others, writer)

    def _is_there(self, job: PartitionJob, writer: StreamWriter) -> bool:
        """Whether the partition holds the files as they were captured; always reads all of them, unless everything is to be written."""
        if not writer.delta:
            return False
        try:
            found = probe(job.partition.path)
            return _same_identity(found, job) and found.state().clean and self._tree(job, writer) == job.stream.meta["tree"]
        except (FleetError, OSError):  # whatever is there, it is not readable as what should be there
            return False

    def _restore(self, job: PartitionJob, writer: StreamWriter) -> None:
        device = job.partition.path
        self._require_room(job.stream.size)
        with self._workspace() as folder:
            archive = folder / "archive.fsa"
            with archive.open("wb") as file:
                file.truncate(job.stream.size)
            writer.write([Target(job.stream, archive, partition=False, scan=False)])
            _make_unmountable(device)
            try:
                writer.progress.begin(f"restore partition {job.partition.number}", 100, "%")
                fsarchiver.restore(archive, device, _mkfs_options(job), writer.progress)
                _set_label(job)
                self._verify(job, writer)
            except BaseException:
                _make_unmountable(device)
                raise

    def _verify(self, job: PartitionJob, writer: StreamWriter) -> None:
        """The filesystem is sound and, unless that was declined, every file reads from the disk as it was captured."""
        made = probe(job.partition.path)
        if not _same_identity(made, job):
            wanted = " ".join(str(job.filesystem[key]) for key in ("type", "uuid", "label"))
            raise FilesystemError(f"{made.device} was made as {made.type} {made.uuid} {made.label}, but the image says {wanted}")
        made.check()
        if writer.verifies and self._tree(job, writer) != job.stream.meta["tree"]:
            raise VerificationFailed(
                f"{made.device} does not hold the files that were captured",
                remedy="If it happens on one station only, its disk or memory is failing; if on all, capture the image again",
            )

    def _tree(self, job: PartitionJob, writer: StreamWriter) -> str:
        writer.progress.begin(f"check partition {job.partition.number}", 0)
        return with_files(job.filesystem["type"], job.partition.path, lambda root: tree_digest(root, writer.progress))

    def _require_room(self, size: int) -> None:
        try:
            _sweep(self.work_dir)
            room = shutil.disk_usage(self.work_dir).free
        except OSError as error:
            raise NoRoom(f"The work folder {self.work_dir} cannot be used: {error.strerror}. Nothing was changed") from error
        if room < size + _MARGIN:
            raise NoRoom(
                f"The archive may need {size + _MARGIN} bytes in {self.work_dir}, which has {room}. Nothing was changed",
                remedy="Name a work_dir with more room, as on a USB disk or a network share, or use method: blocks, which needs none",
                needed=size + _MARGIN,
            )

    @contextmanager
    def _workspace(self) -> Iterator[Path]:
        """A folder that is gone afterwards; should this process be killed, the next one removes it."""
        with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=self.work_dir) as name, _lock(name):
            yield Path(name)


_PREFIX = "fleet-files-"


@contextmanager
def _lock(folder: str) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _sweep(work_dir: Path) -> None:
    """Remove the folders that killed processes left behind."""
    for folder in work_dir.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError), _lock(str(folder)):
            shutil.rmtree(folder)


def _is_archive(stream: Stream) -> bool:
    return stream.meta.get("engine") == FilesEngine.name


def _sorted(jobs: Sequence[PartitionJob]) -> tuple[list[PartitionJob], list[PartitionJob]]:
    """Archives, and what the block engine restores."""
    return [job for job in jobs if _is_archive(job.stream)], [job for job in jobs if not _is_archive(job.stream)]


def _same_identity(found: Filesystem, job: PartitionJob) -> bool:
    return (found.type, found.uuid, found.label) == tuple(job.filesystem[key] for key in ("type", "uuid", "label"))


def _used(filesystem: Filesystem) -> int:
    """Bytes in use, those of the filesystem itself included."""
    return sum(length for _offset, length in filesystem.used())


def _bytes_per_inode(filesystem: Ext) -> int:
    """What mke2fs -i takes for a filesystem with as many inodes for its size."""
    return min(max(filesystem.size // filesystem.inodes()[0], 1 << 10), 64 << 20)


def _mkfs_options(job: PartitionJob) -> str:
    """A filesystem for many small files must become one again."""
    ratio = job.filesystem.get("bytes_per_inode")
    return f"-i {ratio}" if ratio else ""


def _set_label(job: PartitionJob) -> None:
    label, device = job.filesystem["label"], str(job.partition.path)
    if job.filesystem["type"] == "xfs":
        run(["xfs_admin", "-L", label or "--", device])
    else:
        run(["e2label", device, label])


def _make_unmountable(device: Path) -> None:
    write_at(device, 0, bytes(HEAD))
