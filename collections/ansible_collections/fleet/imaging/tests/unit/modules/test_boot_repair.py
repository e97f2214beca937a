# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""boot_repair as Ansible runs it, on disks with real filesystems; tests/boot starts such disks under real firmware."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.imaging.tests.unit.conftest import command
from ansible_collections.fleet.imaging.tests.unit.installation import DOS, Installed, install, put

Repair = Callable[..., dict[str, Any]]
LOST = "99999999-8888-7777-6666-555555555555"
BOTH = ["bios", "uefi"]


@pytest.fixture
def repair(run: Any) -> Repair:
    """The module, told which disk, and what else is given."""

    def call(system: Installed, *, check: bool = False, **options: Any) -> dict[str, Any]:
        arguments = {"disk": str(system.disk.path), "disk_identity": system.identity, **options}
        result: dict[str, Any] = run("boot_repair", check=check, **arguments)
        return result

    return call


@pytest.fixture
def system(loop_disk: Any, mounted: Any) -> Installed:
    """A model's system on ext4, restored to a station's disk."""
    return install(loop_disk, mounted)


def core_sector(system: Installed) -> int:
    """Where the boot code looks for GRUB's core."""
    sector: int = struct.unpack("<Q", system.bytes()[0x5C:0x64])[0]
    return sector


@pytest.mark.parametrize("kind, subvolume", [("ext4", ""), ("xfs", ""), ("btrfs", "@rootfs")])
def test_a_disk_gets_loaders_for_both_firmwares_and_a_second_run_changes_nothing(
    kind: str, subvolume: str, repair: Repair, loop_disk: Any, mounted: Any
) -> None:
    system = install(loop_disk, mounted, kind, subvolume=subvolume)
    result = repair(system, targets=BOTH)
    assert result["targets"] == BOTH and "GRUB for BIOS" in result["repaired"]
    assert core_sector(system) == 2048 and b"GRUB" in system.bytes()[:440]
    assert system.bytes()[440:512] != bytes(72)  # disk id and protective table stay
    prefix = f"/{subvolume}/boot/grub" if subvolume else "/boot/grub"
    expected = f"search.fs_uuid {system.uuid(4)} root\nset prefix=($root)'{prefix}'\nconfigfile $prefix/grub.cfg\n"
    assert system.from_esp("EFI/debian/grub.cfg").decode() == expected
    assert system.from_esp("EFI/debian/grubx64.efi") == system.from_esp("EFI/BOOT/BOOTX64.EFI")
    assert system.from_esp("EFI/BOOT/BOOTX64.EFI").startswith(b"MZ")
    with system.files("ro") as root:
        assert (root / "boot/grub/i386-pc/normal.mod").is_file() and (root / "boot/grub/x86_64-efi/normal.mod").is_file()
    command("sfdisk", "--verify", system.disk.path)
    command("fsck.vfat", "-n", system.disk.partition(2).path)
    before = system.bytes()
    again = repair(system, targets=BOTH)
    assert not again["changed"] and again["repaired"] == [] and again["diff"] == []
    assert system.bytes() == before


def test_check_mode_tells_what_would_be_repaired_and_changes_nothing(repair: Repair, system: Installed) -> None:
    before = system.bytes()
    result = repair(system, check=True, targets=BOTH)
    assert result["changed"] and "EFI system partition: /EFI/BOOT/BOOTX64.EFI" in result["repaired"]
    assert system.bytes() == before


def test_an_mbr_has_grub_behind_it(repair: Repair, loop_disk: Any, mounted: Any) -> None:
    system = install(loop_disk, mounted, script=DOS, root=1, swap=2)
    table = command("sfdisk", "--dump", system.disk.path)
    assert repair(system, targets=["bios"])["targets"] == ["bios"]
    assert core_sector(system) == 1
    assert command("sfdisk", "--dump", system.disk.path) == table
    command("e2fsck", "-f", "-n", system.device)


