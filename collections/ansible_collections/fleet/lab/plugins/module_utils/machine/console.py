# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine's serial console: everything it says is in a file; what is typed goes through a named pipe."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import struct
import termios
import time
from pathlib import Path
from typing import Callable, Union

from ansible_collections.fleet.core.plugins.module_utils.stop import pause

from .process import MachineError

TAIL = 25
"""Lines of a console shown in an error."""

KEYS = {"up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D", "enter": "\r", "escape": "\x1b", "tab": "\t"}
"""What a terminal sends for keys that have no letter."""

_PLACED = re.compile(r"\x1b\[([0-9]*)[0-9;]*[Hf]|\n")
_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[ -/]*[0-~]|[\x00-\x08\x0b-\x1f\x7f]")


def plain(said: bytes) -> str:
    """Return the words of what a terminal was sent; a cursor placed on another row begins a new line."""
    row = ""

    def placed(found: re.Match[str]) -> str:
        nonlocal row
        before, row = row, found[1] or ""
        return "" if row and row == before else "\n"

    return _CONTROL.sub("", _PLACED.sub(placed, said.decode("utf-8", "replace")))


class Console:
    """The console of a machine; alive tells whether it runs."""

    def __init__(self, log: Path, path: Path, alive: Callable[[], bool]) -> None:
        self.log, self.path, self._alive = log, path, alive

    def read(self, after: int = 0) -> str:
        """Return what was said since the machine was switched on, without the first bytes, as words."""
        return plain(self._raw()[after:])

    def mark(self) -> int:
        """Return how many bytes were said until now: what comes later is after this mark."""
        return len(self._raw())

    def wait_for(self, text: Union[str, re.Pattern[str]], timeout: float = 300.0, after: int = 0) -> int:
        """Wait until a text, or what a pattern matches, was said after a mark; return the mark behind it.

        MachineError with the console's end when it is not said within timeout seconds, or when the machine is switched off meanwhile.
        """
        pattern = re.compile(re.escape(text)) if isinstance(text, str) else text
        deadline = time.monotonic() + timeout
        while True:
            alive = self._alive()  # before reading: the last words of one that ends are read
            raw = self._raw()[after:]
            if pattern.search(plain(raw)):
                return after + _shortest(raw, pattern)
            if not alive or time.monotonic() > deadline:
                reason = f"was not said within {timeout:g} s" if alive else "was not said before the machine was off"
                raise MachineError(f"{pattern.pattern!r} {reason}", remedy=self.tail())
            pause(0.2)

    def send(self, text: str, timeout: float = 60.0) -> None:
        """Type a text; KEYS has what is no letter. Returns once the machine has taken all of it; MachineError when it does not."""
        rest, deadline = text.encode(), time.monotonic() + timeout
        try:
            pipe = os.open(self.path, os.O_WRONLY | os.O_NONBLOCK)  # no such device or address: nobody reads
        except OSError as error:
            raise MachineError(
                f"The console {self.path} takes no input: {error.strerror}", remedy="See whether the machine runs"
            ) from error
        try:
            while rest or _unread(pipe):
                if rest:
                    with contextlib.suppress(BlockingIOError):
                        rest = rest[os.write(pipe, rest) :]
                if time.monotonic() > deadline or not self._alive():
                    raise MachineError(f"The console {self.path} was not read to its end", remedy=self.tail())
                pause(0.02)
        except BrokenPipeError as error:
            raise MachineError(f"The machine went off before it read all of {self.path}", remedy=self.tail()) from error
        finally:
            os.close(pipe)

    def tail(self) -> str:
        """Return the end of the console as an error shows it."""
        lines = [line.rstrip() for line in self.read().splitlines() if line.strip()]
        return f"Its console ({self.log}) ends with:\n" + "\n".join(lines[-TAIL:])

    def _raw(self) -> bytes:
        try:
            return self.log.read_bytes()
        except FileNotFoundError:
            return b""


def _shortest(raw: bytes, pattern: re.Pattern[str]) -> int:
    """Return how many bytes of what was said hold the first match."""
    low, high = 0, len(raw)
    while low < high:
        middle = (low + high) // 2
        if pattern.search(plain(raw[:middle])):
            high = middle
        else:
            low = middle + 1
    return high


def _unread(pipe: int) -> int:
    """Return the bytes in a pipe that the other side has not read yet."""
    return int(struct.unpack("@i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0\0\0\0"))[0])
