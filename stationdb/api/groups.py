# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups: static, or dynamic by criteria."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from django.db.models.functions import Lower
from ninja import Router
from ninja.responses import Status
from pydantic import BaseModel, Field

from ..accounts.middleware import Request
from ..accounts.perimeter import Perimeter
from ..accounts.rights import Right
from ..criteria.membership import stations_of
from ..errors import Denied, Fault, Faulty, Missing
from ..registry.models import Group, Station
from . import sites
from .answers import changed, created, read, removed
from .auth import need
from .choice import condition
from .etags import IfMatch, locked, must_match
from .paging import Limit, Offset, Page, page
from .types import Given, GroupName, Variables

router = Router()

Names = Annotated[list[str], Field(max_length=10_000, examples=[["pc01", "pc02"]])]
SITE = "Short name of the site whose stations it can hold; null: stations of all sites. Needs groups.edit there."
CRITERIA = "Which stations are in it; empty: those of the list (a static group)."


class GroupFields(Given):
    """What can be said of a group besides its name."""

    description: str = Field("", examples=["Stations in the halls"])
    site: str | None = Field(None, description=SITE, examples=["paris"])
    criteria: str = Field("", description=CRITERIA, examples=["ram < 8 GiB and tag = ALPHA"])
    variables: Variables = Field({}, description="Ansible variables of the group; the object replaces what there is.")
    stations: Names = Field([], description="Stations of a static group; the list replaces those of your perimeter.")


class GroupNew(GroupFields):
    """A group to add."""

    name: str = Field(description="Its name is an Ansible group.", examples=["kiosks"])


class GroupChange(GroupFields):
    """What to change; what is left out stays."""

    name: str = Field("", description="A new name.", examples=["kiosks"])
    add: Names = Field([], description="Stations to add to a static group.")
    remove: Names = Field([], description="Stations to take out of a static group.")


class GroupRow(BaseModel):
    """A group, as lists show it."""

    name: str = Field(examples=["kiosks"])
    description: str
    site: str | None = Field(description="The site whose stations it can hold; null: stations of all sites.", examples=[None])
    criteria: str = Field(description=CRITERIA, examples=[""])
    dynamic: bool = Field(examples=[False])
    variables: dict[str, Any]


class GroupOut(GroupRow):
    """A group."""

    stations: list[str] | None = Field(description="Stations of your perimeter in a static group, sorted; null for a dynamic one.")


class MembersOut(BaseModel):
    """Which stations a group holds."""

    name: str = Field(examples=["pc01"])
    site: str = Field(examples=["paris"])


def find(perimeter: Perimeter, name: str) -> Group:
    """A group of the perimeter. Missing when it is not there, or elsewhere."""
    group = locked(Group.objects.within(perimeter).filter(name=name).select_related("site")).first()
    if group is None:
        raise Missing("There is no such group.", "Look at /api/v1/groups for the groups there are.", "path.name")
    return group


def rows(groups: Sequence[Group]) -> list[dict[str, Any]]:
    """Groups as lists show them."""
    return [
        {
            "name": group.name,
            "description": group.description,
            "site": group.site.slug if group.site else None,
            "criteria": group.criteria,
            "dynamic": group.is_dynamic,
            "variables": group.variables,
        }
        for group in groups
    ]


def show(group: Group, perimeter: Perimeter) -> dict[str, Any]:
    """A group with its static stations."""
    names = Station.objects.within(perimeter).filter(groups=group).order_by("name").values_list("name", flat=True)
    return rows([group])[0] | {"stations": None if group.is_dynamic else sorted(names)}


@router.get("/groups", response=read(Page[GroupRow]), summary="Groups of your perimeter")
def list_groups(request: Request, limit: Limit = 100, offset: Offset = 0) -> dict[str, Any]:
    """In the order of their names: those of your sites, and those of all sites."""
    return page(request, Group.objects.within(request.perimeter).select_related("site").order_by("name"), limit, offset, rows)


@router.post("/groups", response=created(GroupOut), summary="Add a group")
def add_group(request: Request, given: GroupNew) -> Status[dict[str, Any]]:
    """Needs groups.edit at its site; for all sites when it has none."""
    group = Group()
    write(request, group, given.model_dump(exclude_unset=True))
    return Status(201, show(group, request.perimeter))


@router.get("/groups/{name}", response=read(GroupOut), summary="A group")
def get_group(request: Request, name: GroupName) -> dict[str, Any]:
    """A static group with its stations; /groups/{name}/stations has those of dynamic ones as well."""
    return show(find(request.perimeter, name), request.perimeter)


