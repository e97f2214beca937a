# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sites: the tree, and one site with its subnets, relay and groups."""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext_lazy

from ...accounts.rights import Right
from ...registry.models import Group, Site, Station
from .. import sheet
from ..places import Place, places
from ..sheet import Column
from .access import Request, exporting, page

COLUMNS: list[Column[Place]] = [
    Column(gettext_lazy("Short name"), lambda place: place.slug),
    Column(gettext_lazy("Name"), lambda place: place.name),
    Column(gettext_lazy("Depth"), lambda place: place.depth),
    Column(gettext_lazy("Stations"), lambda place: place.own),
    Column(gettext_lazy("Stations with those below"), lambda place: place.total),
]


@page()
def sites(request: Request) -> HttpResponse:
    """The tree; a site in it opens with what is below."""
    found = places(request.perimeter)
    text = request.GET.get("q", "").strip().lower()[:100]
    shown = [place for place in found if text in place.name.lower() or text in place.slug] if text else found
    roots = [place for place in found if place.depth == 0]
    limit = 400
    opened = _opened(request.GET.get("open", ""), found)
    if not text and len(found) > limit:
        shown = [place for place in found if place.depth <= 1 or (opened and place.path.startswith(opened.path))]
    most = max([place.total for place in roots], default=0) or 1
    context = {
        "lines": [(place, place.total / most) for place in shown[:2000]],
        "number": len(found),
        "text": text,
        "folded": not text and len(found) > limit,
        "may_add": request.perimeter.has(Right.SITES),
    }
    return render(request, "console/sites.html", context)


@page(Right.EXPORT)
def sites_csv(request: Request) -> HttpResponseBase:
    """The tree as CSV."""
    return sheet.csv_list("sites", COLUMNS, places(exporting(request)))


@page()
def site(request: Request, pk: int) -> HttpResponse:
    """One site."""
    it = get_object_or_404(Site.objects.within(request.perimeter).select_related("relay__site"), pk=pk)
    found = places(request.perimeter, needed=pk)
    line = [place for place in found if it.path.startswith(place.path) and place.id != it.pk]
    place = next((each for each in found if each.id == it.pk), None)
    below = [
        each for each in found if each.path.startswith(it.path) and each.path.strip("/").count("/") == it.path.strip("/").count("/") + 1
    ]
    above = list(Site.objects.filter(pk__in=it.ancestor_ids()).order_by("-path"))
    context = {
        "site": it,
        "line": sorted(line, key=lambda each: each.depth),
        "place": place,
        "below": [(each, each.total / (place.total or 1) if place else 0) for each in below[:300]],
        "subnets": it.subnets.all(),
        "relay": it.relay if it.relay and request.perimeter.covers(it.relay.site_id, Right.VIEW) else None,
        "time_zone": next((each.time_zone for each in above if each.time_zone), ""),
        "content_url": next((each.content_url for each in above if each.content_url), ""),
        "groups": Group.objects.within(request.perimeter).filter(site=it),
        "variables": sorted(it.variables.items()),
        "may_edit": request.perimeter.covers(it.pk, Right.SITES),
        "new": Station.objects.within(request.perimeter).filter(site=it, state=Station.State.NEW).order_by("-created")[:8],
    }
    return render(request, "console/site.html", context)


def _opened(slug: str, found: list[Place]) -> Place | None:
    return next((place for place in found if place.slug == slug), None)
