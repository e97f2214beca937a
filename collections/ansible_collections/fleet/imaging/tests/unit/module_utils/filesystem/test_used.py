# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The used map of every filesystem: what it lists is all that a restore needs, and the free space is not in it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.imaging.plugins.module_utils.filesystem import probe
from ansible_collections.fleet.imaging.tests.unit.filesystems import KINDS, MIB, Kind, contents, fill, make, tree


def copy_extents(source: Path, target: Path, extents: list[tuple[int, int]]) -> None:
    with source.open("rb") as reader, target.open("r+b") as writer:
        for offset, length in extents:
            reader.seek(offset)
            writer.seek(offset)
            while length:
                piece = reader.read(min(length, MIB))
                writer.write(piece)
                length -= len(piece)
        writer.flush()
        os.fsync(writer.fileno())


CASES = [
    *(pytest.param(kind, 12 * MIB, id=name) for name, kind in KINDS.items()),
    *(pytest.param(KINDS[name], 56 * MIB, id=f"{name}-nearly-full") for name in ("ext4-1k", "fat32", "exfat", "ntfs")),
    *(pytest.param(KINDS[name], amount * MIB, id=f"{name}-nearly-full") for name, amount in (("xfs", 215), ("btrfs", 80))),
]


@pytest.mark.parametrize(("kind", "amount"), CASES)
def test_given_a_device_full_of_garbage_when_exactly_the_used_extents_are_restored_then_everything_is_there(
    kind: Kind, amount: int, loop_device: Any, mounted: Any
) -> None:
    source = loop_device(kind.size)
    make(kind, source)
    with contents(kind, source, mounted) as folder:
        fill(folder, kind, amount)
    with contents(kind, source, mounted) as folder:
        expected = tree(folder)
    extents = probe(source).used()
    target = loop_device(kind.size, fill=0xFF)

    copy_extents(source, target, extents)

    restored = probe(target)
    restored.check()
    assert (restored.type, restored.uuid, restored.size) == (kind.type, probe(source).uuid, probe(source).size)
    with contents(kind, target, mounted) as folder:
        assert tree(folder) == expected
    assert amount > 12 * MIB or sum(length for _offset, length in extents) < kind.size * 0.6
