# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Own systems: on their disk is what a container starts, and with a kernel also what a machine starts."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.fleet.lab.plugins.module_utils.room import storage, system

BIOS_BOOT = "21686148-6449-6E6F-744E-656564454649"
MASKED = "etc/systemd/system/systemd-networkd.service"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    storage.detach(tmp_path)


@pytest.fixture
def root(folder: Path) -> Path:
    """The little of a root that an installation looks at."""
    files = {
        "etc/os-release": "ID=debian\n",
        "usr/lib/systemd/system/systemd-networkd.service": "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n",
    }
    for name, text in files.items():
        (folder / "root" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "root" / name).write_text(text)
    masked = folder / "root" / MASKED
    masked.parent.mkdir(parents=True)
    masked.symlink_to("/dev/null")
    return folder / "root"


def installed(folder: Path, root: Path) -> tuple[str, list[dict[str, str]]]:
    """Install it; the disk and its table."""
    (folder / "layer/etc").mkdir(parents=True)
    (folder / "layer/etc/hostname").write_text("model\n")
    loop = storage.create(folder / "disk.img", 700 << 20)
    system.install(loop, root, folder / "layer")
    listed = subprocess.run(["sfdisk", "--json", loop], capture_output=True, check=True).stdout
    return loop, json.loads(listed)["partitiontable"]["partitions"]


def read(loop: str, name: str) -> str:
    command = ["debugfs", "-R", f"cat /{name}", f"{loop}p3"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_a_system_without_a_kernel_is_started_by_the_rooms_firmware_alone(folder: Path, root: Path) -> None:
    loop, partitions = installed(folder, root)
    assert [each["name"] for each in partitions] == ["esp", "swap", "root"]
    assert read(loop, "etc/hostname") == "model\n" and read(loop, "boot/grub/grub.cfg") == ""


def test_a_system_with_a_kernel_has_what_a_machine_needs(folder: Path, root: Path) -> None:
    (root / "boot").mkdir()
    (root / "boot/vmlinuz-6.1.0-1-amd64").touch()
    loop, partitions = installed(folder, root)
    numbers = {each["name"]: each["node"].removeprefix(f"{loop}p") for each in partitions}
    assert numbers == {"esp": "1", "swap": "2", "root": "3", "bios": "4"}
    assert [each["type"] for each in partitions if each["name"] == "bios"] == [BIOS_BOOT]
    uuid = subprocess.run(["blkid", "-o", "value", "-s", "UUID", f"{loop}p3"], capture_output=True, text=True, check=True).stdout.strip()
    menu = read(loop, "boot/grub/grub.cfg")
    assert f"linux /boot/vmlinuz-6.1.0-1-amd64 root=UUID={uuid} " in menu and "initrd /boot/initrd.img-6.1.0-1-amd64\n" in menu
    assert subprocess.run(["grub-script-check"], input=menu, text=True, check=False).returncode == 0
    assert "DHCP=ipv4" in read(loop, "etc/systemd/network/80-wired.network")
    assert "!container" in read(loop, f"{MASKED}.d/container.conf")
    links = subprocess.run(["debugfs", "-R", f"stat /{MASKED}", f"{loop}p3"], capture_output=True, text=True, check=True)
    assert "/dev/null" not in links.stdout
    wanted = subprocess.run(
        ["debugfs", "-R", "ls -p /etc/systemd/system/multi-user.target.wants", f"{loop}p3"], capture_output=True, text=True, check=True
    )
    assert "systemd-networkd.service" in wanted.stdout
