# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress of long work, as a value that is reported at most five times a second.

Work calls begin and advance; where the numbers go is the reporter's business. In a module they go to the async job file:
``Progress.from_module(module)``.
"""

from __future__ import annotations

import threading
import time
from typing import Any, Callable, Protocol

from .job_file import JobFile
from .stop import check

Report = dict[str, Any]
"""operation, done, total, unit, rate (units a second), and optionally note."""

INTERVAL = 0.2
"""Seconds between two reports."""


class Warner(Protocol):
    """The part of AnsibleModule that is needed here."""

    def warn(self, warning: str) -> None:
        """Add a warning to the module's result."""


class Progress:
    """Counts one operation after another; safe to advance from several threads."""

    def __init__(self, reporter: Callable[[Report], None] = lambda report: None) -> None:
        self._reporter = reporter
        self._lock = threading.Lock()
        self._report: Report = {}
        self._started = self._reported = 0.0

    @classmethod
    def from_module(cls, module: Warner) -> Progress:
        """Return a progress that reports to the controller, or to nobody when the module was not started as a job.

        A report that cannot be written is warned of once and never fails the work.
        """
        job = JobFile.of_this_process()
        if job is None:
            return cls()
        broken = threading.Event()

        def report(numbers: Report) -> None:
            if broken.is_set():
                return
            try:
                job.write(numbers)
            except OSError as error:
                broken.set()
                module.warn(f"Progress is no longer reported: {error}")

        return cls(report)

    def begin(self, operation: str, total: int, unit: str = "B") -> None:
        """Start counting an operation; total 0 means unknown. As advance, it raises Stop when the module shall end."""
        check()
        with self._lock:
            self._report = {"operation": operation, "done": 0, "total": total, "unit": unit, "rate": 0.0}
            self._started = time.monotonic()
            self._reported = 0.0
        self.advance(0)

    def advance(self, amount: int, note: str = "") -> None:
        """Add amount units to what is done; report when the last report is old enough or the operation is complete."""
        check()
        with self._lock:
            if not self._report:
                return
            now = time.monotonic()
            self._report["done"] += amount
            if note:
                self._report["note"] = note
            complete = 0 < self._report["total"] <= self._report["done"]
            if now - self._reported < INTERVAL and not complete:
                return
            self._reported = now
            self._report["rate"] = round(self._report["done"] / max(now - self._started, 1e-3), 1)
            report = dict(self._report)
        self._reporter(report)
