# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks of another size, and disks of which some partitions stay."""

from __future__ import annotations

import random
from typing import Any

import pytest

from ansible_collections.fleet.imaging.plugins.module_utils.disk.fit import DiskTooSmall
from ansible_collections.fleet.imaging.plugins.module_utils.disk.table import TableError
from ansible_collections.fleet.imaging.plugins.module_utils.filesystem import FilesystemError, probe
from ansible_collections.fleet.imaging.tests.unit.bench import (
    LINUX,
    SWAP,
    SWAP_UUID,
    Bench,
    fingerprint,
    make_model,
    read,
    small_model,
    write,
)
from ansible_collections.fleet.imaging.tests.unit.filesystems import KINDS, MIB, contents, tree


@pytest.mark.parametrize("name", ["ext4-1k", "xfs", "ntfs"])
def test_given_a_larger_disk_then_the_filesystem_takes_the_room_and_swap_follows(
    name: str, bench: Bench, loop_disk: Any, mounted: Any
) -> None:
    kind = KINDS[name]
    model = make_model(kind, loop_disk, mounted)
    bench.capture(model.disk)
    target = loop_disk(model.disk.size + 100 * MIB, fill=0xFF)

    restored = bench.restore(target)

    assert restored.resized == (2,) and restored.verified
    partition, swap = target.partition(2), target.partition(3)
    assert partition.size > kind.size + 90 * MIB and swap.start >= partition.start + partition.size
    filesystem = probe(partition.path)
    assert partition.size - 2 * MIB < filesystem.size <= partition.size
    filesystem.check()
    assert probe(swap.path).uuid == SWAP_UUID
    with contents(kind, partition.path, mounted) as folder:
        assert tree(folder, name != "ntfs") == {path: each if name != "ntfs" else each[:2] for path, each in model.files.items()}


def test_given_a_larger_disk_and_a_type_that_cannot_grow_then_it_is_noted(bench: Bench, loop_disk: Any, mounted: Any) -> None:
    model = make_model(KINDS["exfat"], loop_disk, mounted)
    bench.capture(model.disk)
    restored = bench.restore(loop_disk(model.disk.size + 30 * MIB))
    assert restored.resized == () and "cannot be grown" in restored.notes[0]


