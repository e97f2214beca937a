# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``stationdb worker``: takes reports from the spool into the database, until it is told to stop."""

from __future__ import annotations

import logging
import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from ...batch import Counts, DatabaseGone, Worker
from ...upkeep import Upkeep

_IDLE = 1.0
"""Seconds between looks into an empty spool."""
_GONE = 5.0
"""Seconds until a database that is gone is tried again."""


class Command(BaseCommand):
    """Several may run at once."""

    help = "Take reports from the spool into the database. Several workers may run at once; each stops at SIGTERM, between batches."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="end when the spool is empty")

    def handle(self, *arguments: Any, once: bool = False, **options: Any) -> None:
        logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
        stop = threading.Event()
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: stop.set())
        worker = Worker()
        upkeep = Upkeep(worker.spool, settings.REPORT_DOCUMENT_DAYS, settings.REPORT_WAITING_DAYS)
        total = Counts()
        while not stop.is_set():
            try:
                upkeep.when_due()
                counts = worker.run(stop)
                total += counts
            except DatabaseGone as error:
                self.stderr.write(f"The database does not answer ({error}); reports wait in the spool.")
                if once:
                    raise SystemExit(75) from error
                stop.wait(_GONE)
                continue
            if once:
                break
            if not (counts.taken or counts.refused or counts.unplaced or counts.repeated):
                stop.wait(_IDLE)
        self.stdout.write(
            f"{total.taken} taken in, {total.refused} refused, {total.unplaced} of stations without a site, {total.repeated} known already"
        )
