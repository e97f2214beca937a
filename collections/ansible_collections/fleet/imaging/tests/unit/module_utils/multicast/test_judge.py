# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is waited for, and for how long."""

from __future__ import annotations

import socket
from types import SimpleNamespace
from typing import Any

from ansible_collections.fleet.imaging.plugins.module_utils.multicast.channel import Channel, greeting
from ansible_collections.fleet.imaging.plugins.module_utils.multicast.judge import Judge
from ansible_collections.fleet.imaging.plugins.module_utils.multicast.member import Member
from ansible_collections.fleet.imaging.plugins.module_utils.multicast.pace import Pace
from ansible_collections.fleet.imaging.plugins.module_utils.multicast.wire import ReceiverReport

LOOK = 0.05


class Room:
    """Receivers that report as told, and a judge; time goes by in steps."""

    def __init__(self, count: int) -> None:
        self.now = 100.0
        self.judge = Judge(window=30_000, patience=30)
        self.members = [self._member(number) for number in range(count)]
        self.outlet: Any = SimpleNamespace(number=0, wire=0)
        self.stream: Any = SimpleNamespace(end=0, waiting_for_room=False, exhausted=False)
        self.gone: dict[str, str] = {}
        self.holds = dict.fromkeys(range(count), 20_000)
        """Packets that each one's socket holds."""
        self.low = dict.fromkeys(range(count), 0)

    def _member(self, number: int) -> Member:
        end, _other = socket.socketpair()
        member = Member(f"pc{number}", Channel(end, b"k" * 32, greeting(), bytes(32), sender=True), 1 << number, self.now)
        member.started_at = self.now
        return member

    def step(self, packets: int, lost: dict[int, float], *, held: bool = False, waiting: bool = False, silent: int = -1) -> None:
        """A twentieth of a second: packets go out, of which some lose a share.

        held: the sender waits for the first one; waiting: it waits, and nobody is behind.
        """
        self.now += LOOK
        self.outlet.number += packets
        self.outlet.wire += packets * 1500
        for member in self.members:
            number = int(member.name[2:])
            if number == silent:
                continue
            share = lost.get(number, 0.0)
            seen, received = self.outlet.number, member.report.received + round(packets * (1 - share))
            if held and number == 0:
                seen = member.report.seen + 1
            member.heard = self.now
            member.take_report(ReceiverReport(seen, received, self.low[number], self.holds[number], 0), self.outlet.number, self.now)
        for member, state, _reason in self.judge.look(self.members, self.now, LOOK, self.outlet, self.stream, held or waiting):
            self._let_go(member, state)
        for member in self.judge.pace(Pace(0), self.members, self.now, self.outlet):
            self._let_go(member, "lossy")

    def _let_go(self, member: Member, state: str) -> None:
        self.gone[member.name] = state
        self.members = [each for each in self.members if each is not member]


def test_who_is_silent_is_not_waited_for_and_is_waited_for_again_when_it_speaks() -> None:
    room = Room(3)
    for _step in range(30):
        room.step(100, {}, silent=2)
    assert [member.name for member in room.judge.following(room.members)] == ["pc0", "pc1"]
    room.step(100, {})
    assert len(room.judge.following(room.members)) == 3
    assert room.gone == {}


def test_when_all_are_silent_all_are_waited_for() -> None:
    room = Room(1)
    for _step in range(30):
        room.step(100, {}, silent=0)
    assert [member.name for member in room.judge.following(room.members)] == ["pc0"]


def test_who_alone_holds_up_the_others_is_let_go_after_a_while() -> None:
    room = Room(3)
    room.step(9000, {}, held=True)
    for _step in range(40):
        room.step(0, {}, held=True)
    assert room.gone == {}
    for _step in range(40):
        room.step(0, {}, held=True)
    assert room.gone == {"pc0": "unicast"}


def test_who_is_alone_holds_up_nobody() -> None:
    room = Room(1)
    room.step(9000, {}, held=True)
    for _step in range(200):
        room.step(0, {}, held=True)
    assert room.gone == {}


def test_who_loses_far_more_than_others_is_let_go_within_two_seconds() -> None:
    room = Room(3)
    for _step in range(40):
        room.step(500, {1: 0.6, 2: 0.02})
    assert room.gone == {"pc1": "lossy"}


def test_when_all_lose_as_much_nobody_is_let_go() -> None:
    room = Room(3)
    for _step in range(80):
        room.step(500, {0: 0.5, 1: 0.5, 2: 0.5})
    assert room.gone == {}


def test_whose_socket_holds_next_to_nothing_is_let_go_when_the_others_wait_for_it() -> None:
    room = Room(3)
    room.holds[1] = 1
    for _step in range(40):
        room.step(1, {})
    assert room.gone == {}  # nobody waits
    for _step in range(120):
        room.step(1, {}, waiting=True)
    assert room.gone == {"pc1": "unicast"}


def test_who_gets_nowhere_when_all_was_sent_is_let_go_after_the_patience() -> None:
    room = Room(2)
    for _step in range(700):
        room.step(1, {})
    assert room.gone == {}
    room.stream.exhausted = True
    for step in range(700):
        room.low[1] = step
        room.step(1, {})
    assert room.gone == {"pc0": "unicast"}
