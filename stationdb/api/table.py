# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stations as CSV, out and in."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from django.http import HttpResponseBase, StreamingHttpResponse
from ninja import Query, Router
from pydantic import BaseModel, Field

from ..accounts.middleware import Request
from ..accounts.rights import Right
from ..errors import Faulty
from ..registry.table import COLUMNS, export
from ..registry.tableimport import ImportPlan
from .answers import changed, read
from .auth import need_anywhere
from .choice import Choice, chosen
from .problems import ProblemPart
from .stations import SHOWN_FAULTS
from .types import Change

router = Router()

EXAMPLE = '"name","site","macs","address"\r\n"pc01","paris","52:54:00:12:34:56","10.1.2.17"\r\n'
CSV = {"text/csv": {"schema": {"type": "string"}, "example": EXAMPLE}}
MEANING = "\n".join(f"- `{name}`: {text}" for name, text in COLUMNS.items())


class LineResult(BaseModel):
    """What a line does, or would."""

    line: int = Field(description="Where it begins in the file, from 1.", examples=[2])
    name: str = Field(examples=["pc01"])
    result: Literal["created", "changed", "unchanged", "error"]
    changes: list[Change]


class ImportResult(BaseModel):
    """What the table does, or would."""

    dry_run: bool
    created: int
    changed: int
    unchanged: int
    stations: list[LineResult] = Field(description="Lines that add or change a station.")
    errors: list[ProblemPart] = Field(description="What is wrong, by line and column; only a dry run has some.")


@router.get(
    "/stations.csv",
    response=read(None),
    summary="Stations as a table",
    description=f"The columns are those of the import:\n\n{MEANING}\n\nNeeds the right export for the stations' sites.",
    openapi_extra={"responses": {200: {"content": CSV}}},
)
def export_stations(
    request: Request, choice: Choice, reported: Annotated[bool, Query(description="With what reports say as well.")] = False
) -> HttpResponseBase:
    """Chosen as the list is."""
    need_anywhere(request, Right.EXPORT, "export lists")
    stations = chosen(request.perimeter, choice, Right.EXPORT)
    response = StreamingHttpResponse(export(stations, request.perimeter, reported), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="stations.csv"'
    response["Cache-Control"] = "private, no-cache"
    return response


@router.post(
    "/stations.csv",
    response=changed(ImportResult),
    summary="Add and change stations from a table",
    description=(
        f"CSV with commas or semicolons, in UTF-8, with the names of the columns first:\n\n{MEANING}\n\n"
        "Columns that are left out stay as they are; those of reports are passed over. All or nothing; needs stations.edit. "
        "A dry run tells every difference and every bad line, and changes nothing."
    ),
    openapi_extra={"requestBody": {"required": True, "content": CSV}},
)
def import_stations(
    request: Request, dry_run: Annotated[bool, Query(description="Only say what would change and what is wrong.")] = False
) -> dict[str, Any]:
    """Matched by name."""
    need_anywhere(request, Right.EDIT, "import stations")
    plan = ImportPlan.read(request.body, request.perimeter)
    if plan.errors and not dry_run:
        raise Faulty(plan.errors[:SHOWN_FAULTS])
    if not dry_run:
        plan.apply()
    return {
        "dry_run": dry_run,
        "created": plan.count("created"),
        "changed": plan.count("changed"),
        "unchanged": plan.count("unchanged"),
        "stations": [asdict(change) for change in plan.changes],
        "errors": [fault.as_dict() for fault in plan.errors[:SHOWN_FAULTS]],
    }
