# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A receiver and what a sender, or somebody in its name, says to it, step by step; and what becomes of connections that are no good."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, Callable

import pytest

from ansible_collections.fleet.imaging.plugins.module_utils.multicast import receiver, reception
from ansible_collections.fleet.imaging.plugins.module_utils.multicast.channel import ACCEPTED, Channel, Terms, greeting
from ansible_collections.fleet.imaging.plugins.module_utils.multicast.counting import AHEAD
from ansible_collections.fleet.imaging.plugins.module_utils.multicast.interface import MulticastError, Settings
from ansible_collections.fleet.imaging.plugins.module_utils.multicast.reception import Reception
from ansible_collections.fleet.imaging.plugins.module_utils.multicast.session import ReceiveSession
from ansible_collections.fleet.imaging.plugins.module_utils.multicast.wants import Wants
from ansible_collections.fleet.imaging.plugins.module_utils.multicast.wire import (
    DATA,
    DONE,
    HEADER,
    KIND_SHIFT,
    LEAVE,
    PLAN,
    REPORT,
    START,
    SYNC,
    TUNE,
    WANT,
    ProtocolError,
    ReceiverReport,
    pack_number,
    pack_plan,
    pack_tune,
    session_tag,
    unpack_done,
)

SECRET, IMAGE, SESSION, NAME = b"s" * 32, b"i" * 32, b"n" * 16, b"c" * 32
SEGMENT = 256
TURNS = 2000
"""Reports until a step is given up; they come every 5 ms, and a step takes one or two."""


def connected() -> tuple[socket.socket, socket.socket]:
    """Both ends of a TCP connection on this host."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        one = socket.create_connection(listener.getsockname())
        return one, listener.accept()[0]


class Room:
    """A receiver of one chunk, and the sender's ends of its connections; a script goes on at each of its reports."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        ours, theirs = connected()
        hello = greeting()
        self.channel = Channel(ours, SECRET, hello, bytes(32), sender=True)
        ear, self._mouth = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _end in range(2))
        ear.bind(("127.0.0.1", 0))
        ear.setblocking(False)
        self._mouth.connect(ear.getsockname())
        monkeypatch.setattr(reception, "receiving", lambda *_arguments: (ear, 1000))
        self.wants = Wants({NAME})
        self.given: list[bytes] = []
        self.results: deque[tuple[bytes, int, bool]] = deque()
        self.taker: Any = SimpleNamespace(results=self.results, error=None, full=False, put=lambda _name, frame: self.given.append(frame))
        terms = Terms(ACCEPTED, SESSION, 1, 1, SEGMENT, 1000)
        theirs_channel = Channel(theirs, SECRET, hello, bytes(32), sender=False)
        self._reception = Reception(Settings("127.0.0.1"), IMAGE, theirs_channel, terms, self.wants, self.taker)
        self._sockets = [ours, theirs, self._mouth]
        self.report = ReceiverReport(0, 0, 0, 0, 0)
        self.asked = 0

    def close(self) -> None:
        self._reception.close()
        for each in self._sockets:
            each.close()

    def begin(self) -> None:
        """The session begins with the chunk in segments 1 and 2."""
        self.channel.send(START, pack_number(1))
        self.channel.send(PLAN, pack_plan(1, [(NAME, 2 * SEGMENT)]))
        self.channel.send(TUNE, pack_tune(5, 0))

    def say(self, number: int, place: int, kind: int = DATA) -> None:
        """A packet, whoever sends it."""
        self._mouth.send(HEADER.pack(session_tag(SESSION, IMAGE), number, place | kind << KIND_SHIFT) + bytes([place]) * SEGMENT)

    def play(self, script: Iterator[Callable[[], bool]]) -> None:
        """Receive until the script ends, which goes on whenever what it waits for is so."""
        waits = [next(script)]
        turns = 0

        def tick() -> None:
            nonlocal turns
            for kind, body in self.channel.receive():
                self.asked += kind == WANT
                self.report = ReceiverReport.unpack(body) if kind == REPORT else self.report
            turns += 1
            assert turns < TURNS, f"it never comes to that: {self.report}"
            if waits and waits[0]():
                turns = 0
                waits[:] = [wait for wait in [next(script, None)] if wait]

        self._reception.run(lambda: not waits, tick)


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    room = Room(monkeypatch)
    yield room
    room.close()


