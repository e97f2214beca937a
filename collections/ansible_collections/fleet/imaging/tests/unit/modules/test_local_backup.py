# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The local backup as admins meet it: made with a restore, kept by every later one, filled by itself, and restored from."""

from __future__ import annotations

import random
import tempfile
from typing import Any

import pytest

from ansible_collections.fleet.imaging.plugins.module_utils.backup.volume import listed, opened
from ansible_collections.fleet.imaging.plugins.module_utils.disk.device import Disk
from ansible_collections.fleet.imaging.plugins.module_utils.disk.reserved import NAME, UNFINISHED, find_on
from ansible_collections.fleet.imaging.plugins.module_utils.disk.table import PartitionTable
from ansible_collections.fleet.imaging.tests.unit.bench import LINUX, Bench, fingerprint, read, write
from ansible_collections.fleet.imaging.tests.unit.conftest import command
from ansible_collections.fleet.imaging.tests.unit.filesystems import MIB

SIZE = 96 * MIB
BACKUP = 32 * MIB


@pytest.fixture
def model(loop_disk: Any, bench: Bench) -> Disk:
    """A model with 5 MiB that do not compress, captured as version 1."""
    made: Disk = loop_disk(48 * MIB, f"label: gpt\nsize=40MiB, type={LINUX}\nsize=4MiB, type=S\n")
    write(made.path, 0, b"boot code")
    fill(made, 5)
    command("mkswap", made.partition(2).path)
    bench.capture(made)
    return made


def fill(disk: Disk, amount: int, seed: int = 1) -> None:
    """Make the model's filesystem, with so many MiB in it that do not compress."""
    command("mkfs.ext4", "-q", "-F", "-L", "root", disk.partition(1).path)
    with tempfile.NamedTemporaryFile() as noise:
        noise.write(random.Random(seed).randbytes(amount * MIB))
        noise.flush()
        command("debugfs", "-w", "-R", f"write {noise.name} noise", disk.partition(1).path)


@pytest.fixture
def disk(model: Disk, loop_disk: Any) -> Disk:
    """A station's, full of garbage."""
    made: Disk = loop_disk(SIZE, fill=0xFF)
    return made


def arguments(bench: Bench, disk: Disk, **more: Any) -> dict[str, Any]:
    return {
        "image": "room",
        "version": "1",
        "disk": str(disk.path),
        "erase": f"size:{disk.size}",
        "sources": [bench.web.url],
        "allowed_signers": bench.allowed,
        "work_dir": str(bench.folder),
        "grow": False,
        "backup_size": str(BACKUP),
        **more,
    }


def test_given_backup_write_then_the_disk_is_restored_and_holds_the_image_without_a_second_transfer(
    run: Any, bench: Bench, disk: Disk
) -> None:
    result = run("image_restore", **arguments(bench, disk, backup="write"))

    backup = result["backup"]
    assert result["verified"] and backup["state"] == "complete" and backup["partition"] == 128, result
    assert backup["chunks"] == backup["chunks_written"] == len(bench.manifest().digests()) and backup["bytes_fetched"] == 0
    assert len(bench.web.requests()) == backup["chunks"]
    entry = find_on(disk)
    assert entry and entry.size * 512 >= BACKUP and entry.attrs == "RequiredPartition GUID:62,63"
    assert [(each["version"], each["error"]) for each in listed(disk)] == [("1", "")]

    again = run("image_restore", **arguments(bench, disk, backup="write"))
    assert not again["changed"] and again["backup"]["state"] == "complete" and again["backup"]["chunks_written"] == 0


def test_given_a_backup_then_a_station_is_restored_from_it_without_any_source(run: Any, bench: Bench, disk: Disk) -> None:
    run("image_restore", **arguments(bench, disk, backup="write"))
    bench.web.stop()
    write(disk.partition(1).path, 0, bytes(20 * MIB))

    local = arguments(bench, disk, local=True, sources=[], version="latest")
    checked = run("image_restore", check=True, **local)
    assert checked["changed"] and checked["version"] == "1"
    result = run("image_restore", **local)

    assert result["verified"] and result["version"] == "1" and result["bytes_fetched"] == 0 and set(result["sources"]) == {"backup"}
    assert result["backup"]["state"] == "kept" and not run("image_restore", **local)["changed"]


def fingerprint_of(disk: Disk, number: int) -> bytes:
    part = disk.partition(number)
    return read(part.path, 0, part.size)


