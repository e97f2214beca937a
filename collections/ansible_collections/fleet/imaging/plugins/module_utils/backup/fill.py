# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A version of an image into the local backup: what the store lacks, from the disk itself, then from whoever sends; the manifest last.

Until every chunk is in the store, and sound, the version is pending: a run that was cut goes on, and nothing lists half of an image.
"""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Callable, Optional, Protocol

from ansible_collections.fleet.core.plugins.module_utils.content.chunk import Chunk, digest
from ansible_collections.fleet.core.plugins.module_utils.content.fetch import FetchReport
from ansible_collections.fleet.core.plugins.module_utils.content.index import write_index
from ansible_collections.fleet.core.plugins.module_utils.content.pending import Pending
from ansible_collections.fleet.core.plugins.module_utils.content.prune import Retention, prune
from ansible_collections.fleet.core.plugins.module_utils.content.signed import SignedManifest
from ansible_collections.fleet.core.plugins.module_utils.content.store import (
    ChunkDamaged,
    ChunkStore,
    ManifestRef,
    StoreError,
    StoreWriter,
    sync_filesystem,
)
from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.core.plugins.module_utils.parallel import for_each
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress
from ansible_collections.fleet.core.plugins.module_utils.zstd import Compressor, Decompressor

from ..disk.device import Disk
from ..engine.blockio import aligned_buffer, read_used
from ..image.places import Place, places_of
from .keeping import Keeping
from .survey import lacking

_SAMPLES = 24
"""Chunks of a stream that are looked at first: a partition on which none of them is right holds something else."""


class BackupFull(StoreError):
    """A version does not fit the local backup."""


class Sending(Protocol):
    """Whoever has what is not on the disk (engine.stream_writer.Session is one)."""

    def receive(self, wanted: Iterable[Any], begin: Callable[[], None], consume: Callable[[Any, memoryview], None]) -> FetchReport:
        """Give every wanted chunk to consume, verified; also called when nothing is wanted."""


@dataclass
class Filled:
    """What was done."""

    chunks: int = 0
    """Distinct chunks of the version."""
    chunks_written: int = 0
    chunks_damaged: int = 0
    """Found damaged in the store, and replaced."""
    bytes_written: int = 0
    """Compressed."""
    bytes_fetched: int = 0
    """Compressed, that crossed the network."""
    sources: dict[str, int] = field(default_factory=dict)
    listed: bool = False
    """Whether the manifest is new in the store."""
    pruned: list[str] = field(default_factory=list)
    free: int = 0
    """Bytes left in the store."""

    @property
    def changed(self) -> bool:
        """Whether the store is another than before."""
        return bool(self.chunks_written or self.listed or self.pruned)

    def as_dict(self) -> dict[str, Any]:
        """Keys of the module's result."""
        return {key: value for key, value in vars(self).items() if key != "listed"}


