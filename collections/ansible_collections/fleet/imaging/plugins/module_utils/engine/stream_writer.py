# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restore's inner loop: see what the disk already holds, fetch the rest, write it, read it back.

A partition that is being written is first made unmountable: its first bytes (where every filesystem has its superblock) are wiped,
and its first chunk is written last. So a restore that was cut never leaves a system that starts but is wrong. Its last bytes, where
RAID and others leave their marks, are wiped as far as the stream does not use them, lest an earlier life of the disk show through.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Optional, Protocol

from ansible_collections.fleet.core.plugins.module_utils.content.chunk import CHUNK_SIZE, DIGEST_SIZE, Chunk, digest
from ansible_collections.fleet.core.plugins.module_utils.content.fetch import FetchReport, Supply
from ansible_collections.fleet.core.plugins.module_utils.content.manifest import Extent, Stream
from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.core.plugins.module_utils.parallel import for_each
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress

from .blockio import BRIDGE, HEAD, BlockFile, aligned_buffer, read_used, runs

_TAIL = 512 << 10
"""Bytes at the end of a partition where something older may have left a mark: ZFS, RAID metadata 0.90 and 1.0, firmware RAID."""

_SAMPLES = 24
"""Chunks looked at before a scan: a disk on which none of them is right holds something else, and reading it all is in vain."""


class VerificationFailed(FleetError):
    """What is on the disk is not what the manifest says."""


@dataclass(frozen=True)
class Target:
    """A stream and the device it goes to."""

    stream: Stream
    path: Path
    partition: bool
    """Whether the device is the stream's alone, so that its unused bytes may be overwritten."""
    scan: bool = True
    """Whether the device may hold some of it already."""


@dataclass
class RestoreCount:
    """What a restore did, in chunks and bytes."""

    chunks: int = 0
    same: int = 0
    """Chunks that the disk held already."""
    written: int = 0
    bytes_read: int = 0
    bytes_fetched: int = 0
    """Compressed, as they crossed the network."""
    bytes_written: int = 0
    bytes_verified: int = 0
    """Read back from the disk after the write, or found right before it."""
    sources: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class _Place:
    """A chunk and where it goes; made when needed and forgotten again, for a large disk has hundreds of thousands."""

    target: _Open
    number: int
    """Of the chunk among those in use."""
    chunk: Chunk

    @property
    def is_head(self) -> bool:
        """Whether it holds the superblock of a partition."""
        return self.target.target.partition and self.chunk.index == 0


@dataclass(frozen=True)
class _Fetch:
    """A chunk to fetch once, and the places it goes to."""

    digest: bytes
    length: int
    places: Sequence[_Place]


class Session(Protocol):
    """Chunks that come when they come, to all stations that are restored together: nobody asks for one and waits for it."""

    def receive(self, wanted: Iterable[Any], begin: Callable[[], None], consume: Callable[[Any, memoryview], None]) -> FetchReport:
        """Give every wanted chunk (see content.fetch.Wanted) to consume, verified, once each, in the order of arrival.

        begin is called once, before the first of them and when nothing is wanted as well: until the others are there nothing is written.
        The memory is consume's only until it returns. Raises FleetError when a chunk cannot be had by any means.
        """


