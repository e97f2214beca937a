# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restore of an image to a disk: check everything, lay out the table, write what differs, verify, make it fit.

Nothing is written before the disk's identity, its use, its sector size and its room have been checked.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Optional, Union

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError, InputError
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress
from ansible_collections.fleet.core.plugins.module_utils.stop import Stop

from ..backup.delivery import ERASE, WRITE, BackupOptions
from ..backup.volume import apply
from ..disk import reserved
from ..disk.device import Disk, Partition
from ..disk.identity import DiskIdentity
from ..disk.partitions import partition_of
from ..disk.reserved import Reserved
from ..disk.table import Entry, PartitionTable, TableError
from ..engine.driver import Engine, PartitionJob
from ..engine.stream_writer import RestoreCount, StreamWriter, Target
from ..filesystem import FilesystemError, GrowUnsupported, SwapArea, probe
from .description import ImageDescription, PartitionContent
from .room import laid_out


@dataclass(frozen=True)
class RestoreOptions:
    """What of an image goes to a disk, and how."""

    partitions: tuple[int, ...] = ()
    """Only these, into the table that the disk has; empty: the whole image with its table."""
    keep: tuple[int, ...] = ()
    """Partitions of the disk that stay as they are, contents included."""
    grow: bool = True
    """Whether the last partition and its filesystem take the room of a larger disk."""
    table_only: bool = False
    """Whether the table is all that is written."""
    backup: BackupOptions = field(default_factory=BackupOptions)
    """What becomes of the station's local backup."""


@dataclass(frozen=True)
class RestoreResult:
    """What a restore did."""

    plan: ImageRestore
    count: RestoreCount
    table_changed: bool
    swap_made: tuple[int, ...]
    resized: tuple[int, ...]
    notes: tuple[str, ...]
    verified: bool
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Keys of the module's result."""
        count = self.count
        return {
            "changed": bool(count.written or self.table_changed or self.swap_made or self.resized),
            "image": self.plan.image.manifest.name,
            "version": self.plan.image.manifest.version,
            "disk": str(self.plan.disk.path),
            "table_changed": self.table_changed,
            "partitions": [content.number for content in self.plan.contents],
            "swap_made": list(self.swap_made),
            "resized": list(self.resized),
            "notes": list(self.notes),
            "chunks": count.chunks,
            "chunks_same": count.same,
            "chunks_written": count.written,
            "bytes_read": count.bytes_read,
            "bytes_fetched": count.bytes_fetched,
            "bytes_written": count.bytes_written,
            "bytes_verified": count.bytes_verified,
            "sources": count.sources,
            "verified": self.verified,
            "seconds": round(self.seconds, 2),
        }


