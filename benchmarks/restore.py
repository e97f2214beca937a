# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Full restore to a blank loop disk over HTTP, beside partclone (with and without checksums) and fsarchiver.

Ours verifies: the signature, the hash of every chunk, and the disk read back; "no read-back" is without the last. It also writes the
partition table, which the peers find in place.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

from ansible_collections.fleet.core.plugins.module_utils.command import run as run_tool

from . import memory, ours, peers
from .bench import Bench
from .data import build
from .disks import LoopDisk, loop_disk
from .measure import Sample, measure
from .report import Report
from .server import nginx

OURS, UNREAD, PARTCLONE, NOCRC, FSARCHIVER = "ours", "ours no read-back", "partclone", "partclone -a 0", "fsarchiver"


def run(bench: Bench) -> Report:
    """Capture once by every method, then restore in turns, each time to a new blank disk."""
    disk = build(bench)
    scratch, www, log = bench.scratch, bench.scratch / "www", bench.scratch / "partclone.log"
    www.mkdir()
    keys = ours.Keys(scratch / "keys")
    bench.say("capturing by every method")
    measure(ours.capture(scratch, disk, www / "store", keys), log=scratch / "capture.log")
    measure(peers.partclone_capture(disk.partition, www / "crc.zst", log), log=scratch / "capture.log")
    measure(peers.partclone_capture(disk.partition, www / "nocrc.zst", log, checksums=False), log=scratch / "capture.log")
    measure(peers.fsarchiver_capture(disk.partition, www / "model.fsa"), log=scratch / "capture.log")
    server = bench.enter_context(nginx(www, scratch))
    numbers = itertools.count()
    checked: set[str] = set()

    def restored(name: str, command: Callable[[LoopDisk], str | list[str]], *, blank: bool = False) -> Callable[[], Sample]:
        def once() -> Sample:
            with loop_disk(scratch / f"target{next(numbers)}.img", disk.size) as target:
                if not blank:
                    target.partitioned()
                server.bytes_sent()
                sample = measure(
                    command(target), log=scratch / "restore.log", settle=target.settle, server=server.cpu, size=server.bytes_sent
                )
                if name not in checked:
                    run_tool(["e2fsck", "-f", "-n", str(target.partition)])
                    checked.add(name)
                return sample

        return once

    def ours_with(verify: bool) -> Callable[[LoopDisk], list[str]]:
        return lambda target: ours.restore(scratch, target, f"{server.url}/store", keys, verify=verify)

    methods = {
        OURS: restored(OURS, ours_with(True), blank=True),
        PARTCLONE: restored(PARTCLONE, lambda target: peers.partclone_restore(f"{server.url}/crc.zst", target.partition, log)),
        NOCRC: restored(NOCRC, lambda target: peers.partclone_restore(f"{server.url}/nocrc.zst", target.partition, log)),
        UNREAD: restored(UNREAD, ours_with(False), blank=True),
        FSARCHIVER: restored(
            FSARCHIVER, lambda target: peers.fsarchiver_restore(f"{server.url}/model.fsa", scratch / "fetched.fsa", target.partition)
        ),
    }
    report = Report(bench.name)
    bench.say("warming up: two methods once, not counted")
    for name in (OURS, PARTCLONE):
        methods[name]()
    report.add(bench.interleaved(methods))
    for prefix, mine in (("", OURS), ("no_read_back_", UNREAD)):
        for key, peer in (("partclone", PARTCLONE), ("partclone_nocrc", NOCRC), ("fsarchiver", FSARCHIVER)):
            for kind in ("cpu", "wall"):
                report.compare(kind, mine, peer, f"{prefix}{kind}_vs_{key}")
            report.compare("machine", mine, peer, f"{prefix}cpu_machine_vs_{key}")
    report.peak_rss(report.samples[OURS])
    memory.add(bench, report)
    return report
