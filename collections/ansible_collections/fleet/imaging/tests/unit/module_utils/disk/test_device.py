# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A disk is meant by its identity; a wrong, ambiguous or used one is refused."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError, InputError
from ansible_collections.fleet.imaging.plugins.module_utils.disk import nodes, usage
from ansible_collections.fleet.imaging.plugins.module_utils.disk.device import (
    Disk,
    DiskIdentity,
    DiskInUse,
    NoSuchDisk,
    WrongDisk,
    device_size,
)
from ansible_collections.fleet.imaging.plugins.module_utils.disk.identity import read_label
from ansible_collections.fleet.imaging.tests.unit.conftest import command

MIB = 1 << 20
THREE = "label: dos\nsize=4M,type=83\nsize=4M,type=82\ntype=5\nsize=3M,type=83\n"


def test_an_identity_is_read_and_written_the_same() -> None:
    identity = DiskIdentity.parse("serial:S4EW NX0,N1,wwn:naa.5000C500A1B2C3D4, size:500107862016")
    assert identity == DiskIdentity("S4EW NX0,N1", "0x5000c500a1b2c3d4", 500107862016)
    assert DiskIdentity.parse(str(identity)) == identity


@pytest.mark.parametrize(
    "text", ["", "/dev/sda", "sda", "serial:", "size:0", "size:1e9", "size:-5", "serial:a,serial:b", "model:x", "xserial:a"]
)
def test_what_is_not_an_identity_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        DiskIdentity.parse(text)


@given(st.text())
def test_any_text_is_an_identity_or_refused(text: str) -> None:
    try:
        identity = DiskIdentity.parse(text)
    except FleetError:
        return
    assert identity.serial or identity.wwn or identity.size


def test_every_field_that_is_given_must_match() -> None:
    disk = DiskIdentity("A1", "0x5000", 100)
    assert DiskIdentity.parse("serial:A1").accepts(disk) and DiskIdentity.parse("size:100,wwn:0x5000").accepts(disk)
    for wrong in ("serial:A2", "serial:A1,size:99", "wwn:0x5001,serial:A1", "serial:a1"):
        assert not DiskIdentity.parse(wrong).accepts(disk)


def test_labels_of_virtio_scsi_and_nvme_disks_are_read(tmp_path: Path) -> None:
    def files(folder: str, **contents: bytes) -> Path:
        for name, data in contents.items():
            path = tmp_path / folder / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return tmp_path / folder

    virtio = read_label(files("vda", serial=b"overlayblk"))
    scsi = read_label(
        files("sda", device__vpd_pg80=b"\0\x80\0\x08 S4EWNX0\0\0", device__wwid=b"naa.5000C500A1B2C3D4\n", device__model=b"ST500   \n")
    )
    nvme = read_label(files("nvme0n1", device__serial=b"S5GXNX0  \n", wwid=b"eui.0025385B\n", device__model=b"Samsung  SSD\n"))
    assert (virtio.serial, virtio.wwn) == ("overlayblk", "")
    assert (scsi.serial, scsi.wwn, scsi.model) == ("S4EWNX0", "0x5000c500a1b2c3d4", "ST500")
    assert (nvme.serial, nvme.wwn, nvme.model) == ("S5GXNX0", "eui.0025385b", "Samsung SSD")


def test_what_the_kernel_does_not_tell_comes_from_udev(tmp_path: Path) -> None:
    record = tmp_path / "b8:0"
    record.write_text("S:disk/by-id/x\nE:ID_SERIAL_SHORT=USB123\nE:ID_WWN=0x5000c5\nE:ID_MODEL=Stick\n")
    label = read_label(tmp_path / "nothing", record)
    assert (label.serial, label.wwn, label.model) == ("USB123", "0x5000c5", "Stick")


def test_given_a_size_that_one_disk_has_then_that_one_is_opened_and_required(loop_disk: Any) -> None:
    disk = loop_disk(33 * MIB + 4096)
    assert Disk.open(f"size:{33 * MIB + 4096}") == disk == Disk.open(str(disk.path))
    disk.require(f"size:{33 * MIB + 4096}")


def test_given_another_identity_then_the_disk_is_refused_and_both_are_named(loop_disk: Any) -> None:
    disk = loop_disk(8 * MIB)
    with pytest.raises(WrongDisk, match=f"asked for serial:S1,size:5, found size:{8 * MIB}") as caught:
        disk.require("serial:S1,size:5")
    assert caught.value.details == {"asked": "serial:S1,size:5", "found": f"size:{8 * MIB}"}


def test_given_two_disks_of_the_same_size_then_the_size_alone_is_ambiguous(loop_disk: Any) -> None:
    loop_disk(34 * MIB), loop_disk(34 * MIB)
    with pytest.raises(NoSuchDisk, match="2 disks of this host"):
        Disk.open(f"size:{34 * MIB}")


def test_given_no_such_disk_then_those_here_are_listed(loop_disk: Any) -> None:
    disk = loop_disk(35 * MIB)
    with pytest.raises(NoSuchDisk, match=str(disk.path)):
        Disk.open("serial:nobody")