@router.get("/groups/{name}/stations", response=read(Page[MembersOut]), summary="Stations of a group")
def list_group_stations(request: Request, name: GroupName, limit: Limit = 100, offset: Offset = 0) -> dict[str, Any]:
    """Of your perimeter, static or by criteria, in the order of their names."""
    group = find(request.perimeter, name)
    stations = stations_of(group, request.perimeter).select_related("site").order_by("name", "id")
    return page(request, stations, limit, offset, lambda found: [{"name": station.name, "site": station.site.slug} for station in found])


@router.patch("/groups/{name}", response=changed(GroupOut), summary="Change a group")
def change_group(request: Request, name: GroupName, given: GroupChange, if_match: IfMatch = None) -> dict[str, Any]:
    """Only what is given changes. The group itself needs groups.edit at its site; who is in it needs stations.edit for these stations."""
    group = find(request.perimeter, name)
    must_match(if_match, GroupOut, show(group, request.perimeter))
    write(request, group, given.model_dump(exclude_unset=True))
    return show(find(request.perimeter, group.name), request.perimeter)


@router.delete("/groups/{name}", response=removed(), summary="Remove a group")
def remove_group(request: Request, name: GroupName, if_match: IfMatch = None) -> Status[None]:
    """Its stations stay."""
    group = find(request.perimeter, name)
    need(request, Right.GROUPS, group.site_id, "remove a group")
    must_match(if_match, GroupOut, show(group, request.perimeter))
    group.delete()
    return Status(204, None)


def write(request: Request, group: Group, wanted: Mapping[str, Any]) -> None:
    """Save what is wanted of a group. ValidationError and Faulty for what cannot be."""
    itself = {name: wanted[name] for name in ("name", "description", "site", "criteria", "variables") if name in wanted}
    if group.pk is None or any(value != rows([group])[0][name] for name, value in itself.items()):
        if group.pk is not None:
            need(request, Right.GROUPS, group.site_id, "change a group")
        if "site" in itself:
            site = itself.pop("site")
            group.site = sites.find(request.perimeter, site, where="body.site") if site else None
        need(request, Right.GROUPS, group.site_id, "change a group")
        for name, value in itself.items():
            setattr(group, name, value)
        check_criteria(request, group)
        group.full_clean(exclude=["site"])
        group.save()
        group.leave_out_others()
    write_stations(request, group, wanted)


def check_criteria(request: Request, group: Group) -> None:
    """Refuse criteria that cannot be read."""
    if group.is_dynamic:
        condition(group.criteria, request.perimeter, where="body.criteria", group=group.name)


def write_stations(request: Request, group: Group, wanted: Mapping[str, Any]) -> None:
    """Make the stations of a static group, as far as the perimeter goes, what is wanted."""
    if not {"stations", "add", "remove"} & set(wanted):
        return
    if group.is_dynamic:
        if any(wanted.get(name) for name in ("stations", "add", "remove")):
            raise Faulty([Fault("Criteria say who is in this group.", "body.stations", "Change the criteria, or leave the stations out.")])
        return
    visible = Station.objects.within(request.perimeter)
    there = {station.pk: station for station in visible.filter(groups=group).select_related("site")}
    named = {field: named_stations(request.perimeter, wanted.get(field, ()), f"body.{field}") for field in ("stations", "add", "remove")}
    after = dict(named["stations"]) if "stations" in wanted else dict(there)
    after |= named["add"]
    after = {key: station for key, station in after.items() if key not in named["remove"]}
    changing = {key: station for key, station in (there | after).items() if (key in there) != (key in after)}
    for station in changing.values():
        if not request.perimeter.covers(station.site_id, Right.EDIT):
            raise Denied(
                f"To say in which groups {station} is you need the right {Right.EDIT.value} for its site.", "Ask who manages users."
            )
        if station.pk in after and group.site and not station.site.path.startswith(group.site.path):
            fault = Fault("The station belongs to another site than the group.", "body.stations", "Leave it out.", station.name)
            raise Faulty([fault])
    group.stations.add(*(key for key in changing if key in after))
    group.stations.remove(*(key for key in changing if key not in after))


def named_stations(perimeter: Perimeter, names: Sequence[str], where: str) -> dict[int, Station]:
    """Stations of the perimeter by name. Faulty that lists those that are not there."""
    found: dict[str, Station] = {}
    lower = sorted({name.lower() for name in names})
    for start in range(0, len(lower), 5000):
        query = Station.objects.within(perimeter).select_related("site").annotate(lower=Lower("name"))
        found |= {station.name.lower(): station for station in query.filter(lower__in=lower[start : start + 5000])}
    missing = [index for index, name in enumerate(names) if name.lower() not in found]
    if missing:
        remedy = "Give names of stations of your perimeter."
        raise Faulty([Fault("There is no such station.", f"{where}[{index}]", remedy, names[index][:100]) for index in missing[:1000]])
    return {station.pk: station for station in found.values()}
