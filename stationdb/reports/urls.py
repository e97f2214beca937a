# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where agents send, and where the schema of our XML is."""

from __future__ import annotations

from pathlib import Path

from django.http import FileResponse, HttpRequest
from django.urls import path
from django.views.decorators.http import require_safe

from .agents import agents

SCHEMA = Path(__file__).parent / "schema/fleet-report-1.xsd"


@require_safe
def schema(request: HttpRequest) -> FileResponse:
    """The XSD of fleet-report-1."""
    response = FileResponse(SCHEMA.open("rb"), content_type="application/xml")
    response["Cache-Control"] = "public, max-age=86400"
    return response


urlpatterns = [
    path("ocsinventory", agents),
    path("ocsinventory/", agents),
    path("ocsinventory/<str:key>", agents),
    path("agents/glpi", agents),
    path("agents/glpi/", agents),
    path("agents/glpi/<str:key>", agents),
    path("schema/fleet-report-1.xsd", schema, name="fleet-report-1"),
]
