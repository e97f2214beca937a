# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a sender has its chunks from: a disk that is still what the image says, and one that is not."""

from __future__ import annotations

import contextlib
import random
import threading
from typing import Any

import pytest

from ansible_collections.fleet.core.plugins.module_utils.content.store import ChunkDamaged
from ansible_collections.fleet.core.plugins.module_utils.zstd import Decompressor
from ansible_collections.fleet.imaging.plugins.module_utils.clone.ahead import AHEAD, ReadAhead
from ansible_collections.fleet.imaging.plugins.module_utils.clone.source import DiskSource
from ansible_collections.fleet.imaging.tests.unit.bench import LINUX, Bench, write
from ansible_collections.fleet.imaging.tests.unit.filesystems import MIB

NAMES = [bytes([number]) * 32 for number in range(60)]
PATIENCE = 60.0


def test_a_disk_gives_every_chunk_of_its_image_in_any_order_and_none_that_was_changed(loop_disk: Any, bench: Bench) -> None:
    model = loop_disk(48 * MIB, f"label: gpt\nsize=40MiB, type={LINUX}\n")
    write(model.partition(1).path, 0, random.Random(1).randbytes(40 * MIB))  # no filesystem: all of it is in use
    bench.capture(model)
    manifest = bench.manifest()
    with contextlib.ExitStack() as stack:
        source = DiskSource(model, manifest, stack)
        assert set(source.digests) == manifest.digests() and len(source.digests) > 3 * AHEAD
        shuffled = random.Random(2).sample(list(source.digests), len(source.digests))
        for digest in [*source.digests, *shuffled]:
            assert Decompressor().decompress(source.frame(digest), MIB) == bench.store.read(digest)
        write(model.partition(1).path, 25 * MIB, b"changed")
        changed = [digest for digest in source.digests if _refused(source, digest)]
    (chunk,) = [chunk for stream in manifest.streams for chunk in stream.chunks() if stream.name == "p1" and chunk.offset == 25 * MIB]
    assert changed == [chunk.digest]


def _refused(source: DiskSource, digest: bytes) -> bool:
    try:
        source.frame(digest)
    except ChunkDamaged as error:
        assert "holds something else" in str(error)
        return True
    return False


def test_while_it_goes_in_order_the_next_frames_are_made_by_others_at_the_same_time() -> None:
    here, elsewhere = threading.get_ident(), []
    two = threading.Barrier(2)  # which only opens when two make frames at once

    def make(name: bytes) -> bytes:
        if threading.get_ident() != here:
            two.wait(PATIENCE)
            elsewhere.append(name)
        return name

    with contextlib.ExitStack() as stack:
        ahead = ReadAhead(NAMES, make, stack)
        assert [ahead.frame(name) for name in NAMES] == NAMES
    assert sorted(elsewhere) == NAMES[2:], "all but the two that show the order"


def test_of_chunks_here_and_there_nothing_else_is_made() -> None:
    made: list[bytes] = []
    with contextlib.ExitStack() as stack:
        ahead = ReadAhead(NAMES, lambda name: made.append(name) or name, stack)
        wanted = NAMES[::7]
        assert [ahead.frame(name) for name in wanted] == wanted
    assert made == wanted


def test_what_cannot_be_made_is_said_for_that_frame_alone() -> None:
    def make(name: bytes) -> bytes:
        if name == NAMES[20]:
            raise ChunkDamaged("holds something else")
        return name

    with contextlib.ExitStack() as stack:
        ahead = ReadAhead(NAMES, make, stack)
        for name in NAMES:
            with pytest.raises(ChunkDamaged) if name == NAMES[20] else contextlib.nullcontext():
                assert ahead.frame(name) == name


def test_after_a_jump_what_was_made_ahead_is_forgotten() -> None:
    with contextlib.ExitStack() as stack:
        ahead = ReadAhead(NAMES, lambda name: name, stack)
        for name in [*NAMES[:5], *NAMES[40:45], *NAMES[5:12]]:
            assert ahead.frame(name) == name
            assert len(ahead._going) <= AHEAD
