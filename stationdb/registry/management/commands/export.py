# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``stationdb export``."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from stationdb.accounts.perimeter import Perimeter
from stationdb.registry.models import Site, Station
from stationdb.registry.table import export


class Command(BaseCommand):
    """Print stations as a table in CSV, which ``stationdb import`` reads again."""

    help = "Print stations as a table in CSV (UTF-8), which stationdb import reads again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--site", help="short name of a site: only its stations and those of the sites below it")
        parser.add_argument("--reported", action="store_true", help="what reports say as well")

    def handle(self, *_args: Any, site: str | None, reported: bool, **_options: Any) -> None:
        stations = Station.objects.all()
        if site:
            found = Site.objects.filter(slug=site).first()
            if found is None:
                raise CommandError(f"There is no site {site}.")
            stations = stations.filter(site__path__startswith=found.path)
        for line in export(stations, Perimeter.everything(), reported):
            self.stdout.write(line, ending="")
