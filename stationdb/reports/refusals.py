# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says in the server's log which agents were refused and why, since agents themselves hardly do; a flood of them does not flood the log."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

QUIET = 600.0
"""Seconds for which the same address and reason are not named again."""

AT_MOST = 30
"""Lines a minute."""

_MOST_REMEMBERED = 5000


class Refusals:
    """One process's memory of what it said."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._said: dict[tuple[str, int], float] = {}
        self._minute = self._lines = self._silent = 0

    def note(self, address: str, status: int, reason: str) -> None:
        """Write one line, or count one that is not written."""
        now = self._clock()
        with self._lock:
            if int(now // 60) != self._minute:
                self._minute, self._lines = int(now // 60), 0
            said = self._said.get((address, status))
            if (said is not None and now - said < QUIET) or self._lines >= AT_MOST:
                self._silent += 1
                return
            if len(self._said) >= _MOST_REMEMBERED:
                self._said.clear()
            self._said[address, status] = now
            self._lines += 1
            silent, self._silent = self._silent, 0
        more = f" ({silent} other refusals were not written here.)" if silent else ""
        log.warning("An agent at %s is refused (%s): %s%s", address or "an unknown address", status, reason, more)


refusals = Refusals()
