# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Capture's inner loop: read what is in use, hash it, compress what the store lacks, hand it over."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.fleet.core.plugins.module_utils.content.chunk import CHUNK_SIZE, DIGEST_SIZE, digest, zero_digest
from ansible_collections.fleet.core.plugins.module_utils.content.manifest import Extent, Stream, chunk_slices, merge_extents
from ansible_collections.fleet.core.plugins.module_utils.content.sink import ChunkSink
from ansible_collections.fleet.core.plugins.module_utils.parallel import for_each
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress
from ansible_collections.fleet.core.plugins.module_utils.zstd import Compressor

from .blockio import BlockFile, aligned_buffer, read_used


@dataclass(frozen=True)
class StreamSource:
    """What is to become a stream: a device or file, and which of its bytes are in use."""

    name: str
    path: Path
    size: int
    """Bytes of the stream; the path may be longer."""
    extents: tuple[Extent, ...]
    meta: Mapping[str, Any] = field(default_factory=dict)
    exclusive: bool = False
    """Whether nobody may mount the device while it is read."""


@dataclass
class CaptureCount:
    """What a capture did, in chunks and bytes."""

    chunks: int = 0
    zero: int = 0
    known: int = 0
    """Chunks that the store had already."""
    sent: int = 0
    bytes_used: int = 0
    bytes_sent: int = 0
    """Compressed."""


class _Tools:
    """What a thread uses again for every chunk."""

    def __init__(self) -> None:
        self.buffer = aligned_buffer(CHUNK_SIZE)
        self.compressor = Compressor()


class StreamReader:
    """Turns sources into streams of chunks in a sink."""

    def __init__(self, sink: ChunkSink, progress: Progress) -> None:
        self._sink = sink
        self._progress = progress
        self._seen: set[bytes] = set()
        self._lock = threading.Lock()
        self.count = CaptureCount()

    def read(self, source: StreamSource) -> Stream:
        """Store one source's chunks; DiskIOError or the sink's error when that fails, and then there is no stream."""
        extents = merge_extents(source.extents)
        names = bytearray(DIGEST_SIZE * sum(1 for _chunk in chunk_slices(extents)))

        def store(item: tuple[int, tuple[int, tuple[Extent, ...]]], tools: _Tools) -> None:
            number, (index, slices) = item
            offset = index * CHUNK_SIZE
            view = memoryview(tools.buffer)[: min(CHUNK_SIZE, source.size - offset)]
            read_used(file, offset, slices, view)
            names[number * DIGEST_SIZE : (number + 1) * DIGEST_SIZE] = self._store(view, tools.compressor)
            used = sum(length for _start, length in slices)
            with self._lock:
                self.count.bytes_used += used
            self._progress.advance(used)

        with BlockFile(source.path, exclusive=source.exclusive) as file:
            for_each(enumerate(chunk_slices(extents)), _Tools, store)
        return Stream(source.name, source.size, extents, bytes(names), dict(source.meta))

    def _store(self, view: memoryview, compressor: Compressor) -> bytes:
        """Hand a chunk to the sink unless it is there, and return its name."""
        name = digest(view)
        zero = name == zero_digest(len(view))
        with self._lock:
            self.count.chunks += 1
            self.count.zero += zero
            if zero or name in self._seen:
                self.count.known += not zero
                return name
            self._seen.add(name)
        if self._sink.has(name):
            with self._lock:
                self.count.known += 1
            return name
        frame = compressor.compress(view)
        self._sink.put(name, frame)
        with self._lock:
            self.count.sent += 1
            self.count.bytes_sent += len(frame)
        return name
