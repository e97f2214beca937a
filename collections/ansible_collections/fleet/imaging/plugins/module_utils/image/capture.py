# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Capture of a disk: check all of it, store its contents, describe it in a manifest."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Optional

from ansible_collections.fleet.core.plugins.module_utils.content.manifest import Manifest, Stream, check_name
from ansible_collections.fleet.core.plugins.module_utils.content.sink import ChunkSink
from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError, InputError
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress

from ..disk.bootcode import ranges
from ..disk.device import Disk
from ..disk.partitions import partition_of
from ..disk.reserved import without
from ..disk.table import PartitionTable
from ..engine.driver import Engine
from ..engine.stream_reader import StreamReader, StreamSource
from ..filesystem import Filesystem, NotClean, probe
from .description import BOOTCODE


@dataclass(frozen=True)
class CaptureResult:
    """What was captured."""

    manifest: Manifest
    counts: dict[str, int]
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Keys of the module's result."""
        return {
            "changed": True,
            "image": self.manifest.name,
            "version": self.manifest.version,
            "seconds": round(self.seconds, 2),
            "partitions": [
                {"number": stream.meta["number"], "type": stream.meta["filesystem"]["type"], "used": stream.used}
                for stream in self.manifest.streams
                if "number" in stream.meta
            ],
            **self.counts,
        }


@dataclass(frozen=True)
class ImageCapture:
    """A capture that may begin: every partition is in a state that makes a sound image."""

    disk: Disk
    table: PartitionTable
    filesystems: dict[int, Filesystem]
    engine: Engine
    name: str
    version: str
    parent: Optional[Manifest] = None

    @classmethod
    def plan(
        cls, disk: Disk, engine: Engine, name: str, version: str, *, parent: Optional[Manifest] = None, leave_out: Collection[int] = ()
    ) -> ImageCapture:
        """Check the disk; FleetError names every partition that cannot be captured, and nothing has been read or stored.

        leave_out: partitions whose contents are not captured (they stay in the table).
        """
        check_name(name)
        check_name(version, "version")
        disk.refuse_if_in_use()
        table = without(PartitionTable.from_disk(disk))  # a station's local backup is no part of its image
        unknown = sorted(set(leave_out) - {entry.number for entry in table.entries})
        if unknown:
            raise InputError(f"{disk.path} has no partition {unknown[0]} to leave out")
        numbers = [entry.number for entry in table.entries if not table.is_extended(entry) and entry.number not in leave_out]
        filesystems = {number: probe(partition_of(disk, table, number).path) for number in numbers}
        refusals = []
        for filesystem in filesystems.values():
            try:
                filesystem.require_clean()
            except NotClean as error:
                refusals.append(error)
        if refusals:
            raise FleetError(
                f"{disk.describe()} cannot be captured: {'; '.join(str(each) for each in refusals)}",
                partitions=[each.details for each in refusals],
            )
        return cls(disk, table, filesystems, engine, name, version, parent)

    def preview(self) -> dict[str, Any]:
        """What would be captured."""
        return {
            "changed": True,
            "image": self.name,
            "version": self.version,
            "partitions": [{"number": number, "type": filesystem.type} for number, filesystem in self.filesystems.items()],
        }

    def run(self, sink: ChunkSink, progress: Progress, clock: Callable[[], float] = time.time) -> CaptureResult:
        """Store the contents and the manifest; whatever fails, there is no manifest, and what arrived is not sent twice."""
        started = time.monotonic()
        reader = StreamReader(sink, progress)
        streams: list[Stream] = []
        boot = self._bootcode()
        progress.begin("capture boot code", sum(length for _offset, length in boot.extents))
        streams.append(reader.read(boot))
        for number, filesystem in self.filesystems.items():
            with self.engine.source(number, filesystem, progress) as source:
                progress.begin(f"capture partition {number}", sum(length for _offset, length in source.extents))
                streams.append(reader.read(source))
        manifest = Manifest(
            kind="image",
            name=self.name,
            version=self.version,
            created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(clock())),
            parent=self.parent.version if self.parent else None,
            streams=tuple(streams),
            meta={
                "engine": self.engine.name,
                "disk": {"size": self.disk.size, "sector_size": self.disk.sector_size, "model": self.disk.model},
                "table": self.table.as_json(),
            },
        )
        sink.finish(manifest.to_bytes())
        count = reader.count
        counts = {
            "chunks": count.chunks,
            "chunks_known": count.known,
            "chunks_sent": count.sent,
            "bytes_used": count.bytes_used,
            "bytes_sent": count.bytes_sent,
        }
        return CaptureResult(manifest, counts, time.monotonic() - started)

    def _bootcode(self) -> StreamSource:
        extents = tuple(ranges(self.table))
        return StreamSource(BOOTCODE, self.disk.path, sum(extents[-1]), extents, {"target": BOOTCODE})
