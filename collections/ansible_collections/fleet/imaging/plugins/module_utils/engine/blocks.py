# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The block engine: used blocks, at their place. Fast, exact, and only what differs when the partition holds an earlier version."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ansible_collections.fleet.core.plugins.module_utils.content.manifest import Stream
from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress

from ..disk.device import device_size
from ..filesystem import Filesystem, probe
from ..filesystem.base import write_at
from ..filesystem.span import span
from .blockio import HEAD, BlockFile
from .driver import Engine, PartitionJob
from .stream_reader import StreamSource
from .stream_writer import StreamWriter, Target


class ChangedMeanwhile(FleetError):
    """Somebody used the filesystem while it was captured."""


class BlocksEngine(Engine):
    """Used blocks by partclone's maps."""

    name = "blocks"

    @contextmanager
    def source(self, number: int, filesystem: Filesystem, progress: Progress) -> Iterator[StreamSource]:
        """The partition itself, with its used extents."""
        before = _witness(filesystem)
        extents = tuple(filesystem.used())
        meta = {
            "target": "partition",
            "number": number,
            "engine": self.name,
            "filesystem": {**filesystem.as_meta(), "minimum_size": self.minimum_size(filesystem)},
        }
        size = device_size(filesystem.device)
        yield StreamSource(f"p{number}", filesystem.device, size, extents, meta, exclusive=filesystem.device.is_block_device())
        if _witness(filesystem) != before:
            raise ChangedMeanwhile(
                f"The {filesystem.type} filesystem on {filesystem.device} was changed while it was captured; there is no image",
                remedy="Make sure that nothing mounts it, and capture again",
            )

    def minimum_size(self, filesystem: Filesystem) -> int:
        """What the filesystem can shrink to; all of the partition when it has no filesystem."""
        return filesystem.minimum_size() if filesystem.can_shrink else filesystem.size

    def require(self, streams: Sequence[Stream]) -> None:
        """Chunks go from the network to the disk; nothing else is needed."""

    def differing(self, jobs: Sequence[PartitionJob], others: Sequence[Target], writer: StreamWriter) -> int:
        """Compare what fits; a filesystem that must be shrunk is written as a whole."""
        direct, squeezed = _sorted(jobs)
        return writer.differing([*map(_target, direct), *others]) + sum(job.stream.used for job in squeezed)

    def restore(self, jobs: Sequence[PartitionJob], others: Sequence[Target], writer: StreamWriter) -> None:
        """Write what differs; a filesystem larger than its partition is restored into a longer one and shrunk, by itself."""
        direct, squeezed = _sorted(jobs)
        writer.write([*map(_target, direct), *others], together=True)
        for job in squeezed:
            try:
                with span(job.partition.path, job.stream.size, self.work_dir) as longer:
                    writer.write([Target(job.stream, longer, partition=True, scan=False)])
                    probe(longer).shrink(job.partition.size)
            except BaseException:
                write_at(job.partition.path, 0, bytes(HEAD))  # the superblock of a filesystem that reaches behind the partition
                raise


def _sorted(jobs: Sequence[PartitionJob]) -> tuple[list[PartitionJob], list[PartitionJob]]:
    """Those whose blocks in use all have a place on the partition, and those whose filesystem must be shrunk."""
    squeezed = [job for job in jobs if job.filesystem.get("size", 0) > job.partition.size or _end(job) > job.partition.size]
    return [job for job in jobs if job not in squeezed], squeezed


def _end(job: PartitionJob) -> int:
    return sum(job.stream.extents[-1]) if job.stream.extents else 0


def _target(job: PartitionJob) -> Target:
    return Target(job.stream, job.partition.path, partition=True)


def _witness(filesystem: Filesystem) -> bytes:
    with BlockFile(filesystem.device) as file:
        view = memoryview(bytearray(min(HEAD, file.size)))
        file.read(0, view)
        return bytes(view)
