# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What members say on the control channel, and what they are told: the sender's side of docs/multicast.md, "Messages"."""

from __future__ import annotations

import contextlib
import select
import time
from collections.abc import Iterable
from typing import Callable

from .channel import Disconnected, Terms
from .interface import COMPLETE, FAILED, UNICAST
from .member import Member
from .outlet import Outlet
from .repair import Repairs
from .roster import Roster
from .stream import Placed, Stream
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
    pack_digests,
    pack_number,
    pack_plan,
    pack_tune,
    unpack_digests,
    unpack_done,
)

_REPORT_INTERVAL, _PER_RECEIVER = 0.02, 0.001
"""Seconds between reports of a receiver: so that they come to at most a thousand a second."""
_GONE_INTERVAL = 0.2


class Dialogue:
    """The control channels of all members."""

    def __init__(
        self, roster: Roster, poll: select.epoll, stream: Stream, repairs: Repairs, outlet: Outlet, terms: Callable[[int], Terms]
    ) -> None:
        """terms: what a receiver is told that was accepted, or was not."""
        self._roster, self._poll = roster, poll
        self._stream, self._repairs, self._outlet = stream, repairs, outlet
        self._terms = terms
        self._begun = False
        self._unheard: set[Member] = set()
        """Who said too much, and is not listened to until its allowance suffices again."""
        self.interval = _REPORT_INTERVAL
        """Seconds between two reports of a receiver."""

    # What they are told ---------------------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """The session begins: for who hears it, now and whenever one comes later."""
        self._begun = True
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
        self._say_plan([member], stream.live(member.start))
        self.tune()

    def tune(self) -> None:
        """How often to report, and which packets they can have heard."""
        count = len(self._roster.members)
        self.interval = max(_REPORT_INTERVAL, _PER_RECEIVER * count)
        for member in list(self._roster.members.values()):
            self._say(member, TUNE, pack_tune(round(self.interval * 1000), self._outlet.number))

    def plan(self, placed: list[Placed]) -> None:
        """Where frames lie that have got their place."""
        self._say_plan(self._roster.started(), placed)

    def _say_plan(self, members: Iterable[Member], placed: list[Placed]) -> None:
        if placed:
            body = pack_plan(placed[0][0], [(digest, size) for _first, digest, size in placed])
            for member in members:
                self._say(member, PLAN, body)

    def lack(self, digest: bytes) -> None:
        """A chunk cannot be read."""
        for member in self._roster.started():
            self._say(member, LACK, pack_digests([digest]))

    def flush(self) -> None:
        """Whatever waits for a socket."""
        for member in list(self._roster.members.values()):
            with contextlib.suppress(Disconnected):
                member.channel.flush()

    def _say(self, member: Member, kind: int, body: bytes) -> None:
        try:
            member.channel.send(kind, body)
        except Disconnected as error:
            self._lose(member, str(error))

    def _lose(self, member: Member, reason: str) -> None:
        if self._roster.members.get(member.name) is member:
            self._roster.broken(member, reason, time.monotonic())

    # What they say --------------------------------------------------------------------------------------------------------------------

    def listen(self, wait: float) -> None:
        """Listen to members, and to who wants to become one, for at most wait seconds."""
        now = time.monotonic()
        self._hear_again(now)
        for number, _event in self._poll.poll(wait):
            member = self._roster.of_socket(number)
            if member:
                self._hear(member)
            elif number == self._roster.listening:
                self._roster.accept(now)
            else:
                self._roster.candidate(number, self._terms, now)

    def _hear_again(self, now: float) -> None:
        for member in [each for each in self._unheard if not each.allowance.overdrawn(now)]:
            self._unheard.discard(member)
            if self._roster.members.get(member.name) is member:
                self._poll.modify(member.channel.connection, select.EPOLLIN)

    def _hear(self, member: Member) -> None:
        now = time.monotonic()
        try:
            messages = member.channel.receive()
            member.allowance.spend(len(messages), now)
            newest = max((index for index, (kind, _body) in enumerate(messages) if kind == REPORT), default=0)
            for index, (kind, body) in enumerate(messages):
                member.heard = now
                if kind != REPORT or index == newest:  # a report says all that those before it said
                    self._message(member, kind, body, now)
                if self._roster.members.get(member.name) is not member:
                    return
        except (Disconnected, ProtocolError) as error:
            self._lose(member, str(error))
            return
        if member.allowance.overdrawn(now):
            self._unheard.add(member)
            self._poll.modify(member.channel.connection, 0)

    def _message(self, member: Member, kind: int, body: bytes, now: float) -> None:
        if kind == REPORT:
            member.take_report(ReceiverReport.unpack(body), self._outlet.number, now)
            if member.report.missing and now - member.repaired >= self.interval / 2:
                member.repaired = now
                self._asked_again(member, now)
        elif kind == WANT:
            self._want(member, body, now)
        elif kind == DONE:
            left, _taken = unpack_done(body)
            self._roster.conclude(member, UNICAST if left else COMPLETE, f"{left} chunks are left for unicast")
        elif kind == FAIL:
            self._roster.conclude(member, FAILED, body.decode(errors="replace"))

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
            if self._begun:
                self._start(member, now)

    def _asked_again(self, member: Member, now: float) -> None:
        """A receiver said what it misses."""
        report, floor, sent = member.report, self._stream.floor, self._stream.sent
        for first, count in report.missing:
            if first < floor:
                if now - member.told_gone > _GONE_INTERVAL:
                    member.told_gone = now
                    self._say(member, GONE, pack_number(floor))
                count -= floor - first
                first = floor
            count = min(count, sent - first)
            if count > 0:
                self._repairs.ask(member.bit, report.seen, first, count, now)
