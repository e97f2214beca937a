# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions of real processes in network namespaces: what an admin gets when all goes well, or nearly."""

from __future__ import annotations

import signal

import pytest

from .conftest import Segment


def states(verdicts: dict[str, dict[str, object]]) -> dict[str, object]:
    return {name: verdict["state"] for name, verdict in verdicts.items()}


@pytest.mark.parametrize("segmentation", [True, False], ids=["segmented by the kernel", "packet by packet"])
def test_two_stations_get_the_image_and_each_chunk_is_sent_once(segment: Segment, segmentation: bool) -> None:
    digests = segment.image(20)
    settings = {"segmentation": segmentation}
    sender = segment.send(["pc10", "pc11"], settings=settings)
    stations = [segment.receive(10), segment.receive(11)]
    assert [station.last("outcome")["state"] for station in stations] == ["complete", "complete"]
    assert states(sender.last("verdicts")) == {"pc10": "complete", "pc11": "complete"}
    assert segment.complete(10) and segment.complete(11)
    sizes = sum((segment.store / name).stat().st_size for name in digests)
    assert sender.last("count")["frames"] == sizes


def test_only_what_somebody_lacks_is_sent_and_nobody_takes_what_it_has(segment: Segment) -> None:
    digests = segment.image(20)
    sender = segment.send(["pc10", "pc11"])
    segment.receive(10, wanted=digests[3:5])
    segment.receive(11, wanted=digests[4:8])
    sender.last("verdicts")
    assert segment.disk(10) == sorted(digests[3:5])
    assert segment.disk(11) == sorted(digests[4:8])
    assert sender.last("count")["frames"] == sum((segment.store / name).stat().st_size for name in digests[3:8])


def test_over_ipv6(segment: Segment) -> None:
    segment.image(5)
    settings = {"sender": "fd77::1", "group": "ff15::77:1"}
    sender = segment.send(["pc10"], settings=settings)
    assert segment.receive(10, settings=settings).last("outcome")["state"] == "complete"
    assert states(sender.last("verdicts")) == {"pc10": "complete"}
    assert segment.complete(10)


def test_stations_that_lose_packets_are_repaired_together(segment: Segment) -> None:
    segment.image(30)
    numbers = [10, 11, 12]
    for number in numbers:
        segment.host(number)
        segment.lose(number, 5)
    sender = segment.send([f"pc{number}" for number in numbers], settings={"rate": 5e6, "segmentation": False})
    stations = [segment.receive(number) for number in numbers]
    assert [station.last("outcome")["state"] for station in stations] == ["complete"] * 3
    assert all(segment.complete(number) for number in numbers)
    count = sender.last("count")
    assert count["combined"]
    assert count["repairs"] + count["combined"] < 30 * 200_000 / 1428 * 0.5  # whatever else is sent says where the stream is


def test_who_comes_late_takes_what_flies_by_and_then_what_it_missed(segment: Segment) -> None:
    segment.image(30)
    late = segment.receive(11, held=True)
    late.wait_for("running")
    sender = segment.send(["pc10", "pc11"], start={"count": 1}, settings={"rate": 3e6})
    first = segment.receive(10)
    first.wait_for("taken", 5)
    late.signal(signal.SIGUSR1)
    assert late.last("outcome")["state"] == "complete"
    assert states(sender.last("verdicts")) == {"pc10": "complete", "pc11": "complete"}
    assert segment.complete(10) and segment.complete(11)
    frames, sizes = sender.last("count")["frames"], sum(path.stat().st_size for path in segment.store.iterdir())
    assert sizes < frames < 2 * sizes


def test_it_begins_with_a_minimum_after_a_while_and_names_who_is_missing(segment: Segment) -> None:
    segment.image(3)
    sender = segment.send(["pc10", "pc11"], start={"minimum": 1, "wait": 1})
    assert segment.receive(10).last("outcome")["state"] == "complete"
    assert states(sender.last("verdicts")) == {"pc10": "complete", "pc11": "missing"}
    assert {"phase": "waiting", "present": ["pc10"], "missing": ["pc11"]} in sender.lines


def test_a_session_that_cannot_begin_says_who_did_not_come(segment: Segment) -> None:
    segment.image(1)
    sender = segment.send(["pc10", "pc11"], start={"give_up": 0.5})
    assert "missing: pc10, pc11" in sender.last("error")


def test_two_sessions_on_one_segment_do_not_disturb_each_other(segment: Segment) -> None:
    digests = segment.image(24)
    other = {"sender": "10.77.0.2", "ports": [7700, 7700], "rate": 5e6}
    same = {"ports": [7700, 7700], "rate": 5e6}
    senders = [segment.send(["pc10"], settings=same), segment.send(["pc11"], number=2, settings=other, secret="other" * 7, image="j" * 32)]
    one = segment.receive(10, wanted=digests[:12], settings=same)
    two = segment.receive(11, wanted=digests[12:], settings=other, secret="other" * 7, image="j" * 32)
    assert one.last("outcome")["state"] == two.last("outcome")["state"] == "complete"
    assert [list(states(sender.last("verdicts")).values()) for sender in senders] == [["complete"], ["complete"]]
    assert segment.disk(10) == sorted(digests[:12])
    assert segment.disk(11) == sorted(digests[12:])


def test_two_sessions_of_one_sender_are_told_apart_by_their_secrets(segment: Segment) -> None:
    digests = segment.image(24)
    senders = [segment.send(["pc10"]), segment.send(["pc11"], secret="other" * 7)]
    one = segment.receive(10, wanted=digests[:12])
    two = segment.receive(11, wanted=digests[12:], secret="other" * 7)
    assert one.last("outcome")["state"] == two.last("outcome")["state"] == "complete"
    assert [sender.last("count")["packets"] > 0 for sender in senders] == [True, True]
    assert segment.disk(10) == sorted(digests[:12])
