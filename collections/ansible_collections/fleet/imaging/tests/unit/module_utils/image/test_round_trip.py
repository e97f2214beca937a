# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A model's disk, captured and restored elsewhere over HTTP, is the same in everything that matters, and in nothing that does not."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.imaging.plugins.module_utils.disk.table import PartitionTable
from ansible_collections.fleet.imaging.plugins.module_utils.filesystem import probe
from ansible_collections.fleet.imaging.tests.unit.bench import SWAP_UUID, Bench, backing_file, make_model, read, write
from ansible_collections.fleet.imaging.tests.unit.conftest import command
from ansible_collections.fleet.imaging.tests.unit.filesystems import KINDS, MIB, contents, fill, make, tree

SECRET = b"the password of the principal: swordfish. "


@pytest.mark.parametrize("name", KINDS)
def test_given_a_disk_full_of_garbage_when_restored_then_it_is_the_model_and_a_second_restore_writes_nothing(
    name: str, bench: Bench, loop_disk: Any, mounted: Any
) -> None:
    kind = KINDS[name]
    model = make_model(kind, loop_disk, mounted, secret=SECRET)
    captured = bench.capture(model.disk)
    target = loop_disk(model.disk.size, fill=0xFF)

    restored = bench.restore(target)

    assert restored.verified and restored.as_dict()["changed"] and restored.table_changed
    assert restored.count.chunks == captured.counts["chunks"] == restored.count.written + restored.count.same
    assert restored.count.same <= 2  # a chunk in use may consist of the very garbage
    assert restored.count.bytes_verified == captured.counts["bytes_used"]
    assert PartitionTable.from_disk(target).as_text() == PartitionTable.from_disk(model.disk).as_text()
    assert read(target.path, 0, 440) == random.Random("boot code").randbytes(440)
    for stream in captured.manifest.streams[1:3]:
        ours, theirs = (disk.partition(stream.meta["number"]).path for disk in (target, model.disk))
        assert all(read(ours, *extent) == read(theirs, *extent) for extent in stream.extents)
    filesystem, swap = (probe(target.partition(number).path) for number in (2, 3))
    filesystem.check()
    assert filesystem.state().clean
    assert (filesystem.type, filesystem.uuid, filesystem.label) == (kind.type, probe(model.device).uuid, probe(model.device).label)
    assert (swap.uuid, swap.label, swap.size) == (SWAP_UUID, "swap", 8 * MIB)

    again = bench.restore(target)

    assert not again.as_dict()["changed"] and again.verified
    assert (again.count.written, again.count.bytes_fetched, again.count.same) == (0, 0, again.count.chunks)

    with contents(kind, filesystem.device, mounted) as folder:
        assert tree(folder) == model.files
    assert not any(SECRET in chunk for chunk in bench.chunks())  # the file was deleted: it must not leave the station


@pytest.mark.parametrize("name", ["ext2", "ext4-1k", "xfs", "btrfs", "fat32", "exfat", "ntfs"])
def test_given_an_older_version_on_the_disk_when_restored_then_only_what_changed_is_fetched(
    name: str, bench: Bench, loop_disk: Any, mounted: Any
) -> None:
    kind = KINDS[name]
    model = make_model(kind, loop_disk, mounted, amount=20 * MIB)
    bench.capture(model.disk)
    target = loop_disk(model.disk.size)
    first = bench.restore(target)
    with contents(kind, model.device, mounted) as folder:
        (folder / "new.bin").write_bytes(random.Random(1).randbytes(300_000))
    with contents(kind, model.device, mounted) as folder:
        expected = tree(folder)

    second = bench.capture(model.disk, "2", parent="1")
    assert second.manifest.parent == "1" and 0 < second.counts["chunks_sent"] <= second.counts["chunks"] // 2
    delta = bench.restore(target, "2")

    assert not delta.table_changed and delta.verified
    assert 0 < delta.count.bytes_fetched < first.count.bytes_fetched / 3
    assert delta.count.same >= delta.count.chunks // 2
    probe(target.partition(2).path).check()
    with contents(kind, target.partition(2).path, mounted) as folder:
        assert tree(folder) == expected


@pytest.mark.parametrize(("name", "amount"), [("ext4-1k", 56), ("xfs", 215), ("btrfs", 80), ("fat16", 56), ("ntfs", 56)])
def test_given_a_nearly_full_filesystem_when_restored_then_it_is_the_same(
    name: str, amount: int, bench: Bench, loop_disk: Any, mounted: Any
) -> None:
    kind = KINDS[name]
    model = make_model(kind, loop_disk, mounted, amount * MIB)
    bench.capture(model.disk)
    target = loop_disk(model.disk.size, fill=0xFF)
    assert bench.restore(target).verified
    probe(target.partition(2).path).check()
    with contents(kind, target.partition(2).path, mounted) as folder:
        assert tree(folder) == model.files


