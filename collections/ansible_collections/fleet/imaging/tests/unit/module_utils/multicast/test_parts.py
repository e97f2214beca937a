# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a receiver makes of segments, whatever their order; what a sender repairs; how fast; who holds up whom."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fleet.imaging.plugins.module_utils.multicast import window as window_module
from ansible_collections.fleet.imaging.plugins.module_utils.multicast.pace import Pace
from ansible_collections.fleet.imaging.plugins.module_utils.multicast.repair import Repairs
from ansible_collections.fleet.imaging.plugins.module_utils.multicast.wants import Wants
from ansible_collections.fleet.imaging.plugins.module_utils.multicast.window import Window
from ansible_collections.fleet.imaging.plugins.module_utils.multicast.wire import (
    COMBINED,
    DATA,
    HEADER,
    KIND_SHIFT,
    RANGES_IN_REPORT,
    SEGMENTS_IN_REPORT,
    ReceiverReport,
    Shape,
    pack_members,
)

SHAPE = Shape(256)


def names(count: int) -> list[bytes]:
    return [bytes([number]) * 32 for number in range(count)]


class Stream:
    """Frames and their segments, as a sender would put them."""

    def __init__(self, sizes: list[int], start: int = 0) -> None:
        source = random.Random(str(sizes))
        self.frames = dict(zip(names(len(sizes)), (source.randbytes(size) for size in sizes)))
        self.segments: dict[int, bytes] = {}
        place = start
        for frame in self.frames.values():
            for offset in range(0, len(frame), 256):
                self.segments[place] = frame[offset : offset + 256].ljust(256, b"\0")
                place += 1
        self.plan = [(name, len(frame)) for name, frame in self.frames.items()]

    def send(self, window: Window, place: int) -> None:
        packet = HEADER.pack(1, 0, place | DATA << KIND_SHIFT) + self.segments[place]
        window.put(memoryview(packet), 0, len(packet), [place])

    def combine(self, window: Window, places: list[int]) -> None:
        value = 0
        for place in places:
            value ^= int.from_bytes(self.segments[place], "little")
        body = pack_members(places) + value.to_bytes(256, "little")
        window.combined(memoryview(HEADER.pack(1, 0, len(places) | COMBINED << KIND_SHIFT) + body))


def whole(window: Window) -> dict[bytes, bytes]:
    return dict(frame for frame in (window.frame(first) for first in window.whole) if frame)


@given(st.lists(st.integers(1, 1200), min_size=1, max_size=8), st.randoms(use_true_random=False), st.booleans())
def test_frames_become_whole_in_any_order_before_or_after_their_plan(sizes: list[int], chance: random.Random, plan_first: bool) -> None:
    stream = Stream(sizes)
    window = Window(SHAPE, 0)
    if plan_first:
        window.plan(0, stream.plan, set(stream.frames))
    places = list(stream.segments) * 2
    chance.shuffle(places)
    for place in places[: len(places) // 2]:
        stream.send(window, place)
    if not plan_first:
        window.plan(0, stream.plan, set(stream.frames))
    for first, count in window.missing():
        for place in range(first, first + count):
            stream.send(window, place)
    window.sync(max(stream.segments) + 1)
    for first, count in window.missing():
        for place in range(first, first + count):
            stream.send(window, place)
    assert whole(window) == stream.frames
    assert window.low == len(stream.segments)
    assert window.missing() == []


def test_only_what_is_wanted_is_missed() -> None:
    stream = Stream([600, 600, 600])
    window = Window(SHAPE, 0)
    window.plan(0, stream.plan, {names(3)[1]})
    window.sync(9)
    assert window.missing() == [(3, 3)]
    assert window.low == 3


@pytest.mark.parametrize("lost", [1.0, 0.5, 0.05], ids=["an outage", "half", "a twentieth"])
def test_whatever_was_lost_a_report_names_no_more_than_it_may(lost: float) -> None:
    chance, frames = random.Random(lost), [(name, 5000 * 256) for name in names(6)]
    window = Window(SHAPE, 0)
    window.plan(0, frames, {name for name, _size in frames})
    packet = HEADER.pack(1, 0, 0) + bytes(256)
    for place in range(30_000):
        if chance.random() >= lost:
            window.put(memoryview(packet), 0, len(packet), [place])
    window.sync(30_000)
    missing = window.missing()
    assert len(missing) == RANGES_IN_REPORT or sum(count for _first, count in missing) == SEGMENTS_IN_REPORT
    report = ReceiverReport(30_000, 0, window.low, 100, 0, tuple(missing))
    assert ReceiverReport.unpack(report.pack()) == report


def test_a_combined_packet_gives_the_one_segment_that_is_not_there() -> None:
    stream = Stream([256] * 6)
    window = Window(SHAPE, 0)
    window.plan(0, stream.plan, set(stream.frames))
    for place in (0, 1, 3, 5):
        stream.send(window, place)
    stream.combine(window, [2, 4, 5])
    assert window.missing() == [(2, 1), (4, 1)]
    stream.combine(window, [0, 2, 5])
    stream.combine(window, [2, 4, 5])
    assert window.missing() == []
    assert whole(window) == stream.frames


def test_what_fell_out_of_the_ring_is_asked_for_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansible_collections.fleet.imaging.plugins.module_utils.multicast.wire.WINDOW_BYTES", 256 * 16)
    stream = Stream([256 * 4] * 8)
    window = Window(SHAPE, 0)
    window.plan(0, stream.plan, set(stream.frames))
    got = {}
    for place in range(1, 32):
        if place != 20:
            stream.send(window, place)
            got.update(whole(window))
    assert window.abandoned() == [names(8)[0]]
    assert window.missing() == [(20, 1)]
    stream.send(window, 0)
    assert {**got, **whole(window)} == {name: stream.frames[name] for name in names(8) if name not in (names(8)[0], names(8)[5])}
    assert window.abandoned(floor=24) == [names(8)[5]]
    assert window.missing() == []


def test_segments_that_cannot_have_been_sent_are_ignored() -> None:
    stream = Stream([256] * 3)
    window = Window(SHAPE, 0)
    window.plan(0, stream.plan, set(stream.frames))
    packet = HEADER.pack(1, 0, 0) + bytes(256)
    window.put(memoryview(packet), 0, len(packet), [2**30 - 1])
    window.sync(2**30 - 1)
    assert window.position == 0
    for place in range(3):
        stream.send(window, place)
    assert whole(window) == stream.frames


def test_a_long_plan_is_forgotten_as_it_is_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window_module, "_TRIM", 4)
    stream = Stream([300] * 20)
    window = Window(SHAPE, 0)
    window.plan(0, stream.plan, set(stream.frames))
    got = {}
    for place in stream.segments:
        stream.send(window, place)
        for first in window.whole:
            frame = window.frame(first)
            if frame:
                got.update([frame])
        window.whole.clear()
    assert got == stream.frames
    assert len(window._frames) <= 6