def damage_chunk(disk: Disk, bench: Bench) -> None:
    """Alter one chunk in the local backup: it is there, and a sound frame, but of another chunk."""
    chunks = (chunk for stream in bench.manifest().streams for chunk in stream.chunks())
    name, other = sorted({chunk.digest for chunk in chunks if chunk.length == MIB and not chunk.is_zero})[:2]
    opened(disk, lambda store: store.chunk_path(name).write_bytes(store.chunk_path(other).read_bytes()), writable=True)


@pytest.mark.parametrize("mode", ["delta", "full", "table"])
def test_given_a_backup_then_a_restore_of_another_image_keeps_it(
    mode: str, run: Any, bench: Bench, disk: Disk, loop_disk: Any, mounted: Any
) -> None:
    run("image_restore", **arguments(bench, disk, backup="write"))
    before = find_on(disk)
    assert before
    other = loop_disk(60 * MIB, f"label: gpt\nsize=20MiB, type={LINUX}\n128: size=24MiB, type={LINUX}\n")
    command("mkfs.ext4", "-q", "-F", other.partition(1).path)
    command("mkfs.ext4", "-q", "-F", "-L", "data", other.partition(128).path)
    bench.capture(other, "other")

    result = run("image_restore", **arguments(bench, disk, version="other", mode=mode))

    after = find_on(disk)
    assert result["backup"] == {"partition": 127, "state": "kept"} and after
    assert (after.number, after.start, after.size, after.uuid) == (127, before.start, before.size, before.uuid)
    assert [(each["version"], each["error"]) for each in listed(disk)] == [("1", "")]
    restored = run("image_restore", **arguments(bench, disk, local=True, sources=[], version="latest"))
    assert restored["version"] == "1" and restored["verified"]


def test_given_backup_erase_then_its_room_is_the_systems_and_the_result_says_so(run: Any, bench: Bench, disk: Disk) -> None:
    run("image_restore", **arguments(bench, disk, backup="write"))
    assert run("image_restore", check=True, **arguments(bench, disk, backup="erase"))["backup"]["state"] == "erased" and find_on(disk)
    result = run("image_restore", **arguments(bench, disk, backup="erase", grow=True))
    assert result["backup"] == {"partition": 128, "state": "erased"} and find_on(disk) is None
    assert disk.partition(1).size > 80 * MIB


def test_given_a_larger_disk_then_the_system_grows_up_to_the_backup_and_nothing_is_fetched_twice(
    run: Any, bench: Bench, disk: Disk
) -> None:
    result = run("image_restore", **arguments(bench, disk, backup="write", grow=True))
    place = find_on(disk)
    swap = disk.partition(2)
    assert place and result["resized"] == [1] and result["backup"]["bytes_fetched"] == 0
    assert 0 <= place.start * 512 - (swap.start + swap.size) <= MIB and len(bench.web.requests()) == result["backup"]["chunks"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"backup": "write", "backup_size": str(86 * MIB)}, "has no room for both the image and a local backup of 9"),
        ({"backup": "write", "backup_size": "many"}, "'many' is no size of a local backup"),
        ({"backup": "write", "backup_size": "95%"}, "'95%' is no size of a local backup"),
        ({"backup": "write", "backup_keep": 0}, "backup_keep is a number of versions from 1 on"),
        ({"backup": "write", "partitions": [1]}, "backup: write is for a whole image"),
        ({"backup": "write", "mode": "table"}, "backup: write is for a whole image"),
        ({"backup": "erase", "local": True}, "can neither erase it nor go there"),
        ({"local": True, "sources": []}, "has no partition table"),
        ({"mode": "backup"}, "has no partition table, and no local backup"),
    ],
)
def test_what_cannot_be_is_refused_and_the_disk_is_as_before(
    changes: dict[str, Any], said: str, run: Any, bench: Bench, disk: Disk
) -> None:
    before = fingerprint(disk)
    for check in (True, False):
        result = run("image_restore", check=check, **arguments(bench, disk, **changes))
        assert result["failed"] and said in result["msg"], result["msg"]
        assert fingerprint(disk) == before
    if "both" in said:
        assert result["needed"] > result["available"] == SIZE


def test_an_image_with_an_mbr_is_refused_a_backup(run: Any, bench: Bench, loop_disk: Any) -> None:
    model = loop_disk(40 * MIB, "label: dos\nsize=20MiB, type=83\n")
    command("mkfs.ext4", "-q", "-F", model.partition(1).path)
    bench.capture(model)
    disk = loop_disk(SIZE, fill=0xFF)
    result = run("image_restore", **arguments(bench, disk, backup="write"))
    assert "MBR (dos) cannot have a local backup" in result["msg"] and not run("image_restore", **arguments(bench, disk)).get("failed")


