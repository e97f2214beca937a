# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Block devices are read and written past the page cache, and say where they fail."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.imaging.plugins.module_utils.engine.blockio import BlockFile, DiskIOError, aligned_buffer, read_used

MIB = 1 << 20


@pytest.mark.parametrize("sector_size", [512, 4096])
def test_what_is_written_directly_is_read_back_whatever_the_sectors(sector_size: int, loop_device: Any) -> None:
    path = loop_device(4 * MIB, sector_size=sector_size)
    data = random.Random(1).randbytes(MIB)
    with BlockFile(path, write=True, exclusive=True) as file:
        view = memoryview(aligned_buffer(MIB))
        view[:] = data
        file.write(MIB, view)
        file.write(3 * MIB, view[:512])  # not a whole sector of 4096: through the cache
        file.sync()
        view[:] = bytes(MIB)
        file.read(MIB, view)
        assert bytes(view) == data
        file.read(3 * MIB, view[:512])
        assert bytes(view[:512]) == data[:512]


def test_unaligned_bytes_are_read_and_written_as_well(loop_device: Any) -> None:
    with BlockFile(loop_device(4 * MIB), write=True) as file:
        file.write(7, memoryview(b"seven"))
        view = memoryview(bytearray(5))
        file.read(7, view)
        assert bytes(view) == b"seven"


def test_only_one_may_hold_a_device_exclusively(loop_device: Any) -> None:
    path = loop_device(MIB)
    with BlockFile(path, exclusive=True), pytest.raises(DiskIOError, match=f"{path} is in use.*imaging environment"):
        BlockFile(path, exclusive=True)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DiskIOError, match="cannot be opened: No such file"):
        BlockFile(tmp_path / "nothing")


def test_the_end_of_a_file_is_an_error_with_its_offset(tmp_path: Path) -> None:
    (tmp_path / "short").write_bytes(b"x" * 1000)
    with BlockFile(tmp_path / "short") as file, pytest.raises(DiskIOError, match="ends at byte 1000, 24 bytes short"):
        file.read(0, memoryview(bytearray(1024)))


def test_a_read_error_names_device_and_offset(loop_device: Any, tmp_path: Path) -> None:
    """The file behind the loop device is truncated: what lies behind its end is an I/O error."""
    path = loop_device(4 * MIB)
    os.truncate(tmp_path / "disk1.img", MIB)
    with (
        BlockFile(path) as file,
        pytest.raises(DiskIOError, match=f"{path} cannot read at byte 2097152: Input/output error.*SMART") as caught,
    ):
        file.read(2 * MIB, memoryview(aligned_buffer(MIB)))
    assert caught.value.details == {"device": str(path), "offset": 2 * MIB}


def test_unused_bytes_of_a_chunk_are_zero_whatever_the_disk_holds(loop_device: Any) -> None:
    path = loop_device(4 * MIB, fill=0xEE)
    slices = ((512, 512), (4096, 8192), (500_000, 100), (MIB - 512, 512))
    view = memoryview(aligned_buffer(MIB))
    with BlockFile(path) as file:
        read_used(file, MIB, slices, view)
    used = {byte for offset, length in slices for byte in range(offset, offset + length)}
    assert all((byte == 0xEE) == (position in used) for position, byte in enumerate(view))