def test_numbers_that_the_sender_cannot_have_come_to_are_not_believed_for_long(room: Room) -> None:
    def script() -> Iterator[Callable[[], bool]]:
        room.begin()
        yield lambda: room.report.low == 1
        room.say(9, 1, SYNC)
        yield lambda: room.report.seen == 10
        room.channel.send(TUNE, pack_tune(5, 7))
        yield lambda: room.report.seen == 7
        for number in (0xFFFFFFFF, 0xFFFFFFFE, 7 + AHEAD):
            room.say(number, 1, SYNC)
        room.say(6 + AHEAD, 1, SYNC)  # this one might be true
        yield lambda: room.report.seen == 7 + AHEAD and room.report.received == 2
        room.channel.send(TUNE, pack_tune(5, 9))
        yield lambda: room.report.seen == 9
        room.say(9, 1)
        yield lambda: room.report.seen == 10 and room.report.low == 2

    room.play(script())


def test_a_second_copy_is_repaired_while_the_first_one_may_turn_out_damaged(room: Room) -> None:
    def script() -> Iterator[Callable[[], bool]]:
        room.begin()
        yield lambda: room.report.low == 1 and room.asked == 1
        for place in (1, 2):
            room.say(place, place)
        yield lambda: len(room.given) == 1
        room.channel.send(PLAN, pack_plan(3, [(NAME, 2 * SEGMENT)]))
        room.say(3, 5, SYNC)
        yield lambda: room.report.missing == ((3, 2),)
        room.results.append((NAME, 2 * SEGMENT, False))
        yield lambda: room.asked == 2
        for place in (3, 4):
            room.say(place + 1, place)
        yield lambda: len(room.given) == 2

    room.play(script())


def test_what_is_missing_when_the_sender_waits_is_said_before_a_report_is_due(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr(reception, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    said: list[ReceiverReport] = []
    turns = iter(range(TURNS))

    def stopped() -> bool:
        turn = next(turns)
        if turn == 0:
            room.begin()
            room.channel.send(TUNE, pack_tune(4000, 0))
        elif turn == 50:
            room.say(0, 1)
            clock[0] += 0.1  # the first report since it knows how often it is to report
        elif turn == 60:
            clock[0] += 2  # of the four seconds until the next
        elif turn == 100:
            assert len(said) == 2
            room.say(1, 3, SYNC)
        said.extend(ReceiverReport.unpack(body) for kind, body in room.channel.receive() if kind == REPORT)
        return len(said) > 2

    room._reception.run(stopped, lambda: None)
    assert said[2].missing == ((2, 1),)


class Connections(ReceiveSession):
    """A session whose sender is always there, and where every connection becomes what the test says."""

    def __init__(self, patience: float = 30.0) -> None:
        super().__init__(Settings("127.0.0.1", patience=patience), SECRET, IMAGE, "pc1", {NAME}, lambda _name, _data: None)
        self.ends: list[socket.socket] = []
        self.channels: list[Channel] = []

    def _find(self) -> tuple[Channel, Terms]:
        ours, theirs = connected()
        hello = greeting()
        self.ends.append(ours)
        self.channels.append(Channel(theirs, SECRET, hello, bytes(32), sender=False))
        self.sender = Channel(ours, SECRET, hello, bytes(32), sender=True)
        if len(self.ends) > 20:
            self.stop()
        return self.channels[-1], Terms(ACCEPTED, SESSION, 1, 1, SEGMENT, 1000)


def test_what_the_sender_said_before_it_closed_counts_also_when_reports_can_no_longer_be_sent(room: Room) -> None:
    """A connection that is closed with a report unread is reset, and what waits to be read behind that is easily lost."""

    def tick() -> None:
        room.channel.send(LEAVE, b"it is slow")
        room.channel.close()

    room._reception.run(lambda: False, tick)
    assert room._reception.leave == "it is slow"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (MulticastError("cannot join the multicast group 239.255.77.1: No such device"), "cannot join the multicast group"),
        (ValueError("a fault of ours"), "ValueError: a fault of ours"),
    ],
)
def test_whatever_goes_wrong_leaves_the_rest_to_unicast(monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str) -> None:
    def failing(*_arguments: object) -> None:
        raise error

    monkeypatch.setattr(reception, "receiving", failing)
    session = Connections()
    outcome = session.run()
    assert (outcome.state, outcome.left) == ("unicast", {NAME})
    assert outcome.reason.startswith(reason)
    [(kind, body)] = session.sender.receive()
    assert kind == DONE and unpack_done(body) == (1, 0)
    assert session.channels[0].connection.fileno() < 0
    session.ends[0].close()


def test_connections_that_are_good_for_nothing_are_not_made_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    def refusing(*_arguments: object) -> None:
        raise ProtocolError("a control message has an impossible length")

    monkeypatch.setattr(receiver, "Reception", refusing)
    session = Connections(patience=0.5)
    outcome = session.run()
    assert outcome.reason == "the sender was lost: a control message has an impossible length"
    assert outcome.state == "unicast" and len(session.ends) < 20
    assert all(channel.connection.fileno() < 0 for channel in session.channels)
    for end in session.ends:
        end.close()