def test_given_a_damaged_chunk_then_it_is_never_written(run: Any, bench: Bench, disk: Disk) -> None:
    run("image_restore", **arguments(bench, disk, backup="write"))
    damage_chunk(disk, bench)
    before = fingerprint_of(disk, 1)
    local = arguments(bench, disk, local=True, mode="full", version="latest")

    refused = run("image_restore", **{**local, "sources": []})
    assert refused["failed"] and "1 chunks of room 1 are missing or damaged" in refused["msg"] and fingerprint_of(disk, 1) == before

    mended = run("image_restore", **local)
    assert mended["verified"] and mended["sources"][bench.web.url] == 1 and mended["sources"]["backup"] > 1

    again = run("image_restore", **arguments(bench, disk, backup="write"))
    assert again["backup"]["chunks_damaged"] == again["backup"]["chunks_written"] == 1 and again["backup"]["bytes_fetched"] == 0
    assert not run("image_restore", **{**local, "sources": []}).get("failed")


def test_given_an_altered_manifest_in_the_backup_then_it_is_refused_and_the_next_backup_mends_it(
    run: Any, bench: Bench, disk: Disk
) -> None:
    run("image_restore", **arguments(bench, disk, backup="write"))

    def alter(store: Any) -> None:
        path = store.root / "manifests/image/room/1.json"
        path.write_bytes(path.read_bytes().replace(b'"created":"20', b'"created":"19'))

    opened(disk, alter, writable=True)
    local = arguments(bench, disk, local=True, sources=[], version="latest")
    assert "must not be used: the signature" in run("image_restore", **local)["msg"]
    assert run("image_restore", **arguments(bench, disk, backup="write"))["backup"]["state"] == "complete"
    assert not run("image_restore", **local).get("failed")


def test_given_a_partition_that_is_full_then_the_system_is_restored_and_the_backup_says_why(
    run: Any, bench: Bench, disk: Disk, model: Disk
) -> None:
    run("image_restore", **arguments(bench, disk, backup="write", backup_size=str(16 * MIB)))
    fill(model, 14, seed=2)
    bench.capture(model, "2")

    result = run("image_restore", **arguments(bench, disk, version="2", backup="write"))

    assert not result.get("failed") and result["verified"] and result["changed"]
    assert result["backup"]["state"] == "failed" and "image room 2 does not fit the station's local backup" in result["backup"]["msg"]
    assert [(each["version"], each["error"]) for each in listed(disk)] == [("1", "")]
    assert opened(disk, lambda store: sorted(store.digests())) == sorted(bench.manifest("1").digests())


def test_given_a_count_then_older_versions_go_also_to_make_room(run: Any, bench: Bench, disk: Disk, model: Disk) -> None:
    small = {"backup": "write", "backup_size": str(20 * MIB)}
    run("image_restore", **arguments(bench, disk, **small))
    fill(model, 13, seed=2)
    bench.capture(model, "2")

    kept = run("image_restore", **arguments(bench, disk, version="2", backup_keep=2, **small))
    assert kept["backup"]["state"] == "failed" and [each["version"] for each in listed(disk)] == ["1"]
    result = run("image_restore", **arguments(bench, disk, version="2", backup_keep=1, **small))

    assert result["backup"]["state"] == "complete" and result["backup"]["pruned"] == ["image room 1"], result["backup"]
    lacked = len(bench.manifest("2").digests() - bench.manifest("1").digests())
    assert result["backup"]["chunks_written"] <= lacked + 1, "what was there when it became full was not written again"
    assert [(each["version"], each["error"]) for each in listed(disk)] == [("2", "")]


def test_given_a_named_partition_that_holds_something_else_then_it_is_never_formatted(run: Any, bench: Bench, disk: Disk) -> None:
    run("image_restore", **arguments(bench, disk, backup="write"))
    device = disk.partition(128).path
    for make, said in (
        (["mkfs.ext4", "-q", "-F", "-L", "films", device], "holds ext4 'films'"),
        (["mkfs.ext4", "-q", "-F", "-L", "fleet-backup", device], "holds no content store"),
        (["dd", "if=/dev/zero", f"of={device}", "bs=1M", "count=1", "conv=fsync"], "holds no filesystem"),
    ):
        command(*make)
        before = fingerprint_of(disk, 128)
        result = run("image_restore", **arguments(bench, disk, backup="write"))
        assert result["verified"] and result["backup"]["state"] == "failed" and said in result["backup"]["msg"], result["backup"]
        assert said in run("image_restore", **arguments(bench, disk, mode="backup"))["msg"]
        assert "holds" in listed(disk)[0]["error"]
        if "no content store" not in said:  # that one is mounted to be looked at, which counts its mounts
            assert fingerprint_of(disk, 128) == before


