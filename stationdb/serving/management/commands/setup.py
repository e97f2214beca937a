# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``stationdb setup``: what ``stationdb serve`` does before it serves, for installations that systemd starts."""

from __future__ import annotations

import io
import json
from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand, call_command

from ....accounts.first import create_first_administrator
from ... import database


class Command(BaseCommand):
    """Bring the database up to date, collect static files, and make the first administrator."""

    help = "Bring the database up to date, collect static files, and make the first administrator, whose one-time password it prints."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print what was done as JSON: changed, migrations, password (or null)")

    def handle(self, *args: Any, **options: Any) -> None:
        # The code of every page is loaded: what is broken is known before anything changes.
        call_command("check", stdout=io.StringIO())
        database.check()
        pending = database.pending()
        if pending:
            database.bring_up_to_date()
        call_command("collectstatic", interactive=False, verbosity=0)
        password = create_first_administrator()
        if options["json"]:
            self.stdout.write(json.dumps({"changed": bool(pending or password), "migrations": pending, "password": password}))
            return
        self.stdout.write(f"{database.where()}: {len(pending)} migrations applied.")
        if password:
            self.stdout.write(f"Sign in as admin with the one-time password {password}; you choose your own then.")