def test_a_gap_that_is_too_small_is_refused_and_nothing_changes(repair: Repair, loop_disk: Any, mounted: Any) -> None:
    system = install(loop_disk, mounted, script=DOS.replace("start=2048", "start=34"), root=1, swap=2)
    before = system.bytes()
    result = repair(system, targets=["bios"])
    assert result["failed"] and "sectors" in result["msg"] and "Nothing was changed" in result["msg"]
    assert system.bytes() == before


def test_what_a_disk_has_no_place_for_is_refused(repair: Repair, loop_disk: Any, mounted: Any) -> None:
    system = install(loop_disk, mounted, script="label: gpt\nsize=8M, type=S\nsize={root}M, type=L\n", root=2, swap=1)
    before = system.bytes()
    assert "no place for GRUB under a BIOS" in repair(system, targets=["bios"])["msg"]
    assert "0 EFI system partitions" in repair(system, targets=["uefi"])["msg"]
    assert system.bytes() == before
    assert repair(system)["targets"] == []


def test_identifiers_that_are_not_on_the_disk_are_corrected(repair: Repair, system: Installed) -> None:
    root, swap, esp = system.uuid(4), system.uuid(3), system.uuid(2)
    with system.files() as folder:
        fstab = (folder / "etc/fstab").read_text().replace(root, LOST).replace(swap, LOST[::-1]).replace(esp, "0000-1111")
        menu = (folder / "boot/grub/grub.cfg").read_text().replace(root, LOST)
        put(folder, {"etc/fstab": fstab + "UUID=12345678-0000-0000-0000-000000000000 /data ext4 defaults 0 2\n"})
        put(folder, {"boot/grub/grub.cfg": menu, "etc/initramfs-tools/conf.d/resume": f"RESUME=UUID={LOST}\n"})
    result = repair(system)
    assert {"/etc/fstab", "/boot/grub/grub.cfg", "/etc/initramfs-tools/conf.d/resume"} <= set(result["repaired"])
    assert any("/data" in note and "nofail" in note for note in result["notes"])
    assert re.findall(r"UUID=(\S+)", system.text("etc/fstab"))[:3] == [root, swap, esp]
    menu = system.text("boot/grub/grub.cfg")
    assert menu.count(root) == 3 and LOST not in menu and "11111111-2222" in menu
    assert system.text("etc/initramfs-tools/conf.d/resume") == f"RESUME=UUID={swap}\n"
    assert not repair(system)["changed"]


def test_a_loader_that_looks_for_another_disk_is_replaced_and_one_that_does_not_stays(repair: Repair, system: Installed) -> None:
    good = b"MZ signed GRUB that reads the grub.cfg beside it"
    system.on_esp("EFI/debian/shimx64.efi", b"MZ shim")
    system.on_esp("EFI/debian/grubx64.efi", good)
    system.on_esp("EFI/debian/grub.cfg", f"search.fs_uuid {LOST} root\n".encode())
    result = repair(system)
    assert result["targets"] == ["uefi"]
    assert system.from_esp("EFI/debian/grubx64.efi") == good and system.from_esp("EFI/BOOT/grubx64.efi") == good
    assert system.from_esp("EFI/BOOT/BOOTX64.EFI") == b"MZ shim"
    assert f"search.fs_uuid {system.uuid(4)} root" in system.from_esp("EFI/debian/grub.cfg").decode()
    system.on_esp("EFI/debian/grubx64.efi", f"MZ GRUB search.fs_uuid {LOST} root".encode())
    assert "EFI system partition: /EFI/debian/grubx64.efi" in repair(system)["repaired"]
    assert LOST.encode() not in system.from_esp("EFI/debian/grubx64.efi")


def test_signed_loaders_of_the_system_are_preferred(repair: Repair, system: Installed) -> None:
    system.change({"usr/lib/shim/shimx64.efi.signed": "MZ shim", "usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed": "MZ GRUB signed"})
    repair(system, targets=["uefi"])
    assert system.from_esp("EFI/debian/shimx64.efi") == system.from_esp("EFI/BOOT/BOOTX64.EFI") == b"MZ shim"
    assert system.from_esp("EFI/debian/grubx64.efi") == b"MZ GRUB signed"


