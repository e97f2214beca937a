# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One station: who it is, what it reports, what changed, and what it keeps secret."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ...accounts.rights import Right
from ...content.models import Image
from ...criteria.membership import groups_of
from ...registry.models import Station, StationValue
from ...reports.models import Report, Section
from ...reports.sections import KINDS, SOFTWARES, changes, rows, unpack_rows
from .. import sheet
from ..disks import Disk, disks
from ..pdf import Block, sheet_document
from ..sheet import Column
from ..words import KEYS, Table, is_number, sentence, table
from .access import Request, page, require
from .groups import open_groups

AUDIT = logging.getLogger("stationdb.audit")
CHANGES = (50, 200, 500)
"""How many changes a history shows: at first, and when more are asked for."""

CHOICES = 150
"""Groups among which a station's page lets choose; where there are more, one types."""

ROWS_OF_CHANGE = 40
"""Rows of one change that are shown at once; the others are behind a click."""

Row = dict[str, str | int]

SOFTWARE_COLUMNS: list[Column[Row]] = [
    Column(gettext_lazy("Name"), lambda row: row.get("name", "")),
    Column(gettext_lazy("Version"), lambda row: row.get("version", "")),
    Column(gettext_lazy("Architecture"), lambda row: row.get("arch", "")),
    Column(gettext_lazy("Source"), lambda row: row.get("from", "")),
    Column(gettext_lazy("Publisher"), lambda row: row.get("publisher", "")),
]


def found(request: Request, pk: int) -> Station:
    """The station, or 404 when it is not in the perimeter."""
    query = Station.objects.within(request.perimeter).select_related("site", "image", "model__site")
    return get_object_or_404(query, pk=pk)


def shared(request: Request, station: Station, tab: str) -> dict[str, Any]:
    """What each tab of a station needs."""
    return {
        "station": station,
        "tab": tab,
        "may_edit": request.perimeter.covers(station.site_id, Right.EDIT),
        "may_secrets": request.perimeter.covers(station.site_id, Right.SECRETS),
        "may_export": request.perimeter.covers(station.site_id, Right.EXPORT),
    }


@page()
def station(request: Request, pk: int) -> HttpResponse:
    """Identity, disks, groups, images, secret values, reports."""
    it = found(request, pk)
    context = shared(request, it, "overview")
    sections = _sections(it, ("storages", "partitions", "drives", "smart"))
    context |= {
        "macs": [card.mac for card in it.macs.all()],
        "disks": _disks(sections),
        "drives": _drives(sections["drives"]),
        **_groups(request, it),
        "model": it.model if it.model and request.perimeter.covers(it.model.site_id, Right.VIEW) else None,
        "image": it.image if it.image and _shown(request, it.image.site_id) else None,
        "captured": Image.objects.within(request.perimeter).filter(source=it)[:20],
        "secrets": StationValue.objects.within(request.perimeter, Right.SECRETS).filter(station=it).values("pk", "name"),
        "reports": Report.objects.within(request.perimeter).filter(station=it)[:6],
        "variables": sorted(it.variables.items()),
        "renamed": it.reported_name and it.reported_name.split(".")[0].lower() != it.name.split(".")[0].lower(),
    }
    return render(request, "console/station/overview.html", context)


@page()
def hardware(request: Request, pk: int) -> HttpResponse:
    """Each section as a table."""
    it = found(request, pk)
    stored = _sections(it, [kind for kind in KINDS if kind != SOFTWARES])
    tables = [table(kind, stored[kind]) for kind in KINDS if stored.get(kind)]
    return render(request, "console/station/hardware.html", {**shared(request, it, "hardware"), "tables": tables})


