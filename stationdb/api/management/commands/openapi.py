# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``stationdb openapi``."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand

from stationdb.api.site import api


class Command(BaseCommand):
    """Print the API's OpenAPI document, as docs/station-database/openapi.json keeps it."""

    help = "Print the API's OpenAPI document."
    requires_system_checks: list[str] = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        self.stdout.write(document())


def document() -> str:
    """The document as text: sorted, so that a change of it is a small difference."""
    return json.dumps(api.get_openapi_schema(path_prefix="/api/v1/"), indent=1, sort_keys=True, ensure_ascii=False)
