# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filesystems grow to a larger device, shrink to a smaller one, and keep every file."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.imaging.plugins.module_utils.filesystem import FilesystemError, GrowUnsupported, ShrinkUnsupported, probe
from ansible_collections.fleet.imaging.plugins.module_utils.filesystem.span import span
from ansible_collections.fleet.imaging.tests.unit.conftest import command
from ansible_collections.fleet.imaging.tests.unit.filesystems import KINDS, MIB, contents, fill, make, tree


def model(name: str, loop_device: Any, mounted: Any) -> tuple[Path, dict[str, tuple[object, ...]]]:
    """A filled filesystem and what is in it."""
    kind = KINDS[name]
    device = loop_device(kind.size)
    make(kind, device)
    with contents(kind, device, mounted) as folder:
        fill(folder, kind)
        files = tree(folder, kind.type != "ntfs")
    return device, files


def without_times_of_folders(files: dict[str, tuple[object, ...]]) -> dict[str, tuple[object, ...]]:
    """resize2fs gives folders a new time when it moves the inodes of what is in them."""
    return {path: about[:5] + about[6:] if about[0] == stat.S_IFDIR else about for path, about in files.items()}


def copied(source: Path, target: Path) -> Path:
    with source.open("rb") as reader, target.open("r+b") as writer:
        shutil.copyfileobj(reader, writer, MIB)
        writer.flush()
        os.fsync(writer.fileno())
    return target


@pytest.mark.parametrize("name", ["ext2", "ext3", "ext4-1k", "ext4-features", "xfs", "btrfs", "ntfs"])
def test_given_a_larger_device_when_grown_then_it_fills_the_device_and_holds_the_same(name: str, loop_device: Any, mounted: Any) -> None:
    device, files = model(name, loop_device, mounted)
    size = KINDS[name].size + 150 * MIB + 512
    filesystem = probe(copied(device, loop_device(size)))

    filesystem.grow()

    assert size - 2 * MIB < filesystem.size <= size
    filesystem.check()
    assert filesystem.state().clean
    with contents(KINDS[name], filesystem.device, mounted) as folder:
        assert tree(folder, name != "ntfs") == files
        (folder / "new").write_bytes(b"x" * MIB)
    grown = filesystem.size
    filesystem.grow()  # a second time nothing happens
    assert filesystem.size == grown


@pytest.mark.parametrize("name", ["fat16", "fat32", "exfat", "btrfs"])  # Linux grows no btrfs to less than 256 MiB
def test_given_a_type_that_cannot_grow_then_it_says_so_and_is_unchanged(name: str, loop_device: Any) -> None:
    small = loop_device(KINDS[name].size)
    make(KINDS[name], small)
    device = copied(small, loop_device(KINDS[name].size + 10 * MIB))
    before = device.read_bytes()
    with pytest.raises(GrowUnsupported, match="keeps its size"):
        probe(device).grow()
    assert device.read_bytes() == before


@pytest.mark.parametrize("name", ["ext2", "ext3", "ext4-1k", "ext4-features", "ntfs"])
def test_given_a_smaller_device_when_restored_through_a_span_and_shrunk_then_it_fits_and_holds_the_same(
    name: str, loop_device: Any, mounted: Any, tmp_path: Path
) -> None:
    device, files = model(name, loop_device, mounted)
    source = probe(device)
    size = max(source.minimum_size() + MIB, 24 * MIB)
    assert size < source.size
    target = loop_device(size, fill=0xFF)

    with span(target, source.size, tmp_path) as whole:
        probe(copied(device, whole)).shrink(size)

    restored = probe(target)
    assert restored.size <= size and restored.uuid == source.uuid
    restored.check()
    with contents(KINDS[name], target, mounted) as folder:
        assert without_times_of_folders(tree(folder, name != "ntfs")) == without_times_of_folders(files)


@pytest.mark.parametrize("name", ["ext4-1k", "ntfs"])
def test_the_minimum_size_is_one_it_can_be_shrunk_to(name: str, loop_device: Any, mounted: Any) -> None:
    device, files = model(name, loop_device, mounted)
    filesystem = probe(device)
    smallest = filesystem.minimum_size()
    assert 4 * MIB < smallest < 50 * MIB
    filesystem.shrink(smallest)
    assert filesystem.size <= smallest
    with contents(KINDS[name], device, mounted) as folder:
        assert without_times_of_folders(tree(folder, name != "ntfs")) == without_times_of_folders(files)


def test_given_too_small_a_size_when_shrunk_then_it_is_refused_and_unchanged(loop_device: Any, mounted: Any) -> None:
    device, files = model("ext4-1k", loop_device, mounted)
    with pytest.raises(FilesystemError, match="cannot be shrunk to"):
        probe(device).shrink(6 * MIB)
    with contents(KINDS["ext4-1k"], device, mounted) as folder:
        assert tree(folder) == files


@pytest.mark.parametrize("name", ["xfs", "btrfs", "fat32", "exfat"])
def test_given_a_type_that_cannot_shrink_then_its_minimum_is_its_size_and_it_says_so(name: str, loop_device: Any) -> None:
    device = loop_device(KINDS[name].size)
    make(KINDS[name], device)
    filesystem = probe(device)
    assert filesystem.minimum_size() == filesystem.size
    with pytest.raises(ShrinkUnsupported, match="larger disk"):
        filesystem.shrink(filesystem.size // 2)


def test_after_ntfs_is_resized_the_backup_boot_sector_is_at_its_end_and_the_dirty_mark_is_gone(loop_device: Any, mounted: Any) -> None:
    device, _tree = model("ntfs", loop_device, mounted)
    before = device.read_bytes()[:512]
    filesystem = probe(device)
    filesystem.shrink(40 * MIB)
    with device.open("rb") as file:
        first = file.read(512)
        file.seek(filesystem.size - 512)
        assert file.read(512) == first
    assert first[0x1C:0x20] == before[0x1C:0x20] and first[0x48:0x50] == before[0x48:0x50]  # hidden sectors and serial are kept
    command("ntfsresize", "--info", "--no-progress-bar", device)  # fails when the dirty mark is set
    assert filesystem.state().clean
