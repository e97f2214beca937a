# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Software: who holds what, in which version, and who is behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ...accounts.rights import Right
from ...registry.models import Station
from ...reports.models import Software, SoftwareVersion
from .. import sheet
from ..holdings import counts, held_of, holders, seen, versions_below
from ..paging import counted, paged
from ..sheet import Column
from .access import Request, exporting, page

VERSIONS = 3
"""Versions that the list names for each software: those that most stations have."""

CSV_AT_ONCE = 500

HOLDERS = 25
"""Stations of a page that stands beside the versions."""


@dataclass(frozen=True)
class Line:
    """A software in the list: its versions with their numbers of stations, most held first."""

    software: Software
    stations: int
    versions: list[tuple[str, int]]

    @property
    def others(self) -> int:
        """Versions that are not named."""
        return max(len(self.versions) - VERSIONS, 0)

    @property
    def shown(self) -> list[tuple[str, int]]:
        """Versions that are named."""
        return self.versions[:VERSIONS]


@dataclass(frozen=True)
class Held:
    """A station, and which versions of a software it holds."""

    station: Station
    versions: list[str]


HOLDER_COLUMNS: list[Column[Held]] = [
    Column(gettext_lazy("Name"), lambda row: row.station.name),
    Column(gettext_lazy("Site"), lambda row: row.station.site.name),
    Column(gettext_lazy("Version"), lambda row: ", ".join(row.versions)),
    Column(gettext_lazy("Last seen"), lambda row: row.station.last_seen),
]

LIST_COLUMNS: list[Column[tuple[Software, str, str, int]]] = [
    Column(gettext_lazy("Name"), lambda row: row[0].name),
    Column(gettext_lazy("Source"), lambda row: row[0].source),
    Column(gettext_lazy("Publisher"), lambda row: row[0].publisher),
    Column(gettext_lazy("Version"), lambda row: row[1]),
    Column(gettext_lazy("Architecture"), lambda row: row[2]),
    Column(gettext_lazy("Stations"), lambda row: row[3]),
]


@page()
def softwares(request: Request) -> HttpResponse:
    """The list, with the number of stations by version."""
    text = request.GET.get("q", "").strip().replace("\0", "")[:200]
    rows = seen(request.perimeter)
    if text:
        rows = rows.filter(name__icontains=text)
    source = request.GET.get("source", "").replace("\0", "")[:20]
    if source:
        rows = rows.filter(source=source)
    listed = paged(rows, request.GET, {"name": "name", "source": "source", "publisher": "publisher"}, size=25)
    context = {"list": listed, "lines": _lines(listed.rows, request), "text": text, "source": source}
    if request.htmx and not request.htmx.boosted and not request.htmx.history_restore_request:
        return render(request, "console/parts/softwares.html", context)
    sources = cache.get_or_set(
        "console:sources", lambda: sorted(Software.objects.order_by().values_list("source", flat=True).distinct()), 300
    )
    return render(request, "console/softwares.html", context | {"sources": [each for each in sources or () if each]})


@page(Right.EXPORT)
def softwares_csv(request: Request) -> HttpResponseBase:
    """Each version with its number of stations."""
    text = request.GET.get("q", "").strip().replace("\0", "")[:200]
    perimeter = exporting(request)
    rows = seen(perimeter).filter(name__icontains=text) if text else seen(perimeter)

    def lines() -> Any:
        ids = list(rows.order_by("name", "source").values_list("id", flat=True))
        for first in range(0, len(ids), CSV_AT_ONCE):
            some = list(Software.objects.filter(id__in=ids[first : first + CSV_AT_ONCE]).order_by("name", "source"))
            numbers = counts(some, perimeter)
            versions = _versions([version for each in numbers.values() for version in each])
            for each in some:
                for version, number in numbers[each.pk].items():
                    known = versions[version]
                    yield each, known.version, known.arch, number

    return sheet.csv_list("software", LIST_COLUMNS, lines())


@page()
def software(request: Request, pk: int) -> HttpResponse:
    """Its versions, and who has it below a version, or one of its versions."""
    it = get_object_or_404(seen(request.perimeter), pk=pk)
    below, version, ids = _asked(request, it)
    numbers = counts([it], request.perimeter)[it.pk]
    known = _versions(numbers)
    most = max(numbers.values(), default=1)
    found = holders(ids, request.perimeter)
    shown = found.select_related("site").only("name", "last_seen", "site__name")
    rows = paged(shown, request.GET, {"name": "name", "seen": "last_seen"}, size=HOLDERS)
    number, more = counted(found, rows) if below or "version" in request.GET else (None, False)
    context = {
        "software": it,
        "versions": [
            (known[each], count, count / most)
            for each, count in sorted(numbers.items(), key=lambda item: bytes(known[item[0]].version_key), reverse=True)
        ],
        "stations": sum(numbers.values()),
        "list": rows,
        "held": _held(rows.rows, ids),
        "number": number,
        "more": more,
        "below": below,
        "version": version,
    }
    if request.htmx and not request.htmx.boosted and not request.htmx.history_restore_request:
        return render(request, "console/parts/holders.html", context)
    return render(request, "console/software.html", context)


@page(Right.EXPORT)
def software_csv(request: Request, pk: int) -> HttpResponseBase:
    """Who has it (below a version), as CSV."""
    it = get_object_or_404(seen(request.perimeter), pk=pk)
    _below, _version, ids = _asked(request, it)
    stations = holders(ids, exporting(request))

    def lines() -> Any:
        query, last = stations.select_related("site").order_by("pk"), 0
        while some := list(query.filter(pk__gt=last)[:CSV_AT_ONCE]):
            last = some[-1].pk
            yield from _held(some, ids)

    return sheet.csv_list(it.name, HOLDER_COLUMNS, lines())


def _asked(request: Request, it: Software) -> tuple[str, str, list[int]]:
    """What the page asks for: below a version, one version, or any; and the ids of the versions that are meant."""
    below = request.GET.get("below", "").strip().replace("\0", "")[:255]
    version = request.GET.get("version", "").replace("\0", "")[:255] if "version" in request.GET else ""
    if below:
        return below, "", versions_below(it, below)
    if "version" in request.GET:
        return (
            "",
            version or _("none"),
            list(SoftwareVersion.objects.filter(software=it, version=version).order_by().values_list("id", flat=True)),
        )
    return "", "", list(SoftwareVersion.objects.filter(software=it).order_by().values_list("id", flat=True))


def _lines(some: list[Software], request: Request) -> list[Line]:
    numbers = counts(some, request.perimeter)
    top = {pk: sorted(each.items(), key=lambda item: -item[1]) for pk, each in numbers.items()}
    known = _versions([version for each in top.values() for version, _number in each[:VERSIONS]])
    return [
        Line(
            each,
            sum(numbers[each.pk].values()),
            [(known[version].version if version in known else "", number) for version, number in top[each.pk]],
        )
        for each in some
    ]


def _versions(ids: Any) -> dict[int, SoftwareVersion]:
    wanted = list(ids)
    found: dict[int, SoftwareVersion] = {}
    for first in range(0, len(wanted), 900):
        found |= SoftwareVersion.objects.in_bulk(wanted[first : first + 900])
    return found


def _held(some: list[Station], ids: list[int]) -> list[Held]:
    """Which of some versions each station holds, lowest first."""
    held = held_of(ids, some)
    known = _versions(set().union(*held.values()))
    return [Held(each, [known[pk].version for pk in sorted(held[each.pk], key=lambda pk: bytes(known[pk].version_key))]) for each in some]
