# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images and packages that are registered."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Q
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
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

SHOWN = 20
"""Stations or other versions that a page names."""

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
def image(request: Request, pk: int) -> HttpResponse:
    """One version of an image: what is said of it, and how many stations it is assigned to."""
    it = get_object_or_404(Image.objects.within(request.perimeter).select_related("site", "source"), pk=pk)
    stations = Station.objects.within(request.perimeter).filter(image=it)
    context = _one(request, it, Image) | {
        "source": it.source if it.source and request.perimeter.covers(it.source.site_id, Right.VIEW) else None,
        "assigned": stations.count(),
        "stations": stations.order_by("name").values_list("pk", "name")[:SHOWN],
        "criteria": f'image = "{it.name} {it.version}"',
    }
    return render(request, "console/image.html", context)


@page()
def package(request: Request, pk: int) -> HttpResponse:
    """One version of a package: what is said of it."""
    it = get_object_or_404(Package.objects.within(request.perimeter).select_related("site"), pk=pk)
    return render(request, "console/package.html", _one(request, it, Package))


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


def _one(request: Request, it: Content, model: type[Image] | type[Package]) -> dict[str, Any]:
    """What the pages of an image and of a package share."""
    others = model.objects.within(request.perimeter).filter(name=it.name).exclude(pk=it.pk).order_by("-created")
    return {"it": it, "others": others[:SHOWN], "may_edit": request.perimeter.covers(it.site_id, Right.CONTENT)}


def _listed(request: Request, rows: Any) -> dict[str, Any]:
    text = request.GET.get("q", "").strip().replace("\0", "")[:100]
    if text:
        rows = rows.filter(Q(name__icontains=text) | Q(description__icontains=text))
    return {"list": paged(rows, request.GET, SORTS), "text": text, "may_add": request.perimeter.has(Right.CONTENT)}
