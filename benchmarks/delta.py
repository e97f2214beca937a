# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A station that has drifted gets its image back: ours, casync with the disk as its seed, rsync --inplace, and our own full restore.

For each kind of drift (see drift.py), with and without fstrim afterwards. Every run begins with a fresh copy of the drifted disk.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from ansible_collections.fleet.core.plugins.module_utils.command import run as run_tool
from tests.ports import free_port

from . import drift, memory, ours, peers
from .bench import Bench
from .data import build
from .disks import LoopDisk, copy_sparse, loop_disk
from .measure import Sample, measure, process_cpu
from .report import Report
from .server import nginx, started

FULL = "ours full"
VARIANTS = (("use", False), ("use", True), ("churn", False), ("churn", True), ("inplace", False))
"""Kinds of drift, each with or without fstrim; the first one is the figure."""


def run(bench: Bench) -> Report:
    """Capture by every method, then let disks drift and bring them back."""
    disk = build(bench)
    scratch, www = bench.scratch, bench.scratch / "www"
    www.mkdir()
    keys = ours.Keys(scratch / "keys")
    bench.say("capturing by every method")
    measure(ours.capture(scratch, disk, www / "store", keys), log=scratch / "capture.log")
    measure(peers.casync_capture(disk.partition, www / "casync", www / "model.caibx"), log=scratch / "capture.log")
    server = bench.enter_context(nginx(www, scratch))
    rsync = Rsync(bench, disk)
    numbers = itertools.count()
    report = Report(bench.name)

    def restored(backing: Path | None, command: Callable[[LoopDisk], str | list[str]]) -> Callable[[], Sample]:
        """Backing None: a blank disk."""

        def once() -> Sample:
            with ExitStack() as stack:
                path = scratch / f"target{next(numbers)}.img"
                stack.callback(path.unlink, missing_ok=True)
                if backing:
                    copy_sparse(backing, path)
                target = stack.enter_context(loop_disk(path, 0 if backing else disk.size))
                if backing:
                    target.warm()
                server.bytes_sent()
                sample = measure(
                    command(target),
                    log=scratch / "delta.log",
                    settle=target.settle,
                    server=lambda: server.cpu() + rsync.cpu(),
                    size=lambda: server.bytes_sent() + received(scratch / "delta.out"),
                )
                run_tool(["e2fsck", "-f", "-n", str(target.partition)])
                return sample

        return once

    def own(target: LoopDisk) -> list[str]:
        return ours.restore(scratch, target, f"{server.url}/store", keys)

    for kind, trim in VARIANTS:
        label = f"{kind}{' trimmed' if trim else ''}"
        bench.say(f"drift: {label}")
        drifted = scratch / "drifted.img"
        copy_sparse(disk.backing, drifted)
        with loop_disk(drifted) as station:
            drift.apply(bench, station, kind, trim=trim)
        methods = {f"ours {label}": restored(drifted, own)}
        if (kind, trim) == VARIANTS[0]:
            methods[FULL] = restored(None, own)
        if kind != "inplace" and not trim:
            methods[f"rsync {label}"] = restored(drifted, lambda target: peers.rsync_delta(rsync.url, target.partition))
        methods[f"ours {label}"]()  # warms up
        report.add(bench.interleaved(methods, 3 if bench.quick and (kind, trim) != VARIANTS[0] else None))
        if (kind == "use" and not trim) or (kind == "churn" and not trim and not bench.quick):
            casync = restored(
                drifted, lambda target: peers.casync_delta(f"{server.url}/casync", f"{server.url}/model.caibx", target.partition)
            )
            report.add(bench.interleaved({f"casync {label}": casync}, 3))
        drifted.unlink()
    summarize(report)
    memory.add(bench, report)
    return report


class Rsync:
    """A daemon that serves the raw image of the model's partition."""

    def __init__(self, bench: Bench, disk: LoopDisk) -> None:
        folder = bench.scratch / "raw"
        folder.mkdir()
        run_tool(["cp", "--sparse=always", str(disk.partition), str(folder / "model.raw")])
        port = free_port()
        config = bench.scratch / "rsyncd.conf"
        config.write_text(f"address = 127.0.0.1\nuse chroot = no\nuid = 0\ngid = 0\n[raw]\npath = {folder}\nread only = yes\n")
        argv = ["rsync", "--daemon", "--no-detach", f"--config={config}", f"--port={port}", f"--log-file={bench.scratch / 'rsyncd.log'}"]
        self._process = bench.enter_context(started(argv, port))
        self.url = f"rsync://127.0.0.1:{port}/raw/model.raw"

    def cpu(self) -> float:
        """CPU seconds of the daemon and its ended children."""
        return process_cpu([self._process.pid])


def received(output: Path) -> int:
    """Bytes that rsync says it received; 0 when the output is not rsync's."""
    found = re.search(r"^Total bytes received: ([0-9,]+)", output.read_text(errors="replace"), re.MULTILINE)
    return int(found.group(1).replace(",", "")) if found else 0


def summarize(report: Report) -> None:
    """The ratios; those without a kind of drift in their key are of "use" without fstrim."""
    for method in [name for name in report.samples if name.startswith("ours ") and name != FULL]:
        label = method.removeprefix("ours ")
        suffix = "" if label == "use" else f"_{label.replace(' ', '_')}"
        report.compare("bytes", method, FULL, f"fetched_vs_full{suffix}")
        report.compare("cpu", method, FULL, f"cpu_vs_full{suffix}")
        report.compare("wall", method, FULL, f"wall_vs_full{suffix}")
        report.compare("machine", method, FULL, f"cpu_machine_vs_full{suffix}")
        for peer in ("casync", "rsync"):
            if f"{peer} {label}" in report.samples:
                report.compare("cpu", method, f"{peer} {label}", f"cpu_vs_{peer}{suffix}")
                report.compare("machine", method, f"{peer} {label}", f"cpu_machine_vs_{peer}{suffix}")
                report.compare("bytes", method, f"{peer} {label}", f"fetched_vs_{peer}{suffix}")
        report.peak_rss(report.samples[method])
