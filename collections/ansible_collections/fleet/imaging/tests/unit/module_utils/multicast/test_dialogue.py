# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What members say to their sender, and what they are told; how much of it is listened to."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.fleet.imaging.plugins.module_utils.multicast import allowance
from ansible_collections.fleet.imaging.plugins.module_utils.multicast.channel import (
    ACCEPTED,
    NAME_TAKEN,
    OTHER_IMAGE,
    Channel,
    Hello,
    Terms,
    greeting,
)
from ansible_collections.fleet.imaging.plugins.module_utils.multicast.dialogue import Dialogue
from ansible_collections.fleet.imaging.plugins.module_utils.multicast.judge import SILENCE
from ansible_collections.fleet.imaging.plugins.module_utils.multicast.member import Member
from ansible_collections.fleet.imaging.plugins.module_utils.multicast.roster import Roster
from ansible_collections.fleet.imaging.plugins.module_utils.multicast.stream import Stream
from ansible_collections.fleet.imaging.plugins.module_utils.multicast.wire import (
    DONE,
    LACK,
    PLAN,
    REPORT,
    START,
    TUNE,
    WANT,
    ReceiverReport,
    Shape,
    pack_digests,
    pack_done,
    unpack_digests,
    unpack_number,
    unpack_plan,
)

SECRET, IMAGE = b"s" * 32, b"i" * 32
DIGESTS = [bytes([number]) * 32 for number in range(3)]


