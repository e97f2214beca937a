# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a receiver holds of the stream: the last segments in a ring, and how much of which frame is there.

The ring keeps segments that were used, and those that this station did not want, until newer ones need their place: a combined packet is
solved with them. So memory is bounded whatever comes, and what fell out of the ring is asked for again as a whole.
"""

from __future__ import annotations

import mmap
from bisect import bisect_right
from collections.abc import Set as AbstractSet
from typing import Optional

from .wire import COMBINED_HEADER, HEADER_SIZE, RANGES_IN_REPORT, SEGMENT_MASK, SEGMENTS_IN_REPORT, Shape, unpack_members

_TRIM = 1024
"""Finished frames at the front of the plan, after which they are forgotten."""


class Window:
    """Segments and frames from a position of the stream on."""

    def __init__(self, shape: Shape, start: int) -> None:
        """start: the first segment that concerns this receiver."""
        self.shape = shape
        self._size = shape.window
        self._ring = mmap.mmap(-1, self._size * shape.segment)
        self._view = memoryview(self._ring)
        self._have = bytearray(self._size)
        self._ones = b"\1" * self._size
        self.start = self.position = self.planned = start
        """position: one more than the last segment known to have been sent; planned: where the plan ends."""
        self._firsts: list[int] = []
        self._frames: list[tuple[bytes, int]] = []
        self._left: list[int] = []
        """Segments that a frame lacks; negative: finished, or not wanted."""
        self._head = 0
        self.whole: list[int] = []
        """First segments of frames that are whole, in that order; frame() gives them."""

    def close(self) -> None:
        """Give the memory back."""
        self._view.release()
        self._ring.close()

    # The plan -------------------------------------------------------------------------------------------------------------------------

    def plan(self, first: int, placed: list[tuple[bytes, int]], wanted: AbstractSet[bytes]) -> None:
        """Frames (digest, bytes) lie from segment first on."""
        for digest, size in placed:
            count = self.shape.segments(size)
            if first >= self.planned:
                self._firsts.append(first)
                self._frames.append((digest, size))
                left = count - self._held(first, first + count) if digest in wanted and first >= self.start else -1
                self._left.append(left)
                self.planned = first + count
                if not left:
                    self.whole.append(first)
            first += count
        self._advance_head()

    def _held(self, first: int, end: int) -> int:
        """How many segments of a range came before its plan."""
        return sum(self._have.count(1, a, b) for a, b in self._pieces(max(first, self.position - self._size), min(end, self.position)))

    def _pieces(self, first: int, end: int) -> list[tuple[int, int]]:
        """A range of segments as one or two ranges of the ring."""
        if first >= end:
            return []
        a = first % self._size
        b = a + end - first
        return [(a, b)] if b <= self._size else [(a, self._size), (0, b - self._size)]

    def _finish(self, index: int) -> None:
        self._left[index] = -1
        self._advance_head()
        if self._head > _TRIM:
            del self._firsts[: self._head], self._frames[: self._head], self._left[: self._head]
            self._head = 0

    def _advance_head(self) -> None:
        while self._head < len(self._left) and self._left[self._head] < 0:
            self._head += 1

    def frame(self, first: int) -> Optional[tuple[bytes, bytes]]:
        """Digest and frame of what lies at first, which is finished thereby; None when the ring has lost it."""
        index = bisect_right(self._firsts, first) - 1
        if index < 0 or self._firsts[index] != first or self._left[index] != 0:
            return None
        if first < self.position - self._size:
            return None  # abandoned() gives it back
        digest, size = self._frames[index]
        segment = self.shape.segment
        pieces = self._pieces(first, first + self.shape.segments(size))
        frame = b"".join(self._view[a * segment : b * segment] for a, b in pieces)[:size]
        self._finish(index)
        return digest, frame

    def abandoned(self, floor: int = 0) -> list[bytes]:
        """Frames that can no longer become whole, as they begin below the floor of the sender's or of the own ring; they are finished."""
        floor = max(floor, self.position - self._size)
        lost = []
        index = self._head
        while index < len(self._left) and self._firsts[index] < floor:
            if self._left[index] > 0 or (self._left[index] == 0 and self._firsts[index] < self.position - self._size):
                lost.append(self._frames[index][0])
                self._left[index] = -1
            index += 1
        if lost:
            self._advance_head()
        return lost

    # Packets --------------------------------------------------------------------------------------------------------------------------

    def put(self, packets: memoryview, offset: int, stride: int, places: list[int]) -> None:
        """Packets of DATA or REPAIR: the i-th begins at ``offset + i * stride`` and holds the segment places[i] (kind included)."""
        segments = [place & SEGMENT_MASK for place in places]
        highest = max(segments)
        if highest >= self.position and not self._advance(highest + 1):
            segments = [segment for segment in segments if segment < self.position]
            if len(segments) != len(places):
                return  # something here was never sent by our sender; what was will be asked for
        floor = max(self.position - self._size, 0)
        size, view, width = self._size, self._view, self.shape.segment
        start = offset + HEADER_SIZE
        for segment in segments:
            if segment >= floor:
                at = segment % size * width
                view[at : at + width] = packets[start : start + width]
            start += stride
        first, last = segments[0], segments[-1]
        if last - first == len(segments) - 1 and first >= floor and segments == list(range(first, last + 1)):
            self._mark(first, last + 1)
        else:
            for segment in segments:
                if segment >= floor:
                    self._mark(segment, segment + 1)

    def combined(self, packet: memoryview) -> None:
        """A COMBINED packet: it gives the one segment that is not here, when all others are."""
        floor = self.position - self._size
        unknown, value = -1, int.from_bytes(packet[COMBINED_HEADER:], "little")
        width = self.shape.segment
        for segment in unpack_members(packet):
            if not floor <= segment < self.position:
                return
            at = segment % self._size
            if self._have[at]:
                value ^= int.from_bytes(self._view[at * width : (at + 1) * width], "little")
            elif unknown >= 0:
                return
            else:
                unknown = segment
        if unknown >= 0:
            at = unknown % self._size * width
            self._view[at : at + width] = value.to_bytes(width, "little")
            self._mark(unknown, unknown + 1)

    def sync(self, position: int) -> None:
        """The sender says how far it is."""
        if position > self.position:
            self._advance(position)

    def _advance(self, position: int) -> bool:
        """Make place up to position; False when it is farther than the sender can be."""
        if position > self.planned + self._size // 2:
            return False
        if position - self.position >= self._size:
            self._have[:] = bytes(self._size)
        else:
            for a, b in self._pieces(self.position, position):
                self._have[a:b] = bytes(b - a)
        self.position = position
        return True

    def _mark(self, first: int, end: int) -> None:
        """Segments are there now: count them for their frames."""
        index = bisect_right(self._firsts, first) - 1
        while first < end:
            following = self._firsts[index + 1] if index + 1 < len(self._firsts) else self.planned
            stop = min(end, following) if following > first else end
            new = stop - first
            for a, b in self._pieces(first, stop):
                new -= self._have.count(1, a, b)
                self._have[a:b] = self._ones[: b - a]
            if new and 0 <= index < len(self._left) and self._left[index] > 0:
                self._left[index] -= new
                if not self._left[index]:
                    self.whole.append(self._firsts[index])
            first = stop
            index += 1

    # Reports --------------------------------------------------------------------------------------------------------------------------

    @property
    def low(self) -> int:
        """All segments below are done with here."""
        if self._head >= len(self._firsts):
            return self.planned
        index = self._head
        first = self._firsts[index]
        if self._left[index] == 0:
            return first
        end = min(first + self.shape.segments(self._frames[index][1]), self.position)
        for a, b in self._pieces(max(first, self.position - self._size), end):
            hole = self._have.find(0, a, b)
            if hole >= 0:
                return first + (hole - first) % self._size
        return max(first, end)

    def missing(self) -> list[tuple[int, int]]:
        """(first, count) of wanted segments that were sent and are not here, lowest first; no more than a report may name."""
        ranges: list[tuple[int, int]] = []
        rest = SEGMENTS_IN_REPORT
        for index in range(self._head, len(self._firsts)):
            first = self._firsts[index]
            if first >= self.position or len(ranges) >= RANGES_IN_REPORT or not rest:
                break
            if self._left[index] <= 0 or first < self.position - self._size:
                continue
            segment = first
            for a, b in self._pieces(first, min(first + self.shape.segments(self._frames[index][1]), self.position)):
                origin = segment - a
                hole = self._have.find(0, a, b)
                while hole >= 0 and rest:
                    end = self._have.find(1, hole, b)
                    end = b if end < 0 else end
                    ranges.append((origin + hole, min(end - hole, rest)))
                    rest -= min(end - hole, rest)
                    hole = self._have.find(0, end, b)
                segment += b - a
        return ranges[:RANGES_IN_REPORT]
