# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``stationdb import FILE``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from stationdb.accounts.perimeter import Perimeter
from stationdb.errors import Fault
from stationdb.registry.table import COLUMNS
from stationdb.registry.tableimport import ImportPlan


class Command(BaseCommand):
    """Add and change stations from a table in CSV: all of it or, when a line is wrong, nothing."""

    help = f"Add and change stations from a table in CSV (UTF-8; columns: {', '.join(COLUMNS)}). All or nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="the table; - is standard input")
        parser.add_argument("--dry-run", action="store_true", help="only show what would change, station by station")

    @transaction.atomic
    def handle(self, *_args: Any, file: str, dry_run: bool, **_options: Any) -> None:
        try:
            data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        plan = ImportPlan.read(data, Perimeter.everything())
        for station in plan.changes:
            self.stdout.write(f"{station.name}: {station.result}")
            for change in station.changes:
                self.stdout.write(f"  {change.field}: {change.before!r} -> {change.after!r}")
        if plan.errors:
            raise CommandError("\n".join([*map(told, plan.errors), f"{len(plan.errors)} errors: nothing was changed."]))
        if not dry_run:
            plan.apply()
        counts = f"{plan.count('created')} created, {plan.count('changed')} changed, {plan.count('unchanged')} unchanged"
        self.stdout.write(f"{'Would be' if dry_run else 'Done'}: {counts}.")


def told(fault: Fault) -> str:
    """A fault on one line of a terminal."""
    column = f", column {fault.where}" if fault.where else ""
    value = f" {fault.value!r}:" if fault.value else ""
    return f"line {fault.line}{column}:{value} {fault.what} {fault.remedy}"