class Desk:
    """A sender's dialogue, and the stations' ends of its channels."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self._poll = select.epoll()
        self.asked: list[tuple[int, int, int]] = []
        """(bit, first, count) of segments that were asked for again."""
        repairs: Any = SimpleNamespace(ask=lambda bit, _seen, first, count, _now: self.asked.append((bit, first, count)))
        self.gone: list[str] = []
        self.roster = Roster(SECRET, IMAGE, ["pc01", "pc02"], self._listener, self._poll, removed=self._gone)
        self.stream = Stream(Shape(256), SimpleNamespace(digests=DIGESTS, frame=lambda digest: digest * 16))
        outlet: Any = SimpleNamespace(number=100_000)
        self.dialogue = Dialogue(self.roster, self._poll, self.stream, repairs, outlet, lambda _status: Terms(0, bytes(16), 1, 1, 256, 1))
        self._ends: list[socket.socket] = []

    def _gone(self, member: Member) -> None:
        self.gone.append(member.name)

    def close(self) -> None:
        self.stream.close()
        self.roster.close()
        self._poll.close()
        for end in self._ends:
            end.close()

    def member(self, name: str) -> tuple[Member, Channel]:
        """A member, and the channel that it speaks on."""
        ours, theirs = socket.socketpair()
        self._ends.append(theirs)
        hello = greeting()
        member = Member(name, Channel(ours, SECRET, hello, bytes(32), sender=True), 1 << len(self.roster.members), 0.0)
        self._poll.register(ours, select.EPOLLIN)
        self.roster.add(member)
        return member, Channel(theirs, SECRET, hello, bytes(32), sender=False)

    def listen(self, times: int = 1) -> None:
        for _time in range(times):
            self.dialogue.listen(0)


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.close()


def report(missing: tuple[tuple[int, int], ...] = (), seen: int = 500) -> bytes:
    return ReceiverReport(seen, seen, 0, 1000, 0, missing).pack()


def test_who_hears_multicast_is_told_where_the_stream_begins_and_the_deaf_is_let_go(desk: Desk) -> None:
    (one, its), (_two, deaf) = desk.member("pc01"), desk.member("pc02")
    for channel in (its, deaf):
        channel.send(WANT, pack_digests([DIGESTS[1], b"?" * 32]))
    its.send(REPORT, report())
    desk.listen(2)
    assert its.receive() == [(LACK, pack_digests([b"?" * 32]))]
    desk.dialogue.begin()
    assert [kind for kind, _body in its.receive()] == [START, TUNE]
    assert one.started and desk.gone == ["pc02"]
    assert desk.roster.verdicts["pc02"].reason == "it does not hear multicast"


def test_members_hear_of_a_frame_s_place_and_of_what_cannot_be_read(desk: Desk) -> None:
    _one, its = desk.member("pc01")
    its.send(WANT, pack_digests(DIGESTS))
    its.send(REPORT, report())
    desk.listen()
    desk.dialogue.begin()
    kind, body = its.receive()[0]
    assert (kind, unpack_number(body)) == (START, 0)
    desk.dialogue.plan([(0, DIGESTS[0], 512), (2, DIGESTS[2], 100)])
    desk.dialogue.lack(DIGESTS[1])
    (planned, plan), (lacking, lack) = its.receive()
    assert (planned, unpack_plan(plan)) == (PLAN, (0, [(DIGESTS[0], 512), (DIGESTS[2], 100)]))
    assert (lacking, unpack_digests(lack)[0]) == (LACK, [DIGESTS[1]])


def test_who_has_the_name_of_a_station_that_was_just_heard_is_not_admitted(desk: Desk) -> None:
    """Nor does it push that one out; a station that was started anew comes back once its earlier life has been silent."""
    member, _its = desk.member("pc01")
    member.heard = 100.0
    again, other, stranger = Hello(b"", IMAGE, "pc01"), Hello(b"", IMAGE, "pc02"), Hello(b"", b"x" * 32, "pc01")
    assert desk.roster._status(again, 100.0 + SILENCE / 2) == NAME_TAKEN
    assert desk.roster._status(again, 100.1 + SILENCE) == ACCEPTED
    assert desk.roster._status(other, 100.0) == ACCEPTED and desk.roster._status(stranger, 100.0) == OTHER_IMAGE


def test_a_member_that_is_done_has_its_verdict(desk: Desk) -> None:
    (_one, first), (_two, second) = desk.member("pc01"), desk.member("pc02")
    first.send(DONE, pack_done(0, 10))
    second.send(DONE, pack_done(2, 10))
    desk.listen()
    assert {name: (verdict.state, verdict.reason) for name, verdict in desk.roster.verdicts.items()} == {
        "pc01": ("complete", ""),
        "pc02": ("unicast", "2 chunks are left for unicast"),
    }
    assert sorted(desk.gone) == ["pc01", "pc02"]


def test_of_reports_that_come_together_the_newest_counts(desk: Desk) -> None:
    member, its = desk.member("pc01")
    desk.stream.sent = 100
    for number in range(20):
        its.send(REPORT, report(((number, 5),), seen=number))
    desk.listen()
    assert member.report.seen == 19
    assert desk.asked == [(1, 19, 5)]


def test_who_reports_without_end_is_not_listened_to_for_a_while(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allowance, "_RATE", 0.0)
    (noisy, its), (quiet, other) = desk.member("pc01"), desk.member("pc02")

    def hear() -> None:
        for _time in range(100):
            its.flush()
            desk.listen()

    desk.stream.sent = 100
    for number in range(10_000):
        its.send(REPORT, report(((number % 90, 5),), seen=number))
    other.send(REPORT, report(seen=77))
    hear()
    assert 1000 < noisy.report.seen < 4000
    assert len(desk.asked) < 100
    assert quiet.report.seen == 77  # others are listened to all the same
    seen = noisy.report.seen
    hear()
    assert noisy.report.seen == seen
    monkeypatch.setattr(allowance, "_RATE", 1e9)
    hear()
    assert noisy.report.seen > seen  # it has waited for long enough
    assert "pc01" in desk.roster.members


def test_who_breaks_off_while_it_is_not_listened_to_is_found_out(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allowance, "_SAVED", 0.0)
    monkeypatch.setattr(allowance, "_RATE", 0.0)
    member, its = desk.member("pc01")
    member.allowance.spend(1, 0.0)
    its.send(REPORT, report())
    desk.listen(3)
    its.connection.close()
    desk.listen(3)
    assert desk.gone == ["pc01"]
    assert desk.roster.verdicts["pc01"].state == "dead"
