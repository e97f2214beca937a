# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sender's end of a session: one thread that sends what is due, listens to receivers, and judges who holds up the others."""

from __future__ import annotations

import contextlib
import os
import select
import time
from collections.abc import Sequence
from typing import Callable

from .channel import SESSION_SIZE, Disconnected, Terms, check_secret
from .interface import (
    COMPLETE,
    DEAD,
    FAILED,
    UNICAST,
    MulticastError,
    Report,
    SendCount,
    SessionState,
    Settings,
    Source,
    StartPolicy,
    Verdict,
)
from .judge import Judge
from .member import Member
from .outlet import Outlet
from .pace import Pace
from .repair import Repairs
from .roster import Roster
from .sockets import listen, sending, version
from .stream import Stream
from .urgency import urgent
from .wire import (
    DONE,
    FAIL,
    GONE,
    LACK,
    PLAN,
    REPORT,
    START,
    TUNE,
    WANT,
    ProtocolError,
    ReceiverReport,
    Shape,
    pack_digests,
    pack_number,
    pack_plan,
    pack_tune,
    session_tag,
    unpack_digests,
    unpack_done,
)

_LOOK = 0.05
"""Seconds between two looks at the whole."""
_KEEP_ALIVE = 1.0
_PROBE = 0.1
"""Seconds between packets that tell who hears multicast, before the start."""
_HEARING = 1.5
"""Seconds that a receiver has for hearing one, before and after the start."""
_REPORTS = 0.2
_REPORT_INTERVAL, _PER_RECEIVER = 0.02, 0.001
"""Seconds between reports of a receiver: so that they come to at most a thousand a second."""
_TURNS = 8
"""Batches between two looks at the control channels."""
_FULL = 0.002
"""Seconds until a full socket is tried again. It would say that it has room only when it is half empty, which may be too late."""
_SYNC = 0.01
_INFLIGHT = 16 << 20
"""Bytes that may be on their way to receivers' programs: more than this is not in flight but lost."""
_COMPANY = 5
"""Intervals between reports, for which a repair waits for others that can share its packet; the window has room for far more."""
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
        self._settings = settings
        self._start_policy = start
        self._report = report
        self._shape = Shape.of(settings.mtu, version(settings))
        listener = listen(settings)
        try:
            self.port: int = listener.getsockname()[1]
            self._udp = sending(settings, self.port)
        except BaseException:
            listener.close()
            raise
        self._poll = select.epoll()
        self._roster = Roster(check_secret(secret), image, expected, listener, self._poll)
        self._session = os.urandom(SESSION_SIZE)
        self._stream = Stream(self._shape, source, self._placed, self._lacking)
        self._outlet = Outlet(
            self._udp, self._shape, session_tag(self._session, image), self._stream.view, segmentation=settings.segmentation
        )
        self._repairs = Repairs(self._shape.window)
        self._alone: list[list[int]] = []
        """Repairs that found no company, for the next batch."""
        self._pace = Pace(settings.rate)
        self._judge = Judge(self._shape.window, settings.patience)
        self._plan: list[tuple[int, bytes, int]] = []
        self._unreadable: list[bytes] = []
        self._stopped = False
        self._sending = False
        self._held = False
        """Whether new segments wait for receivers, and for nothing else."""
        self._interval = _REPORT_INTERVAL
        self._looked = self._kept_alive = self._spoke = self._reported = 0.0
        self._rate = (0.0, 0, 0.0)

    @property
    def count(self) -> SendCount:
        """What was sent so far."""
        return self._outlet.count(self._stream.frames, tuple(self._unreadable))

    def stop(self) -> None:
        """End it soon."""
        self._stopped = True

    def run(self) -> dict[str, Verdict]:
        """Hold the session."""
        try:
            with urgent():
                return self._hold()
        finally:
            self._stream.close()
            self._roster.close()
            self._poll.close()
            self._udp.close()

    def _hold(self) -> dict[str, Verdict]:
        self._wait()
        self._begin()
        while not self._over():
            self._events(self._transmit(time.monotonic()))
            self._look(time.monotonic())
        for member in list(self._roster.members.values()):
            self._roster.let_go(member, "the session was ended by the sender")
        self._tell("ended", time.monotonic() + _REPORTS)
        return self._roster.final()

    # Before the start -----------------------------------------------------------------------------------------------------------------

    def _wait(self) -> None:
        """Until the start policy is content; MulticastError that names who is missing when it never is."""
        opened = time.monotonic()
        while not self._stopped:
            self._events(_LOOK)
            now = time.monotonic()
            self._look(now)
            if now - self._spoke > _PROBE:
                self._speak(now)
            policy, ready = self._start_policy(), len(self._roster.ready())
            waited = now - opened
            enough = (policy.count or len(self._roster.expected) or 1) if not policy.minimum or waited < policy.wait else policy.minimum
            if ready >= enough and self._heard(now):
                return
            if waited > policy.give_up:
                missing = ", ".join(self._roster.missing()) or "nobody who was expected"
                raise MulticastError(
                    f"{ready} receivers came in {waited:.0f} s, of {enough} that the session needs; missing: {missing}",
                    remedy="Start these stations, or let it begin with a minimum of them",
                )

    def _heard(self, now: float) -> bool:
        """Whether it is known of everybody who is ready that multicast is heard, or not."""
        return all(member.report.received or now - member.joined > _HEARING for member in self._roster.ready())

    def _begin(self) -> None:
        self._sending = True
        now = time.monotonic()
        for member in self._roster.ready():
            if member.report.received:
                self._start(member, now)
            else:
                self._roster.let_go(member, "it does not hear multicast")

    def _start(self, member: Member, now: float) -> None:
        """The stream goes to a member from here on."""
        stream = self._stream
        member.started, member.start, member.started_at = True, stream.sent, now
        wants, member.wants = member.wants, bytearray()
        index = wants.find(1)
        indices = []
        while index >= 0:
            indices.append(index)
            index = wants.find(1, index + 1)
        stream.want(indices, member.start)
        self._say(member, START, pack_number(member.start))
        live = stream.live(member.start)
        if live:
            self._say(member, PLAN, pack_plan(live[0][0], [(digest, size) for _first, digest, size in live]))
        self._tune()

    def _tune(self) -> None:
        """Tell members how often to report, and which packets they can have heard."""
        count = len(self._roster.members)
        self._interval = max(_REPORT_INTERVAL, _PER_RECEIVER * count)
        for member in list(self._roster.members.values()):
            self._say(member, TUNE, pack_tune(round(self._interval * 1000), self._outlet.number))

    # Control --------------------------------------------------------------------------------------------------------------------------

    def _say(self, member: Member, kind: int, body: bytes) -> None:
        try:
            member.channel.send(kind, body)
        except Disconnected as error:
            self._lose(member, str(error))

    def _lose(self, member: Member, reason: str) -> None:
        if self._roster.members.get(member.name) is member:
            self._repairs.forget(member.bit)
            self._roster.broken(member, reason, time.monotonic())

    def _events(self, wait: float) -> None:
        """Listen to the control channels for at most wait seconds."""
        now = time.monotonic()
        for number, _event in self._poll.poll(wait):
            member = self._roster.of_socket(number)
            if member:
                self._hear(member)
            elif number == self._roster.listening:
                self._roster.accept(now)
            else:
                self._roster.candidate(number, self._terms, now)

    def _terms(self, status: int) -> Terms:
        return Terms(status, self._session, self._udp.getsockname()[1], self.port, self._shape.segment, self._shape.window)

    def _hear(self, member: Member) -> None:
        now = time.monotonic()
        try:
            for kind, body in member.channel.receive():
                member.heard = now
                self._message(member, kind, body, now)
                if self._roster.members.get(member.name) is not member:
                    return
        except (Disconnected, ProtocolError) as error:
            self._lose(member, str(error))

    def _message(self, member: Member, kind: int, body: bytes, now: float) -> None:
        if kind == REPORT:
            member.take_report(ReceiverReport.unpack(body), self._outlet.number, now)
            if member.report.missing:
                self._asked_again(member, now)
        elif kind == WANT:
            self._want(member, body, now)
        elif kind == DONE:
            left, _taken = unpack_done(body)
            self._finished(member, UNICAST if left else COMPLETE, f"{left} chunks are left for unicast")
        elif kind == FAIL:
            self._finished(member, FAILED, body.decode(errors="replace"))

    def _finished(self, member: Member, state: str, reason: str) -> None:
        self._repairs.forget(member.bit)
        self._roster.conclude(member, state, reason)

    def _want(self, member: Member, body: bytes, now: float) -> None:
        digests, more = unpack_digests(body)
        found, lacking = self._stream.find(digests)
        if lacking:
            self._say(member, LACK, pack_digests(lacking))
        if member.started:
            self._stream.want(found, self._stream.sent)
            return
        member.wants = member.wants or self._stream.flags()
        for index in found:
            member.wants[index] = 1
        member.wanted += len(digests)
        if not more:
            member.asked = True
            if self._sending:
                self._start(member, now)

    def _asked_again(self, member: Member, now: float) -> None:
        """A receiver said what it misses."""
        report, floor, sent = member.report, self._stream.floor, self._stream.sent
        for first, count in report.missing:
            if first < floor:
                if now - member.told_gone > _REPORTS:
                    member.told_gone = now
                    self._say(member, GONE, pack_number(floor))
                count -= floor - first
                first = floor
            count = min(count, sent - first)
            if count > 0:
                self._repairs.ask(member.bit, report.seen, first, count, now)

    # Packets --------------------------------------------------------------------------------------------------------------------------

    def _speak(self, now: float) -> None:
        """A packet that carries nothing but the stream's position."""
        self._spoke = now
        if not self._outlet.blocked:
            self._outlet.sync(self._stream.sent)

    def _transmit(self, now: float) -> float:
        """Send what is due; return the seconds until there may be more to send."""
        outlet, stream, pace = self._outlet, self._stream, self._pace
        following = self._judge.following(self._roster.started())
        low = min((member.report.low for member in following if member.started), default=stream.sent)
        self._fill(max(low, 0))
        seen = min((member.report.seen for member in following), default=outlet.number)
        room = min((member.report.room for member in following), default=1)
        inflight = max(min(_INFLIGHT // self._shape.packet, room // 2), 2)
        self._held = False
        for _turn in range(_TURNS):
            outlet.flush()
            if outlet.blocked:
                return _FULL
            delay = pace.delay(now)
            if delay > 0.0005:
                return delay
            before = outlet.wire
            if not self._repair(now, following) and not self._new(inflight - (outlet.number - seen), inflight // 2):
                self._held = stream.end > stream.sent or stream.waiting_for_room
                if now - self._spoke > _SYNC:
                    self._speak(now)
                return 0.002
            self._spoke = now
            pace.spent(outlet.wire - before, now)
            now = time.monotonic()
        return 0

    def _fill(self, low: int) -> None:
        self._stream.fill(low)
        if self._plan:
            first = self._plan[0][0]
            body = pack_plan(first, [(digest, size) for _first, digest, size in self._plan])
            self._plan = []
            for member in self._roster.started():
                self._say(member, PLAN, body)

    def _placed(self, first: int, digest: bytes, size: int) -> None:
        self._plan.append((first, digest, size))
        self._repairs.fresh(first, first + self._shape.segments(size))

    def _lacking(self, digest: bytes, _error: Exception) -> None:
        self._unreadable.append(digest)
        for member in self._roster.started():
            self._say(member, LACK, pack_digests([digest]))

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

    def _repair(self, now: float, following: list[Member]) -> bool:
        """Segments again, alone or combined; whether some were sent. Waiting a little for other receivers' reports makes better company."""
        repairs, batch = self._repairs, self._outlet.batch
        if self._alone:
            self._repair_alone()
            return True
        if not repairs:
            return False
        patience = 0.0 if len(following) < 2 else self._interval * 0.3
        if now - repairs.since < patience:
            return False
        common = max((member.start for member in self._roster.started()), default=0)
        everybody = 0
        for member in following:
            everybody |= member.bit
        hold = 0.0 if len(following) < 2 or self._stream.exhausted else self._interval * _COMPANY
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

    # The whole ------------------------------------------------------------------------------------------------------------------------

    def _over(self) -> bool:
        if self._stopped:
            return True
        now = time.monotonic()
        return not self._roster.members and all(now - gone > _COMES_BACK for gone in self._roster.gone_at.values())

    def _look(self, now: float) -> None:
        """Twenty times a second: who is silent, slow or lossy; the rate; reports."""
        if now - self._looked < _LOOK:
            return
        elapsed, self._looked = now - self._looked, now
        for member in list(self._roster.members.values()):
            with contextlib.suppress(Disconnected):
                member.channel.flush()
        if now - self._kept_alive > _KEEP_ALIVE:
            self._kept_alive = now
            self._tune()
        if self._sending:
            for member, state, reason in self._judge.look(self._roster.started(), now, elapsed, self._outlet, self._stream, self._held):
                self._repairs.forget(member.bit)
                if state == DEAD:
                    self._roster.conclude(member, DEAD, reason)
                else:
                    self._roster.let_go(member, reason)
            for member in self._judge.pace(self._pace, self._roster.started(), now, self._outlet):
                self._repairs.forget(member.bit)
                self._roster.let_go(member, f"it loses {member.loss:.0%} of the packets")
        for member in list(self._roster.members.values()):
            if now - member.heard > self._settings.patience:
                self._repairs.forget(member.bit)
                self._roster.conclude(member, DEAD, f"silent for {self._settings.patience:.0f} s")
        self._tell("sending" if self._sending else "waiting", now)

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
