# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ending a machine's processes, which are found by what they are called with and never by a pid written down earlier."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from pathlib import Path
from typing import Callable

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.core.plugins.module_utils.stop import pause

from . import wake

WAKE = "wake.py"


class MachineError(FleetError):
    """A machine does not start, does not end, or does not do what was waited for."""


def listeners(folder: Path) -> list[int]:
    """Return the pids of what waits for the machine's magic packets."""
    found = []
    called = [os.fsencode(folder / WAKE), os.fsencode(folder)]
    for process in os.listdir("/proc"):
        if process.isdigit():
            with contextlib.suppress(OSError):
                if Path("/proc", process, "cmdline").read_bytes().rstrip(b"\0").split(b"\0")[1:] == called:
                    found.append(int(process))
    return found


def of(folder: Path) -> list[int]:
    """Return the pids of everything that runs for the machine in a folder, without reading what is known of it."""
    return listeners(folder) + wake.running(str(folder))


def forget(folder: Path) -> None:
    """Remove the folder of a machine for which nothing runs any more."""
    shutil.rmtree(folder, ignore_errors=True)


def end(find: Callable[[], list[int]], what: str, timeout: float = 60.0) -> None:
    """End what find returns, tidily at first and after a few seconds in any case; raise MachineError when something stays."""
    begun = time.monotonic()
    while True:
        pids = find()
        if not pids:
            settle()
            return
        waited = time.monotonic() - begun
        if waited > timeout:
            raise MachineError(f"Processes {pids} of {what} do not end", remedy="See what they wait for, then try again")
        for pid in pids:
            _signal(pid, find, signal.SIGTERM if waited < 5 else signal.SIGKILL)
        pause(0.05)


def settle(timeout: float = 30.0) -> None:
    """Wait until no QEMU is about to end: without its memory it has no name any more, yet its disk and its port may still be open."""
    deadline = time.monotonic() + timeout
    while any(_closing(Path("/proc", process)) for process in os.listdir("/proc") if process.isdigit()) and time.monotonic() < deadline:
        pause(0.02)


def _closing(process: Path) -> bool:
    try:
        name, _bracket, rest = (process / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")
        if "(qemu-system-" not in name or (process / "cmdline").read_bytes():
            return False
        # What nobody has asked for the exit code stays as a zombie, which holds nothing; its threads may outlive its first one.
        return rest.split()[0] not in "ZX" or len(os.listdir(process / "task")) > 1
    except OSError:
        return False  # it ended meanwhile


def _signal(pid: int, find: Callable[[], list[int]], number: signal.Signals) -> None:
    """Send a signal to one process, and to no other that got its pid meanwhile."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        # The descriptor stays with the process; looking again makes sure it is the one.
        if pid in find():
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(descriptor, number)
    finally:
        os.close(descriptor)