def test_windows_is_never_touched_and_that_is_said(repair: Repair, loop_disk: Any, mounted: Any) -> None:
    script = "label: gpt\nsize=16M\nsize=40M, type=U\nsize=8M, type=S\nsize=60M, type=L\n"
    system = install(loop_disk, mounted, script=script)
    command("mkfs.ntfs", "-q", "-f", system.disk.partition(1).path)
    windows = {"EFI/Microsoft/Boot/bootmgfw.efi": b"MZ bootmgr", "EFI/Microsoft/Boot/BCD": b"regf", "EFI/BOOT/BOOTX64.EFI": b"MZ bootmgr"}
    for path, data in windows.items():
        system.on_esp(path, data)
    result = repair(system, targets=["uefi"])
    assert any("BCD" in note for note in result["notes"]) and any("BOOTX64" in note for note in result["notes"])
    assert {path: system.from_esp(path) for path in windows} == windows
    assert system.from_esp("EFI/debian/grubx64.efi").startswith(b"MZ")


def test_other_boot_code_stays_unless_asked_for(repair: Repair, system: Installed) -> None:
    with system.disk.path.open("r+b") as disk:
        disk.write(b"another loader".ljust(440, b"\x90"))
    before = system.bytes()
    assert any("is not GRUB's" in note for note in repair(system)["notes"])
    assert system.bytes() == before
    assert "GRUB for BIOS" in repair(system, targets=["bios"])["repaired"]


def test_a_loader_that_was_cut_is_written_again(repair: Repair, system: Installed) -> None:
    repair(system, targets=BOTH)
    whole = system.bytes()
    with system.disk.path.open("r+b") as disk:
        disk.seek(2048 * 512 + 1024)
        disk.write(bytes(4096))
    assert repair(system)["repaired"] == ["GRUB for BIOS"]  # auto: there is GRUB's boot code
    assert system.bytes()[: 3 << 20] == whole[: 3 << 20]


def test_a_system_without_grub_is_left_alone(repair: Repair, system: Installed) -> None:
    with system.files() as root:
        (root / "boot/grub/grub.cfg").unlink()
        (root / "boot/grub").rmdir()
    before = system.bytes()
    result = repair(system)
    assert not result["changed"] and any("no GRUB" in note for note in result["notes"])
    assert "has no GRUB" in repair(system, targets=["bios"])["msg"]
    assert system.bytes() == before


def test_a_full_efi_system_partition_keeps_what_it_has(repair: Repair, system: Installed) -> None:
    system.on_esp("EFI/debian/grubx64.efi", f"MZ GRUB search.fs_uuid {LOST} root".encode())
    system.on_esp("filler", bytes(39 << 20))
    before = system.bytes()
    result = repair(system, targets=["uefi"])
    assert result["failed"] and "Make room" in result["msg"] and "Nothing was changed" in result["msg"]
    assert system.bytes() == before


def test_modules_that_are_traps_are_refused(repair: Repair, system: Installed, tmp_path: Path) -> None:
    with system.files() as root:
        (root / "usr/lib/grub/i386-pc").mkdir(parents=True)
        (root / "usr/lib/grub/i386-pc/kernel.img").symlink_to("/etc/shadow")
        (root / "boot/grub/i386-pc").symlink_to(tmp_path)
    repair(system, targets=["bios"])
    assert list(tmp_path.glob("*.mod")) == []


def test_a_disk_in_use_or_another_one_is_refused(repair: Repair, system: Installed) -> None:
    with system.files():
        assert "is in use" in repair(system)["msg"]
    assert "is not the disk that was named" in repair(system, disk_identity="size:4096")["msg"]


def test_a_disk_without_a_linux_system_is_an_error_or_a_note(repair: Repair, system: Installed) -> None:
    command("mkfs.ext4", "-q", "-F", system.device)
    assert "There is no Linux system" in repair(system)["msg"]
    result = repair(system, require=False)
    assert not result["changed"] and "There is no Linux system" in result["notes"][0]
