# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sender's end of a session: one thread that sends what is due, listens to receivers, and judges who holds up the others."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Sequence
from typing import Callable

from .channel import SESSION_SIZE, Terms, check_secret
from .dialogue import Dialogue
from .interface import DEAD, Report, SendCount, SessionState, Settings, Source, StartPolicy, Verdict
from .judge import Judge
from .opening import Opening
from .outlet import Outlet
from .pace import Pace
from .repair import Repairs
from .roster import Roster
from .sockets import listen, sending, version
from .stream import Stream
from .transmission import Transmission
from .urgency import keep_memory, urgent
from .wire import Shape, session_tag

_LOOK = 0.05
"""Seconds between two looks at the whole."""
_KEEP_ALIVE = 1.0
_PROBE = 0.025
"""Seconds between packets that tell who hears multicast, before the start: so many that one who loses most of them still hears some."""
_REPORTS = 0.2
_COMES_BACK = 10.0
"""Seconds for which the end of a session waits for who lost the connection."""


class SendSession:
    """Sends one image to receivers that come to it."""

    def __init__(
        self,
        settings: Settings,
        secret: bytes,
        image: bytes,
        source: Source,
        expected: Sequence[str],
        *,
        start: Callable[[], StartPolicy] = StartPolicy,
        report: Report = lambda _state: None,
    ) -> None:
        """secret: at least 16 bytes that only this session's stations have; image: 32 bytes, the SHA-256 of the manifest's bytes."""
        check_secret(secret)
        self._settings = settings
        self._start_policy = start
        self._report = report
        self._shape = shape = Shape.of(settings.mtu, version(settings))
        listener = listen(settings)
        try:
            self.port: int = listener.getsockname()[1]
            self._udp = sending(settings, self.port)
        except BaseException:
            listener.close()
            raise
        self._poll = select.epoll()
        self._session = os.urandom(SESSION_SIZE)
        self._stream = Stream(shape, source)
        self._outlet = Outlet(self._udp, shape, session_tag(self._session, image), self._stream.view, segmentation=settings.segmentation)
        repairs = Repairs(shape.window)
        self._roster = Roster(secret, image, expected, listener, self._poll, removed=lambda member: repairs.forget(member.bit))
        self._dialogue = Dialogue(self._roster, self._poll, self._stream, repairs, self._outlet, self._terms)
        self._pace = Pace(settings.rate)
        self._judge = Judge(shape.window, settings.patience)
        self._transmission = Transmission(shape, self._stream, repairs, self._outlet, self._pace, self._dialogue)
        self._stopped = False
        self._looked = self._kept_alive = self._reported = 0.0
        self._rate = (0.0, 0, 0.0)

    @property
    def count(self) -> SendCount:
        """What was sent so far."""
        return self._outlet.count(self._stream.frames, tuple(self._stream.unreadable))

    def stop(self) -> None:
        """End it soon."""
        self._stopped = True

    def run(self) -> dict[str, Verdict]:
        """Hold the session."""
        try:
            keep_memory()
            with urgent():
                return self._hold()
        finally:
            self._stream.close()
            self._roster.close()
            self._poll.close()
            self._udp.close()

    def _terms(self, status: int) -> Terms:
        return Terms(status, self._session, self._udp.getsockname()[1], self.port, self._shape.segment, self._shape.window)

    def _hold(self) -> dict[str, Verdict]:
        self._wait()
        self._dialogue.begin()
        while not self._over():
            started = self._roster.started()
            self._dialogue.listen(self._transmission.send(time.monotonic(), started, self._judge.following(started)))
            self._look(time.monotonic(), sending=True)
        for member in list(self._roster.members.values()):
            self._roster.let_go(member, "the session was ended by the sender")
        self._tell("ended", time.monotonic() + _REPORTS)
        return self._roster.final()

    def _wait(self) -> None:
        """Until the session begins; MulticastError when it never does."""
        opening = Opening(self._start_policy, self._roster)
        while not self._stopped:
            self._dialogue.listen(_LOOK)
            now = time.monotonic()
            self._look(now, sending=False)
            self._transmission.speak(now, _PROBE)
            if opening.over(now):
                return

    def _over(self) -> bool:
        if self._stopped:
            return True
        now = time.monotonic()
        return not self._roster.members and all(now - gone > _COMES_BACK for gone in self._roster.gone_at.values())

    def _look(self, now: float, *, sending: bool) -> None:
        """Twenty times a second: who is silent, slow or lossy; the rate; reports."""
        if now - self._looked < _LOOK:
            return
        elapsed, self._looked = now - self._looked, now
        self._dialogue.flush()
        if now - self._kept_alive > _KEEP_ALIVE:
            self._kept_alive = now
            self._dialogue.tune()
        if sending:
            self._judge_members(now, elapsed)
        for member in list(self._roster.members.values()):
            if now - member.heard > self._settings.patience:
                self._roster.conclude(member, DEAD, f"silent for {self._settings.patience:.0f} s")
        self._tell("sending" if sending else "waiting", now)

    def _judge_members(self, now: float, elapsed: float) -> None:
        roster, judge, outlet = self._roster, self._judge, self._outlet
        for member, state, reason in judge.look(roster.started(), now, elapsed, outlet, self._stream, self._transmission.held):
            if state == DEAD:
                roster.conclude(member, DEAD, reason)
            else:
                roster.let_go(member, reason)
        for member in judge.pace(self._pace, roster.started(), now, outlet):
            roster.let_go(member, f"it loses {member.loss:.0%} of the packets")

    def _tell(self, phase: str, now: float) -> None:
        if now - self._reported < _REPORTS:
            return
        self._reported = now
        stream, roster = self._stream, self._roster
        when, frames, rate = self._rate
        if now - when >= 1:
            rate = (stream.frames - frames) / (now - when) if when else 0.0
            self._rate = (now, stream.frames, rate)
        size = stream.frames / stream.put if stream.put else 0.0
        receivers = [member.shown(size) for member in roster.members.values()]
        self._report(
            SessionState(
                phase,
                tuple(roster.members),
                roster.missing(),
                stream.frames,
                max(int(stream.asked * size), stream.frames),
                rate,
                tuple(receivers),
                self.port,
            )
        )
