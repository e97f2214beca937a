# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which stations a list, an export or a count is about."""

from __future__ import annotations

from dataclasses import replace

from django.db.models import Q, QuerySet
from ninja import Query
from pydantic import BaseModel, Field

from ..accounts.perimeter import Perimeter
from ..accounts.rights import Right
from ..criteria import CriteriaError
from ..criteria import compile as compile_criteria
from ..criteria.membership import stations_of
from ..errors import Faulty
from ..registry.fields import mac_address
from ..registry.models import Group, MacAddress, Site, Station
from .shapes import Kind, State
from .types import NO_NUL


class StationChoice(BaseModel):
    """Each that is given narrows the choice."""

    site: str | None = Field(None, description="Stations of this site and those below it.", pattern=NO_NUL, max_length=63)
    group: str | None = Field(None, description="Stations in this group, static or dynamic.", pattern=NO_NUL, max_length=63)
    kind: Kind | None = Field(None, description="Stations of this kind.")
    state: State | None = Field(None, description="Stations in this state.")
    tag: str | None = Field(None, description="Stations with this tag.", pattern=NO_NUL, max_length=100)
    mac: str | None = Field(None, description="The station with this network card.", pattern=NO_NUL, max_length=50)
    search: str | None = Field(None, description="Stations whose name contains this.", pattern=NO_NUL, max_length=253)
    criteria: str | None = Field(None, description="Stations that meet these criteria.", pattern=NO_NUL, max_length=10_000)


Choice = Query[StationChoice]


def chosen(perimeter: Perimeter, choice: StationChoice, right: Right = Right.VIEW) -> QuerySet[Station]:
    """The stations of the perimeter; what is named and not there chooses none. Faulty for bad criteria and MAC addresses."""
    query: QuerySet[Station] = Station.objects.within(perimeter).within(perimeter, right)
    if choice.site is not None:
        site = Site.objects.within(perimeter).filter(slug=choice.site).first()
        query = query.filter(site__path__startswith=site.path) if site else query.none()
    if choice.group is not None:
        group = Group.objects.within(perimeter).filter(name=choice.group).first()
        query = query.filter(pk__in=stations_of(group, perimeter).values("pk")) if group else query.none()
    for name in ("kind", "state", "tag"):
        value = getattr(choice, name)
        query = query if value is None else query.filter(**{name: value})
    if choice.search:
        query = query.filter(name__icontains=choice.search)
    if choice.mac is not None:
        query = query.filter(pk__in=MacAddress.objects.within(perimeter).filter(mac=mac_address(choice.mac)).values("station"))
    if choice.criteria:
        query = query.filter(condition(choice.criteria, perimeter))
    return query


def condition(text: str, perimeter: Perimeter, where: str = "query.criteria", group: str = "") -> Q:
    """The condition of criteria on stations. Faulty, with the place, for what is no criteria."""
    try:
        return compile_criteria(text, perimeter, group=group)
    except CriteriaError as error:
        raise Faulty(
            [replace(fault, where=where, value=text[:100], remedy=fault.remedy or "Correct the criteria there.") for fault in error.faults]
        ) from error
