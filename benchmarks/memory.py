# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our memory on a disk of 200 GiB. Its file takes next to nothing: its contents are blocks in use that were never written, zeros."""

from __future__ import annotations

import os
from pathlib import Path

from .bench import Bench
from .data import MIB, make_filesystem
from .disks import LoopDisk, loop_disk, mounted
from .measure import measure
from .ours import Keys, capture, restore
from .report import Report
from .server import nginx

_DISK = 200 << 10
"""MiB."""

_USED = {True: 8 << 10, False: 64 << 10}
"""MiB in use, for a quick and a full run. Every one of them is read and hashed, which costs half a second a GiB."""


def add(bench: Bench, report: Report) -> None:
    """Capture the large disk and compare it with its image, as a second restore does first; record the memory that takes."""
    used = _USED[bench.quick]
    bench.say(f"memory: a disk of {_DISK >> 10} GiB with {used >> 10} GiB in use")
    folder = bench.scratch / "large"
    folder.mkdir()
    keys = Keys(folder / "keys")
    with loop_disk(folder / "large.img", (_DISK + 2) * MIB) as disk, nginx(folder / "store", folder) as server:
        disk.partitioned()
        _fill(disk, folder / "mount", used)
        captured = measure(capture(folder, disk, folder / "store", keys), log=folder / "capture.log")
        compared = measure(restore(folder, disk, server.url, keys, check=True), log=folder / "restore.log")
    for key, sample in (("capture", captured), ("compare", compared)):
        bench.say(f"memory: {key:<34} {sample}")
        report.figures[f"large_disk_{key}_rss_mib"] = round(sample.rss_mib, 1)
    report.peak_rss([captured, compared])
    report.figures["large_disk_used_gib"] = used >> 10


def _fill(disk: LoopDisk, folder: Path, used: int) -> None:
    make_filesystem(disk.partition, "-N", "65536", "-J", "size=64")
    with mounted(disk.partition, folder) as root:
        for number in range(used >> 10):
            with open(root / f"blob{number}", "wb") as file:
                os.posix_fallocate(file.fileno(), 0, 1 << 30)
    disk.settle()
