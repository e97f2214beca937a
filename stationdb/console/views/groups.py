# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups: static ones with their stations, dynamic ones with their criteria."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Lower
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ...accounts.perimeter import Perimeter
from ...accounts.rights import Right
from ...criteria import CriteriaError
from ...criteria.membership import stations_of
from ...registry.models import Group, Station
from .. import sheet
from ..paging import counted, paged
from ..sheet import Column
from .access import Request, exporting, page, require

COLUMNS: list[Column[Group]] = [
    Column(gettext_lazy("Name"), lambda group: group.name),
    Column(gettext_lazy("Description"), lambda group: group.description),
    Column(gettext_lazy("Site"), lambda group: group.site.name if group.site else ""),
    Column(gettext_lazy("Criteria"), lambda group: group.criteria),
]

MEMBER_COLUMNS: list[Column[Station]] = [
    Column(gettext_lazy("Name"), lambda row: row.name),
    Column(gettext_lazy("Site"), lambda row: row.site.name),
    Column(gettext_lazy("State"), lambda row: row.get_state_display()),
    Column(gettext_lazy("System"), lambda row: f"{row.os_name} {row.os_version}"),
]


@page()
def groups(request: Request) -> HttpResponse:
    """The list; static groups with their number of stations of the perimeter."""
    text = request.GET.get("q", "").strip().replace("\0", "")[:100]
    rows = Group.objects.within(request.perimeter).select_related("site")
    if text:
        rows = rows.filter(Q(name__icontains=text) | Q(description__icontains=text))
    listed = paged(rows, request.GET, {"name": "name"})
    ids = [group.pk for group in listed.rows if not group.is_dynamic]
    members = Station.objects.within(request.perimeter).filter(groups__in=ids)
    numbers = dict(members.order_by().values_list("groups").annotate(number=Count("id")).filter(groups__in=ids))
    context = {
        "list": listed,
        "lines": [(group, None if group.is_dynamic else numbers.get(group.pk, 0)) for group in listed.rows],
        "text": text,
        "may_add": request.perimeter.has(Right.GROUPS),
    }
    return render(request, "console/groups.html", context)


@page(Right.EXPORT)
def groups_csv(request: Request) -> HttpResponseBase:
    """The list as CSV."""
    rows = Group.objects.within(exporting(request)).select_related("site")
    return sheet.csv_list("groups", COLUMNS, rows.iterator())


@page()
def group(request: Request, pk: int) -> HttpResponse:
    """One group and who is in it."""
    it = _found(request, pk)
    mistake = ""
    try:
        members = stations_of(it, request.perimeter)
    except CriteriaError as error:
        members, mistake = Station.objects.none(), str(error)
    shown = members.select_related("site").only("name", "os_name", "os_version", "last_seen", "site__name")
    listed = paged(shown, request.GET, {"name": "name", "seen": "last_seen"})
    number, more = counted(members, listed)
    context = {
        "group": it,
        "mistake": mistake,
        "list": listed,
        "number": number,
        "more": more,
        "variables": sorted(it.variables.items()),
        "may_edit": request.perimeter.covers(it.site_id, Right.GROUPS),
        # Who is in a group is said by who may change the stations.
        "may_place": not it.is_dynamic and request.perimeter.covers(it.site_id, Right.GROUPS) and request.perimeter.has(Right.EDIT),
    }
    return render(request, "console/group.html", context)


@page(Right.EXPORT)
def group_csv(request: Request, pk: int) -> HttpResponseBase:
    """Who is in a group, as CSV."""
    it = _found(request, pk)
    try:
        members = stations_of(it, exporting(request))
    except CriteriaError as error:
        messages.error(request, str(error))
        return redirect("console:group", pk=pk)
    rows = members.select_related("site").order_by("name", "pk").iterator(chunk_size=2000)
    return sheet.csv_list(it.name, MEMBER_COLUMNS, rows)


@page(Right.GROUPS, methods=("POST",))
def group_add(request: Request, pk: int) -> HttpResponse:
    """Put stations into a static group: names between spaces."""
    it = _changed(request, pk)
    names = {name.lower() for name in request.POST.get("names", "").replace(",", " ").split()[:2000]}
    possible = Station.objects.within(request.perimeter)
    if it.site is not None:
        possible = possible.filter(site__path__startswith=it.site.path)
    known = {station.name.lower(): station for station in possible.annotate(lower=Lower("name")).filter(lower__in=names)}
    missing = sorted(names - set(known))
    if missing or not names:
        messages.error(
            request,
            _("Not changed. No station of this perimeter (and of the group's site) is named: %(names)s")
            % {"names": ", ".join(missing[:20])},
        )
    else:
        for station in known.values():
            require(request, station.site_id, Right.EDIT)
        it.stations.add(*known.values())
        messages.success(
            request,
            ngettext("%(number)s station was added.", "%(number)s stations were added.", len(known)) % {"number": len(known)},
        )
    return redirect("console:group", pk=pk)


@page(Right.GROUPS, methods=("POST",))
def group_remove(request: Request, pk: int, station: int) -> HttpResponse:
    """Take a station out of a static group."""
    it = _changed(request, pk)
    gone = get_object_or_404(Station.objects.within(request.perimeter), pk=station)
    require(request, gone.site_id, Right.EDIT)
    it.stations.remove(gone)
    messages.success(request, _("%(station)s was taken out.") % {"station": gone.name})
    return redirect("console:group", pk=pk)


@page(Right.GROUPS, methods=("POST",))
def station_groups(request: Request, pk: int) -> HttpResponse:
    """Put a station into a static group (``join``, its name), or take it out of one (``leave``, its id): from the station's own page."""
    station = get_object_or_404(Station.objects.within(request.perimeter).select_related("site"), pk=pk)
    require(request, station.site_id, Right.EDIT)
    groups = open_groups(station, request.perimeter)
    if leave := request.POST.get("leave", ""):
        it = get_object_or_404(groups, pk=int(leave) if leave.isdecimal() and len(leave) < 18 else 0)
        it.stations.remove(station)
        messages.success(request, _("%(station)s was taken out.") % {"station": station.name})
    else:
        name = request.POST.get("join", "").strip().replace("\0", "")[:63]
        joined = groups.filter(name=name).first()
        if joined is None:
            messages.error(request, _("Not changed. There is no static group “%(name)s” that this station may be in.") % {"name": name})
        else:
            joined.stations.add(station)
            messages.success(request, _("%(station)s is in %(group)s now.") % {"station": station.name, "group": joined.name})
    return redirect("console:station", pk=pk)


def open_groups(station: Station, perimeter: Perimeter) -> QuerySet[Group]:
    """The static groups that a station of its site may be in, and whose members the perimeter lets change."""
    above = Q(site=None) | Q(site__in=station.site.ancestor_ids())
    return Group.objects.within(perimeter).within(perimeter, Right.GROUPS).filter(above, criteria="")


def _found(request: Request, pk: int) -> Group:
    return get_object_or_404(Group.objects.within(request.perimeter).select_related("site"), pk=pk)


def _changed(request: Request, pk: int) -> Group:
    it = _found(request, pk)
    require(request, it.site_id, Right.GROUPS)
    if it.is_dynamic:
        raise PermissionDenied
    return it
