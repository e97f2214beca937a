# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inner loop of restore on plain files: what is written, what is left alone, and in which order."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fleet.core.plugins.module_utils.content.chunk import CHUNK_SIZE, digest
from ansible_collections.fleet.core.plugins.module_utils.content.fetch import FetchReport
from ansible_collections.fleet.core.plugins.module_utils.content.manifest import Stream, chunk_slices
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress
from ansible_collections.fleet.imaging.plugins.module_utils.engine.blockio import BlockFile, DiskIOError, runs
from ansible_collections.fleet.imaging.plugins.module_utils.engine.stream_writer import StreamWriter, Target, unused

KIB, MIB = 1 << 10, 1 << 20


class Shelf:
    """Stands for the Fetcher: chunks from memory. What a network does to a restore is tested with a real nginx in image/."""

    def __init__(self) -> None:
        self.content: dict[bytes, bytes] = {}
        self.asked: list[bytes] = []

    def stream(self, name: str, data: bytes, extents: tuple[tuple[int, int], ...]) -> Stream:
        """A stream of data, of which extents are in use."""
        names = b""
        for index, slices in chunk_slices(extents):
            chunk = bytearray(min(CHUNK_SIZE, len(data) - index * CHUNK_SIZE))
            for start, length in slices:
                chunk[start : start + length] = data[index * CHUNK_SIZE + start : index * CHUNK_SIZE + start + length]
            self.content[digest(chunk)] = bytes(chunk)
            names += digest(chunk)
        return Stream(name, len(data), extents, names)

    def chunks(self, wanted: Iterable[Any], consume: Callable[[Any, memoryview], None]) -> FetchReport:
        for item in wanted:
            self.asked.append(item.digest)
            consume(item, memoryview(self.content[item.digest]))
        return FetchReport(len(self.asked), 0, {})


def writer(shelf: Shelf, **options: Any) -> StreamWriter:
    return StreamWriter(shelf, Progress(), **options)  # type: ignore[arg-type]


def noise(size: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size)


def device(tmp_path: Path, size: int, fill: int = 0xFF) -> Path:
    path = tmp_path / "device"
    path.write_bytes(bytes([fill]) * size)
    return path


def test_chunks_of_zeros_are_written_but_not_fetched(tmp_path: Path) -> None:
    shelf, path = Shelf(), device(tmp_path, 4 * MIB)
    stream = shelf.stream("p1", bytes(4 * MIB), ((0, 4 * MIB),))
    count = writer(shelf).write([Target(stream, path, partition=True)])
    assert path.read_bytes() == bytes(4 * MIB) and shelf.asked == [] and count.written == 4 and count.bytes_verified == 4 * MIB


def test_a_chunk_that_is_in_several_places_is_fetched_once(tmp_path: Path) -> None:
    shelf, path = Shelf(), device(tmp_path, 6 * MIB)
    stream = shelf.stream("p1", noise(MIB) * 6, ((0, 6 * MIB),))
    count = writer(shelf).write([Target(stream, path, partition=True)])
    assert path.read_bytes() == noise(MIB) * 6 and len(shelf.asked) == 1 and count.written == 6


@pytest.mark.parametrize("size", [512, 4 * KIB, 100 * KIB, 128 * KIB, MIB - 512, MIB, MIB + 512, 2 * MIB + 1536])
def test_partitions_of_any_number_of_sectors_are_written_to_the_last_byte(size: int, tmp_path: Path) -> None:
    shelf, path = Shelf(), device(tmp_path, size)
    stream = shelf.stream("p1", noise(size), ((0, size),))
    writer(shelf).write([Target(stream, path, partition=True)])
    assert path.read_bytes() == noise(size)
    again = writer(shelf).write([Target(stream, path, partition=True)])
    assert again.written == 0 and again.same == again.chunks


def test_a_stream_whose_blocks_in_use_end_where_a_shorter_device_ends_is_written(tmp_path: Path) -> None:
    size = MIB + 4099 * 512
    shelf, path = Shelf(), device(tmp_path, size)
    stream = shelf.stream("p1", noise(8 * MIB), ((0, 1000), (size - 1024, 1024)))
    writer(shelf).write([Target(stream, path, partition=True)])
    assert path.read_bytes()[-1024:] == noise(8 * MIB)[size - 1024 : size]
    assert writer(shelf).write([Target(stream, path, partition=True)]).written == 0


def test_a_stream_that_does_not_use_the_first_chunk_leaves_no_older_superblock(tmp_path: Path) -> None:
    shelf, path = Shelf(), device(tmp_path, 4 * MIB)
    stream = shelf.stream("p1", noise(4 * MIB), ((2 * MIB, MIB),))
    writer(shelf).write([Target(stream, path, partition=True)])
    assert path.read_bytes()[: 128 * KIB] == bytes(128 * KIB)
    assert path.read_bytes()[2 * MIB : 3 * MIB] == noise(4 * MIB)[2 * MIB : 3 * MIB]
    assert writer(shelf).write([Target(stream, path, partition=True)]).written == 0


def test_a_first_chunk_that_was_right_already_is_right_afterwards(tmp_path: Path) -> None:
    shelf, data = Shelf(), noise(3 * MIB)
    path = tmp_path / "device"
    path.write_bytes(data[: 2 * MIB] + bytes(MIB))
    stream = shelf.stream("p1", data, ((1024, 3 * MIB - 1024),))
    count = writer(shelf).write([Target(stream, path, partition=True)])
    assert path.read_bytes()[1024:] == data[1024:] and count.same == 2 and len(shelf.asked) == 1


