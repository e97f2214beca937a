# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``stationdb spool``: what waits and what was refused, and why."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from ...spool import SUFFIX, Spool


class Command(BaseCommand):
    """Looks into the spool; needs no database."""

    help = "Show how many reports wait, and which were refused and why."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--retry", action="store_true", help="let refused documents be tried again")

    def handle(self, *arguments: Any, retry: bool = False, **options: Any) -> None:
        spool = Spool()
        if retry:
            self.stdout.write(f"{spool.retry_refused()} refused documents are tried again.")
        self.stdout.write(f"{len(spool.ids())} wait for a worker")
        self.stdout.write(f"{len(list(spool.waiting.glob(f'*{SUFFIX}')))} are of stations without a site")
        reasons = list(spool.reasons())
        self.stdout.write(f"{len(reasons)} were refused{':' if reasons else ''}")
        for document_id, reason in reasons[:100]:
            self.stdout.write(f"  {document_id}  {reason}")
