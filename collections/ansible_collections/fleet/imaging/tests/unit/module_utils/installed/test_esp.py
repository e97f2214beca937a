# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An EFI system partition that somebody made to be looked at for ever."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.fleet.imaging.plugins.module_utils.filesystem import probe
from ansible_collections.fleet.imaging.plugins.module_utils.installed.esp import Esp
from ansible_collections.fleet.imaging.plugins.module_utils.installed.volume import InstalledError, Volume
from ansible_collections.fleet.imaging.tests.unit.conftest import MakeLoop, command


def entry(data: bytearray, name: bytes) -> int:
    """Where the entry of a folder is, by its short name (Microsoft FAT specification, 6: attributes at 11)."""
    at = data.find(name.ljust(11) + b"\x10")
    assert at >= 0 and at % 32 == 0
    return at


def test_folders_that_lead_back_to_themselves_are_refused(loop_device: MakeLoop) -> None:
    device: Path = loop_device(8 << 20)
    command("mkfs.vfat", device)
    names = [f"D{number}" for number in range(5)]
    for folder in ("EFI", *(f"EFI/{name}" for name in names)):
        command("mmd", "-i", device, f"::{folder}")
    data = bytearray(device.read_bytes())
    efi = entry(data, b"EFI")
    for name in names:
        at = entry(data, name.encode())
        data[at + 26 : at + 28] = data[efi + 26 : efi + 28]  # the first cluster
    device.write_bytes(data)
    with pytest.raises(InstalledError, match="more than 1000 folders, or some that lead back"):
        Esp(Volume("2", device, 2, probe(device))).files()
