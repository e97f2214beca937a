# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports in the API: upload with a token, and what stations said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from ninja import Path, Query, Router
from ninja.errors import HttpError
from ninja.responses import Status
from pydantic import BaseModel, Field

from ..accounts.middleware import Request
from ..accounts.rights import Right
from ..errors import Fault, Faulty
from ..reports import intake, sections
from ..reports.admission import client_address
from ..reports.document import LARGEST_SENT
from ..reports.errors import NotNow, ReportError, TooMuch
from ..reports.models import Report, Section, SectionChange, Unplaced
from .answers import read
from .auth import need_anywhere
from .paging import Limit, Offset, Page, page
from .problems import Problem
from .stations import find
from .types import NO_NUL, StationName

router = Router()

Kind = Annotated[str, Path(description="A section of the canonical report.", pattern="^[a-z_]{1,20}$")]


class Accepted(BaseModel):
    """A report that is on the disk; a worker takes it into the database soon."""

    id: str = Field(examples=["18ea11cc145c67c6726c40a7f93c1927"])


class ReportOut(BaseModel):
    """A report that was taken in."""

    id: str
    received: datetime
    taken: datetime = Field(description="When the station made it.")
    format: str = Field(examples=["fleet"])
    agent: str
    way: str = Field(examples=["ssh"])
    address: str
    changed: list[str] = Field(description="Sections that differed.")
    note: str


class SectionOut(BaseModel):
    """A section as of the last report."""

    kind: str = Field(examples=["memories"])
    changed: datetime
    rows: list[dict[str, str | int]]


class ChangeOut(BaseModel):
    """What a report added to a section and removed from it."""

    kind: str
    when: datetime
    added: list[dict[str, str | int]]
    removed: list[dict[str, str | int]]


class UnplacedOut(BaseModel):
    """A station that nobody knows and no site wants."""

    received: datetime
    name: str
    address: str
    macs: list[str]
    serial: str
    agent: str


_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/xml": {"schema": {"type": "string", "format": "binary"}},
            "application/json": {"schema": {"type": "object", "additionalProperties": True}},
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


@router.post(
    "/reports",
    response={202: Accepted, 401: Problem, 403: Problem, 404: Problem, 413: Problem, 422: Problem, 429: Problem, 503: Problem},
    summary="Send a report",
    openapi_extra=_BODY,
)
def send_report(
    request: Request,
    station: Annotated[str, Query(description="The station's name, if the sender vouches for it.", max_length=253, pattern=NO_NUL)] = "",
) -> Status[dict[str, Any]]:
    """fleet-report-1 or OCS XML, or GLPI JSON; as it is or compressed by zlib or gzip. Needs reports.send at the station's site.

    Who it is about is found out later: the answer does not tell whether a station of another site has the name.
    """
    need_anywhere(request, Right.REPORT, "send reports")
    if station and not intake.STATION_NAME.fullmatch(station):
        raise Faulty([Fault("This is no station's name.", "query.station", "Use letters, digits, hyphens and dots.")])
    if int(request.headers.get("Content-Length") or 0) > LARGEST_SENT:
        raise HttpError(413, f"The report has more than {LARGEST_SENT >> 20} MiB.")
    sites = request.perimeter.sites.get(Right.REPORT.value, frozenset())
    try:
        made = intake.accept(
            request.body,
            "https",
            station=station,
            address=client_address(request),
            agent="",
            sites=None if sites is None else sorted(sites),
        )
    except TooMuch as error:
        raise HttpError(429, str(error)) from None
    except NotNow as error:
        raise HttpError(503, str(error)) from None
    except ReportError as error:
        raise Faulty([Fault(error.message, "body", error.remedy)]) from error
    return Status(202, {"id": made})


@router.get("/reports/unplaced", response=read(Page[UnplacedOut]), summary="Stations without a site")
def list_unplaced(request: Request, limit: Limit = 100, offset: Offset = 0) -> dict[str, Any]:
    """What reported, is not known, and comes from no site's subnet. Seen with stations.view for all sites."""

    def show(found: Sequence[Unplaced]) -> list[dict[str, Any]]:
        return [
            {
                "received": each.received,
                "name": each.name,
                "address": each.address,
                "macs": each.macs.split(),
                "serial": each.serial,
                "agent": each.agent,
            }
            for each in found
        ]

    return page(request, Unplaced.objects.within(request.perimeter).order_by("-received", "id"), limit, offset, show)


@router.get("/stations/{name}/reports", response=read(Page[ReportOut]), summary="Reports of a station")
def list_reports(request: Request, name: StationName, limit: Limit = 100, offset: Offset = 0) -> dict[str, Any]:
    """Newest first; as many days as documents are kept, and the last."""

    def show(found: Sequence[Report]) -> list[dict[str, Any]]:
        return [
            {
                "id": each.pk.hex,
                "received": each.received,
                "taken": each.taken,
                "format": each.format,
                "agent": each.agent,
                "way": each.way,
                "address": each.address,
                "changed": each.changed.split(),
                "note": each.note,
            }
            for each in found
        ]

    rows = Report.objects.within(request.perimeter).filter(station=find(request.perimeter, name))
    return page(request, rows.order_by("-received", "id"), limit, offset, show)


@router.get("/stations/{name}/sections", response=read(list[str]), summary="Sections that a station reported")
def list_sections(request: Request, name: StationName) -> list[str]:
    """Their names, in the order in which people read them."""
    station = find(request.perimeter, name)
    known = set(Section.objects.within(request.perimeter).filter(station=station).values_list("kind", flat=True))
    return [kind for kind in sections.KINDS if kind in known]


@router.get("/stations/{name}/sections/{kind}", response=read(SectionOut), summary="A section of a station's report")
def get_section(request: Request, name: StationName, kind: Kind) -> dict[str, Any]:
    """Hardware and software as of the last report, with the names of GLPI's inventory_format."""
    station = find(request.perimeter, name)
    section = Section.objects.within(request.perimeter).filter(station=station, kind=kind).first()
    if section is None:
        raise HttpError(404, "The station reported no such section.")
    return {"kind": kind, "changed": section.changed, "rows": sections.rows(station, kind)}


@router.get("/stations/{name}/changes", response=read(Page[ChangeOut]), summary="What changed in a station's reports")
def list_changes(request: Request, name: StationName, limit: Limit = 100, offset: Offset = 0) -> dict[str, Any]:
    """Newest first."""

    def show(found: Sequence[SectionChange]) -> list[dict[str, Any]]:
        return [{"kind": each.kind, "when": each.when, "added": each.added, "removed": each.removed} for each in sections.unpacked(found)]

    rows = SectionChange.objects.within(request.perimeter).filter(station=find(request.perimeter, name))
    return page(request, rows.order_by("-when", "-id"), limit, offset, show)
