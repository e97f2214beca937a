# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Chunks and manifests from the local backup, and from content stores what it lacks or holds damaged.

The store is mounted only while it is read, so the disk's partition table may be written in between.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Callable, Optional

from ansible_collections.fleet.core.plugins.module_utils.content.chunk import digest
from ansible_collections.fleet.core.plugins.module_utils.content.fetch import FetchReport, NotThere, Supply
from ansible_collections.fleet.core.plugins.module_utils.content.manifest import Manifest
from ansible_collections.fleet.core.plugins.module_utils.content.store import ChunkMissing, ChunkStore, StoreError
from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.core.plugins.module_utils.parallel import for_each
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress
from ansible_collections.fleet.core.plugins.module_utils.zstd import CompressionError, Decompressor

from ..disk.device import Disk, DiskInUse
from ..disk.reserved import NoBackup
from ..engine.blockio import aligned_buffer
from .survey import lacking
from .volume import BackupDamaged, opened

SOURCE = "backup"
"""What a result calls the local backup among the sources of chunks."""


class BackupSupply:
    """A station's own store before those of others (content.fetch.Supply)."""

    def __init__(self, disk: Disk, beyond: Optional[Supply] = None, *, touch: bool = True) -> None:
        """beyond: whom to ask for what is not here, or damaged; touch: see volume.opened."""
        self._disk = disk
        self._beyond = beyond
        self._touch = touch

    def newest(self, image: str) -> str:
        """The newest version of an image that is here, by the time of its capture; BackupDamaged or NoBackup when there is none."""

        def look(store: ChunkStore) -> list[tuple[str, str]]:
            found = []
            for ref in store.manifests():
                if (ref.kind, ref.name) == ("image", image):
                    with contextlib.suppress(FleetError):
                        found.append((store.load(ref).created, ref.version))
            return found

        found = opened(self._disk, look, touch=self._touch)
        if not found:
            raise BackupDamaged(
                f"The local backup of {self._disk.describe()} holds no version of {image}. Nothing was changed",
                remedy="playbooks/report.yml tells which images stations have; restore from the content stores",
            )
        return max(found)[1]

    def require(self, manifest: Manifest, progress: Progress) -> None:
        """Raise BackupDamaged unless every chunk is here, and sound: when nobody else can be asked, before anything is written."""
        wanting = opened(self._disk, lambda store: lacking(store, manifest, progress, thorough=True), touch=self._touch)
        if wanting:
            raise BackupDamaged(
                f"{len(wanting)} chunks of {manifest.name} {manifest.version} are missing or damaged in the local backup of"
                f" {self._disk.describe()}. Nothing was changed",
                remedy="Name content stores as sources as well: what is damaged is fetched from them",
            )

    def document(self, path: str, limit: int) -> bytes:
        """See Supply."""

        def read(store: ChunkStore) -> bytes:
            with (store.root / path).open("rb") as file:
                return file.read(limit + 1)

        try:
            data = opened(self._disk, read, touch=self._touch)
            if len(data) > limit:
                raise BackupDamaged(f"{path} in the local backup has more than {limit} bytes")
            return data
        except (FleetError, OSError) as error:
            if self._beyond:
                return self._beyond.document(path, limit)
            if isinstance(error, FleetError):
                raise
            raise NotThere(f"{Path(path).with_suffix('')} is not in the local backup: {error.strerror}") from error

    def apart(self) -> Sequence[Supply]:
        """See Supply."""
        return [BackupSupply(self._disk, touch=self._touch), *(self._beyond.apart() if self._beyond else ())]

    def chunks(self, wanted: Iterable[Any], consume: Callable[[Any, memoryview], None]) -> FetchReport:
        """See Supply; bytes in the report are those that crossed the network."""
        report = FetchReport()
        left: list[Any] = []
        reasons: list[str] = []
        lock = threading.Lock()

        def work(store: ChunkStore) -> None:
            def give(item: Any, tools: _Tools) -> None:
                try:
                    data = tools.read(store, item)
                except (StoreError, CompressionError, OSError) as error:
                    with lock:
                        left.append(item)
                        reasons.append(str(error))
                    return
                consume(item, data)
                with lock:
                    report.chunks += 1

            for_each(wanted, _Tools, give)

        try:
            opened(self._disk, work, touch=self._touch)
        except (BackupDamaged, NoBackup, DiskInUse):
            if not self._beyond or report.chunks or left:
                raise
            return self._beyond.chunks(wanted, consume)
        if report.chunks:
            report.sources[SOURCE] = report.chunks
        if not left:
            return report
        if not self._beyond:
            raise BackupDamaged(
                f"{len(left)} chunks are missing or damaged in the local backup of {self._disk.describe()}; the first: {reasons[0]}",
                remedy="Restore from the content stores",
            )
        rest = self._beyond.chunks(left, consume)
        return FetchReport(report.chunks + rest.chunks, rest.bytes, {**report.sources, **rest.sources})


class _Tools:
    """What a thread uses again for every chunk."""

    def __init__(self) -> None:
        self._decompressor = Decompressor()
        self._buffer = aligned_buffer(1 << 20)

    def read(self, store: ChunkStore, item: Any) -> memoryview:
        """A chunk, verified, in memory that a disk takes as it is; valid until the next call."""
        if len(self._buffer) < item.length:
            self._buffer = aligned_buffer(item.length)
        view = memoryview(self._buffer)[: item.length]
        path = store.chunk_path(item.digest)
        try:
            frame = path.read_bytes()
        except FileNotFoundError as error:
            raise ChunkMissing(f"chunk {item.digest.hex()} is not there") from error
        if self._decompressor.into(frame, view) != item.length or digest(view) != item.digest:
            raise CompressionError(f"chunk {item.digest.hex()} does not hash to its name")
        return view