def test_given_a_restore_that_ended_before_the_filesystem_was_grown_then_the_next_one_grows_it(
    bench: Bench, loop_disk: Any, mounted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = small_model(loop_disk, mounted)
    bench.capture(model.disk)
    target = loop_disk(model.disk.size + 30 * MIB)
    with monkeypatch.context() as patch:
        patch.setattr("ansible_collections.fleet.imaging.plugins.module_utils.filesystem.ext.Ext.grow", lambda self: None)
        bench.restore(target)
    assert probe(target.partition(2).path).size == KINDS["ext4-1k"].size

    restored = bench.restore(target)

    assert restored.count.written == 0 and restored.resized == (2,)
    assert probe(target.partition(2).path).size > KINDS["ext4-1k"].size + 20 * MIB


@pytest.mark.parametrize("name", ["ext4-1k", "ntfs"])
def test_given_a_smaller_disk_then_the_filesystem_is_shrunk_to_it(name: str, bench: Bench, loop_disk: Any, mounted: Any) -> None:
    kind = KINDS[name]
    model = make_model(kind, loop_disk, mounted)
    bench.capture(model.disk)
    target = loop_disk(model.disk.size - 24 * MIB, fill=0xFF)

    restored = bench.restore(target)

    assert restored.resized == (2,) and restored.verified
    filesystem = probe(target.partition(2).path)
    assert filesystem.size <= target.partition(2).size <= kind.size - 19 * MIB
    filesystem.check()
    with contents(kind, filesystem.device, mounted) as folder:
        assert tree(folder, name != "ntfs") == {path: each if name != "ntfs" else each[:2] for path, each in model.files.items()}


def test_given_a_filesystem_that_cannot_be_shrunk_after_all_then_it_is_not_mountable_and_the_next_restore_mends_it(
    bench: Bench, loop_disk: Any, mounted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = small_model(loop_disk, mounted)
    bench.capture(model.disk)
    target = loop_disk(model.disk.size - 24 * MIB)
    with monkeypatch.context() as patch:
        patch.setattr("ansible_collections.fleet.imaging.plugins.module_utils.filesystem.ext.Ext._resize", failing)
        with pytest.raises(FilesystemError, match="resize2fs said no"):
            bench.restore(target)
    assert probe(target.partition(2).path).type == "raw"
    assert bench.restore(target).resized == (2,)
    probe(target.partition(2).path).check()


def failing(*_arguments: object) -> None:
    raise FilesystemError("resize2fs said no")


@pytest.mark.parametrize(("name", "missing"), [("xfs", 8), ("btrfs", 8), ("exfat", 8), ("fat32", 8), ("ext4-1k", 60), ("ntfs", 60)])
def test_given_a_disk_that_the_blocks_in_use_do_not_fit_then_it_is_refused_with_the_bytes_needed_and_unchanged(
    name: str, missing: int, bench: Bench, loop_disk: Any, mounted: Any
) -> None:
    model = make_model(KINDS[name], loop_disk, mounted)
    bench.capture(model.disk)
    target = loop_disk(model.disk.size - missing * MIB, fill=0xFF)
    before = fingerprint(target)
    with pytest.raises(
        DiskTooSmall, match=r"Partition 2 needs at least [0-9]+ bytes.*Nothing was changed.*Use a disk with at least"
    ) as caught:
        bench.restore(target)
    assert fingerprint(target) == before
    assert target.size < caught.value.details["needed"] <= model.disk.size + MIB
    enough = loop_disk(-(-caught.value.details["needed"] // 4096) * 4096)
    assert bench.restore(enough).verified  # the remedy is true


def test_given_swap_behind_the_end_of_a_much_smaller_disk_then_the_bytes_needed_are_named(bench: Bench, loop_disk: Any) -> None:
    script = f"label: gpt\nsize=4MiB, type={LINUX}\nsize=40MiB, type={LINUX}\nsize=60MiB, type={SWAP}\n"
    model = loop_disk(110 * MIB, script)
    for number in (1, 2):
        write(model.partition(number).path, 0, random.Random(number).randbytes(4 * MIB))
    from ansible_collections.fleet.imaging.plugins.module_utils.filesystem import SwapArea

    SwapArea.create(model.partition(3).path, SWAP_UUID, "swap")
    bench.capture(model)
    with pytest.raises(DiskTooSmall, match="Use a disk with at least"):
        bench.plan(loop_disk(30 * MIB))


def test_given_a_partition_to_keep_then_it_stays_and_the_rest_is_the_models(bench: Bench, loop_disk: Any, mounted: Any) -> None:
    script = f"label: gpt\nsize=8MiB, type={LINUX}\nsize=8MiB, type={LINUX}\n"
    model, target = loop_disk(20 * MIB, script), loop_disk(20 * MIB, script)
    for number in (1, 2):
        write(model.partition(number).path, 0, random.Random(number).randbytes(8 * MIB))
    data = random.Random("data").randbytes(8 * MIB)
    write(target.partition(2).path, 0, data)
    bench.capture(model)

    restored = bench.restore(target, keep=(2,))

    assert restored.verified and restored.as_dict()["partitions"] == [1]
    assert read(target.partition(2).path, 0, 8 * MIB) == data
    assert read(target.partition(1).path, 0, 8 * MIB) == random.Random(1).randbytes(8 * MIB)


def test_given_one_partition_is_chosen_then_only_that_is_written(bench: Bench, loop_disk: Any) -> None:
    script = f"label: gpt\nsize=8MiB, type={LINUX}\nsize=8MiB, type={LINUX}\n"
    model, target = loop_disk(20 * MIB, script), loop_disk(20 * MIB, script)
    write(model.path, 0, b"boot code")
    for number in (1, 2):
        write(model.partition(number).path, 0, random.Random(number).randbytes(8 * MIB))
    bench.capture(model)

    restored = bench.restore(target, partitions=(2,))

    assert not restored.table_changed and restored.count.chunks == 8
    assert read(target.path, 0, 440) == bytes(440)
    assert read(target.partition(1).path, 0, 8 * MIB) == bytes(8 * MIB)
    assert read(target.partition(2).path, 0, 8 * MIB) == random.Random(2).randbytes(8 * MIB)


def test_given_a_chosen_partition_that_is_too_small_then_it_is_refused(bench: Bench, loop_disk: Any) -> None:
    model = loop_disk(20 * MIB, f"label: gpt\nsize=8MiB, type={LINUX}\n")
    write(model.partition(1).path, 0, b"raw contents" * 100)
    bench.capture(model)
    target = loop_disk(20 * MIB, f"label: gpt\nsize=4MiB, type={LINUX}\n", fill=0xFF)
    before = fingerprint(target)
    with pytest.raises(TableError, match=r"Partition 1 of .* has 4194304 bytes; the image needs 8388608. Nothing was changed"):
        bench.restore(target, partitions=(1,))
    assert fingerprint(target) == before


def test_given_a_partition_to_keep_where_the_models_boot_loader_lies_then_it_is_refused_and_unchanged(bench: Bench, loop_disk: Any) -> None:
    """Disks that were partitioned long ago have their first partition at sector 63, in the gap where today's loaders are."""
    model = loop_disk(20 * MIB, "label: dos\nstart=2048, size=8MiB, type=83\nsize=8MiB, type=83\n")
    write(model.path, 512, random.Random("core").randbytes(60_000))
    write(model.partition(2).path, 0, random.Random(2).randbytes(8 * MIB))
    bench.capture(model)
    target = loop_disk(20 * MIB, "label: dos\nstart=63, size=1900, type=83\nstart=18432, size=8MiB, type=83\n")
    write(target.partition(1).path, 0, random.Random("data").randbytes(1900 * 512))
    before = fingerprint(target)
    with pytest.raises(TableError, match="boot loader lies where the disk has partition 1.*Nothing was changed.*Keep other partitions"):
        bench.restore(target, keep=(1,))
    assert fingerprint(target) == before


def test_given_the_kernel_still_shows_an_older_table_then_it_reads_it_again(bench: Bench, loop_disk: Any) -> None:
    """Another program wrote the table without telling the kernel: the partition's old node would be the wrong place."""
    from ansible_collections.fleet.imaging.tests.unit.conftest import command

    model = loop_disk(20 * MIB, f"label: gpt\nsize=8MiB, type={LINUX}\n")
    noise = random.Random(1).randbytes(8 * MIB)
    write(model.partition(1).path, 0, noise)
    bench.capture(model)
    target = loop_disk(20 * MIB, f"label: gpt\nstart=20480, size=8MiB, type={LINUX}\n")
    table = command("sfdisk", "--dump", model.path).replace(str(model.path), str(target.path))
    command("sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", target.path, stdin=table)
    assert target.partition(1).start == 20480 * 512

    restored = bench.restore(target)

    assert not restored.table_changed and target.partition(1).start == 2048 * 512
    assert read(target.path, 2048 * 512, 8 * MIB) == noise