class Filling:
    """One version on its way into one store, which is held and writable."""

    def __init__(
        self, store: ChunkStore, signed: SignedManifest, disk: Disk, progress: Progress, keeping: Keeping, *, verify: bool = True
    ) -> None:
        """verify: read the chunks that are there, and afterwards those that were written."""
        self._store = store
        self._signed = signed
        self._manifest = signed.manifest
        self._ref = ManifestRef(self._manifest.kind, self._manifest.name, self._manifest.version)
        self._disk = disk
        self._progress = progress
        self._keeping = keeping
        self._verify = verify
        self._pending = Pending(store)
        self._lock = threading.Lock()
        self.done = Filled()

    def run(self, sending: Sending) -> Filled:
        """Put the version into the store, then remove what is not to be kept. FleetError: the versions before are as they were.

        Only when it does not fit, what is not to be kept goes first.
        """
        try:
            self._put_in(sending)
        except BackupFull:
            try:
                if not self._prune():
                    raise
                self._put_in(sending)
            except BackupFull:
                self._give_up()
                raise
        self._prune()
        disk = os.statvfs(self._store.root)
        self.done.free = disk.f_bavail * disk.f_frsize
        return self.done

    def _put_in(self, sending: Sending) -> None:
        with self._room(), self._store.create().lock(exclusive=False):
            self._begin()
            wanted = lacking(self._store, self._manifest, self._progress, thorough=self._verify)
            self.done.chunks = len(self._manifest.digests())
            self._remove_damaged(wanted)
            self._fill(wanted, sending)
            self._publish()

    def _begin(self) -> None:
        """Name what is coming, so that what arrives stays when this is cut; what an earlier run did not finish is given up."""
        for path in list(self._pending.paths()):
            ref = ManifestRef(path.parts[-3], path.parts[-2], path.name[: -len(".json")])
            if ref != self._ref:
                self._pending.forget(ref)
        self._pending.remember(self._ref, self._signed)

    def _remove_damaged(self, wanted: dict[bytes, Chunk]) -> None:
        for name in wanted:
            path = self._store.chunk_path(name)
            if path.exists():
                path.unlink()
                self.done.chunks_damaged += 1

    def _fill(self, wanted: dict[bytes, Chunk], sending: Sending) -> None:
        """Write what is wanted, and read it back."""
        left = dict(wanted)
        self._progress.begin("back up", sum(chunk.length for chunk in wanted.values()))
        with StoreWriter(self._store) as writer:
            try:
                self._from_disk(left, writer)
                self._from_others(left, writer, sending)
            except FleetError:
                with contextlib.suppress(FleetError):
                    writer.flush()  # what came is not asked for again
                raise
        if self._verify:
            self._read_back(wanted)

    def _from_others(self, left: dict[bytes, Chunk], writer: StoreWriter, sending: Sending) -> None:
        compressors = threading.local()

        def begin() -> None:
            self._progress.begin("back up", sum(chunk.length for chunk in left.values()))

        def keep(item: Any, data: memoryview) -> None:
            if not hasattr(compressors, "own"):
                compressors.own = Compressor()
            self._put(writer, item, compressors.own.compress(data))

        report = sending.receive(list(left.values()), begin, keep)
        self.done.bytes_fetched += report.bytes
        for url, count in report.sources.items():
            self.done.sources[url] = self.done.sources.get(url, 0) + count

    def _from_disk(self, left: dict[bytes, Chunk], writer: StoreWriter) -> None:
        """Take what is wanted from where the image has it on the disk, as far as it is there."""
        with contextlib.ExitStack() as stack:
            for _stream, places in places_of(self._manifest, self._disk, stack):
                wanted = [(file, chunk) for file, chunk in places if chunk.digest in left]
                if wanted and self._looks_alike(wanted):
                    self._copy(wanted, left, writer)

    def _looks_alike(self, places: list[Place]) -> bool:
        view = memoryview(aligned_buffer(self._manifest.chunk_size))
        return any(_read(place, view) is not None for place in places[:: max(1, len(places) // _SAMPLES)])

    def _copy(self, places: list[Place], left: dict[bytes, Chunk], writer: StoreWriter) -> None:
        def copy(place: Place, tools: tuple[memoryview, Compressor]) -> None:
            view, compressor = tools
            data = _read(place, view) if place[1].digest in left else None
            if data is not None:
                self._put(writer, place[1], compressor.compress(data))
                with self._lock:
                    left.pop(place[1].digest, None)

        for_each(places, lambda: (memoryview(aligned_buffer(self._manifest.chunk_size)), Compressor()), copy)

    def _put(self, writer: StoreWriter, chunk: Any, frame: memoryview) -> None:
        if writer.put(chunk.digest, frame):
            with self._lock:
                self.done.chunks_written += 1
                self.done.bytes_written += len(frame)
            self._progress.advance(chunk.length)

    def _read_back(self, written: dict[bytes, Chunk]) -> None:
        """Read what was written from the disk itself, not from memory."""
        sync_filesystem(self._store.root)
        self._progress.begin("verify the backup", len(written), "chunks")

        def check(name: bytes, decompressor: Decompressor) -> None:
            path = self._store.chunk_path(name)
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            try:
                self._store.read(name, decompressor)
            except ChunkDamaged as error:
                path.unlink()
                raise ChunkDamaged(
                    f"{path.name} does not read as it was written to the local backup of {self._disk.describe()}",
                    remedy="The disk, its cable or the memory is failing: replace it",
                ) from error
            self._progress.advance(1)

        for_each(written, Decompressor, check)

    def _publish(self) -> None:
        """List the version: everything it names is there. One of the same name with other bytes is not the one that was signed."""
        path = self._store.root / self._ref.path()
        if path.exists():
            if (self._store.manifest_bytes(self._ref), self._store.signature(self._ref)) == (self._signed.data, self._signed.signature):
                self._pending.forget(self._ref)
                return
            path.unlink()
        self._store.add_manifest(self._ref, self._signed.data, self._signed.signature)
        write_index(self._store)
        self.done.listed = True
        self._pending.forget(self._ref)

    def _prune(self) -> bool:
        """Remove what is not to be kept; whether anything went."""
        gone = self._keeping.prune(self._store, self._ref, self._manifest)
        self.done.pruned += gone.versions
        return bool(gone.versions or gone.chunks)

    @contextlib.contextmanager
    def _room(self) -> Iterator[None]:
        """Say of a full disk what is full, and of what."""
        try:
            yield
        except (StoreError, OSError) as error:
            reason = error if isinstance(error, OSError) else error.__cause__
            if not isinstance(reason, OSError) or reason.errno not in (errno.ENOSPC, errno.EDQUOT):
                if isinstance(error, StoreError):
                    raise
                raise StoreError(
                    f"The local backup of {self._disk.describe()} failed: {error}", remedy="Look at the disk's SMART state"
                ) from error
            disk, others = os.statvfs(self._store.root), [str(ref) for ref in self._store.manifests() if ref != self._ref]
            raise BackupFull(
                f"{self._ref} does not fit the station's local backup, which has {disk.f_blocks * disk.f_frsize} bytes and holds"
                f" {', '.join(others) or 'no other version'}",
                remedy="Keep fewer versions in it (backup_keep), or delete its partition (sfdisk --delete) and let a larger one be made"
                " (backup_size)",
            ) from error

    def _give_up(self) -> None:
        """Leave the room to others."""
        self._pending.forget(self._ref)
        with contextlib.suppress(FleetError):
            prune(self._store, Retention(), allow_empty=True)


def _read(place: Place, view: memoryview) -> Optional[memoryview]:
    """A chunk as the disk has it; None when that is something else."""
    file, chunk = place
    content = view[: chunk.length]
    try:
        read_used(file, chunk.offset, chunk.slices, content)
    except FleetError:
        return None  # whoever sends has it
    return content if digest(content) == chunk.digest else None