class _Open:
    """A target while it is written."""

    def __init__(self, target: Target, file: BlockFile) -> None:
        self.target = target
        self.file = file
        self.differs = bytearray(b"\1") * (len(target.stream.digests) // DIGEST_SIZE)
        """A byte for each chunk in use: whether the disk holds something else, as far as is known."""
        self.head: Optional[bytes] = None
        """What the first chunk is to hold; it is written at the end."""

    def places(self) -> Iterator[_Place]:
        """All chunks in use."""
        return (_Place(self, number, chunk) for number, chunk in enumerate(self.target.stream.chunks()))

    def differing(self) -> Iterator[_Place]:
        """The chunks in use that differ."""
        return (place for place in self.places() if self.differs[place.number])

    @property
    def first(self) -> Optional[_Place]:
        """The chunk that holds the superblock, when the stream is a partition's."""
        first = next(self.places(), None)
        return first if first is not None and first.is_head else None


def unused(extents: Iterable[Extent], start: int, end: int) -> Iterator[tuple[int, int]]:
    """What of start … end no extent covers, as (offset, length)."""
    for offset, length in extents:
        if offset + length <= start:
            continue
        if offset >= end:
            break
        if offset > start:
            yield start, offset - start
        start = offset + length
    if start < end:
        yield start, end - start


class StreamWriter:
    """Writes streams to devices."""

    def __init__(
        self, fetcher: Supply, progress: Progress, *, delta: bool = True, verify: bool = True, session: Optional[Session] = None
    ) -> None:
        """delta: read the disk first and fetch what differs; verify: read back what was written; session: whom to restore with."""
        self._fetcher = fetcher
        self._session = session
        self.progress = progress
        self.delta = delta
        self.verifies = verify
        self._lock = threading.Lock()
        self._buffer_size = 0
        self.incomplete: set[Path] = set()
        """Partitions that cannot be mounted because not all of them is written, or verified."""
        self.count = RestoreCount()

    def differing(self, targets: Sequence[Target]) -> int:
        """How many bytes in use differ; reads, writes nothing."""
        with contextlib.ExitStack() as stack:
            opened = self._open(stack, targets, write=False)
            self._scan(opened)
            return sum(place.chunk.used for each in opened for place in each.differing())

    def write(self, targets: Sequence[Target], *, together: bool = False) -> RestoreCount:
        """Make the devices hold the streams; FleetError when one byte of them is not verified at the end.

        together: with the stations of the session, when there is one; that can be done once.
        """
        session = self._session if together else None
        with contextlib.ExitStack() as stack:
            opened = self._open(stack, targets, write=True)
            self._scan(opened)
            changed = [each for each in opened if any(each.differs)]
            self._transfer(changed, session)
            for each in changed:
                each.file.sync()
            if self.verifies:
                self._read_back(changed)
            self._write_heads(changed)
        return self.count

    def _open(self, stack: contextlib.ExitStack, targets: Sequence[Target], *, write: bool) -> list[_Open]:
        opened = []
        for target in targets:
            block_device = target.path.is_block_device()
            exclusive = write and block_device and target.partition
            file = stack.enter_context(BlockFile(target.path, write=write, exclusive=exclusive, direct=target.partition))
            opened.append(_Open(target, file))
        self.count.chunks += sum(len(each.differs) for each in opened)
        self._buffer_size = max((target.stream.chunk_size for target in targets), default=CHUNK_SIZE)
        return opened

    def _scan(self, opened: Sequence[_Open]) -> None:
        """Find the chunks that differ from what the disk holds."""
        if not self.delta:
            return
        candidates = [each for each in opened if each.target.scan and self._looks_alike(each)]
        self.progress.begin("compare", sum(each.target.stream.used for each in candidates))

        def compare(place: _Place, view: memoryview) -> None:
            if self._matches(place, view):
                place.target.differs[place.number] = 0
                with self._lock:
                    self.count.same += 1
                    self.count.bytes_verified += place.chunk.used
            self.progress.advance(place.chunk.used)

        self._each((place for each in candidates for place in each.places()), compare)

    def _looks_alike(self, each: _Open) -> bool:
        """Whether one of a few chunks spread over the stream is right; a blank or foreign disk is not worth reading."""
        if len(each.differs) <= _SAMPLES:
            return True
        samples = itertools.islice(each.places(), 0, None, len(each.differs) // _SAMPLES)
        view = memoryview(aligned_buffer(each.target.stream.chunk_size))
        return any(self._matches(place, view) for place in samples if not place.chunk.is_zero)

    def _matches(self, place: _Place, view: memoryview) -> bool:
        chunk = place.chunk
        content = view[: chunk.length]
        read_used(place.target.file, chunk.offset, chunk.slices, content)
        with self._lock:
            self.count.bytes_read += chunk.used
        return digest(content) == chunk.digest

    def _make_unmountable(self, changed: Iterable[_Open]) -> None:
        for each in changed:
            if not each.target.partition:
                continue
            self.incomplete.add(each.target.path)
            first = each.first
            if first is not None and not each.differs[first.number]:
                view = memoryview(aligned_buffer(first.chunk.length))
                read_used(each.file, 0, first.chunk.slices, view)
                each.head = bytes(view)
            self._wipe_head(each)
            zeros = memoryview(aligned_buffer(_TAIL))
            for start, length in unused(each.target.stream.extents, max(HEAD, each.file.size - _TAIL), each.file.size):
                each.file.write(start, zeros[:length])
            each.file.sync()

    def _wipe_head(self, each: _Open) -> None:
        each.file.write(0, memoryview(aligned_buffer(min(HEAD, each.file.size))))
        each.file.sync()

    def _transfer(self, changed: Sequence[_Open], session: Optional[Session]) -> None:
        def begin() -> None:
            self._make_unmountable(changed)
            self.progress.begin("restore", sum(place.chunk.used for each in changed for place in each.differing()))

        def put(item: Any, data: memoryview) -> None:
            for place in item.places:
                self._put_or_hold(place, data)

        def put_zeros(place: _Place, view: memoryview) -> None:
            self._put_or_hold(place, view[: place.chunk.length])

        if session:
            report = session.receive(_wanted(changed), begin, put)
        else:
            begin()
            report = self._fetcher.chunks(_wanted(changed), put)
        self.count.bytes_fetched += report.bytes
        for url, chunks in report.sources.items():
            self.count.sources[url] = self.count.sources.get(url, 0) + chunks
        self._each((place for each in changed for place in each.differing() if place.chunk.is_zero), put_zeros)

    def _put_or_hold(self, place: _Place, data: memoryview) -> None:
        """Write a chunk, unless it is the one that makes its partition mountable."""
        if place.is_head:
            place.target.head = bytes(data)
        else:
            self._put(place, data)
        self.progress.advance(place.chunk.used)

    def _put(self, place: _Place, data: memoryview) -> None:
        """Write a chunk's used bytes, and its unused ones where that saves system calls and hurts nobody."""
        chunk, written = place.chunk, 0
        for start, length in runs(chunk.slices, BRIDGE if place.target.target.partition else 0):
            place.target.file.write(chunk.offset + start, data[start : start + length])
            written += length
        with self._lock:
            self.count.written += 1
            self.count.bytes_written += written

    def _read_back(self, changed: Sequence[_Open]) -> None:
        def written() -> Iterator[_Place]:
            return (place for each in changed for place in each.differing() if not place.is_head)

        self.progress.begin("verify", sum(place.chunk.used for place in written()))

        def check(place: _Place, view: memoryview) -> None:
            self._check(place, view)
            self.progress.advance(place.chunk.used)

        self._each(written(), check)

    def _check(self, place: _Place, view: memoryview) -> None:
        if not self._matches(place, view):
            raise VerificationFailed(
                f"{place.target.target.path} does not hold what was written at byte {place.chunk.offset}",
                remedy="The disk, its cable or the memory is failing: the station must not be used; replace the disk and restore again",
            )
        with self._lock:
            self.count.bytes_verified += place.chunk.used

    def _write_heads(self, changed: Iterable[_Open]) -> None:
        """Everything else is on the disk and right: now make the partitions mountable."""
        for each in changed:
            first = each.first
            if first is not None:
                if each.head is None:
                    raise VerificationFailed(f"{each.target.path} was left without its first chunk", remedy="Restore it again")
                self._write_head(each, first, each.head)
            self.incomplete.discard(each.target.path)

    def _write_head(self, each: _Open, first: _Place, head: bytes) -> None:
        view = memoryview(aligned_buffer(first.chunk.length))
        view[:] = head
        try:
            self._put(first, view)
            each.file.sync()
            if self.verifies:
                self._check(first, view)
        except BaseException:
            self._wipe_head(each)
            raise

    def _each(self, places: Iterable[_Place], work: Callable[[_Place, memoryview], None]) -> None:
        """Do work for every place on a few threads, each with a buffer (zeros at first); the first error ends all."""
        for_each(places, lambda: memoryview(aligned_buffer(self._buffer_size)), work)


def _wanted(changed: Sequence[_Open]) -> Iterator[_Fetch]:
    """The chunks to fetch, each once, with all their places. Only those with several places are held in memory."""
    seen: set[bytes] = set()
    repeated: dict[bytes, list[_Place]] = {}
    for place in _stored(changed):
        if place.chunk.digest in seen:
            repeated[place.chunk.digest] = []
        seen.add(place.chunk.digest)
    for place in _stored(changed):
        if place.chunk.digest in repeated:
            repeated[place.chunk.digest].append(place)
    for place in _stored(changed):
        places = repeated.get(place.chunk.digest, [place])
        if places[0] == place:
            yield _Fetch(place.chunk.digest, place.chunk.length, places)


def _stored(changed: Sequence[_Open]) -> Iterator[_Place]:
    return (place for each in changed for place in each.differing() if not place.chunk.is_zero)
