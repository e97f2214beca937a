# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A receiver as its sender sees it."""

from __future__ import annotations

import socket
import time
from typing import Optional

from .allowance import Allowance
from .channel import Channel, Hello
from .interface import COMPLETE, ReceiverState, Verdict
from .wire import ReceiverReport

_SAMPLE = 1000
"""Packets from which a loss can be told from chance."""


class Candidate:
    """Somebody who connected and has not yet proved anything."""

    def __init__(self, connection: socket.socket, greeting: bytes, now: float) -> None:
        self.connection = connection
        self.greeting = greeting
        self.since = now
        self._data = b""

    def hello(self, secret: bytes) -> Optional[Hello]:
        """What it said, when that is whole and right; Rejected or OSError when it is to be shown out."""
        data = self.connection.recv(4096)
        if not data:
            raise ConnectionResetError("closed")
        self._data += data
        parsed = Hello.parse(secret, self.greeting, self._data)
        if parsed is None:
            return None
        hello, end = parsed
        if end != len(self._data):
            raise ConnectionResetError("it speaks before it was answered")
        return hello


class Member:
    """A receiver that knows the secret."""

    def __init__(self, name: str, channel: Channel, bit: int, now: float) -> None:
        self.name = name
        self.channel = channel
        self.bit = bit
        self.allowance = Allowance(now)
        self.wants = bytearray()
        """What it asked for before the session began for it, by place in the image's order."""
        self.asked = False
        """Whether it has said all that it wants."""
        self.started = False
        self.start = 0
        """First segment that concerns it."""
        self.wanted = 0
        """Chunks it asked for."""
        self.joined = self.heard = now
        self.started_at = 0.0
        self.report = ReceiverReport(0, 0, 0, 1, 0)
        self.silent = False
        self.loss = 0.0
        self._counted = (0, 0)
        self._seen_at = now
        """When it last saw a packet that was new to it."""
        self.lossy_ticks = 0
        self.told_gone = 0.0
        self.repaired = 0.0
        """When what it misses was looked at."""
        self.held_up = 0.0
        """Seconds for which everybody waited for it alone."""
        self.stalled = 0.0
        """Seconds for which it got nowhere, although everything was sent."""
        self._progress = (0, 0)

    def take_report(self, report: ReceiverReport, sent: int, now: float) -> None:
        """It says how far it is; sent: number of the next packet, which nobody can have seen."""
        if report.seen > self.report.seen:
            self._seen_at = now
        seen = min(report.seen, sent)
        self.report = ReceiverReport(seen, report.received, report.low, max(report.room, 1), report.taken, report.missing)

    def watch(self, exhausted: bool, elapsed: float) -> None:
        """Count the seconds for which it gets nowhere; exhausted: whether everything that is wanted so far was sent."""
        progress = self.report.taken, self.report.low
        self.stalled = self.stalled + elapsed if exhausted and progress == self._progress else 0.0
        self._progress = progress

    def measure(self, sent: int, now: float) -> float:
        """Share of the packets that it lost since the last call; sent: number of the next packet."""
        seen, received = self.report.seen, self.report.received
        before, counted = self._counted
        if seen - before >= _SAMPLE:
            if counted:
                self.loss = min(max(1 - (received - counted) / (seen - before), 0.0), 1.0)
            self._counted = (seen, received)
        elif now - self._seen_at > 1 and sent - seen > 200:
            self.loss = 1.0
        return self.loss

    def verdict(self, state: str, reason: str = "") -> Verdict:
        """What became of it, now."""
        seconds = time.monotonic() - self.started_at if self.started_at else 0.0
        return Verdict(self.name, state, self.report.taken, seconds, reason if state != COMPLETE else "")

    def shown(self, size: float) -> ReceiverState:
        """For a report; size: bytes of a frame on average."""
        return ReceiverState(self.name, self.report.taken, max(int(self.wanted * size), self.report.taken))
