# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``stationdb receive``, for ``stationdb help``: cli.py runs reports.receive itself, without Django."""

from __future__ import annotations

import os
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from ... import receive


class Command(BaseCommand):
    """Takes one report from standard input."""

    help = "Take a report of a station from standard input (the forced command of its SSH key)."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        receive.add_arguments(parser)

    def handle(self, *arguments: Any, **options: Any) -> None:
        sys.exit(receive.receive(options["station"], os.environ, sys.stdin.buffer))
