# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A restore in the order of arrival: any order, duplicates, chunks of no interest, chunks that never come, a disk that refuses."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.fleet.core.plugins.module_utils.content.fetch import FetchError
from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress, Report
from ansible_collections.fleet.imaging.plugins.module_utils.clone.receiver import SessionFailed, SessionReceiver
from ansible_collections.fleet.imaging.plugins.module_utils.engine.blockio import BlockFile, DiskIOError
from ansible_collections.fleet.imaging.plugins.module_utils.engine.stream_writer import StreamWriter, Target
from ansible_collections.fleet.imaging.plugins.module_utils.multicast.interface import (
    COMPLETE,
    FAILED,
    UNICAST,
    Outcome,
    SessionState,
    Take,
)
from ansible_collections.fleet.imaging.tests.unit.module_utils.engine.test_stream_writer import MIB, Shelf, device, noise


class Session:
    """Stands for the network: chunks of a shelf in the order given; a real session is in tests/unit/modules/test_multicast_modules.py."""

    def __init__(self, shelf: Shelf, order: Sequence[bytes], before: Callable[[], None] = lambda: None) -> None:
        self.shelf, self.order, self.before = shelf, order, before
        self.wanted: frozenset[bytes] = frozenset()

    def __call__(self, wanted: frozenset[bytes], take: Take, report: Callable[[SessionState], None]) -> Session:
        self.wanted, self.take = wanted, take
        report(SessionState("waiting"))
        return self

    def run(self) -> Outcome:
        self.before()
        left, taken = set(self.wanted), 0
        for name in self.order:
            try:
                self.take(name, memoryview(self.shelf.content[name]))
            except (FleetError, OSError) as error:
                return Outcome(FAILED, str(error), frozenset(left), taken)
            taken += name in left
            left.discard(name)
        return Outcome(UNICAST if left else COMPLETE, "deaf" if left else "", frozenset(left), taken, 100 * taken)

    def stop(self) -> None:
        pass


def restored(shelf: Shelf, session: Session, target: Target, *, unicast: bool = True, progress: Progress | None = None) -> Any:
    receiver = SessionReceiver(session, shelf if unicast else None, progress or Progress())  # type: ignore[arg-type]
    return StreamWriter(shelf, Progress(), session=receiver).write([target], together=True)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(4))
def test_given_any_order_and_duplicates_then_every_place_of_every_chunk_is_written(seed: int, tmp_path: Path) -> None:
    shelf, path = Shelf(), device(tmp_path, 9 * MIB)
    data = noise(MIB, 1) + noise(MIB, 2) * 3 + bytes(MIB) + noise(MIB, 3) + noise(MIB, 2) + noise(2 * MIB, 4)
    stream = shelf.stream("p1", data, ((0, 9 * MIB),))
    order = [*shelf.content] * 2
    random.Random(seed).shuffle(order)
    count = restored(shelf, Session(shelf, order), Target(stream, path, partition=True))
    assert path.read_bytes() == data and shelf.asked == []
    assert count.written == 9 and count.sources == {"multicast": 5} and count.bytes_fetched == 500


def test_given_a_disk_that_holds_most_then_only_the_rest_is_asked_of_the_session(tmp_path: Path) -> None:
    shelf, path, data = Shelf(), device(tmp_path, 6 * MIB), noise(6 * MIB)
    stream = shelf.stream("p1", data, ((0, 6 * MIB),))
    path.write_bytes(data[: 4 * MIB] + bytes(MIB) + data[5 * MIB :])
    session = Session(shelf, [*shelf.content])
    count = restored(shelf, session, Target(stream, path, partition=True))
    assert path.read_bytes() == data and len(session.wanted) == 1 and count.same == 5 and shelf.asked == []


def test_given_chunks_that_never_come_then_they_are_fetched_by_unicast(tmp_path: Path) -> None:
    shelf, path, data = Shelf(), device(tmp_path, 6 * MIB), noise(6 * MIB)
    stream = shelf.stream("p1", data, ((0, 6 * MIB),))
    names = [*shelf.content]
    restored(shelf, Session(shelf, names[3:]), Target(stream, path, partition=True))
    assert path.read_bytes() == data and shelf.asked == names[:3]


def test_given_chunks_that_never_come_and_no_unicast_then_it_fails_and_nothing_can_be_mounted(tmp_path: Path) -> None:
    shelf, path = Shelf(), device(tmp_path, 6 * MIB)
    stream = shelf.stream("p1", noise(6 * MIB), ((0, 6 * MIB),))
    with pytest.raises(SessionFailed, match="2 of the chunks did not come by multicast: deaf"):
        restored(shelf, Session(shelf, [*shelf.content][:4]), Target(stream, path, partition=True), unicast=False)
    assert not any(path.read_bytes()[: 128 << 10])


