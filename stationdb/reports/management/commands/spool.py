# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``stationdb spool``: what waits and whose it is, and what was refused and why."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from ...senders import BYTES, DOCUMENTS
from ...spool import Spool, received


class Command(BaseCommand):
    """Looks into the spool; needs no database."""

    help = "Show how many reports wait, who sent most of them, and which were refused and why."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--retry", action="store_true", help="let refused documents be tried again")

    def handle(self, *arguments: Any, retry: bool = False, **options: Any) -> None:
        spool = Spool()
        if retry:
            self.stdout.write(f"{spool.retry_refused()} refused documents are tried again.")
        self.stdout.write(f"{len(spool.ids())} wait for a worker")
        waiting = spool.waiting_ids()
        days = settings.REPORT_WAITING_DAYS
        since = (
            f", the oldest since {datetime.fromtimestamp(received(waiting[0]), UTC):%Y-%m-%d}; after {days} days they go" if waiting else ""
        )
        self.stdout.write(f"{len(waiting)} are of stations without a site{since}")
        for sender, documents, size in spool.senders.most():
            self.stdout.write(f"  {sender}  {documents} of {DOCUMENTS} documents, {size >> 20} of {BYTES >> 20} MiB")
        if not spool.keeps_documents():
            self.stdout.write("Documents that were taken in are not kept: the disk is nearly full.")
        reasons = list(spool.reasons())
        self.stdout.write(f"{len(reasons)} were refused{':' if reasons else ''}")
        for document_id, reason in reasons[:100]:
            self.stdout.write(f"  {document_id}  {reason}")
