# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a sender has of the stream: the order in which chunks are sent, a thread that reads them, and a ring of the last segments.

Chunks that somebody wants are pending. A cursor goes round the image's order, so that who came late gets what flies by, and what flew by
before in the next round. Memory is that of the ring and of a few frames read ahead.
"""

from __future__ import annotations

import mmap
import queue
import threading
from array import array
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Optional, Union

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError

from .interface import Source
from .urgency import urgent
from .wire import LARGEST_FRAME, SEGMENT_MASK, Shape

_AHEAD = 6
"""Frames that are read before they have a place."""
_PUT_AHEAD = 2 << 20
"""Bytes that have a place and are not sent yet. Putting more at once would keep the sender from sending."""
_NOWHERE = 0xFFFFFFFF

Placed = tuple[int, bytes, int]
"""A frame in the stream: (first segment, digest, bytes)."""


class Reader:
    """A thread that asks the source for one frame after the other."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._asked: queue.SimpleQueue[Optional[tuple[int, bytes]]] = queue.SimpleQueue()
        self.ready: deque[tuple[int, Union[bytes, Exception]]] = deque()
        """(index, frame or why there is none), in the order they were asked for."""
        threading.Thread(target=self._work, name="multicast-reader", daemon=True).start()

    def ask(self, index: int, digest: bytes) -> None:
        """Read a chunk."""
        self._asked.put((index, digest))

    def close(self) -> None:
        """End the thread after what it reads now."""
        self._asked.put(None)

    def _work(self) -> None:
        with urgent():  # else it may be put aside while it holds the interpreter's lock
            self._read()

    def _read(self) -> None:
        while True:
            asked = self._asked.get()
            if asked is None:
                return
            index, digest = asked
            try:
                frame: Union[bytes, Exception] = self._source.frame(digest)
                if not 0 < len(frame) <= LARGEST_FRAME:  # type: ignore[arg-type]
                    frame = FleetError(f"the frame of chunk {digest.hex()} has an impossible size")
            except Exception as error:  # whatever it is, the others' chunks go on
                frame = error
            self.ready.append((index, frame))


class Stream:
    """The sender's side of the stream."""

    def __init__(self, shape: Shape, source: Source) -> None:
        self.shape = shape
        self._size = shape.window
        self._ahead = _PUT_AHEAD // shape.segment
        self._ring = mmap.mmap(-1, self._size * shape.segment)
        self.view = memoryview(self._ring)
        self.end = 0
        """One more than the last segment that is in the ring."""
        self.sent = 0
        """The next segment to be sent for the first time: the session's position."""
        self.frames = 0
        """Bytes of frames put into the stream, again or not."""
        self.put = self.asked = 0
        """Frames put into the stream, and asked for."""
        self._digests: Sequence[bytes] = source.digests
        self._index = {digest: index for index, digest in enumerate(self._digests)}
        self._pending = bytearray(len(self._digests))
        self._last = array("I", [_NOWHERE]) * len(self._digests)
        """Where each chunk was put last."""
        self._cursor = 0
        self._reading: set[int] = set()
        self._unreadable: set[int] = set()
        self.unreadable: list[bytes] = []
        """Digests of chunks that the source could not give."""
        self._reader = Reader(source)
        self._live: deque[Placed] = deque()
        """Frames that begin in the ring."""
        self.waiting_for_room = False
        """Whether a frame is there and the ring has no place for it."""

    def close(self) -> None:
        """End the reader."""
        self._reader.close()

    def find(self, digests: Sequence[bytes]) -> tuple[list[int], list[bytes]]:
        """Places of chunks in the image's order, and those that are not to be had here."""
        found = [self._index.get(digest, -1) for digest in digests]
        lacking = [digest for digest, index in zip(digests, found) if index < 0 or index in self._unreadable]
        return [index for index in found if index >= 0 and index not in self._unreadable], lacking

    def flags(self) -> bytearray:
        """A byte for each chunk of the image."""
        return bytearray(len(self._digests))

    def want(self, indices: Iterable[int], start: int) -> None:
        """Somebody who follows the stream from segment start on wants these."""
        for index in indices:
            if index not in self._reading and not start <= self._last[index] < _NOWHERE and not self._pending[index]:
                self._pending[index] = 1
                self.asked += 1

    @property
    def floor(self) -> int:
        """The first segment that is still in the ring."""
        return max(self.end - self._size, 0)

    @property
    def exhausted(self) -> bool:
        """Whether everything that is wanted so far has been sent once."""
        return self.sent == self.end and not self._reading and self._pending.find(1) < 0

    def live(self, start: int) -> list[Placed]:
        """Frames that begin at segment start or later."""
        return [each for each in self._live if each[0] >= start]

    def offset(self, segment: int) -> int:
        """Where a segment lies in ``view``, in bytes."""
        return segment % self._size * self.shape.segment

    def fill(self, low: int) -> tuple[list[Placed], list[bytes]]:
        """Read ahead, and put frames into the ring as long as no segment from low on is lost by it.

        Return what got its place, one after the other, and digests of what cannot be read.
        """
        placed: list[Placed] = []
        lacking: list[bytes] = []
        while len(self._reading) < _AHEAD:
            index = self._next()
            if index < 0:
                break
            self._reading.add(index)
            self._reader.ask(index, self._digests[index])
        self.waiting_for_room = False
        while self._reader.ready and self.end - self.sent < self._ahead:
            index, frame = self._reader.ready[0]
            if isinstance(frame, Exception):
                self._unreadable.add(index)
                lacking.append(self._digests[index])
            else:
                count = self.shape.segments(len(frame))
                if self.end + count - self._size > low:
                    self.waiting_for_room = True
                    break
                placed.append(self._put(index, frame, count))
            self._reading.discard(index)
            self._reader.ready.popleft()
        self.unreadable += lacking
        return placed, lacking

    def _next(self) -> int:
        index = self._pending.find(1, self._cursor)
        if index < 0:
            index = self._pending.find(1)
        if index >= 0:
            self._pending[index] = 0
            self._cursor = index + 1
        return index

    def _put(self, index: int, frame: bytes, count: int) -> Placed:
        first, width = self.end, self.shape.segment
        if first + count > SEGMENT_MASK:
            raise FleetError("a session cannot send more than a billion packets", remedy="Clone in several sessions")
        at = self.offset(first)
        head = min(len(frame), len(self.view) - at)
        whole = memoryview(frame)
        self.view[at : at + head] = whole[:head]
        rest = len(frame) - head
        if rest:
            self.view[:rest] = whole[head:]
        padding = count * width - len(frame)
        if padding:
            after = (at + len(frame)) % len(self.view)
            self.view[after : after + padding] = bytes(padding)
        self._last[index] = first
        self.end = first + count
        self.frames += len(frame)
        self.put += 1
        while self._live and self._live[0][0] < self.floor:
            self._live.popleft()
        placed = (first, self._digests[index], len(frame))
        self._live.append(placed)
        return placed
