# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secure Boot in a machine is enforced, with Microsoft's keys: shown by loaders on a USB key, without an operating system."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.lab.plugins.module_utils.machine import qemu

SHIM = Path("/usr/lib/shim/shimx64.efi.signed")
GRUB = Path("/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which(qemu.PROGRAM) is None, reason="QEMU is not installed"),
]


def command(*argv: object) -> None:
    subprocess.run([str(each) for each in argv], check=True, stdin=subprocess.DEVNULL)


def key(image: Path, **files: Path) -> str:
    """Make a USB key with files in EFI/BOOT."""
    with image.open("wb") as file:
        file.truncate(16 << 20)
    command("mformat", "-i", image, "::")
    command("mmd", "-i", image, "::EFI", "::EFI/BOOT")
    for name, source in files.items():
        command("mcopy", "-i", image, source, f"::EFI/BOOT/{name}.EFI")
    return str(image)


@pytest.fixture
def unsigned(tmp_path: Path) -> str:
    """A key with a loader that nobody signed."""
    (tmp_path / "early.cfg").write_text("echo NOBODY SIGNED THIS\nsleep 1000\n")
    loader = tmp_path / "loader.efi"
    command("grub-mkimage", "-O", "x86_64-efi", "-o", loader, "-p", "/EFI", "-c", tmp_path / "early.cfg", "echo", "sleep")
    return key(tmp_path / "key.img", BOOTX64=loader)


def test_what_nobody_signed_is_refused(make_machine: Any, unsigned: str) -> None:
    machine = make_machine(firmware="secureboot", memory=256, usb=unsigned, boot=("usb",))
    machine.power_on()
    machine.console.wait_for("Access Denied")
    assert "NOBODY SIGNED" not in machine.console.read()


@pytest.mark.whole
def test_without_secure_boot_it_is_started(make_machine: Any, unsigned: str) -> None:
    machine = make_machine(firmware="uefi", memory=256, usb=unsigned, boot=("usb",))
    machine.power_on()
    machine.console.wait_for("NOBODY SIGNED THIS")


@pytest.mark.whole
@pytest.mark.skipif(not (SHIM.exists() and GRUB.exists()), reason="shim-signed and grub-efi-amd64-signed are not installed")
def test_debians_signed_loader_is_started_and_driven_over_the_console(make_machine: Any, tmp_path: Path) -> None:
    media = key(tmp_path / "key.img", BOOTX64=SHIM, GRUBX64=GRUB)
    machine = make_machine(firmware="secureboot", memory=256, usb=media, boot=("usb",))
    machine.power_on()
    mark = machine.console.wait_for("grub>")
    machine.console.send("echo $grub_platform $lockdown\r")
    machine.console.wait_for("efi y", after=mark)
    assert "echo $grub_platform $lockdown" in machine.console.read(mark), "what is typed can be read"
