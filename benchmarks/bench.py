# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run: a scratch folder in memory that disappears whatever happens, and rounds in which all methods take turns."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError

from .measure import Sample

HOUSE = Path(__file__).parent.parent
_ROOM = {True: 6 << 30, False: 14 << 30}
"""Bytes that a quick and a full run need for disks, stores and archives."""


class BenchError(FleetError):
    """The benchmark cannot run, or a method did not do its work."""


class Bench(contextlib.ExitStack):
    """The scratch folder and what must be undone in the end, in reverse order."""

    def __init__(self, name: str, *, quick: bool, rows: tuple[str, ...] = ()) -> None:
        """rows: beginnings of the names of those to measure; none: all. Benchmarks that have no rows measure all there is."""
        super().__init__()
        self.name = name
        self.quick = quick
        self.rows = rows
        self.rounds = 5
        self._started = time.monotonic()
        self.scratch = Path()

    def __enter__(self) -> Bench:
        super().__enter__()
        try:
            self.scratch = self._folder()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool | None:
        self.say("cleaning up")
        return super().__exit__(kind, error, trace)

    def _folder(self) -> Path:
        """A folder in memory when there is room (no disk's mood in the figures), else in the clone's .cache."""
        need = _ROOM[self.quick]
        places = [Path("/dev/shm"), HOUSE / ".cache"]
        places[1].mkdir(exist_ok=True)
        for place in places:
            available = _memory_available() if place == places[0] else sys.maxsize
            if place.is_dir() and min(shutil.disk_usage(place).free, available) > need:
                folder = Path(tempfile.mkdtemp(prefix="fleet-benchmark-", dir=place))
                self.callback(shutil.rmtree, folder, ignore_errors=True)
                self.say(f"scratch data in {folder}")
                return folder
        raise BenchError(f"{need >> 30} GiB are free neither in /dev/shm nor in .cache", remedy="Free some, or use --quick")

    def say(self, text: str) -> None:
        """A line of progress."""
        print(f"[{time.monotonic() - self._started:6.1f} s] {text}", flush=True)

    def apart(self, work: Callable[[], None]) -> None:
        """Do memory-hungry work in a child: a process that we start begins with our own largest size as its peak (see measure)."""
        sys.stdout.flush()
        child = os.fork()
        if not child:
            try:
                work()
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        _pid, status = os.waitpid(child, 0)
        if status:
            raise BenchError("preparing the data failed")

    def interleaved(self, methods: Mapping[str, Callable[[], Sample]], rounds: int | None = None) -> dict[str, list[Sample]]:
        """Every method in every round, the next round beginning one method later: none always runs after the same neighbour."""
        samples: dict[str, list[Sample]] = {name: [] for name in methods}
        names = list(methods)
        total = rounds or self.rounds
        for number in range(total):
            for name in names[number % len(names) :] + names[: number % len(names)]:
                sample = methods[name]()
                samples[name].append(sample)
                self.say(f"round {number + 1}/{total}  {name:<34} {sample}")
        return samples


def _memory_available() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024 * 9 // 10
    return 0