@dataclass(frozen=True)
class ImageRestore:
    """A restore that may begin."""

    disk: Disk
    image: ImageDescription
    engine: Engine
    table: PartitionTable
    contents: tuple[PartitionContent, ...]
    options: RestoreOptions
    reserved: Optional[Reserved] = None
    """The station's local backup in the table, kept or new."""
    erased: Optional[Entry] = None
    """The local backup that is lost."""

    @classmethod
    def plan(cls, disk: Disk, identity: DiskIdentity, image: ImageDescription, engine: Engine, options: RestoreOptions) -> ImageRestore:
        """Check that the image may go to the disk; FleetError with the reason and the remedy when it may not.

        identity: what the admin says the disk is; a disk that is something else is never touched.
        """
        disk.require(identity)
        if disk.read_only:
            raise InputError(f"{disk.describe()} is read-only. Nothing was changed")
        disk.refuse_if_in_use()
        if options.partitions and options.table_only:
            raise InputError("partitions are restored into the table that the disk has", remedy="Name them, or lay out the image's table")
        if options.partitions and options.keep:
            raise InputError("partitions and keep exclude each other", remedy="Name the partitions to restore, or those to keep")
        if options.backup.what == WRITE and (options.partitions or options.table_only):
            raise InputError("backup: write is for a whole image", remedy="Restore all partitions of it, or leave backup as it is")
        place: Optional[Reserved] = None
        if options.partitions:
            table = _own_table(disk, image, options.partitions)
            contents = tuple(image.content(number) for number in options.partitions)
        else:
            own = reserved.find_on(disk)
            if own and own.number in options.keep and options.backup.what == ERASE:
                raise InputError(f"Partition {own.number} is the local backup, which cannot be both kept and erased")
            keep = [number for number in options.keep if not own or number != own.number]  # that stays by itself
            contents = tuple(content for content in image.partitions if content.number not in keep)
            table, place = laid_out(disk, image, contents, keep, options.grow, options.backup)
        if options.table_only:
            contents = ()
        engine.require([content.stream for content in contents if not content.is_swap])
        erased = reserved.find_on(disk) if options.backup.what == ERASE and not options.partitions else None
        return cls(disk, image, engine, table, contents, options, place, erased)

    @property
    def writes_table(self) -> bool:
        """Whether the disk's table must be changed."""
        return not self.table.matches(self.disk)

    def table_diff(self) -> dict[str, str]:
        """The disk's table as it is and as it will be, for --diff."""
        try:
            before = PartitionTable.from_disk(self.disk).as_text()
        except TableError as error:
            before = f"({error})\n"
        return {"before": before, "after": self.table.as_text()}

    def preview(self, writer: StreamWriter) -> dict[str, Any]:
        """What would be written, as far as it can be known before the table is changed."""
        if self.writes_table:
            differing = sum(content.stream.used for content in self.contents)
        else:
            differing = self.engine.differing(self._jobs(), self._others(), writer)
        swap = self._swap_to_make() if not self.writes_table else []
        return {
            "changed": bool(differing or self.writes_table or swap),
            "image": self.image.manifest.name,
            "version": self.image.manifest.version,
            "disk": str(self.disk.path),
            "table_changed": self.writes_table,
            "bytes_differing": differing,
        }

    def run(self, writer: StreamWriter, progress: Progress, before_resizing: Callable[[], None] = lambda: None) -> RestoreResult:
        """Restore; returns only when everything that was written is on the disk, and verified unless that was declined.

        before_resizing is called while the disk holds the image as it was captured; what it raises ends the restore.
        """
        started = time.monotonic()
        writes_table = self.writes_table
        if writes_table:
            progress.begin("partition", 0)
            if self.reserved:
                apply(self.table, self.reserved, self.disk)
            else:
                self.table.apply(self.disk)
        jobs = self._jobs()
        try:
            self.engine.restore(jobs, self._others(), writer)
        except (FleetError, Stop) as error:
            _tell_state_of_disk(error, writes_table, writer)
            raise
        before_resizing()
        swap = self._swap_to_make()
        for content in swap:
            SwapArea.create(
                partition_of(self.disk, self.table, content.number).path, content.filesystem["uuid"], content.filesystem["label"]
            )
        resized, notes = self._grow(jobs)
        return RestoreResult(
            plan=self,
            count=writer.count,
            table_changed=writes_table,
            swap_made=tuple(content.number for content in swap),
            resized=resized,
            notes=notes,
            verified=writer.verifies,
            seconds=time.monotonic() - started,
        )

    def _jobs(self) -> list[PartitionJob]:
        return [
            PartitionJob(content.stream, partition_of(self.disk, self.table, content.number), content.filesystem)
            for content in self.contents
            if not content.is_swap
        ]

    def _others(self) -> list[Target]:
        if self.image.bootcode is None or self.options.partitions or self.options.table_only:
            return []
        return [Target(self.image.bootcode, self.disk.path, partition=False)]

    def _swap_to_make(self) -> list[PartitionContent]:
        """Swap partitions that are not yet what the model had."""
        return [
            content
            for content in self.contents
            if content.is_swap and not _is_swap_of(partition_of(self.disk, self.table, content.number), content)
        ]

    def _grow(self, jobs: Sequence[PartitionJob]) -> tuple[tuple[int, ...], tuple[str, ...]]:
        """Let filesystems take the room of partitions that are larger than the model's; also what a restore that was cut left undone."""
        resized, notes = [], []
        for job in jobs:
            number = job.partition.number
            model = self.image.table.entry(number).size * self.image.table.sector_size
            if not self.options.grow or job.partition.size <= model:
                if job.filesystem["size"] > job.partition.size:
                    resized.append(number)
                continue
            try:
                filesystem = probe(job.partition.path)
                before = filesystem.size
                filesystem.grow()
                if filesystem.size != before:
                    resized.append(number)
            except GrowUnsupported as error:
                notes.append(str(error))
        return tuple(resized), tuple(notes)


def _own_table(disk: Disk, image: ImageDescription, numbers: Sequence[int]) -> PartitionTable:
    """The table of the disk, when the chosen partitions of the image fit into it."""
    table = PartitionTable.from_disk(disk)
    if table.sector_size != image.table.sector_size:
        image.table.fitted(disk.size, disk.sector_size)  # refuses, and says why
    for number in numbers:
        if reserved.is_reserved(table.entry(number)):
            raise TableError(f"Partition {number} of {disk.describe()} is the station's local backup. Nothing was changed")
        room = table.entry(number).size * table.sector_size
        content = image.content(number)
        if room < content.minimum_size:
            raise TableError(
                f"Partition {number} of {disk.describe()} has {room} bytes; the image needs {content.minimum_size}. Nothing was changed",
                remedy="Restore the whole image with its table, or make the partition larger",
            )
    return table


def _is_swap_of(partition: Partition, content: PartitionContent) -> bool:
    try:
        found = probe(partition.path)
        return (
            isinstance(found, SwapArea)
            and found.state().clean
            and (found.uuid, found.label) == (content.filesystem["uuid"], content.filesystem["label"])
            and 0 <= partition.size - found.size < found.block_size
        )
    except FilesystemError:
        return False


def _tell_state_of_disk(error: Union[FleetError, Stop], table_changed: bool, writer: StreamWriter) -> None:
    """Add to the error what it left on the disk."""
    if not writer.incomplete:
        error.amend("", changed=table_changed or bool(writer.count.written))
        return
    paths = sorted(map(str, writer.incomplete))
    left = f"Incomplete, and not mountable until they are restored again: {', '.join(paths)}"
    error.amend(left, changed=True, incomplete=paths)
