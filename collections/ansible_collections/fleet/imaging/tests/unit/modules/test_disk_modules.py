# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""disk_info and disk_layout as Ansible runs them."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.fleet.imaging.plugins.module_utils.disk.device import Disk
from ansible_collections.fleet.imaging.plugins.module_utils.disk.table import PartitionTable
from ansible_collections.fleet.imaging.plugins.module_utils.filesystem import probe
from ansible_collections.fleet.imaging.tests.unit.conftest import command

MIB = 1 << 20
SCRIPT = "label: gpt\nsize=16M, type=U, name=EFI\nsize=40M, type=L, name=root\nsize=8M, type=S\n"


@pytest.fixture
def model(loop_disk: Any) -> Disk:
    """A disk with an EFI, an ext4 and a swap partition."""
    disk: Disk = loop_disk(72 * MIB, SCRIPT)
    command("mkfs.vfat", "-n", "EFI", disk.partition(1).path)
    command("mkfs.ext4", "-q", "-F", "-L", "root", disk.partition(2).path)
    command("mkswap", disk.partition(3).path)
    return disk


def test_a_disk_is_described(run: Any, model: Disk) -> None:
    [found] = run("disk_info", disk=str(model.path))["disks"]
    assert found["identity"] == f"size:{72 * MIB}" and found["in_use"] == [] and found["problem"] == ""
    efi, root, swap = found["partitions"]
    assert [each["filesystem"]["type"] for each in (efi, root, swap)] == ["vfat", "ext4", "swap"]
    assert root["filesystem"]["label"] == root["name"] == "root"
    assert root["state"]["clean"] and 1 * MIB < root["used"] < 20 * MIB and swap["used"] == 0
    assert PartitionTable.from_json(found["table"]) == PartitionTable.from_disk(model)
    assert run("disk_info", disk=str(model.path), used=False)["disks"][0]["partitions"][1]["used"] is None


def test_a_mounted_filesystem_is_described_with_its_mount_point_its_free_space_and_the_remedy(run: Any, model: Disk, mounted: Any) -> None:
    with mounted(model.partition(2).path, "ext4") as folder:
        [found] = run("disk_info", disk=str(model.path))["disks"]
    root = found["partitions"][1]
    assert root["mounted_at"] == [str(folder)] and root["used"] > 0
    assert root["state"]["reason"] == "mounted" and "imaging environment" in root["state"]["remedy"]
    assert found["in_use"] == [f"{root['path']} is mounted at {folder}"]


def test_every_disk_is_described_also_an_empty_and_a_damaged_one(run: Any, loop_disk: Any) -> None:
    empty, damaged = loop_disk(8 * MIB), loop_disk(8 * MIB, "label: gpt\nsize=1M\n")
    with damaged.path.open("r+b") as file:
        file.seek(512 + 40)
        file.write(b"\xff" * 8)
        file.seek(-512 + 40, 2)
        file.write(b"\xff" * 8)
    found = {each["path"]: each for each in run("disk_info", used=False)["disks"]}
    assert found[str(empty.path)]["table"] is None and found[str(empty.path)]["partitions"] == []
    assert str(damaged.path) in found


def test_a_disk_is_laid_out_and_formatted_like_the_model_and_a_second_time_nothing_happens(run: Any, model: Disk, loop_disk: Any) -> None:
    table = run("disk_info", disk=str(model.path))["disks"][0]["table"]
    station = loop_disk(120 * MIB)
    wanted = {"disk": str(station.path), "erase": f"size:{120 * MIB}", "table": table, "format": True}

    preview = run("disk_layout", check=True, **wanted)
    assert preview["changed"] and preview["formatted"] == [1, 2, 3] and "no partition table" in preview["diff"]["before"]
    assert command("wipefs", station.path) == ""

    assert run("disk_layout", **wanted)["changed"]
    parts = station.partitions()
    assert [probe(part.path).uuid for part in parts] == [probe(part.path).uuid for part in model.partitions()]
    assert parts[1].size == 94 * MIB and parts[2].size == 8 * MIB
    again = run("disk_layout", **wanted)
    assert not again["changed"] and again["formatted"] == [] and again["diff"]["before"] == again["diff"]["after"]


@pytest.mark.parametrize(("number", "formatted"), [(4, [1, 2, 3]), (3, [1, 2])], ids=["besides", "instead-of-the-models"])
def test_a_data_partition_is_kept(number: int, formatted: list[int], run: Any, model: Disk, loop_disk: Any) -> None:
    table = run("disk_info", disk=str(model.path))["disks"][0]["table"]
    station = loop_disk(120 * MIB, f"label: gpt\nsize=20M\n{number}: start=80M, size=30M, name=data\n")
    command("mkfs.ext4", "-q", "-F", "-L", "precious", station.partition(number).path)
    before = station.partition(number).path.read_bytes()

    result = run("disk_layout", erase=f"size:{120 * MIB}", table=table, keep=[number], format=True)

    assert result["formatted"] == formatted
    assert station.partition(number).path.read_bytes() == before
    assert [part.number for part in station.partitions()] == sorted({1, 2, 3, number})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"erase": "size:1"}, "is not the disk that was named"),
        ({"erase": "everything"}, "is not a disk identity"),
        ({"keep": [7]}, "has no partition 7"),
        ({"table": {"label": "gpt"}}, "id is not a short text"),
    ],
)
def test_a_refusal_changes_nothing_and_says_why(change: dict[str, Any], says: str, run: Any, model: Disk, loop_disk: Any) -> None:
    table = run("disk_info", disk=str(model.path))["disks"][0]["table"]
    station = loop_disk(121 * MIB, "label: gpt\nsize=20M\n")
    before = station.path.read_bytes()
    result = run("disk_layout", **{"disk": str(station.path), "erase": f"size:{121 * MIB}", "table": table, "format": True, **change})
    assert result["failed"] and says in result["msg"]
    assert station.path.read_bytes() == before


def test_a_disk_too_small_one_in_use_and_one_with_other_sectors_are_refused(run: Any, model: Disk, loop_disk: Any, mounted: Any) -> None:
    table = run("disk_info", disk=str(model.path))["disks"][0]["table"]
    small, other = loop_disk(32 * MIB), loop_disk(122 * MIB, sector_size=4096)
    assert "needs at least" in run("disk_layout", disk=str(small.path), erase=f"size:{32 * MIB}", table=table)["msg"]
    assert "sectors of 512" in run("disk_layout", disk=str(other.path), erase=f"size:{122 * MIB}", table=table)["msg"]
    with mounted(model.partition(2).path, "ext4"):
        assert "is in use" in run("disk_layout", check=True, disk=str(model.path), erase=f"size:{72 * MIB}", table=table)["msg"]
