# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps programs running until it is told to end, and leaves none behind.

Each program has a session of its own, so that Ctrl+C reaches the supervisor alone, which then ends them in order. Should the supervisor
itself be killed, the kernel ends them (prctl(2), PR_SET_PDEATHSIG).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

PATIENCE = 1.5
"""Seconds that programs have to end by themselves."""

STEADY = 10.0
"""A program that ran for that many seconds is started again at once; one that did not waits longer each time."""

LONGEST_WAIT = 30.0

_PR_SET_PDEATHSIG = 1
_ASKED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_WATCHED = {*_ASKED, signal.SIGCHLD}


@dataclass(frozen=True)
class Program:
    """What to run: a name for messages, argv, what its environment has besides ours, and the descriptors that it inherits."""

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    descriptors: Sequence[int] = ()


@dataclass
class _Running:
    """A program, its process when it has one, and when it was or will be started (monotonic seconds)."""

    program: Program
    process: subprocess.Popen[bytes] | None = None
    since: float = 0.0
    wait: float = 0.0


class Supervisor:
    """Runs programs; say is told in one line what ended and when it starts again."""

    def __init__(self, programs: Sequence[Program], say: Callable[[str], None]) -> None:
        self.running = [_Running(program) for program in programs]
        self.say = say

    def run(self) -> None:
        """Return when SIGINT, SIGTERM or SIGHUP asks to end, and everything has ended."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
        try:
            while True:
                self._start_due()
                due = min((each.since for each in self.running if each.process is None), default=time.monotonic() + 60)
                caught = signal.sigtimedwait(_WATCHED, max(0.0, due - time.monotonic()))
                if caught is not None and caught.si_signo in _ASKED:
                    return
                self._reap()
        finally:
            self._end()
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _start_due(self) -> None:
        for each in self.running:
            if each.process is None and each.since <= time.monotonic():
                each.process, each.since = _start(each.program), time.monotonic()

    def _reap(self) -> None:
        for each in self.running:
            if each.process is not None and each.process.poll() is not None:
                steady = time.monotonic() - each.since >= STEADY
                each.wait = 0.0 if steady else min(LONGEST_WAIT, max(1.0, 2 * each.wait))
                again = "now" if steady else f"in {each.wait:g} s"
                self.say(f"{each.program.name} ended ({_verdict(each.process.returncode)}); it starts again {again}.")
                _signal(each.process, signal.SIGKILL)  # whatever it left in its session
                each.process, each.since = None, time.monotonic() + each.wait

    def _end(self) -> None:
        processes = [each.process for each in self.running if each.process is not None]
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        deadline = time.monotonic() + PATIENCE
        for process in processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
        for process in processes:
            _signal(process, signal.SIGKILL)
            process.wait()


def _start(program: Program) -> subprocess.Popen[bytes]:
    parent = os.getpid()
    libc = ctypes.CDLL(None, use_errno=True)

    def prepare() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)  # the supervisor died before the kernel knew
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _WATCHED)

    return subprocess.Popen(
        program.argv,
        env={**os.environ, **program.environment},
        stdin=subprocess.DEVNULL,
        pass_fds=program.descriptors,
        start_new_session=True,
        preexec_fn=prepare,
    )


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Signal everything in the session that a program began."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _verdict(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    with contextlib.suppress(ValueError):
        return f"killed by {signal.Signals(-code).name}"
    return f"killed by signal {-code}"