@page()
def software(request: Request, pk: int) -> HttpResponse:
    """What is installed, with search; htmx gets the table."""
    it = found(request, pk)
    everything = rows(it, SOFTWARES)
    text = request.GET.get("q", "").strip()[:200]
    shown = [row for row in everything if _mentions(row, text)]
    context = shared(request, it, "software") | {"rows": shown[:500], "number": len(shown), "all": len(everything), "text": text}
    context["cut"] = len(shown) > 500
    if request.GET.get("all"):
        context |= {"rows": shown, "cut": False}
    part = request.htmx and not request.htmx.boosted and not request.htmx.history_restore_request
    return render(request, "console/parts/station_software.html" if part else "console/station/software.html", context)


@page(Right.EXPORT)
def software_csv(request: Request, pk: int) -> HttpResponseBase:
    """What is installed, as CSV."""
    it = found(request, pk)
    require(request, it.site_id, Right.EXPORT)
    return sheet.csv_list(f"{it.name}-software", SOFTWARE_COLUMNS, rows(it, SOFTWARES))


@page()
def history(request: Request, pk: int) -> HttpResponse:
    """What changed from report to report."""
    it = found(request, pk)
    kind = request.GET.get("section", "")
    kind = kind if kind in KINDS else ""
    limit = next((each for each in CHANGES if str(each) == request.GET.get("limit")), CHANGES[0])
    seen = list(changes(it, kind or None, limit + 1))
    told = [
        {
            "kind": change.kind,
            "when": change.when,
            "pairs": _pairs(change.kind, change.added, change.removed),
        }
        for change in seen[:limit]
    ]
    context = shared(request, it, "history") | {"changes": told, "chosen": kind, "kinds": KINDS}
    context["next_limit"] = next((each for each in CHANGES if each > limit), 0) if len(seen) > limit else 0
    return render(request, "console/station/history.html", context)


@page(Right.SECRETS, methods=("POST",))
def secret(request: Request, pk: int, value: int) -> HttpResponse:
    """A secret value, for who may read it; that it was read is logged."""
    it = found(request, pk)
    shown = get_object_or_404(StationValue.objects.within(request.perimeter, Right.SECRETS), pk=value, station=it)
    AUDIT.info("%s read the value %s of %s", request.user.username, shown.name, it.name)
    return render(request, "console/parts/secret.html" if request.htmx else "console/station/secret.html", {"station": it, "secret": shown})


@page(Right.EXPORT)
def station_pdf(request: Request, pk: int) -> HttpResponse:
    """The station's sheet, with ``?software=1`` its software as well."""
    it = found(request, pk)
    require(request, it.site_id, Right.EXPORT)
    stored = _sections(it, [kind for kind in KINDS if kind != SOFTWARES])
    blocks = [Block(_("Identity"), pairs=identity(it, request))]
    for kind in KINDS:
        if stored.get(kind):
            blocks.append(_block(table(kind, stored[kind])))
    if request.GET.get("software"):
        installed = rows(it, SOFTWARES)
        titles = [str(column.title) for column in SOFTWARE_COLUMNS]
        blocks.append(
            Block(str(_("Software")), titles=titles, rows=[[str(column.value(row)) for column in SOFTWARE_COLUMNS] for row in installed])
        )
    subtitle = f"{it.site.name} · {it.get_state_display()}"
    return sheet.pdf_response(it.name, sheet_document(it.name, subtitle, blocks))


def identity(it: Station, request: Request) -> list[tuple[str, str]]:
    """Who a station is, as names and values; what is empty is left out."""
    image = str(it.image) if it.image and _shown(request, it.image.site_id) else ""
    pairs = [
        (_("Name"), it.name),
        (_("Site"), it.site.name),
        (_("State"), it.get_state_display()),
        (_("Kind"), it.get_kind_display()),
        (_("Tag"), it.tag),
        (_("Groups"), ", ".join(group.name for group in groups_of(it, request.perimeter))),
        (_("MAC addresses"), ", ".join(card.mac for card in it.macs.all())),
        (_("Reserved address"), it.address or ""),
        (_("Address it reports"), it.reported_address),
        (_("Serial number"), it.serial),
        (_("SMBIOS UUID"), str(it.uuid or "")),
        (_("Machine"), f"{it.manufacturer} {it.product}".strip()),
        (_("System"), f"{it.os_name} {it.os_version}".strip()),
        (_("Image"), image),
        (_("Last user"), it.user),
        (_("Last seen"), date_format(it.last_seen, "DATETIME_FORMAT") if it.last_seen else ""),
        (_("Comment"), it.comment),
    ]
    return [(str(name), str(value)) for name, value in pairs if value]