def test_while_it_is_written_the_head_is_wiped_and_the_head_comes_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf, path, order = Shelf(), device(tmp_path, 4 * MIB), []
    stream = shelf.stream("p1", noise(4 * MIB), ((0, 4 * MIB),))
    truly = BlockFile.write

    def watched(self: BlockFile, offset: int, view: memoryview) -> None:
        order.append((offset, any(view)))
        truly(self, offset, view)

    monkeypatch.setattr(BlockFile, "write", watched)
    writer(shelf).write([Target(stream, path, partition=True)])
    assert order[0] == (0, False) and order[-1] == (0, True)
    assert [offset for offset, _length in order[1:-1]] == [MIB, 2 * MIB, 3 * MIB]


def test_nothing_is_wiped_when_nothing_differs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf, path = Shelf(), device(tmp_path, 4 * MIB)
    stream = shelf.stream("p1", noise(4 * MIB), ((0, 4 * MIB),))
    writer(shelf).write([Target(stream, path, partition=True)])
    monkeypatch.setattr(BlockFile, "write", lambda *arguments: pytest.fail("written"))
    assert writer(shelf).write([Target(stream, path, partition=True)]).same == 4


def test_boot_code_is_written_around_the_partition_table_and_the_rest_of_the_disk(tmp_path: Path) -> None:
    shelf, path = Shelf(), device(tmp_path, 4 * MIB)
    stream = shelf.stream("bootcode", noise(MIB), ((0, 440), (512, MIB - 512)))
    writer(shelf).write([Target(stream, path, partition=False)])
    found = path.read_bytes()
    assert found[:440] == noise(MIB)[:440] and found[512:MIB] == noise(MIB)[512:]
    assert found[440:512] == b"\xff" * 72 and found[MIB:] == b"\xff" * 3 * MIB


def test_with_a_full_restore_everything_is_written_again(tmp_path: Path) -> None:
    shelf, path = Shelf(), device(tmp_path, 4 * MIB)
    stream = shelf.stream("p1", noise(4 * MIB), ((0, 4 * MIB),))
    writer(shelf).write([Target(stream, path, partition=True)])
    assert writer(shelf, delta=False).write([Target(stream, path, partition=True)]).written == 4


def test_a_preview_counts_what_differs_and_writes_nothing(tmp_path: Path) -> None:
    shelf, path = Shelf(), device(tmp_path, 4 * MIB)
    data = noise(4 * MIB)
    stream = shelf.stream("p1", data, ((0, 4 * MIB),))
    path.write_bytes(data[: 3 * MIB] + bytes(MIB))
    before = path.stat().st_mtime_ns
    assert writer(shelf).differing([Target(stream, path, partition=True)]) == MIB
    assert path.stat().st_mtime_ns == before and shelf.asked == []


def test_a_device_that_is_too_short_is_an_error_and_not_done(tmp_path: Path, loop_device: Any) -> None:
    shelf, path = Shelf(), loop_device(3 * MIB)
    stream = shelf.stream("p1", noise(4 * MIB), ((0, 4 * MIB),))
    with pytest.raises(DiskIOError, match=str(path)):
        writer(shelf).write([Target(stream, path, partition=True)])


EXTENTS = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), max_size=8).map(
    lambda pairs: tuple((sum(gap + length for gap, length in pairs[:n]) + pairs[n][0], pairs[n][1]) for n in range(len(pairs)))
)


@given(EXTENTS, st.integers(0, 300), st.integers(0, 300))
def test_unused_is_the_complement_of_the_extents(extents: tuple[tuple[int, int], ...], start: int, end: int) -> None:
    covered = {byte for offset, length in extents for byte in range(offset, offset + length)}
    found = [byte for offset, length in unused(extents, start, end) for byte in range(offset, offset + length)]
    assert found == [byte for byte in range(start, end) if byte not in covered]


@given(EXTENTS, st.integers(0, 30))
def test_runs_cover_the_slices_and_bridge_only_small_gaps(extents: tuple[tuple[int, int], ...], bridge: int) -> None:
    found = list(runs(extents, bridge))
    covered = {byte for offset, length in found for byte in range(offset, offset + length)}
    assert covered >= {byte for offset, length in extents for byte in range(offset, offset + length)}
    assert all(after[0] - sum(before) > bridge for before, after in zip(found, found[1:]))


@pytest.mark.parametrize("changed", [range(4), [0], [2]])
def test_what_is_reported_as_done_is_all_of_it_and_never_more(changed: Iterable[int], tmp_path: Path) -> None:
    shelf, path, data = Shelf(), device(tmp_path, 4 * CHUNK_SIZE), noise(4 * CHUNK_SIZE)
    path.write_bytes(b"".join(bytes(CHUNK_SIZE) if each in changed else data[each * CHUNK_SIZE :][:CHUNK_SIZE] for each in range(4)))
    target = Target(shelf.stream("p1", data, ((0, len(data)),)), path, partition=True)
    reports: list[Any] = []
    StreamWriter(shelf, Progress(lambda report: reports.append(dict(report)))).write([target])  # type: ignore[arg-type]
    assert path.read_bytes() == data
    assert all(each["done"] <= each["total"] for each in reports)
    assert {each["operation"] for each in reports if each["done"] == each["total"] > 0} >= {"compare", "restore"}
