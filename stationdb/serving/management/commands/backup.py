# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``stationdb backup FILE``."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand

from ... import archive, database


class Command(BaseCommand):
    """Write the database and the keys into one file, while it runs."""

    help = "Write a backup of the database and its keys into one file (SQLite or PostgreSQL), while the site runs."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the backup, replaced when it exists; it holds keys, so keep it safe")

    def handle(self, *args: Any, **options: Any) -> None:
        database.check()
        archive.write(options["file"])
        self.stdout.write(f"{options['file']}: {options['file'].stat().st_size / 1048576:.1f} MiB, of {database.where()}")