def test_given_a_disk_of_the_host_without_a_node_here_as_in_a_container_then_it_does_not_count(loop_disk: Any, monkeypatch: Any) -> None:
    disk = loop_disk(36 * MIB)
    monkeypatch.setattr(nodes, "DEV", Path("/nonexistent"))
    with pytest.raises(NoSuchDisk):
        Disk.open(f"size:{disk.size}")


@pytest.mark.parametrize("path", ["/dev/null", "/nonexistent", "/etc/hostname"])
def test_what_is_not_a_disk_is_refused(path: str) -> None:
    with pytest.raises(NoSuchDisk, match=path):
        Disk.open(path)


def test_a_partition_is_not_a_disk_and_its_disk_is_named(loop_disk: Any) -> None:
    disk = loop_disk(16 * MIB, THREE)
    with pytest.raises(NoSuchDisk, match=f"Name the disk: {disk.path}"):
        Disk.open(disk.partitions()[0].path)


def test_partitions_have_numbers_places_and_nodes_also_behind_a_gap_in_the_numbers(loop_disk: Any) -> None:
    disk = loop_disk(16 * MIB, THREE)
    found = {part.number: (part.start, part.size) for part in disk.partitions()}
    assert found[1] == (MIB, 4 * MIB) and found[2] == (5 * MIB, 4 * MIB) and 3 in found and found[5] == (10 * MIB, 3 * MIB)
    assert all(device_size(part.path) == part.size for part in disk.partitions())
    assert disk.partition(2).size == 4 * MIB
    with pytest.raises(NoSuchDisk):
        disk.partition(4)


def test_nodes_are_made_renewed_and_removed_where_no_udev_runs(loop_disk: Any) -> None:
    disk = loop_disk(16 * MIB, THREE)
    one, two = disk.partitions()[:2]
    stale = Path(f"{disk.path}p9")
    one.path.unlink()
    two.path.unlink()
    os.mknod(two.path, stat.S_IFBLK | 0o600, os.makedev(7, 255))
    os.mknod(stale, stat.S_IFBLK | 0o600, os.makedev(7, 254))
    try:
        for part in disk.partitions():
            assert nodes.is_node_of(part.path, nodes.device_number(part.path.name))
        assert not stale.exists()
    finally:
        stale.unlink(missing_ok=True)


@pytest.mark.parametrize("link", [False, True])
def test_given_a_file_where_the_node_should_be_then_it_is_not_taken_for_the_partition(loop_disk: Any, tmp_path: Path, link: bool) -> None:
    disk = loop_disk(16 * MIB, THREE)
    node, there = disk.partition(1).path, tmp_path / "file"
    there.write_bytes(b"what dd leaves when there was no node")
    node.unlink()
    try:
        if link:
            node.symlink_to(there)
        else:
            node.write_bytes(b"")
        with pytest.raises(NoSuchDisk, match="is not the device of partition 1"):
            disk.partition(1)
        assert disk.partition(2).size == 4 * MIB
    finally:
        node.unlink()


def test_sectors_of_4096_bytes_are_seen(loop_disk: Any) -> None:
    assert loop_disk(16 * MIB, sector_size=4096).sector_size == 4096
    assert loop_disk(16 * MIB).sector_size == 512


def test_given_a_free_disk_then_nothing_is_in_use(loop_disk: Any) -> None:
    disk = loop_disk(16 * MIB, THREE)
    assert disk.in_use() == []
    disk.refuse_if_in_use()


def test_given_a_mounted_partition_then_the_mount_point_is_named(loop_disk: Any, mounted: Any) -> None:
    disk = loop_disk(16 * MIB, THREE)
    command("mkfs.ext2", "-q", "-F", disk.partition(1).path)
    with mounted(disk.partition(1).path, "ext2") as folder:
        with pytest.raises(DiskInUse, match=f"{disk.partition(1).path} is mounted at {folder}"):
            disk.refuse_if_in_use()
        assert disk.partition(2).in_use() == []
    disk.refuse_if_in_use()


def test_given_swap_that_is_on_then_it_is_in_use(loop_disk: Any, monkeypatch: Any, tmp_path: Path) -> None:
    disk = loop_disk(16 * MIB, THREE)
    swaps = tmp_path / "swaps"  # as the kernel prints it; turning swap on is the whole host's business
    swaps.write_text(f"Filename\t\t\tType\t\tSize\tUsed\tPriority\n{disk.partition(2).path}  partition\t4092\t0\t-2\n")
    monkeypatch.setattr(usage, "SWAPS", swaps)
    assert disk.in_use() == [f"{disk.partition(2).path} is in use as swap"]


def test_given_somebody_holds_it_exclusively_then_it_is_in_use(loop_disk: Any) -> None:
    disk = loop_disk(16 * MIB, THREE)
    descriptor = os.open(disk.partition(1).path, os.O_RDONLY | os.O_EXCL)
    try:
        assert "opened exclusively" in disk.in_use()[0]
    finally:
        os.close(descriptor)
    assert disk.in_use() == []
