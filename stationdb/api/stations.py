# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stations: one by one, and ten thousand at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.db.models.functions import Lower
from django.http import HttpResponse
from ninja import Router
from ninja.responses import Status
from pydantic import BaseModel

from ..accounts.middleware import Request
from ..accounts.perimeter import Perimeter
from ..accounts.rights import Right
from ..errors import Denied, Fault, Faulty, Missing, Taken
from ..registry.describe import describe
from ..registry.models import Station, StationValue
from ..registry.upsert import Row, UpsertPlan
from .answers import changed, created, read, removed
from .auth import need
from .choice import Choice, chosen
from .etags import IfMatch, must_match
from .paging import Limit, Offset, Page, page
from .shapes import Bulk, BulkResult, StationChange, StationNew, StationOut
from .types import StationName

router = Router()

SHOWN_FAULTS = 1000
"""Errors of a bulk that are told; who has more has the same one in every row."""


def find(perimeter: Perimeter, name: str, right: Right = Right.VIEW) -> Station:
    """A station of the perimeter by name, whatever its case. Missing when it is not there, or elsewhere."""
    station = Station.objects.within(perimeter, right).annotate(lower=Lower("name")).filter(lower=name.lower()).first()
    if station is None:
        raise Missing("There is no such station.", "Look at /api/v1/stations for the names there are.", "path.name")
    return station


def shown(station: Station, perimeter: Perimeter) -> dict[str, Any]:
    """A station as it is in the database."""
    return describe([Station.objects.within(perimeter).get(pk=station.pk)], perimeter)[0]


@router.get("/stations", response=read(Page[StationOut]), summary="Stations of your perimeter")
def list_stations(request: Request, choice: Choice, limit: Limit = 100, offset: Offset = 0) -> dict[str, Any]:
    """In the order of their names. Each choice narrows the list."""

    def show(stations: Sequence[Station]) -> list[dict[str, Any]]:
        return describe(stations, request.perimeter)

    return page(request, chosen(request.perimeter, choice).order_by("name", "id"), limit, offset, show)


@router.post("/stations", response=created(StationOut), summary="Add a station")
def add_station(request: Request, given: StationNew) -> Status[dict[str, Any]]:
    """Needs stations.edit at its site."""
    plan = UpsertPlan.build([given.model_dump(exclude_unset=True)], request.perimeter)
    row = plan.rows[0]
    refuse_faults(row, "body")
    if not row.is_new:
        raise Taken("There is a station of this name already.", "Change it with PATCH, or choose another name.", "body.name")
    plan.apply()
    assert row.station is not None
    return Status(201, shown(row.station, request.perimeter))


@router.post("/stations/bulk", response=changed(BulkResult), summary="Add or change many stations")
def upsert_stations(request: Request, given: Bulk) -> dict[str, Any]:
    """Stations are matched by name. All or nothing, unless partial is true; errors are told of every row."""
    plan = UpsertPlan.build((row.model_dump(exclude_unset=True) for row in given.stations), request.perimeter)
    if plan.has_faults and not given.partial and not given.dry_run:
        raise Faulty([fault for index, row in enumerate(plan.rows) for fault in faults_of(row, f"body.stations[{index}]")][:SHOWN_FAULTS])
    if not given.dry_run:
        plan.apply()
    return {
        "dry_run": given.dry_run,
        "created": plan.count("created"),
        "changed": plan.count("changed"),
        "unchanged": plan.count("unchanged"),
        "failed": plan.count("error"),
        "results": [result_of(row, f"body.stations[{index}]") for index, row in enumerate(plan.rows)],
    }


@router.get("/stations/{name}", response=read(StationOut), summary="A station")
def get_station(request: Request, name: StationName) -> dict[str, Any]:
    """In its canonical form: lists are sorted, addresses have one spelling."""
    return shown(find(request.perimeter, name), request.perimeter)


@router.patch("/stations/{name}", response=changed(StationOut), summary="Change a station")
def change_station(request: Request, name: StationName, given: StationChange, if_match: IfMatch = None) -> dict[str, Any]:
    """Only what is given changes. Needs stations.edit where it is, and where it comes to be."""
    station = find(request.perimeter, name)
    plan = UpsertPlan.change(station, given.model_dump(exclude_unset=True), request.perimeter)
    must_match(if_match, StationOut, shown(station, request.perimeter))
    refuse_faults(plan.rows[0], "body")
    plan.apply()
    return shown(station, request.perimeter)


@router.delete("/stations/{name}", response=removed(), summary="Remove a station")
def remove_station(request: Request, name: StationName, if_match: IfMatch = None) -> Status[None]:
    """With everything it reported. To keep that, change its state to retired instead."""
    station = find(request.perimeter, name)
    need(request, Right.EDIT, station.site_id, "remove a station")
    must_match(if_match, StationOut, shown(station, request.perimeter))
    station.delete()
    return Status(204, None)


class SecretsOut(BaseModel):
    """Secret values by name."""

    secrets: dict[str, str]


@router.get("/stations/{name}/secrets", response=read(SecretsOut), summary="Secret values of a station")
def get_station_secrets(request: Request, name: StationName, response: HttpResponse) -> dict[str, Any]:
    """Needs stations.secrets at its site. They are changed with the station."""
    station = find(request.perimeter, name)
    need(request, Right.SECRETS, station.site_id, "read secret values")
    values = StationValue.objects.within(request.perimeter, Right.SECRETS).filter(station=station)
    return {"secrets": {value.name: value.value for value in values}}


def result_of(row: Row, where: str) -> dict[str, Any]:
    """A row's result."""
    return {
        "name": row.name,
        "result": row.result,
        "changes": [asdict(change) for change in row.changes],
        "errors": [fault.as_dict() for fault in faults_of(row, where)],
    }


def faults_of(row: Row, where: str) -> list[Fault]:
    """A row's faults as errors of the input."""
    return [fault.at(f"{where}.{fault.field}") for fault in row.faults]


def refuse_faults(row: Row, where: str) -> None:
    """Raise what is wrong with a row: Denied when a right is missing, Taken if that is all that is wrong, else Faulty."""
    denied = [fault for fault in row.faults if fault.reason == "denied"]
    if denied:
        raise Denied(denied[0].what, denied[0].remedy, f"{where}.{denied[0].field}")
    if row.faults and all(fault.reason == "taken" for fault in row.faults):
        raise Taken(row.faults[0].what, row.faults[0].remedy, f"{where}.{row.faults[0].field}")
    if row.faults:
        raise Faulty(faults_of(row, where))
