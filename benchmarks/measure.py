# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a command costs. How and why: docs/decisions/0011-benchmark-cpu.md.

CPU is user plus system time of the command and all its descendants that were waited for: a shell waits for every member of a pipeline, so
a pipeline counts whole. What the kernel does for a command in its own threads (a loop device's workers, writeback) is in nobody's account;
it is in the whole machine's, which is taken beside it, from before the start until everything that was written has reached its file.

Memory is the kernel's ru_maxrss. It survives exec, so no process can show less than this harness had at its largest (some 30 MiB).
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Sample:
    """What one run of one method cost."""

    cpu: float
    """Seconds of the process tree."""
    wall: float
    """Seconds until the command ended."""
    rss_mib: float
    """Largest resident set of any single process of the tree."""
    machine: float
    """CPU seconds of the whole machine, server and other people's work included, until all was written back."""
    server: float = 0.0
    """CPU seconds of nginx (or rsync's daemon)."""
    bytes: int = 0
    """Stored by a capture, sent by the server in a restore."""
    output: str = field(default="", repr=False, compare=False)

    def __str__(self) -> str:
        return (
            f"{self.cpu:6.2f} CPU-s  {self.wall:6.2f} s  machine {self.machine:6.2f} CPU-s  "
            f"{self.bytes / 1e6:8.2f} MB  {self.rss_mib:5.0f} MiB"
        )


class CommandFailed(Exception):
    """A measured command failed."""


def machine_cpu() -> float:
    """CPU seconds that all processors have worked since the start (not idle, not waiting, not stolen by other guests)."""
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    user, nice, system, _idle, _iowait, irq, softirq = (int(value) for value in fields[:7])
    return (user + nice + system + irq + softirq) / _TICK


def process_cpu(pids: Sequence[int]) -> float:
    """CPU seconds of processes and of the children they waited for."""
    total = 0
    for pid in pids:
        try:
            after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(int(value) for value in after_name[11:15])
    return total / _TICK


def measure(
    command: str | Sequence[str],
    *,
    log: Path,
    settle: Callable[[], None] = lambda: None,
    server: Callable[[], float] = lambda: 0.0,
    size: Callable[[], int] = lambda: 0,
    environment: Mapping[str, str] | None = None,
) -> Sample:
    """Run a shell command (or an argument list) and say what it cost; CommandFailed unless all of a pipeline succeeded.

    settle waits for what was written; server tells the server's CPU so far; size, called at the end, gives the sample's bytes.
    """
    argv = ["bash", "-o", "pipefail", "-ec", command] if isinstance(command, str) else list(command)
    output = log.with_suffix(".out")
    machine, served, started = machine_cpu(), server(), time.monotonic()
    with log.open("wb") as errors, output.open("wb") as out:
        environ = {**os.environ, "LC_ALL": "C", **(environment or {})}
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=errors, start_new_session=True, env=environ)
        try:
            _pid, status, usage = os.wait4(process.pid, 0)
        except BaseException:  # interrupted: a pipeline is a session of its own, and ends with us
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
    wall = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        said = (log.read_text(errors="replace") + output.read_text(errors="replace"))[-1500:]
        raise CommandFailed(f"{command} ended with code {process.returncode}: {said}")
    settle()
    return Sample(
        cpu=usage.ru_utime + usage.ru_stime,
        wall=wall,
        rss_mib=usage.ru_maxrss / 1024,
        machine=machine_cpu() - machine,
        server=server() - served,
        bytes=size(),
        output=output.read_text(errors="replace"),
    )
