# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a sender sends next, and what it says when there is nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.fleet.imaging.plugins.module_utils.multicast import transmission
from ansible_collections.fleet.imaging.plugins.module_utils.multicast.pace import Pace
from ansible_collections.fleet.imaging.plugins.module_utils.multicast.repair import Repairs
from ansible_collections.fleet.imaging.plugins.module_utils.multicast.stream import Placed
from ansible_collections.fleet.imaging.plugins.module_utils.multicast.transmission import Transmission
from ansible_collections.fleet.imaging.plugins.module_utils.multicast.wire import ReceiverReport, Shape

SHAPE = Shape(256)


class Sender:
    """A transmission to two members of a stream of 100 segments, of which 60 are there; packets are written down."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(transmission, "time", SimpleNamespace(monotonic=lambda: self.now))
        self.said: list[tuple[str, Any]] = []
        self.outlet: Any = SimpleNamespace(number=0, wire=0, batch=44, blocked=False, flush=lambda: None)
        self.outlet.data = lambda first, _offset, count: self._send("data", (first, count), count)
        self.outlet.repair = lambda segments: self._send("repair", [segment for segment, _offset in segments], len(segments))
        self.outlet.combined = lambda groups: self._send("combined", [[segment for segment, _o in group] for group in groups], len(groups))
        self.outlet.sync = lambda position: self._send("sync", position, 1)
        self.placed: list[Placed] = []
        self.stream: Any = SimpleNamespace(end=60, sent=0, floor=0, exhausted=False, waiting_for_room=False)
        self.stream.fill = lambda _low: ([], [])
        self.stream.offset = lambda segment: segment * 256
        self.repairs = Repairs(SHAPE.window)
        dialogue: Any = SimpleNamespace(interval=0.02, plan=lambda _placed: None, lack=lambda _digest: None)
        self.transmission = Transmission(SHAPE, self.stream, self.repairs, self.outlet, Pace(0), dialogue)
        self.members: list[Any] = [SimpleNamespace(bit=1 << number, started=True, start=0) for number in range(2)]
        self.hear()

    def _send(self, kind: str, what: Any, count: int) -> None:
        self.said.append((kind, what))
        self.outlet.number += count
        self.outlet.wire += count * SHAPE.packet

    def hear(self) -> None:
        """Everybody has seen what was sent."""
        for member in self.members:
            member.report = ReceiverReport(self.outlet.number, self.outlet.number, 0, 1000, 0)

    def send(self, now: float) -> list[tuple[str, Any]]:
        """What goes out in a turn."""
        self.said.clear()
        self.now = now
        self.transmission.send(now, self.members, self.members)
        return list(self.said)


@pytest.fixture
def sender(monkeypatch: pytest.MonkeyPatch) -> Sender:
    return Sender(monkeypatch)


def test_new_segments_go_out_in_batches_and_the_position_is_told_at_once_at_the_end(sender: Sender) -> None:
    assert sender.send(1.0) == [("data", (0, 44)), ("data", (44, 16))]  # more is still being read: nobody has to hurry
    sender.stream.exhausted = True
    assert sender.send(1.001) == [("sync", 60)]
    assert sender.send(1.002) == []
    assert sender.send(1.02) == [("sync", 60)]


def test_no_more_is_under_way_than_the_smallest_socket_holds(sender: Sender) -> None:
    sender.members[1].report = ReceiverReport(0, 0, 0, 40, 0)
    assert sender.send(1.0) == [("data", (0, 10)), ("data", (10, 10))]
    assert sender.transmission.held
    sender.hear()
    sender.members[1].report = ReceiverReport(20, 20, 0, 40, 0)
    assert sender.send(1.1) == [("data", (20, 10)), ("data", (30, 10))]


def test_repairs_go_first_and_wait_for_company_until_everything_was_sent(sender: Sender) -> None:
    sender.send(1.0)
    sender.hear()
    sender.repairs.ask(1, sender.outlet.number, 3, 1, 1.0)
    assert sender.send(1.05)[:1] != [("repair", [3])]
    sender.repairs.ask(2, sender.outlet.number, 7, 1, 1.05)
    sender.stream.end = 70
    assert sender.send(1.06) == [("combined", [[3, 7]]), ("data", (60, 10))]
    sender.hear()
    sender.repairs.ask(1, sender.outlet.number, 5, 1, 1.1)
    sender.stream.exhausted = True
    assert sender.send(1.1) == [("repair", [5]), ("sync", 70)]
