# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a machine's description may say; what it may not is one clear error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.core.plugins.module_utils.errors import InputError
from ansible_collections.fleet.lab.plugins.module_utils.machine import qemu
from ansible_collections.fleet.lab.plugins.module_utils.machine.hardware import Hardware
from ansible_collections.fleet.lab.plugins.module_utils.machine.machine import Machine

MAC = "52:54:00:77:00:01"


@pytest.mark.parametrize("mac", ["52-54-00-77-00-AB", "5254.0077.00ab", "52540077 00ab".replace(" ", ""), " 52:54:00:77:00:ab "])
def test_a_mac_is_taken_in_every_notation(mac: str) -> None:
    hardware = Hardware("pc1", mac).checked()
    assert (hardware.mac, hardware.port, hardware.serial) == ("52:54:00:77:00:ab", "m5254007700ab", "fleet-5254007700ab")
    assert len(hardware.port) <= 15 and len(hardware.serial) <= 20


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"name": "PC 1"}, "'PC 1' is not a machine's name"),
        ({"name": "../pc"}, "'../pc' is not a machine's name"),
        ({"mac": "52:54:00:77:00"}, "is not a card's MAC address"),
        ({"mac": "ff:ff:ff:ff:ff:ff"}, "is not a card's MAC address"),
        ({"mac": "01:00:5e:00:00:01"}, "is not a card's MAC address"),
        ({"firmware": "coreboot"}, "firmware 'coreboot' is unknown. Use one of bios, uefi, secureboot"),
        ({"boot": ("network", "floppy")}, "boot 'floppy' is unknown. Use one of network, disk, usb"),
        ({"boot": ("disk", "disk")}, "names a source twice"),
        ({"memory": 16}, "a memory of 16 MiB is impossible. Give 64 to 65536 MiB"),
        ({"processors": 0}, "0 processors are impossible"),
        ({"disk_size": 1000000}, "a disk of 1000000 bytes is impossible"),
        ({"disk_size": -512}, "a disk of -512 bytes is impossible"),
        ({"disk_format": "vmdk"}, "disk_format 'vmdk' is unknown"),
        ({"protocol": "http"}, "a BIOS has no HTTP Boot"),
        ({"namespace": "a/../b"}, "is not a namespace's name"),
        ({"bridge": "room; reboot"}, "is not a bridge's name"),
        ({"wake": True}, "without a network nothing can wake it"),
        ({"wake_password": "secret"}, "its SecureOn password is none. Write four or six bytes"),
        ({"wake_password": "01:02:03:04:05"}, "its SecureOn password is none"),
        ({"disk": "disk.img"}, "disk 'disk.img' is not an absolute path"),
        ({"kernel": "/nowhere/vmlinuz"}, "its kernel /nowhere/vmlinuz does not exist"),
        ({"append": "quiet"}, "needs a kernel"),
        ({"accelerator": "hax"}, "accelerator 'hax' is unknown. Use one of tcg, kvm"),
    ],
)
def test_what_is_impossible_is_refused_and_nothing_is_made(options: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        Machine(tmp_path / "pc1", Hardware(**{"name": "pc1", "mac": MAC, **options}))
    assert said in str(refused.value) and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("folder", ["a,b", "a:b", "x" * 200])
def test_a_folder_that_qemu_could_not_use_is_refused(folder: str, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        Machine(tmp_path / folder, Hardware("pc1", MAC))


def test_a_description_is_read_back_as_it_was_written() -> None:
    hardware = Hardware(
        "pc1", MAC, firmware="uefi", boot=("disk", "network"), extra=("-no-reboot",), wake_password="01:02:03:04", namespace="n"
    )
    assert Hardware.from_json(json.loads(json.dumps(hardware.as_json()))) == hardware
    for damaged in ({"memory": "1024"}, {"boot": "disk"}, {"wheels": 4}, {"name": None}):
        with pytest.raises((TypeError, ValueError)):
            Hardware.from_json({**hardware.as_json(), **damaged})


def test_firmware_tries_the_sources_in_their_order_and_no_others() -> None:
    def places(boot: tuple[str, ...]) -> dict[str, str]:
        hardware = Hardware("pc1", MAC, boot=boot, disk_size=1 << 30, usb="/dev/zero", namespace="lab").checked()
        argv = qemu.command(hardware, Path("/var/tmp/pc1"), "tcg")
        devices = [word for word in argv if word.startswith(("virtio-net", "virtio-blk", "usb-storage"))]
        return {word.split(",")[0]: word.partition("bootindex=")[2].split(",")[0] for word in devices}

    assert places(("network", "disk")) == {"virtio-net-pci": "1", "virtio-blk-pci": "2", "usb-storage": ""}
    assert places(("usb", "disk", "network")) == {"virtio-net-pci": "3", "virtio-blk-pci": "2", "usb-storage": "1"}


def test_secure_boot_is_enforced_with_variables_that_only_firmware_may_write() -> None:
    argv = qemu.command(Hardware("pc1", MAC, firmware="secureboot").checked(), Path("/var/tmp/pc1"), "tcg")
    assert "q35,smm=on" in argv and "driver=cfi.pflash01,property=secure,value=on" in argv
    assert any(word.endswith("OVMF_CODE_4M.ms.fd") for word in argv) and qemu.VARIABLES["secureboot"].endswith(".ms.fd")


def test_a_kernel_is_started_directly(tmp_path: Path) -> None:
    (tmp_path / "vmlinuz").touch()
    hardware = Hardware("pc1", MAC, kernel=str(tmp_path / "vmlinuz"), append="console=ttyS0, quiet").checked()
    argv = qemu.command(hardware, tmp_path, "tcg")
    assert argv[argv.index("-kernel") + 1] == str(tmp_path / "vmlinuz") and argv[argv.index("-append") + 1] == "console=ttyS0, quiet"
