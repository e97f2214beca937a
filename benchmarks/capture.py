# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Capture of one disk into a signed store, beside partclone (with and without checksums), fsarchiver and casync."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable
from pathlib import Path

from . import memory, ours, peers
from .bench import Bench
from .data import build
from .measure import Sample, measure
from .report import Report

OURS, PARTCLONE, NOCRC, FSARCHIVER, CASYNC = "ours", "partclone | zstd", "partclone -a 0 | zstd", "fsarchiver", "casync"


def run(bench: Bench) -> Report:
    """Every run begins with an empty store or no archive, and a source that is warm in memory."""
    disk = build(bench)
    device, scratch = disk.partition, bench.scratch
    keys = ours.Keys(scratch / "keys")
    numbers = itertools.count()

    def captured(command: Callable[[Path], str | list[str]]) -> Callable[[], Sample]:
        def once() -> Sample:
            folder = scratch / f"run{next(numbers)}"
            folder.mkdir()
            try:
                return measure(command(folder / "out"), log=folder / "log", settle=disk.settle, size=lambda: size_of(folder / "out"))
            finally:
                shutil.rmtree(folder)

        return once

    def casync(out: Path) -> str:
        out.mkdir()
        return peers.casync_capture(device, out / "store", out / "model.caibx")

    def file(command: Callable[[Path], str]) -> Callable[[Path], str]:
        return lambda out: f"mkdir {out}; {command(out / 'archive')}"

    log = scratch / "partclone.log"
    methods = {
        OURS: captured(lambda out: ours.capture(out.parent, disk, out, keys)),
        PARTCLONE: captured(file(lambda archive: peers.partclone_capture(device, archive, log))),
        NOCRC: captured(file(lambda archive: peers.partclone_capture(device, archive, log, checksums=False))),
        FSARCHIVER: captured(file(lambda archive: peers.fsarchiver_capture(device, archive))),
    }
    report = Report(bench.name)
    bench.say("warming up: each method once, not counted")
    for name in (OURS, PARTCLONE):
        methods[name]()
    report.add(bench.interleaved(methods))
    report.add(bench.interleaved({CASYNC: captured(casync)}, 3))
    for key, peer in (("partclone", PARTCLONE), ("partclone_nocrc", NOCRC), ("fsarchiver", FSARCHIVER), ("casync", CASYNC)):
        for kind in ("cpu", "wall", "bytes"):
            report.compare(kind, OURS, peer, f"{kind}_vs_{key}")
        report.compare("machine", OURS, peer, f"cpu_machine_vs_{key}")
    report.peak_rss(report.samples[OURS])
    memory.add(bench, report)
    return report


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