def test_segments_that_different_receivers_lack_share_a_packet() -> None:
    repairs = Repairs(1000)
    for bit, first in ((1, 10), (2, 20), (4, 30)):
        repairs.ask(bit, 100, first, 2, 0.0)
    assert repairs.take(44, 0, 7, 0.0, 1.0) == [[10, 20, 30], [11, 21, 31]]
    assert not repairs


def test_segments_that_the_same_receiver_lacks_do_not_share_a_packet() -> None:
    repairs = Repairs(1000)
    repairs.ask(3, 100, 10, 1, 0.0)
    repairs.ask(1, 100, 11, 1, 0.0)
    repairs.ask(2, 100, 12, 1, 0.0)
    assert repairs.take(44, 0, 3, 0.0, 1.0) == [[10], [11, 12]]


def test_a_repair_waits_for_company_for_a_while() -> None:
    repairs = Repairs(1000)
    repairs.ask(1, 100, 10, 1, 5.0)
    assert repairs.take(44, 0, 3, 5.5, 1.0) == []
    assert repairs.take(44, 0, 3, 6.0, 1.0) == [[10]]


def test_a_repair_that_may_be_on_its_way_is_not_sent_twice() -> None:
    repairs = Repairs(1000)
    repairs.ask(1, 100, 10, 1, 0.0)
    assert repairs.take(44, 0, 1, 0.0, 0.0) == [[10]]
    repairs.sent([10], 150)
    repairs.ask(1, 150, 10, 1, 0.0)
    assert not repairs
    repairs.ask(1, 151, 10, 1, 0.0)
    assert len(repairs) == 1


def test_what_was_repaired_in_vain_and_what_not_all_know_goes_alone() -> None:
    repairs = Repairs(1000)
    for _try in range(4):
        repairs.sent([10], 1)
    repairs.ask(1, 100, 10, 1, 0.0)
    repairs.ask(2, 100, 20, 1, 0.0)
    repairs.ask(2, 100, 40, 1, 0.0)
    repairs.ask(1, 100, 50, 1, 0.0)
    assert repairs.take(44, 30, 3, 9.0, 0.0) == [[10], [20], [40, 50]]


def drive(pace: Pace, capacity: float, random_loss: float, ticks: int) -> float:
    """Let a pace run on a line of capacity bytes a second; the mean of what it sent usefully."""
    useful = 0.0
    for _tick in range(ticks):
        sending = pace.rate or 2 * capacity
        passed = min(sending, capacity)
        pace.tick(1 - passed / sending * (1 - random_loss), sending)
        useful += passed
    return useful / ticks


def test_losses_that_have_nothing_to_do_with_the_rate_do_not_lower_it() -> None:
    for loss in (0.001, 0.01, 0.05, 0.15):
        pace = Pace(10e6)
        for _tick in range(200):
            pace.tick(loss, 9.9e6)
        assert pace.rate == 10e6


def test_a_network_that_is_full_gets_what_it_passes_and_no_more() -> None:
    pace = Pace(0)
    assert drive(pace, 10e6, 0.0, 40) > 8e6
    assert drive(pace, 10e6, 0.0, 200) > 9e6
    assert pace.rate is not None and 8e6 < pace.rate < 12.5e6


def test_the_ceiling_is_never_passed() -> None:
    pace = Pace(5e6)
    for _tick in range(100):
        pace.tick(0.0, 5e6)
        assert pace.rate is not None and pace.rate <= 5e6


def test_a_chunk_that_comes_damaged_thrice_is_left_to_unicast() -> None:
    from collections import deque

    name = names(1)[0]
    wants = Wants({name})
    for turn in range(3):
        assert wants.begin(name)
        assert wants.settle(deque([(name, 10, False)])) == ([name] if turn < 2 else [])
    assert wants.left == {name} and not wants.wanted
    assert wants.damaged == 3 and wants.bytes == 0
