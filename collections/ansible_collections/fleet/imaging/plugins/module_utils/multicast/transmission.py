# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is sent next: repairs before new segments, as fast as the pace, the socket and the receivers let it."""

from __future__ import annotations

import time

from .dialogue import Dialogue
from .member import Member
from .outlet import Outlet
from .pace import Pace
from .repair import Repairs
from .stream import Stream
from .wire import Shape

_TURNS = 8
"""Batches between two looks at the control channels."""
_FULL = 0.002
"""Seconds until a full socket is tried again. It would say that it has room only when it is half empty, which may be too late."""
_NOTHING = 0.002
"""Seconds until there may be something to send again."""
_SYNC = 0.01
_INFLIGHT = 16 << 20
"""Bytes that may be on their way to receivers' programs: more than this is not in flight but lost."""
_COMPANY = 5
"""Intervals between reports, for which a repair waits for others that can share its packet; the window has room for far more."""


class Transmission:
    """The stream on its way out."""

    def __init__(self, shape: Shape, stream: Stream, repairs: Repairs, outlet: Outlet, pace: Pace, dialogue: Dialogue) -> None:
        self._shape, self._stream, self._repairs, self._outlet = shape, stream, repairs, outlet
        self._pace, self._dialogue = pace, dialogue
        self._alone: list[list[int]] = []
        """Repairs that found no company, for the next batch."""
        self._spoke = 0.0
        self._said_last = False
        """Whether the last packet told the position."""
        self.held = False
        """Whether new segments wait for receivers, and for nothing else."""

    def speak(self, now: float, every: float = _SYNC) -> None:
        """When nothing was sent for so many seconds: a packet that carries nothing but the stream's position."""
        if now - self._spoke >= every:
            self._spoke, self._said_last = now, True
            if not self._outlet.blocked:
                self._outlet.sync(self._stream.sent)

    def send(self, now: float, started: list[Member], following: list[Member]) -> float:
        """Send what is due; return the seconds until there may be more to send.

        started: members that the stream goes to; following: those of them that are waited for.
        """
        outlet, stream, pace = self._outlet, self._stream, self._pace
        low = min((member.report.low for member in following if member.started), default=stream.sent)
        self._fill(max(low, 0))
        seen = min((member.report.seen for member in following), default=outlet.number)
        room = min((member.report.room for member in following), default=1)
        inflight = max(min(_INFLIGHT // self._shape.packet, room // 2), 2)
        self.held = False
        for _turn in range(_TURNS):
            outlet.flush()
            if outlet.blocked:
                return _FULL
            delay = pace.delay(now)
            if delay > 0.0005:
                return delay
            before = outlet.wire
            if not self._repair(now, started, following) and not self._new(inflight - (outlet.number - seen), inflight // 2):
                self.held = stream.end > stream.sent or stream.waiting_for_room
                self.speak(now, 0.0 if stream.exhausted and not self._said_last else _SYNC)
                return _NOTHING
            self._spoke, self._said_last = now, False
            pace.spent(outlet.wire - before, now)
            now = time.monotonic()
        return 0

    def _fill(self, low: int) -> None:
        """Frames that were read get their places, and receivers hear of it before the segments come."""
        placed, lacking = self._stream.fill(low)
        for first, _digest, size in placed:
            self._repairs.fresh(first, first + self._shape.segments(size))
        self._dialogue.plan(placed)
        for digest in lacking:
            self._dialogue.lack(digest)

    def _new(self, room: int, most: int) -> bool:
        """Segments for the first time, a batch of at most most if there is room for it; whether some were sent."""
        stream, batch = self._stream, min(self._outlet.batch, most)
        count = min(stream.end - stream.sent, batch, self._shape.window - stream.sent % self._shape.window)
        if not 0 < count <= room:
            return False
        first = stream.sent
        stream.sent += count
        self._outlet.data(first, stream.offset(first), count)
        return True

    # Repairs --------------------------------------------------------------------------------------------------------------------------

    def _repair(self, now: float, started: list[Member], following: list[Member]) -> bool:
        """Segments again, alone or combined; whether some were sent. Waiting a little for other receivers' reports makes better company."""
        repairs, batch = self._repairs, self._outlet.batch
        if self._alone:
            self._repair_alone()
            return True
        if not repairs:
            return False
        interval = self._dialogue.interval
        hurry = len(following) < 2 or self._stream.exhausted
        patience = 0.0 if hurry else interval * 0.3
        if now - repairs.since < patience:
            return False
        common = max((member.start for member in started), default=0)
        everybody = 0
        for member in following:
            everybody |= member.bit
        hold = 0.0 if hurry else interval * _COMPANY
        groups = repairs.take(batch, common, everybody, now, hold)
        if not groups:
            return False
        self._alone = [group for group in groups if len(group) == 1]
        several = [group for group in groups if len(group) > 1]
        if several:
            self._outlet.combined([[(segment, self._stream.offset(segment)) for segment in group] for group in several])
            for group in several:
                repairs.sent(group, self._outlet.number)
        else:
            self._repair_alone()
        return True

    def _repair_alone(self) -> None:
        """A batch of the segments that found no company."""
        floor = self._stream.floor
        alone = [group for group in self._alone if group[0] >= floor]
        self._alone = []
        if alone:
            self._outlet.repair([(group[0], self._stream.offset(group[0])) for group in alone])
            for group in alone:
                self._repairs.sent(group, self._outlet.number)
