# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every state in which a filesystem must not be captured is seen, refused with the reason and the remedy, and made for real here."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.imaging.plugins.module_utils.filesystem import AmbiguousFilesystem, NotClean, SwapArea, probe
from ansible_collections.fleet.imaging.tests.unit.conftest import command
from ansible_collections.fleet.imaging.tests.unit.filesystems import KINDS, MIB, make


def refusal(device: Path) -> tuple[str, str]:
    """The reason and the whole message with which a capture is refused."""
    with pytest.raises(NotClean) as caught:
        probe(device).used()
    state = probe(device).state()
    assert not state.clean and state.reason and state.detail and state.remedy
    message = str(caught.value)
    assert str(device) in message and state.reason in message and state.remedy in message
    assert caught.value.details["reason"] == state.reason
    return state.reason, message


def poke(device: Path, offset: int, data: bytes) -> None:
    with device.open("r+b", buffering=0) as file:
        file.seek(offset)
        file.write(data)


def peek(device: Path, offset: int, length: int) -> bytes:
    with device.open("rb", buffering=0) as file:
        file.seek(offset)
        return file.read(length)


@pytest.mark.parametrize("sector_size", [512, 4096])
@pytest.mark.parametrize("name", KINDS)
def test_given_a_fresh_filesystem_then_it_is_clean(name: str, sector_size: int, loop_device: Any) -> None:
    if (name, sector_size) == ("ext4-1k", 4096):
        pytest.skip("blocks smaller than a sector cannot be")
    device = loop_device(KINDS[name].size, sector_size=sector_size)
    make(KINDS[name], device)
    assert probe(device).state().clean
    probe(device).check()


@pytest.mark.parametrize("name", ["ext2", "ext3", "ext4-1k", "xfs", "btrfs", "exfat"])
def test_given_a_copy_of_a_mounted_disk_as_after_a_power_cut_then_it_is_dirty(name: str, loop_device: Any, mounted: Any) -> None:
    kind = KINDS[name]
    device, copy = loop_device(kind.size), loop_device(kind.size)
    make(kind, device)
    with mounted(device, kind.type) as folder:
        (folder / "file").write_bytes(b"written just before the power cut" * 1000)
        command("sync", folder / "file")  # an fsync alone: btrfs keeps it in its log tree
        shutil.copyfile(device, copy)
        reason, _remedy = refusal(device)
        assert reason == "mounted"

    assert refusal(copy)[0] == "dirty"
    assert probe(device).state().clean


def test_given_an_xfs_with_a_dirty_log_then_partclone_alone_would_have_said_nothing(loop_device: Any, mounted: Any, tmp_path: Path) -> None:
    device, copy = loop_device(KINDS["xfs"].size), loop_device(KINDS["xfs"].size)
    make(KINDS["xfs"], device)
    with mounted(device, "xfs") as folder:
        (folder / "file").write_bytes(b"x")
        command("sync", folder / "file")
        shutil.copyfile(device, copy)
    command("partclone.xfs", "--domain", "-s", copy, "-o", tmp_path / "domain", "-L", tmp_path / "log")  # ends with 0: the trap
    assert "DIRTY" in refusal(copy)[1]
    with mounted(copy, "xfs"):
        pass
    assert probe(copy).state().clean  # the remedy works


def test_given_an_ext4_marked_with_errors_then_it_is_dirty(loop_device: Any) -> None:
    device = loop_device(64 * MIB)
    make(KINDS["ext4-1k"], device)
    command("debugfs", "-w", "-R", "ssv state 3", device)
    assert refusal(device)[0] == "dirty"


@pytest.mark.parametrize(
    "change", [lambda d: poke(d, 0x41, b"\1"), lambda d: poke(d, 32 * 512 + 4, b"\xff\xff\xff\x07")], ids=["boot", "table"]
)
def test_given_a_vfat_with_either_dirty_mark_then_it_is_dirty(change: Callable[[Path], None], loop_device: Any) -> None:
    device = loop_device(64 * MIB)
    make(KINDS["fat32"], device)
    change(device)
    assert refusal(device)[0] == "dirty"


def test_given_a_fat16_with_a_dirty_mark_then_it_is_dirty(loop_device: Any) -> None:
    device = loop_device(64 * MIB)
    make(KINDS["fat16"], device)
    reserved = struct.unpack("<H", peek(device, 14, 2))[0]
    poke(device, reserved * 512 + 2, b"\xff\x7f")
    assert refusal(device)[0] == "dirty"


def test_given_an_exfat_on_failing_media_then_it_is_damaged(loop_device: Any) -> None:
    device = loop_device(64 * MIB)
    make(KINDS["exfat"], device)
    poke(device, 106, b"\4")
    assert refusal(device)[0] == "damaged"


def ntfs(loop_device: Any) -> Path:
    device: Path = loop_device(64 * MIB)
    make(KINDS["ntfs"], device)
    return device


def mark_ntfs_dirty(device: Path) -> None:
    """Set VOLUME_IS_DIRTY in $VOLUME_INFORMATION of $Volume (record 3) in the file table and in its mirror, as Windows does."""
    boot = peek(device, 0, 512)
    sector, cluster = struct.unpack_from("<HB", boot, 11)
    for table in struct.unpack_from("<QQ", boot, 0x30):
        record = table * sector * cluster + 3 * 1024
        data = peek(device, record, 1024)
        position = struct.unpack_from("<H", data, 20)[0]
        while struct.unpack_from("<I", data, position)[0] != 0x70:
            position += struct.unpack_from("<I", data, position + 4)[0]
        flags = position + struct.unpack_from("<H", data, position + 20)[0] + 10
        poke(device, record + flags, struct.pack("<H", struct.unpack_from("<H", data, flags)[0] | 1))


