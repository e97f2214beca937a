# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images and packages that are registered."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Q
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext_lazy

from ...accounts.rights import Right
from ...content.models import Content, Image, Package
from ...registry.models import Station
from .. import sheet
from ..paging import paged
from ..sheet import Column
from .access import Request, exporting, page

COLUMNS: list[Column[Content]] = [
    Column(gettext_lazy("Name"), lambda row: row.name),
    Column(gettext_lazy("Version"), lambda row: row.version),
    Column(gettext_lazy("Site"), lambda row: row.site.name if row.site else ""),
    Column(gettext_lazy("Description"), lambda row: row.description),
    Column(gettext_lazy("Size"), lambda row: row.size),
    Column(gettext_lazy("Digest of the manifest"), lambda row: row.manifest),
    Column(gettext_lazy("Registered"), lambda row: row.created),
]

SORTS = {"name": "name", "version": "version", "size": "size", "created": "created"}


@page()
def images(request: Request) -> HttpResponse:
    """Captured models, with the number of stations they are assigned to."""
    context = _listed(request, Image.objects.within(request.perimeter).select_related("site", "source"))
    ids = [image.pk for image in context["list"].rows]
    stations = Station.objects.within(request.perimeter).filter(image__in=ids).order_by()
    numbers = dict(stations.values_list("image").annotate(number=Count("id")))
    context["lines"] = [
        (
            image,
            numbers.get(image.pk, 0),
            image.source if image.source and request.perimeter.covers(image.source.site_id, Right.VIEW) else None,
        )
        for image in context["list"].rows
    ]
    return render(request, "console/images.html", context)


@page()
def packages(request: Request) -> HttpResponse:
    """Software to deploy."""
    return render(request, "console/packages.html", _listed(request, Package.objects.within(request.perimeter).select_related("site")))


@page(Right.EXPORT)
def images_csv(request: Request) -> HttpResponseBase:
    """The list as CSV."""
    rows = Image.objects.within(exporting(request)).select_related("site").order_by("name", "-created")
    return sheet.csv_list("images", COLUMNS, rows.iterator())


@page(Right.EXPORT)
def packages_csv(request: Request) -> HttpResponseBase:
    """The list as CSV."""
    rows = Package.objects.within(exporting(request)).select_related("site").order_by("name", "-created")
    return sheet.csv_list("packages", COLUMNS, rows.iterator())


def _listed(request: Request, rows: Any) -> dict[str, Any]:
    text = request.GET.get("q", "").strip().replace("\0", "")[:100]
    if text:
        rows = rows.filter(Q(name__icontains=text) | Q(description__icontains=text))
    return {"list": paged(rows, request.GET, SORTS), "text": text}
