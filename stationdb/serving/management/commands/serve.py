# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``stationdb serve``: the database and its site, with nothing else to set up."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, call_command
from django.db import connection

from ....accounts.first import create_first_administrator
from ....errors import StationDBError
from ....home import home
from ... import database
from ...address import Address
from ...archive import before_upgrade
from ...lock import alone
from ...programs import Door, site, worker
from ...supervisor import Supervisor


class Command(BaseCommand):
    """Make the home, bring the database up to date, and run the site and its worker until Ctrl+C."""

    help = (
        "Start the station database and its site. SQLite in the home (STATIONDB_HOME) unless STATIONDB_DATABASE_URL names a PostgreSQL. "
        "A first start prints a one-time password for the administrator. Ctrl+C ends it."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--bind", default="127.0.0.1:8420", metavar="ADDRESS:PORT", help="where it answers (default: %(default)s)")
        parser.add_argument("--certificate", type=Path, metavar="FILE", help="certificate with its chain (PEM): serve HTTPS")
        parser.add_argument("--key", type=Path, metavar="FILE", help="the certificate's private key (PEM), unless it is in the same file")
        parser.add_argument("--behind-proxy", action="store_true", help="a proxy does TLS, and sets X-Forwarded-Proto and X-Forwarded-For")
        parser.add_argument("--no-backup", action="store_true", help="upgrade a database without a backup of it as it was before")
        parser.add_argument("--host", action="append", default=[], metavar="NAME", help="a further name of the site; may be repeated")

    def handle(self, *args: Any, **options: Any) -> None:
        os.umask(0o077)  # what is made from here on is the owner's alone
        asked = Address.parse(options["bind"])
        door = Door.choose(asked, certificate=options["certificate"], key=options["key"], behind_proxy=options["behind_proxy"])
        with alone(), asked.listen() as listener:
            self._prepare(used=database.check(), backup=not options["no_backup"])
            self._greet(door.url(listener.getsockname()[1]))
            hosts = [*os.environ.get("STATIONDB_HOSTS", "").split(), *options["host"]]
            Supervisor([site(door, listener.fileno(), hosts), worker()], self._say).run()
        self._say("Ended.")

    def _prepare(self, *, used: bool, backup: bool) -> None:
        """Migrations, with a backup of the database before them, and static files."""
        if database.pending():
            copy = before_upgrade() if used and backup else None
            if copy:
                self._say(f"A backup of the database as it was before this version: {copy}")
            try:
                database.bring_up_to_date()
            except StationDBError as error:
                if copy:
                    error.remedy += f" The backup, should it be needed: stationdb restore {copy} --replace"
                raise
        call_command("collectstatic", interactive=False, verbosity=0)

    def _greet(self, url: str) -> None:
        self._say(f"The station database ({database.where()}; home {home()}) is at {url}")
        password = create_first_administrator()
        connection.close()
        if password:
            self._say(f"Sign in as admin with the one-time password {password}; you choose your own then.")
        self._say("Ctrl+C ends it.")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
