# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``stationdb service NAME``: a token for a program."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management import BaseCommand

from ...service import is_valid, issue


class Command(BaseCommand):
    """Issue a token to a service account; what installs the station database uses it."""

    help = "Give a program an account of its own (service-NAME) with some rights for all sites, and print its token, once."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="of the service, such as inventory")
        parser.add_argument("--scopes", required=True, help="rights, such as 'stations.view stations.edit'")
        parser.add_argument("--days", type=int, default=365, help="until the token expires (default: %(default)s)")
        parser.add_argument("--unless-valid", action="store_true", help="do nothing when the token on standard input is good still")

    def handle(self, *args: Any, **options: Any) -> None:
        scopes = options["scopes"].split()
        if options["unless_valid"] and is_valid(options["name"], sys.stdin.read().strip(), scopes):
            return
        self.stdout.write(issue(options["name"], scopes, timedelta(days=options["days"])))