def test_until_the_session_begins_nothing_is_written(tmp_path: Path) -> None:
    shelf, path, seen = Shelf(), device(tmp_path, 4 * MIB), []
    stream = shelf.stream("p1", noise(4 * MIB), ((0, 4 * MIB),))
    before = path.read_bytes()
    session = Session(shelf, [*shelf.content], before=lambda: seen.append(path.read_bytes() == before))
    restored(shelf, session, Target(stream, path, partition=True))
    assert seen == [True] and path.read_bytes() == noise(4 * MIB)


def test_given_nobody_to_send_and_no_unicast_then_the_disk_is_as_before(tmp_path: Path) -> None:
    shelf, path = Shelf(), device(tmp_path, 4 * MIB)
    stream = shelf.stream("p1", noise(4 * MIB), ((0, 4 * MIB),))
    before = path.read_bytes()
    with pytest.raises(SessionFailed):
        restored(shelf, Session(shelf, []), Target(stream, path, partition=True), unicast=False)
    assert path.read_bytes() == before


class Empty(Shelf):
    """A content store that has not got the image yet."""

    def chunks(self, wanted: Any, consume: Any) -> Any:
        raise FetchError("chunks/… could not be fetched: it was answered 404")


def test_given_nobody_to_send_and_stores_without_the_image_then_the_disk_is_as_before_and_both_reasons_are_told(tmp_path: Path) -> None:
    shelf, path = Empty(), device(tmp_path, 4 * MIB)
    stream = shelf.stream("p1", noise(4 * MIB), ((0, 4 * MIB),))
    before = path.read_bytes()
    with pytest.raises(SessionFailed, match="The session left 4 chunks .deaf., and they cannot be fetched: .* answered 404"):
        restored(shelf, Session(shelf, []), Target(stream, path, partition=True))
    assert path.read_bytes() == before


def test_given_a_disk_that_cannot_be_marked_incomplete_then_nothing_is_written_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf, path = Shelf(), device(tmp_path, 4 * MIB)
    stream = shelf.stream("p1", noise(4 * MIB), ((0, 4 * MIB),))
    before, tried = path.read_bytes(), []

    def failing(self: BlockFile, offset: int, view: memoryview) -> None:
        tried.append(offset)
        raise DiskIOError("/dev/sdx cannot write at byte 0")

    monkeypatch.setattr(BlockFile, "write", failing)
    with pytest.raises(DiskIOError, match="cannot write at byte 0"):
        restored(shelf, Session(shelf, []), Target(stream, path, partition=True))
    assert path.read_bytes() == before and set(tried) == {0}


def test_given_a_station_that_lacks_nothing_then_it_is_there_all_the_same(tmp_path: Path) -> None:
    shelf, path, data = Shelf(), device(tmp_path, 4 * MIB), noise(4 * MIB)
    stream = shelf.stream("p1", data, ((0, 4 * MIB),))
    path.write_bytes(data)
    reports: list[Report] = []
    count = restored(shelf, Session(shelf, [*shelf.content]), Target(stream, path, partition=True), progress=Progress(reports.append))
    assert count.written == 0 and path.read_bytes() == data and reports[0]["operation"] == "wait for the session"


def test_given_a_disk_that_fails_then_its_own_words_are_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf, path = Shelf(), device(tmp_path, 4 * MIB)
    stream = shelf.stream("p1", noise(4 * MIB), ((0, 4 * MIB),))
    truly = BlockFile.write

    def failing(self: BlockFile, offset: int, view: memoryview) -> None:
        if offset == 2 * MIB:
            raise DiskIOError("/dev/sdx cannot write at byte 2097152")
        truly(self, offset, view)

    monkeypatch.setattr(BlockFile, "write", failing)
    with pytest.raises(DiskIOError, match="cannot write at byte 2097152"):
        restored(shelf, Session(shelf, [*shelf.content]), Target(stream, path, partition=True))


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 5), max_size=20))
def test_whatever_arrives_the_disk_ends_up_right(tmp_path: Path, arrivals: list[int]) -> None:
    shelf, path = Shelf(), device(tmp_path, 6 * 4096)
    stream = shelf.stream("p1", noise(6 * 4096), ((0, 6 * 4096),))
    names = [*shelf.content]
    restored(shelf, Session(shelf, [names[number % len(names)] for number in arrivals]), Target(stream, path, partition=True))
    assert path.read_bytes() == noise(6 * 4096)