def _sections(it: Station, kinds: Sequence[str]) -> dict[str, list[Row]]:
    """Rows by section, read at once."""
    stored = Section.objects.filter(station=it, kind__in=kinds).values_list("kind", "data")
    return {**{kind: [] for kind in kinds}, **{kind: unpack_rows(bytes(data)) for kind, data in stored}}


def _groups(request: Request, it: Station) -> dict[str, Any]:
    """The groups that a station is in, each with whether it may be taken out of it here, and those that it may be put into."""
    inside = groups_of(it, request.perimeter)
    if not request.perimeter.covers(it.site_id, Right.EDIT) or not request.perimeter.has(Right.GROUPS):
        return {"groups": [(group, False) for group in inside], "may_join": False}
    present = {group.pk for group in inside}
    others = [
        pair for pair in open_groups(it, request.perimeter).values_list("pk", "name")[: CHOICES + len(present)] if pair[0] not in present
    ]
    return {
        "groups": [(group, not group.is_dynamic and request.perimeter.covers(group.site_id, Right.GROUPS)) for group in inside],
        "may_join": bool(others),
        "others": [name for _pk, name in others] if len(others) < CHOICES else None,
    }


def _disks(sections: dict[str, list[Row]]) -> list[Disk]:
    return disks(sections["storages"], sections["partitions"], sections["drives"], sections["smart"])


def _drives(drives: Sequence[Row]) -> list[dict[str, Any]]:
    told = []
    for row in drives:
        total, free = (int(row[key]) if is_number(row.get(key)) else 0 for key in ("total", "free"))
        used = max(total - free, 0)
        share = used / total if total else 0.0
        told.append(
            {
                "mount": row.get("type") or row.get("letter") or row.get("volumn", ""),
                "filesystem": row.get("filesystem", ""),
                "total": total << 20,
                "free": free << 20,
                "share": share,
                "tone": "bad" if share > 0.95 else "warn" if share > 0.85 else "t1",
            }
        )
    return told


def _block(of: Table) -> Block:
    titles = [str(KEYS.get(key, key)) for key in of.keys]
    if of.single:
        return Block(of.title, pairs=[(str(KEYS.get(key, key)), value) for key, value in of.single])
    return Block(of.title, titles=titles, rows=of.rows)


def _mentions(row: Row, text: str) -> bool:
    wanted = text.lower()
    return not wanted or any(wanted in str(row.get(key, "")).lower() for key in ("name", "version", "publisher", "from"))


def _pairs(kind: str, added: Sequence[Row], removed: Sequence[Row]) -> list[tuple[str, str, str]]:
    """(sign, text, text before): software whose version changed is one line, not an addition and a removal."""
    before: dict[tuple[str, str], list[Row]] = {}
    for row in removed:
        before.setdefault(_names(kind, row), []).append(row)
    told = []
    for row in added:
        same = before.get(_names(kind, row)) if kind == SOFTWARES else None
        if same:
            told.append(("~", sentence(kind, row), str(same.pop(0).get("version", ""))))
        else:
            told.append(("+", sentence(kind, row), ""))
    told += [("-", sentence(kind, row), "") for left in before.values() for row in left]
    return told


def _names(kind: str, row: Row) -> tuple[str, str]:
    return str(row.get("name", "")), f"{row.get('from', '')} {row.get('arch', '')}"


def _shown(request: Request, site_id: int | None) -> bool:
    return site_id is None or request.perimeter.covers(site_id, Right.VIEW)