def test_given_a_damaged_filesystem_then_it_is_refused_and_left_alone(run: Any, bench: Bench, disk: Disk) -> None:
    run("image_restore", **arguments(bench, disk, backup="write"))
    device = disk.partition(128).path
    write(device, 2048, b"\xff" * 512 * 1024)  # group descriptors and inode tables behind the superblock
    result = run("image_restore", **arguments(bench, disk, backup="write"))
    assert result["verified"] and result["backup"]["state"] == "failed" and "local backup" in result["backup"]["msg"]
    local = run("image_restore", **arguments(bench, disk, local=True, version="1"))
    assert not local.get("failed") and local["verified"]


def test_given_a_partition_whose_making_was_cut_then_it_is_made_anew(run: Any, bench: Bench, disk: Disk) -> None:
    run("image_restore", **arguments(bench, disk, backup="write"))
    command("sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", "--part-label", disk.path, "128", UNFINISHED)
    disk.refresh()
    assert find_on(disk) is None and listed(disk) == []
    result = run("image_restore", **arguments(bench, disk, mode="backup"))
    assert result["table_changed"] and result["backup"]["state"] == "complete" and result["backup"]["partition"] == 128
    table = PartitionTable.from_disk(disk)
    assert [entry.name for entry in table.entries].count(NAME) == 1 and UNFINISHED not in [entry.name for entry in table.entries]
    assert [(each["version"], each["error"]) for each in listed(disk)] == [("1", "")]


def test_given_mode_backup_then_the_image_is_delivered_and_no_other_partition_is_touched(
    run: Any, bench: Bench, disk: Disk, model: Disk
) -> None:
    run("image_restore", **arguments(bench, disk))
    fill(model, 6, seed=3)
    bench.capture(model, "2")
    before, asked = (fingerprint_of(disk, 1), fingerprint_of(disk, 2)), len(bench.web.requests())
    checked = run("image_restore", check=True, **arguments(bench, disk, version="2", mode="backup"))
    assert checked["changed"] and checked["backup"]["state"] == "absent" and find_on(disk) is None

    result = run("image_restore", **arguments(bench, disk, version="2", mode="backup"))

    assert result["backup"]["state"] == "complete" and result["table_changed"] and result["verified"]
    known = len(bench.manifest("1").digests() & bench.manifest("2").digests())
    assert known and len(bench.web.requests()) - asked == len(bench.manifest("2").digests()) - known
    assert (fingerprint_of(disk, 1), fingerprint_of(disk, 2)) == before
    again = run("image_restore", **arguments(bench, disk, version="2", mode="backup"))
    assert not again["changed"] and not run("image_restore", check=True, **arguments(bench, disk, version="2", mode="backup"))["changed"]


def test_given_no_room_behind_the_last_partition_then_a_delivery_is_refused(run: Any, bench: Bench, disk: Disk) -> None:
    run("image_restore", **arguments(bench, disk, grow=True))
    before = fingerprint(disk)
    result = run("image_restore", **arguments(bench, disk, mode="backup"))
    assert "no room for one: 33554432 bytes are needed behind the last partition" in result["msg"]
    assert "Mode simple or complete makes room" in result["msg"] and fingerprint(disk) == before


def test_a_model_with_a_backup_is_captured_without_it_and_partitions_others_without_it(
    run: Any, bench: Bench, disk: Disk, loop_disk: Any
) -> None:
    run("image_restore", **arguments(bench, disk, backup="write"))
    assert [stream.name for stream in bench.capture(disk, "2").manifest.streams] == ["bootcode", "p1", "p2"]
    table = run("disk_info", disk=str(disk.path))["disks"][0]
    assert [each["version"] for each in table["backups"]] == ["1"] and len(table["table"]["partitions"]) == 3
    other = loop_disk(SIZE)
    run("disk_layout", disk=str(other.path), erase=f"size:{SIZE}", table=table["table"], grow=False)
    assert [entry.number for entry in PartitionTable.from_disk(other).entries] == [1, 2]
    run("disk_layout", disk=str(disk.path), erase=f"size:{SIZE}", table=PartitionTable.from_disk(other).as_json(), grow=False)
    assert find_on(disk)
    run("disk_layout", disk=str(disk.path), erase=f"size:{SIZE}", table=PartitionTable.from_disk(other).as_json(), backup="erase")
    assert find_on(disk) is None
