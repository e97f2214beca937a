# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program that finds the disk, run by a real shell over what the kernel says of disks."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from ansible_collections.fleet.imaging.plugins.module_utils.disk.identity import read_label
from ansible_collections.fleet.imaging.plugins.module_utils.installer import programs

SHELLS = [shell for shell in (["sh"], ["bash", "--posix"], ["busybox", "sh"]) if shutil.which(shell[0])]


def disk(root: Path, name: str, *, size: int = 2048, serial: str = "", wwn: str = "", page: str = "") -> Path:
    folder = root / "sys/block" / name
    (folder / "device").mkdir(parents=True)
    (folder / "size").write_text(f"{size}\n")
    if serial:
        (folder / "device/serial").write_text(f"{serial}   \n")
    if wwn:
        (folder / "wwid").write_text(f"{wwn}\n")
    if page:
        (folder / "device/vpd_pg80").write_bytes(b"\0\x80" + len(page).to_bytes(2, "big") + page.encode())
    return folder


@pytest.fixture(params=SHELLS, ids=lambda shell: shell[0])
def find(request: pytest.FixtureRequest, tmp_path: Path):  # type: ignore[no-untyped-def]
    def call(*asked: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [*request.param, "-c", programs.DISK, "disk", *asked],
            env={"FLEET_ROOT": str(tmp_path), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout.strip(), done.stderr

    return call


def test_the_one_disk_that_is_meant_is_found(find, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    disk(tmp_path, "sda", serial="S4EVNX0M", wwn="naa.5002538E40")
    disk(tmp_path, "nvme0n1", serial="FLEET 07", wwn="eui.0025385", size=4096)
    disk(tmp_path, "sdb", page="  WD-WX1")
    disk(tmp_path, "sr0", serial="S4EVNX0M")
    disk(tmp_path, "loop0", serial="S4EVNX0M")
    assert find("S4EVNX0M", "", "")[:2] == (0, "/dev/sda")
    assert find("", "0x5002538e40", "")[:2] == (0, "/dev/sda")
    assert find("FLEET 07", "", "2097152")[:2] == (0, "/dev/nvme0n1")
    assert find("WD-WX1", "", "")[:2] == (0, "/dev/sdb")


def test_it_stops_when_none_or_several_are_meant_and_shows_what_there_is(find, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    disk(tmp_path, "sda", serial="SAME")
    disk(tmp_path, "sdb", serial="SAME", size=4096)
    disk(tmp_path, "sdc", serial="", size=0)
    code, out, said = find("SAME", "", "")
    assert (code, out) == (1, "")
    assert "2 disks are serial:SAME" in said
    code, out, said = find("OTHER", "", "")
    assert (code, out) == (1, "")
    assert "/dev/sda serial:SAME wwn: size:1048576" in said
    assert "sdc" not in said
    assert find("SAME", "", "2097152")[:2] == (0, "/dev/sdb")


@pytest.mark.parametrize("serial", ["a b", "*", "$(x)", "-n", "x  y"])
def test_a_disk_has_the_serial_number_that_disk_info_shows(find, tmp_path: Path, serial: str) -> None:  # type: ignore[no-untyped-def]
    folder = disk(tmp_path, "sda", serial=serial)
    disk(tmp_path, "sdb", page="other")
    assert find(read_label(folder).serial, "", "")[:2] == (0, "/dev/sda")
