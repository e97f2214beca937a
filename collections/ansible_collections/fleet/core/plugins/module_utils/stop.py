# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ending tidily when told to: SIGTERM of who started the job, SIGHUP of a terminal that is gone, SIGINT.

By itself a signal ends Python on the spot: no ``finally`` runs, and mounts, active volume groups, helpers and folders stay behind. An
exception raised by the handler would reach the main thread only, and would hit clean-ups as well, and the moment between making a thing
and remembering it. So the signal is noted, and Stop is raised where work can be left: when progress is told, before a tool is started, in
pauses.

A module's main does its work within ``stoppable()``, inside its one ``except FleetError``.
"""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any, Callable, Optional

from .errors import FleetError

_BLINK = 0.2
"""Seconds until a pause notices."""

SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


class Stopped(FleetError):
    """The work was stopped before its end."""


class Stop(BaseException):
    """A Stopped on its way to main; nothing that handles failures takes it for one."""

    def __init__(self, name: str) -> None:
        """name: of the signal."""
        said = f"The work was stopped ({name}) before its end"
        super().__init__(said)
        self.error = Stopped(said, remedy="Run it again: it goes on with what is missing", stopped=name)

    def amend(self, addition: str, **details: Any) -> None:
        """See FleetError.amend."""
        self.error.amend(addition, **details)


class _Own(threading.local):
    """What each thread has for itself."""

    shields = 0


class _Wish:
    """That this process shall end. Signals are the process's, and so is this: nobody is given it."""

    def __init__(self) -> None:
        self.name = ""
        """Of the first signal; empty until there is one. No Event: a handler that sets one may interrupt who holds its lock."""
        self._lock = threading.Lock()
        self._told = False
        self._own = _Own()
        self._calls: list[Callable[[], None]] = []

    def note(self, number: int, _frame: Optional[FrameType]) -> None:
        """Take a signal; whoever asked is called at once. The second one changes nothing: it is ending."""
        if self.name:
            return
        self.name = signal.Signals(number).name
        for call in list(self._calls):
            call()

    def check(self) -> None:
        """Raise Stop, once: from then on everything is clean-up, and may use what checks."""
        if not self.name or self._told or self._own.shields:
            return
        with self._lock:
            if self._told:
                return
            self._told = True
        raise Stop(self.name)

    def forget(self) -> None:
        """Be as before the signal."""
        self.name = ""
        self._told = False

    @contextlib.contextmanager
    def shielded(self) -> Iterator[None]:
        """See the function."""
        self._own.shields += 1
        try:
            yield
        finally:
            self._own.shields -= 1

    @contextlib.contextmanager
    def calling(self, call: Callable[[], None]) -> Iterator[None]:
        """See the function."""
        self._calls.append(call)
        try:
            if self.name:
                call()
            yield
        finally:
            self._calls.remove(call)


_wish = _Wish()


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Let SIGTERM, SIGHUP and SIGINT end what is done inside: it raises Stopped, after all clean-ups.

    From then on further signals are ignored, for the process ends; those that were ignored before stay so all the time. In another thread
    than the main one, where Python has no signals, it does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, _wish.note)
    ending = False
    try:
        yield
    except Stop as stop:
        ending = True
        raise stop.error from stop
    finally:
        for number, handler in before.items():  # who is stopped has yet to say so, and Ansible to clean up
            signal.signal(number, signal.SIG_IGN if ending else handler)
        _wish.forget()


def check() -> None:
    """Raise Stop when this process shall end; work calls it, in any thread, where it can be left. Whoever catches Stop hands it on."""
    _wish.check()


def pause(seconds: float) -> None:
    """Wait; Stop ends it early."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        check()
        time.sleep(min(left, _BLINK))
    check()


def shielded() -> contextlib.AbstractContextManager[None]:
    """What this thread does inside is done to its end: the undoing of something, for instance."""
    return _wish.shielded()


def calling(call: Callable[[], None]) -> contextlib.AbstractContextManager[None]:
    """Call something as soon as the process shall end, for work that waits for something else than us: kill a tool, end a session.

    It is called from a signal handler, in the main thread, whichever thread registered it; check() afterwards raises Stop.
    """
    return _wish.calling(call)
