# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""zstd through the system's library: frames are ordinary ones, and what is damaged or too large is refused."""

from __future__ import annotations

import contextlib
import random
import shutil
import subprocess
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fleet.core.plugins.module_utils.zstd import CompressionError, Compressor, Decompressor

MIB = 1 << 20


@given(st.binary(max_size=10_000))
def test_what_is_compressed_is_what_comes_out(data: bytes) -> None:
    frame = bytes(Compressor().compress(data))
    assert Decompressor().decompress(frame, len(data)) == data
    target = bytearray(len(data) + 10)
    assert Decompressor().into(frame, target) == len(data) and target[: len(data)] == data


def test_any_buffer_is_taken() -> None:
    data = random.Random(1).randbytes(100_000)
    compressor, frames = Compressor(), []
    for buffer in (data, bytearray(data), memoryview(data), memoryview(bytearray(data)), memoryview(data)[:]):
        frames.append(bytes(compressor.compress(buffer)))
    assert len(set(frames)) == 1


def test_the_zstd_command_understands_it_and_the_other_way_round() -> None:
    if not shutil.which("zstd"):
        pytest.skip("zstd is not installed")
    data = b"some text, some text, some text" * 1000
    frame = bytes(Compressor().compress(data))
    assert subprocess.run(["zstd", "-dc"], input=frame, capture_output=True, check=True).stdout == data
    theirs = subprocess.run(["zstd", "-19", "--stream-size", str(len(data))], input=data, capture_output=True, check=True).stdout
    assert Decompressor().decompress(theirs, len(data)) == data


def test_a_frame_that_holds_more_than_allowed_is_refused_before_memory_is_taken() -> None:
    bomb = bytes(Compressor().compress(bytes(64 * MIB)))
    assert len(bomb) < 10_000
    with pytest.raises(CompressionError, match="more than 1048576 bytes"):
        Decompressor().decompress(bomb, MIB)
    with pytest.raises(CompressionError, match="too small"):
        Decompressor().into(bomb, bytearray(MIB))


@pytest.mark.parametrize("data", [b"", b"not zstd at all", b"\x28\xb5\x2f\xfd", b"\x28\xb5\x2f\xfd" + bytes(20)])
def test_what_is_no_frame_is_refused(data: bytes) -> None:
    with pytest.raises(CompressionError):
        Decompressor().decompress(data, MIB)


@given(st.integers(0, 400), st.integers(1, 255))
def test_a_damaged_frame_is_refused_or_gives_other_bytes_and_never_more(position: int, change: int) -> None:
    data = random.Random(2).randbytes(300) + bytes(300)
    frame = bytearray(Compressor().compress(data))
    frame[position % len(frame)] ^= change
    with contextlib.suppress(CompressionError):
        assert len(Decompressor().decompress(bytes(frame), 1000)) <= 1000


def test_a_frame_is_valid_until_the_next_call_and_each_thread_has_its_own_compressor() -> None:
    wrong = []

    def work(seed: int) -> None:
        compressor, decompressor = Compressor(), Decompressor()
        for number in range(20):
            data = random.Random(seed * 100 + number).randbytes(50_000)
            if decompressor.decompress(compressor.compress(data), len(data)) != data:
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
