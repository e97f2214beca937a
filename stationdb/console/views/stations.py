# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of stations: search, filter, sort, export."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ...accounts.rights import Right
from ...registry.models import Group, Station
from ...registry.table import export
from .. import sheet
from ..completion import completions
from ..figures import figures
from ..models import SavedFilter
from ..paging import counted, paged
from ..places import options, places
from ..rows import station_rows
from ..selection import AGE_WORDS, Selection, kept, select
from ..sheet import Column
from .access import Request, exporting, page

SORTS = {
    "name": "name",
    "site": "site__name",
    "state": "state",
    "os": "os_name",
    "model": "product",
    "ram": "ram",
    "seen": "last_seen",
    "tag": "tag",
}

COLUMNS: list[Column[Station]] = [
    Column(gettext_lazy("Name"), lambda row: row.name, 1.3),
    Column(gettext_lazy("Site"), lambda row: row.site.name, 1.5),
    Column(gettext_lazy("State"), lambda row: row.get_state_display(), 0.9),
    Column(gettext_lazy("System"), lambda row: f"{row.os_name} {row.os_version}", 2.4),
    Column(gettext_lazy("Machine"), lambda row: f"{row.manufacturer} {row.product}", 1.9),
    Column(gettext_lazy("Serial number"), lambda row: row.serial, 1.3),
    Column(gettext_lazy("Address"), lambda row: row.address or row.reported_address, 1.0),
    Column(gettext_lazy("Last seen"), lambda row: f"{row.last_seen:%Y-%m-%d %H:%M}" if row.last_seen else "", 1.4),
]

CHOICES = 150
"""Sites or groups among which a list lets choose; where there are more, one types."""

FIELDS = (
    "name",
    "state",
    "kind",
    "tag",
    "address",
    "reported_address",
    "os_name",
    "os_version",
    "manufacturer",
    "product",
    "ram",
    "last_seen",
    "site_id",
)


@page()
def stations(request: Request) -> HttpResponse:
    """A page of the list; htmx gets the part that changes."""
    selection = select(request.GET, request.perimeter)
    rows = paged(_listed(selection, request), request.GET, SORTS)
    sites = places(request.perimeter)
    counts = figures(request.perimeter)
    number, more = counted(selection.stations, rows) if selection.narrowed else (counts.total, False)
    context = {
        "selection": selection,
        "list": rows,
        "rows": station_rows(rows.rows, {place.id: place.name for place in sites}),
        "number": number,
        "more": more,
        "counts": counts,
    }
    if request.htmx and not request.htmx.boosted and not request.htmx.history_restore_request:
        return render(request, "console/parts/stations.html", context)
    groups = list(Group.objects.within(request.perimeter).values_list("name", flat=True)[: CHOICES + 1])
    context |= {
        "sites": options(sites, request.GET.get("site", "")) if len(sites) <= CHOICES else None,
        "groups": groups if len(groups) <= CHOICES else None,
        "states": [(state.value, state.label, counts.states.get(state.value, 0)) for state in Station.State],
        "ages": [(key, words(), counts.ages.get(key, 0)) for key, words in AGE_WORDS.items()],
        "filters": SavedFilter.objects.filter(user=request.user),
        "kept": kept(request.GET),
    }
    return render(request, "console/stations.html", context)


def _listed(selection: Selection, request: Request) -> QuerySet[Station]:
    """The stations with what a row shows. Sites are known already: joined, they cost more than all else where criteria find many.

    PostgreSQL expects one row of most criteria, and would look through all sites for each that it finds.
    """
    if request.GET.get("sort", "").lstrip("-") == "site":
        return selection.stations.select_related("site").only(*FIELDS, "site__name")
    return selection.stations.only(*FIELDS)


@page()
def complete(request: Request) -> HttpResponse:
    """What may come next in criteria: a list of options for the box."""
    text = request.GET.get("q", "")[:2000]
    try:
        at = min(max(int(request.GET.get("at", len(text))), 0), len(text))
    except ValueError:
        at = len(text)
    return render(request, "console/parts/completions.html", {"options": completions(text[:at], request.perimeter)})


@page(Right.EXPORT)
def stations_csv(request: Request) -> HttpResponseBase:
    """The whole list as CSV that an import reads again."""
    chosen = _exported(request)
    if chosen.mistake:
        return redirect(f"{reverse('console:stations')}?{request.GET.urlencode()}")
    return sheet.csv_response("stations", export(chosen.stations, exporting(request), reported=True))


@page(Right.EXPORT)
def stations_pdf(request: Request) -> HttpResponse:
    """The list to print."""
    chosen = _exported(request)
    if chosen.mistake:
        return redirect(f"{reverse('console:stations')}?{request.GET.urlencode()}")
    rows = chosen.stations.select_related("site").order_by("name", "pk")
    total = rows.count()
    criteria = " · ".join(filter(None, [chosen.text, *(f"{words}" for _facet, words in chosen.chips)]))
    return sheet.pdf_list("stations", _("Stations"), criteria or _("all stations"), COLUMNS, rows[: sheet.PDF_ROWS], total)


def _exported(request: Request) -> Selection:
    """What the list shows of the sites for which the user may export."""
    return select(request.GET, exporting(request))


@page(methods=("POST",))
def save_filter(request: Request) -> HttpResponse:
    """Keep a filter under a name; a name that exists is overwritten."""
    query = kept(QueryDict(request.POST.get("query", "")))
    name = request.POST.get("name", "").strip()
    saved = SavedFilter(user=request.user, name=name, query=query)
    try:
        saved.clean_fields()
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        SavedFilter.objects.update_or_create(user=request.user, name=name, defaults={"query": query})
        messages.success(request, _("The filter “%(name)s” was saved.") % {"name": name})
    return redirect(f"{reverse('console:stations')}?{query}")


@page(methods=("POST",))
def delete_filter(request: Request, pk: int) -> HttpResponse:
    """Forget a saved filter of one's own."""
    get_object_or_404(SavedFilter, user=request.user, pk=pk).delete()
    messages.success(request, _("The filter was removed."))
    return redirect("console:stations")
