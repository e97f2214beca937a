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
from ansible_collections.fleet.core.plugins.module_utils.content.manifest import Manifest, ManifestError
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

_SAMPLES = 24
"""Chunks of a stream that are looked at first: a partition on which none of them is right holds something else."""


class BackupFull(StoreError):
    """A version does not fit the local backup."""


class Sending(Protocol):
    """Whoever has what is not on the disk (engine.stream_writer.Session is one)."""

    def receive(self, wanted: Iterable[Any], begin: Callable[[], None], consume: Callable[[Any, memoryview], None]) -> FetchReport:
        """Give every wanted chunk to consume, verified; also called when nothing is wanted."""


@dataclass(frozen=True)
class Keeping:
    """What stays in a local backup besides the version just written: what any rule keeps; all, without a rule."""

    last: Optional[int] = None
    """The newest versions of each image, the one just written among them."""
    days: Optional[float] = None
    """Those captured within so many days."""


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


def lacking(store: ChunkStore, manifest: Manifest, progress: Progress, *, thorough: bool) -> dict[bytes, Chunk]:
    """The chunks of an image that the store has not got; with thorough also those that do not hash to their name. Reads only."""
    wanted = {chunk.digest: chunk for stream in manifest.streams for chunk in stream.chunks() if not chunk.is_zero}
    found: dict[bytes, Chunk] = {}
    lock = threading.Lock()
    progress.begin("look at the backup", len(wanted), "chunks")

    def look(chunk: Chunk, decompressor: Decompressor) -> None:
        there = store.has(chunk.digest)
        if there and thorough:
            try:
                store.read(chunk.digest, decompressor)
            except StoreError:
                there = False
        if not there:
            with lock:
                found[chunk.digest] = chunk
        progress.advance(1)

    for_each(wanted.values(), Decompressor, look)
    return found


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
        """Put the version into the store, then remove what is not to be kept. FleetError: the versions before are as they were."""
        with self._store.create().lock(exclusive=False):
            self._begin()
            wanted = lacking(self._store, self._manifest, self._progress, thorough=self._verify)
            self.done.chunks = len(self._manifest.digests())
            self._remove_damaged(wanted)
        try:
            self._fill(wanted, sending)
        except BackupFull as error:
            if not self._prune():
                self._give_up()
                raise
            left = {name: chunk for name, chunk in wanted.items() if not self._store.has(name)}
            try:
                self._fill(left, sending)
            except BackupFull:
                self._give_up()
                raise error from None
        self._publish()
        self._prune()
        disk = os.statvfs(self._store.root)
        self.done.free = disk.f_bavail * disk.f_frsize
        return self.done

    def _begin(self) -> None:
        """Name what is coming, so that what arrives stays when this is cut; what an earlier run did not finish is given up."""
        for path in list(self._pending.paths()):
            ref = ManifestRef(path.parts[-3], path.parts[-2], path.name[: -len(".json")])
            if ref != self._ref:
                self._pending.forget(ref)
        with _full(self._ref):
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
        with self._store.lock(exclusive=False), _full(self._ref), StoreWriter(self._store) as writer:
            try:
                self._from_disk(left, writer)
                compressors = threading.local()

                def keep(item: Any, data: memoryview) -> None:
                    if not hasattr(compressors, "own"):
                        compressors.own = Compressor()
                    self._put(writer, item, compressors.own.compress(data))

                report = sending.receive(list(left.values()), lambda: None, keep)
                self.done.bytes_fetched += report.bytes
                for url, count in report.sources.items():
                    self.done.sources[url] = self.done.sources.get(url, 0) + count
            except FleetError:
                with contextlib.suppress(FleetError):
                    writer.flush()  # what came is not asked for again
                raise
        if self._verify:
            self._read_back(wanted)

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
        with _full(self._ref):
            self._store.add_manifest(self._ref, self._signed.data, self._signed.signature)
            write_index(self._store)
        self.done.listed = True
        self._pending.forget(self._ref)

    def _prune(self) -> bool:
        """Remove what is not to be kept; whether anything went. The version that is being written counts as the first that stays."""
        refs = [ref for ref in self._store.manifests() if ref != self._ref]
        manifests = [(self._ref, self._manifest)]
        for ref in refs:
            try:
                manifests.append((ref, self._store.load(ref)))
            except ManifestError:  # nobody can restore it, and while it is there nothing can be pruned
                (self._store.root / ref.path()).unlink()
                self.done.pruned.append(str(ref))
        stays = Retention(last=self._keeping.last, days=self._keeping.days).kept(manifests) | {self._ref}
        gone = prune(self._store, Retention(keep=[f"{ref.kind}/{ref.name}/{ref.version}" for ref in sorted(stays)]), allow_empty=True)
        self.done.pruned += gone.manifests
        return bool(gone.manifests or gone.chunks)

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


@contextlib.contextmanager
def _full(ref: ManifestRef) -> Iterator[None]:
    """Say of a full disk what is full."""
    try:
        yield
    except (StoreError, OSError) as error:
        reason = error if isinstance(error, OSError) else error.__cause__
        if isinstance(reason, OSError) and reason.errno in (errno.ENOSPC, errno.EDQUOT):
            raise BackupFull(
                f"{ref} does not fit the station's local backup",
                remedy="Keep fewer versions in it (backup_keep), or delete the partition (sfdisk --delete) and let a larger one be made"
                " (backup_size)",
            ) from error
        raise