def test_given_an_ntfs_with_the_dirty_mark_then_it_is_dirty_though_ntfs_3g_probe_says_it_is_fine(loop_device: Any) -> None:
    device = ntfs(loop_device)
    mark_ntfs_dirty(device)
    assert subprocess.run(["ntfs-3g.probe", "--readwrite", str(device)], check=False).returncode == 0  # the trap
    assert refusal(device)[0] == "dirty"


def test_given_a_hibernated_windows_then_it_is_refused_though_ntfsresize_says_it_is_fine(loop_device: Any, mounted: Any) -> None:
    device = ntfs(loop_device)
    with mounted(device, "ntfs") as folder:
        (folder / "hiberfil.sys").write_bytes(b"hibr" + bytes(8188))
    command("ntfsresize", "--info", "--no-progress-bar", device)  # the trap
    reason, message = refusal(device)
    assert reason == "hibernated" and "powercfg /h off" in message


def test_given_an_ntfs_whose_mirror_differs_then_it_is_damaged(loop_device: Any) -> None:
    device = ntfs(loop_device)
    boot = peek(device, 0, 512)
    sector, cluster = struct.unpack_from("<HB", boot, 11)
    poke(device, struct.unpack_from("<Q", boot, 0x38)[0] * sector * cluster + 0x50, b"\xa5\xa5")
    assert refusal(device)[0] == "damaged"


def test_given_a_mount_in_another_namespace_then_it_is_mounted(loop_device: Any, tmp_path: Path) -> None:
    device = loop_device(64 * MIB)
    make(KINDS["ext4-1k"], device)
    script = 'mount -t ext4 "$1" "$2" && echo ready && read -r line; umount "$2"'
    argv = ["unshare", "--mount", "--propagation", "slave", "sh", "-c", script, "sh", str(device), str(tmp_path)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        assert "another mount namespace" in refusal(device)[1]
        process.communicate("done\n")
    assert probe(device).state().clean


def test_given_a_bitlocker_volume_then_it_is_encrypted(loop_device: Any) -> None:
    device = loop_device(4 * MIB)
    poke(device, 0, b"\xeb\x58\x90-FVE-FS-" + bytes(499) + b"\x55\xaa")
    reason, message = refusal(device)
    assert reason == "encrypted" and "manage-bde -off" in message


def test_given_a_luks_volume_then_it_is_encrypted(loop_device: Any) -> None:
    device = loop_device(4 * MIB)
    header = b"LUKS\xba\xbe" + struct.pack(">H", 1) + b"aes".ljust(32, b"\0") + b"xts-plain64".ljust(32, b"\0") + b"sha256".ljust(32, b"\0")
    poke(device, 0, header + bytes(64) + b"0b1d3f02-1111-4222-8333-444455556666\0")
    assert refusal(device)[0] == "encrypted"


@pytest.mark.parametrize("mark", [b"S1SUSPEND\0", b"S2SUSPEND\0", b"LINHIB0001"])
def test_given_a_system_suspended_into_swap_then_it_is_hibernated(mark: bytes, loop_device: Any) -> None:
    device = loop_device(4 * MIB)
    SwapArea.create(device, "0b1d3f02-1111-4222-8333-444455556666", "swap")
    poke(device, 4086, mark)
    assert refusal(device)[0] == "hibernated"


def test_given_swap_then_nothing_of_it_is_captured_and_it_can_be_made_again(loop_device: Any) -> None:
    device = loop_device(4 * MIB)
    SwapArea.create(device, "0b1d3f02-1111-4222-8333-444455556666", "swäp")
    area = probe(device)
    assert (area.type, area.uuid, area.label, area.size) == ("swap", "0b1d3f02-1111-4222-8333-444455556666", "swäp", 4 * MIB)
    assert area.used() == []
    area.check()


def test_given_a_raid_member_then_it_is_unsupported(loop_device: Any) -> None:
    device = loop_device(8 * MIB)
    geometry = struct.pack("<QQQ", 2048, 14336, 8)  # data offset, data size, where this superblock is: in sectors
    poke(device, 4096, (struct.pack("<4I16s32s", 0xA92B4EFC, 1, 0, 0, bytes(range(16)), b"name") + bytes(64) + geometry).ljust(4096, b"\0"))
    assert probe(device).type == "linux_raid_member"
    assert refusal(device)[0] == "unsupported"


def test_given_two_filesystems_on_one_device_then_it_is_ambiguous(loop_device: Any) -> None:
    device, other = loop_device(128 * MIB), loop_device(128 * MIB)
    make(KINDS["ext4-1k"], device)
    make(KINDS["btrfs"], other)
    poke(device, 65536, peek(other, 65536, 4096))
    with pytest.raises(AmbiguousFilesystem, match="wipefs"):
        probe(device)


def test_given_an_unknown_content_then_every_byte_of_it_counts(loop_device: Any) -> None:
    device = loop_device(3 * MIB, fill=0xA5)
    assert probe(device).type == "raw"
    assert probe(device).used() == [(0, 3 * MIB)]


def test_given_labels_with_every_kind_of_character_then_they_are_read_exactly(loop_device: Any) -> None:
    device = loop_device(4 * MIB)
    command("mkfs.ext2", "-q", "-F", "-L", "a b'\"\\é$x", device)
    assert probe(device).label == "a b'\"\\é$x"