@pytest.mark.parametrize("name", ["ext4-1k", "ntfs"])
def test_what_partclone_restores_is_what_we_restore(
    name: str, bench: Bench, loop_disk: Any, loop_device: Any, mounted: Any, tmp_path: Path
) -> None:
    kind = KINDS[name]
    model = make_model(kind, loop_disk, mounted)
    captured = bench.capture(model.disk)
    ours, theirs = loop_disk(model.disk.size, fill=0xFF), loop_device(kind.size, fill=0xFF)
    bench.restore(ours)
    command(f"partclone.{kind.type}", "-c", "-s", model.device, "-o", tmp_path / "image", "-L", tmp_path / "log")
    command("partclone.restore", "-s", tmp_path / "image", "-o", theirs, "-L", tmp_path / "log")

    extents = captured.manifest.streams[2].extents
    last = extents[-1] if name == "ntfs" else (0, 0)  # partclone leaves the backup boot sector out, which is not right of it
    for extent in extents:
        if extent != last:
            assert read(ours.partition(2).path, *extent) == read(theirs, *extent)
    with contents(kind, theirs, mounted) as folder:
        assert tree(folder) == model.files


def test_given_an_mbr_with_a_loader_in_the_gap_and_a_logical_partition_then_all_of_it_is_restored(
    bench: Bench, loop_disk: Any, mounted: Any
) -> None:
    kind = KINDS["ext2"]
    script = "label: dos\nlabel-id: 0x1badcafe\nsize=8MiB, type=c, bootable\nsize=80MiB, type=5\nstart=22528, size=64MiB, type=83\n"
    disk = loop_disk(120 * MIB, script)
    code, core = random.Random(1).randbytes(440), random.Random(2).randbytes(MIB - 512)
    write(disk.path, 0, code)
    write(disk.path, 512, core)
    command("mkfs.vfat", disk.partition(1).path)
    make(kind, disk.partition(5).path)
    with contents(kind, disk.partition(5).path, mounted) as folder:
        fill(folder, kind)
        files = tree(folder)
    captured = bench.capture(disk)
    assert [stream.name for stream in captured.manifest.streams] == ["bootcode", "p1", "p5"]
    target = loop_disk(disk.size, fill=0xFF)

    assert bench.restore(target).verified

    assert PartitionTable.from_disk(target).as_text() == PartitionTable.from_disk(disk).as_text()
    assert read(target.path, 0, MIB) == read(disk.path, 0, MIB)
    assert read(target.path, 0, 440) == code and read(target.path, 512, MIB - 512) == core
    for number in (1, 5):
        probe(target.partition(number).path).check()
    assert bench.restore(target).count.written == 0
    with contents(kind, target.partition(5).path, mounted) as folder:
        assert tree(folder) == files


@pytest.mark.parametrize("name", ["ext4", "xfs", "ntfs"])
def test_given_disks_with_sectors_of_4096_bytes_then_it_works_as_well(name: str, bench: Bench, loop_disk: Any, mounted: Any) -> None:
    kind = KINDS[name]
    model = make_model(kind, loop_disk, mounted, sector_size=4096)
    bench.capture(model.disk)
    target = loop_disk(model.disk.size, fill=0xFF, sector_size=4096)
    assert bench.restore(target).verified
    probe(target.partition(2).path).check()
    assert bench.restore(target).count.written == 0
    with contents(kind, target.partition(2).path, mounted) as folder:
        assert tree(folder) == model.files


def test_given_a_partition_of_an_odd_number_of_sectors_then_its_last_chunk_is_restored(bench: Bench, loop_disk: Any) -> None:
    disk = loop_disk(8 * MIB, "label: gpt\nstart=2048, size=4099\n")
    noise = random.Random(3).randbytes(4099 * 512)
    write(disk.partition(1).path, 0, noise)
    captured = bench.capture(disk)
    assert captured.manifest.streams[1].size == 4099 * 512
    target = loop_disk(8 * MIB, fill=0xFF)
    assert bench.restore(target).verified
    assert read(target.partition(1).path, 0, len(noise)) == noise


def test_given_a_disk_that_was_a_raid_member_then_nothing_of_that_shows_through(bench: Bench, loop_disk: Any, mounted: Any) -> None:
    model = make_model(KINDS["ext4-1k"], loop_disk, mounted)
    bench.capture(model.disk)
    target = loop_disk(model.disk.size)
    bench.restore(target)
    device = target.partition(2).path
    offset = (KINDS["ext4-1k"].size // 512 - 16) // 8 * 8 * 512  # where version 1.0 of Linux RAID has its superblock
    header = b"\xfc\x4e\x2b\xa9" + (1).to_bytes(4, "little") + bytes(8) + bytes(range(16)) + b"name".ljust(32, b"\0")
    geometry = bytes(64) + (0).to_bytes(8, "little") + (1024).to_bytes(8, "little") + (offset // 512).to_bytes(8, "little")
    write(device, offset, (header + geometry).ljust(4096, b"\0"))
    write(device, 0, bytes(MIB))
    assert "linux_raid_member" in subprocess.run(["blkid", "-p", device], capture_output=True, text=True, check=False).stdout
    bench.restore(target)
    assert probe(device).type == "ext4"


def test_the_backing_file_of_a_restored_disk_holds_no_chunk_that_the_image_has_not(bench: Bench, loop_disk: Any, mounted: Any) -> None:
    """Unused room between used blocks is zeroed where it is cheap; what the garbage of the disk was is never read back into an image."""
    model = make_model(KINDS["ext4-1k"], loop_disk, mounted)
    bench.capture(model.disk)
    target = loop_disk(model.disk.size, fill=0xEE)
    bench.restore(target)
    second = bench.capture(target, "2")
    assert second.manifest.digests() == bench.manifest("1").digests()
    assert backing_file(target).stat().st_size == model.disk.size
