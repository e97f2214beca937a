# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Getting chunks: several connections, each chunk verified before anybody sees it, and the next relay when one fails.

A source that cannot be reached is left alone for a while and tried again; a chunk that a source lacks or has damaged is asked of
the next one. Only when every source failed, each several times, does a fetch end with an error that names them all.
"""

from __future__ import annotations

import copy
import mmap
import random
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Generic, Optional, Protocol, TypeVar

from ..errors import FleetError, InputError
from ..parallel import run_threads
from ..stop import check, pause
from ..zstd import CompressionError, Decompressor
from .chunk import chunk_path, digest
from .connection import Connection, Endpoint, RateLimit, StatusError, TransportError

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 15.0
"""Seconds between two attempts at the same thing; doubled each time."""

_LONGEST_DOWN = 120.0
"""Seconds for which a source that keeps failing is left alone while others work."""


_REMEDY = "Check the content store with content_verify; running again fetches only what is missing"


class FetchError(FleetError):
    """No source had it, or none could be reached."""


class NotThere(FetchError):
    """Every source was reached, and none has it."""


class Wanted(Protocol):
    """What is asked for: a chunk of a known length."""

    @property
    def digest(self) -> bytes:
        """Its name."""

    @property
    def length(self) -> int:
        """Bytes, uncompressed."""


Item = TypeVar("Item", bound=Wanted)


@dataclass
class FetchReport:
    """What came over the wire."""

    chunks: int = 0
    bytes: int = 0
    """Compressed, as they crossed the network."""
    sources: dict[str, int] = field(default_factory=dict)
    """Chunks by URL."""


class Supply(Protocol):
    """Where documents and verified chunks come from: content stores (Fetcher), or what else answers as they do."""

    def document(self, path: str, limit: int) -> bytes:
        """A manifest, a signature or a list: at most limit bytes. FetchError; NotThere when none has it."""

    def apart(self) -> Sequence[Supply]:
        """Each source alone, nearest first: for whom an answer that came whole is still no good."""

    def chunks(self, wanted: Iterable[Any], consume: Callable[[Any, memoryview], None]) -> FetchReport:
        """Give every wanted chunk to consume, verified, in any order and from several threads; see Fetcher.chunks."""


class _Source:
    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.down_until = 0.0
        self.pause = _FIRST_PAUSE

    def probing(self) -> None:
        """One thread tries a source that failed before; the others do not wait with it for a dead host."""
        if self.pause > _FIRST_PAUSE:
            self.down_until = time.monotonic() + self.endpoint.timeout

    def failed(self) -> None:
        self.down_until = time.monotonic() + self.pause
        self.pause = min(self.pause * 2, _LONGEST_DOWN)

    def worked(self) -> None:
        self.pause, self.down_until = _FIRST_PAUSE, 0.0


class Fetcher(Generic[Item]):
    """Gets documents and chunks from the nearest source that has them."""

    def __init__(
        self,
        sources: Sequence[str],
        *,
        ca_file: Optional[Path] = None,
        connections: int = 4,
        rate: float = 0,
        attempts: int = 5,
        timeout: float = 30.0,
    ) -> None:
        """sources: base URLs, nearest first; rate: bytes a second over all connections, 0 for no limit.

        attempts: rounds over all sources; timeout: seconds without a byte.
        """
        if not sources:
            raise InputError("no content store is given", remedy="Name the URL of the relay or of the centre")
        limit = RateLimit(rate)
        self._sources = [_Source(Endpoint(url, ca_file=ca_file, timeout=timeout, limit=limit)) for url in sources]
        self._connections = connections
        self._attempts = attempts

    def document(self, path: str, limit: int) -> bytes:
        """A manifest, a signature or a list: at most limit bytes."""

        def read(connection: Connection) -> bytes:
            return connection.document(path, limit)

        with _Worker(self._sources, self._attempts) as worker:
            return worker.attempt(path, read)[0]

    def apart(self) -> list[Fetcher[Item]]:
        """A fetcher for each source alone, nearest first: for whom an answer that came whole is still no good."""
        alone = [copy.copy(self) for _source in self._sources]
        for fetcher, source in zip(alone, self._sources):
            fetcher._sources = [source]
        return alone

    def chunks(self, wanted: Iterable[Item], consume: Callable[[Item, memoryview], None]) -> FetchReport:
        """Get every wanted chunk and give it to consume, verified, in any order and from several threads at once.

        The memory is consume's only until it returns. The first error ends all threads and is raised.
        """
        return self._each(wanted, lambda worker, item, data: consume(item, data))

    def frames(self, wanted: Iterable[Item], keep: Callable[[Item, memoryview], None]) -> FetchReport:
        """As chunks, but give keep the frame as it was stored (and verified): for who stores it again."""
        return self._each(wanted, lambda worker, item, data: keep(item, worker.frame))

    def _each(self, wanted: Iterable[Item], deliver: Callable[[_Worker, Item, memoryview], None]) -> FetchReport:
        report = FetchReport()
        items = _Shared(wanted)
        errors: list[BaseException] = []
        lock = threading.Lock()

        def work() -> None:
            try:
                with _Worker(self._sources, self._attempts, stop=lambda: bool(errors)) as worker:
                    for item in items:
                        if errors:
                            return
                        data, size, url = worker.chunk(item)
                        deliver(worker, item, data)
                        with lock:
                            report.chunks += 1
                            report.bytes += size
                            report.sources[url] = report.sources.get(url, 0) + 1
            except BaseException as error:  # handed to the caller's thread below
                errors.append(error)

        run_threads(work, self._connections, errors)
        if errors:
            raise errors[0]
        return report


Result = TypeVar("Result")


class _Worker:
    """One thread's connections, buffers and decompressor."""

    def __init__(self, sources: Sequence[_Source], attempts: int, stop: Callable[[], bool] = lambda: False) -> None:
        self._sources = sources
        self._attempts = attempts
        self._stop = stop
        self._connections: dict[int, Connection] = {}
        self._frame = bytearray()
        self.frame = memoryview(b"")
        """The frame of the last chunk, as it came."""
        self._data = mmap.mmap(-1, mmap.PAGESIZE)
        self._decompressor = Decompressor()

    def __enter__(self) -> _Worker:
        return self

    def __exit__(self, *_error: object) -> None:
        for connection in self._connections.values():
            connection.close()

    def chunk(self, item: Wanted) -> tuple[memoryview, int, str]:
        """A verified chunk, the bytes it took on the wire, and where it came from."""
        if len(self._data) < item.length:
            self._data = mmap.mmap(-1, item.length)  # page-aligned: a disk takes it without another copy (O_DIRECT)
        if len(self._frame) < item.length + item.length // 64 + 1024:  # beyond zstd's own bound for the size
            self._frame = bytearray(item.length + item.length // 64 + 1024)
        view = memoryview(self._data)[: item.length]
        path = str(chunk_path(item.digest))

        def read(connection: Connection) -> int:
            frame = connection.get(path, self._frame)
            if self._decompressor.into(frame, view) != item.length or digest(view) != item.digest:
                raise CompressionError("its bytes do not hash to its name")
            self.frame = frame
            return len(frame)

        size, url = self.attempt(path, read)
        return view, size, url

    def attempt(self, path: str, read: Callable[[Connection], Result]) -> tuple[Result, str]:
        """Try read on one source after the other, nearest first, round after round; FetchError when all is in vain."""
        said: dict[str, str] = {}
        lacking: set[str] = set()
        for round_number in range(self._attempts):
            now = time.monotonic()
            last = round_number + 1 == self._attempts
            up = [number for number, source in enumerate(self._sources) if last or source.down_until <= now]
            hope = False
            for number in up or range(len(self._sources)):
                check()
                source = self._sources[number]
                source.probing()
                try:
                    result = read(self._connection(number))
                except TransportError as error:
                    source.failed()
                    hope = True
                    said[source.endpoint.url] = str(error)
                except (StatusError, CompressionError) as error:
                    source.worked()  # it is there, it only has not got this
                    said[source.endpoint.url] = str(error)
                    if isinstance(error, StatusError) and error.status == 404:
                        lacking.add(source.endpoint.url)
                else:
                    source.worked()
                    return result, source.endpoint.url
            if self._stop() or not (hope or len(up) < len(self._sources)):
                break
            if not last:
                pause(min(_FIRST_PAUSE * 2**round_number, _LONGEST_PAUSE) * random.uniform(0.5, 1.0))
        reasons = "; ".join(f"{url}: {reason}" for url, reason in said.items())
        kind = NotThere if lacking.issuperset(source.endpoint.url for source in self._sources) else FetchError
        raise kind(
            f"{path} could not be fetched ({reasons})",
            remedy="Check the name and version" if path.startswith("manifests/") else _REMEDY,
            sources=said,
        )

    def _connection(self, number: int) -> Connection:
        if number not in self._connections:
            self._connections[number] = Connection(self._sources[number].endpoint)
        return self._connections[number]


class _Shared(Iterator[Item]):
    """An iterator that several threads may draw from."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._items = iter(items)
        self._lock = threading.Lock()

    def __next__(self) -> Item:
        with self._lock:
            return next(self._items)
