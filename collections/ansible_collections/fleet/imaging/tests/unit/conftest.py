# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures with real block devices. Whatever a test makes here is gone afterwards, also when the test fails."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest

from ansible_collections.fleet.imaging.plugins.module_utils.disk.device import Disk
from ansible_collections.fleet.imaging.tests.unit.bench import Bench

MakeLoop = Callable[..., Path]
MakeDisk = Callable[..., Disk]


def command(*argv: object, stdin: str = "") -> str:
    """Run a tool; a failure shows what it said."""
    done = subprocess.run(
        [str(each) for each in argv], input=stdin, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}, check=False
    )
    assert done.returncode == 0, f"{argv} ended with {done.returncode}: {done.stderr or done.stdout}"
    return done.stdout


@pytest.fixture
def loop_device(tmp_path: Path) -> Iterator[MakeLoop]:
    """Loop devices: ``make(size, fill=None, sector_size=512)`` gives the node of a new one; fill is a byte to fill it with."""
    with contextlib.ExitStack() as stack:
        count = 0

        def make(size: int, fill: int | None = None, sector_size: int = 512) -> Path:
            nonlocal count
            count += 1
            backing = tmp_path / f"disk{count}.img"
            stack.callback(backing.unlink, missing_ok=True)
            with backing.open("wb") as file:
                file.truncate(size)
                for offset in range(0, size if fill is not None else 0, 1 << 20):
                    file.seek(offset)
                    file.write(bytes([fill or 0]) * min(1 << 20, size - offset))
            path = command("losetup", "--find", "--show", "--sector-size", sector_size, backing).strip()
            stack.callback(release, path)
            return Path(path)

        yield make


def release(path: str) -> None:
    """Detach a loop device and its partitions."""
    subprocess.run(["partx", "--delete", "--nr", "1:128", path], capture_output=True, check=False)
    subprocess.run(["losetup", "--detach", path], capture_output=True, check=False)


@pytest.fixture
def loop_disk(loop_device: MakeLoop) -> MakeDisk:
    """Disks: ``make(size, script="", **options)`` gives one with the partition table of a script for sfdisk, nodes in place."""

    def make(size: int, script: str = "", **options: int) -> Disk:
        path = loop_device(size, **options)
        if script:
            command("sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", path, stdin=script)
        disk = Disk.open(path)
        disk.refresh()
        return disk

    return make


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Callable[..., contextlib.AbstractContextManager[Path]]]:
    """Mount filesystems for a while: a context manager of device, kind and options that gives the folder.

    They lie in a folder of shared propagation: else whoever makes a mount namespace meanwhile (a station of the lab) would keep the device
    mounted there for as long as it lives.
    """
    shared = tmp_path / "mounts"
    shared.mkdir()
    command("mount", "--bind", shared, shared)
    command("mount", "--make-shared", shared)

    @contextlib.contextmanager
    def mount(device: Path, kind: str, options: str = "") -> Iterator[Path]:
        point = shared / device.name
        point.mkdir(exist_ok=True)
        helper = {"ntfs": ["ntfs-3g"], "exfat": ["mount.exfat-fuse"]}.get(kind, ["mount", "-t", kind])
        extra = ",".join(filter(None, [options, "nouuid" if kind == "xfs" else ""]))
        command(*helper, *(["-o", extra] if extra else []), device, point)
        try:
            yield point
        finally:
            command("umount", point)

    yield mount
    command("umount", shared)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A signed store behind nginx, and captures and restores with it."""
    with Bench.open(tmp_path / "bench") as bench:
        yield bench
