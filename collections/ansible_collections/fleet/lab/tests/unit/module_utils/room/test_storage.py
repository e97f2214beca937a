# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks are sparse files behind loop devices, found again by their path."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.fleet.lab.plugins.module_utils.room import storage

SIZE = 16 << 20


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    storage.detach(tmp_path)


def test_a_disk_is_sparse_and_keeps_its_device(folder: Path) -> None:
    loop = storage.create(folder / "disk.img", SIZE)
    assert os.stat(folder / "disk.img").st_blocks == 0
    with open(loop, "rb") as device:
        assert device.seek(0, os.SEEK_END) == SIZE
    assert storage.attach(folder / "disk.img") == loop
    assert storage.attached(folder) == {str(folder / "disk.img"): loop}


def test_partitions_have_nodes_when_the_disk_comes_back(folder: Path) -> None:
    loop = storage.create(folder / "disk.img", SIZE)
    subprocess.run(["sfdisk", "--quiet", loop], input=b"label: gpt\nsize=4MiB\nsize=4MiB\n", check=False)
    storage.detach(folder)
    assert storage.attached(folder) == {}
    loop = storage.attach(folder / "disk.img")
    assert Path(f"{loop}p1").is_block_device() and Path(f"{loop}p2").is_block_device()


def test_a_disk_is_given_up_even_when_its_image_is_gone_or_renamed(folder: Path) -> None:
    storage.create(folder / "gone.img", SIZE)
    storage.create(folder / "old.img", SIZE)
    (folder / "gone.img").unlink()
    (folder / "old.img").rename(folder / "new.img")
    assert set(storage.attached(folder)) == {str(folder / "gone.img"), str(folder / "new.img")}
    storage.detach(folder)
    assert storage.attached(folder) == {}


def test_neighbours_are_left_alone(folder: Path) -> None:
    (folder / "a").mkdir()
    (folder / "ab").mkdir()
    storage.create(folder / "a" / "disk.img", SIZE)
    neighbour = storage.create(folder / "ab" / "disk.img", SIZE)
    storage.detach(folder / "a")
    assert list(storage.attached(folder).values()) == [neighbour]


def test_a_disk_in_use_is_named_and_kept(folder: Path) -> None:
    loop = storage.create(folder / "disk.img", SIZE)
    with open(loop, "rb"), pytest.raises(storage.StorageError, match=f"{loop} stay in use"):
        storage.detach(folder, timeout=0.2)
