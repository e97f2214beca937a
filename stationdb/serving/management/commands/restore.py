# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``stationdb restore FILE``."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand

from ... import archive, database
from ...lock import alone


class Command(BaseCommand):
    """Bring a backup back, then bring it up to date."""

    help = "Bring back what stationdb backup wrote: the database and its keys become what they were."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="a file that stationdb backup made")
        parser.add_argument("--replace", action="store_true", help="forget what is in the database now")

    def handle(self, *args: Any, **options: Any) -> None:
        with alone():
            about = archive.read(options["file"], replace=options["replace"])
            database.bring_up_to_date()
        self.stdout.write(f"{database.where()} is as it was at {about.created} (version {about.version}).")
