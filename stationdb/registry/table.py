# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stations as a table: CSV for spreadsheets, out and in again.

A cell that a spreadsheet would take for a formula (it begins with =, +, -, @, a tab or a line's end) is written behind an apostrophe,
and so is one that begins with apostrophes before such a character; reading takes the apostrophe away again, so that nothing changes on
the way. https://owasp.org/www-community/attacks/CSV_Injection
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from ..accounts.perimeter import Perimeter
from ..accounts.rights import Right
from .models import Group, Station

COLUMNS = {
    "name": _("host name; says which station the line is about"),
    "site": _("short name of the site"),
    "kind": _("stations, models, relays or content_stores"),
    "state": _("new, ready, repair or retired"),
    "tag": _("free text"),
    "uuid": _("SMBIOS UUID"),
    "serial": _("serial number"),
    "macs": _("MAC addresses between spaces"),
    "address": _("reserved IP address"),
    "model": _("host name of the model"),
    "image": _("image assigned, as name/version"),
    "disk_identity": _("disk that may be written, as serial:… or wwn:…"),
    "groups": _("static groups between spaces"),
    "variables": _("variables as a JSON object"),
    "comment": _("free text, of several lines if need be"),
}
"""What can be imported and exported, and what it means."""

REPORTED = {
    "last_seen": _("when it last reported"),
    "manufacturer": _("manufacturer"),
    "product": _("product"),
    "os_name": _("system"),
    "os_version": _("version of the system"),
    "cpu": _("processor"),
    "ram": _("memory in bytes"),
    "disk": _("size of all disks in bytes"),
    "disk_free": _("free disk space in bytes"),
    "user": _("last user"),
    "reported_address": _("address it reports"),
}
"""What reports say: can be exported as well, and is passed over by an import."""

CHUNK = 2000
"""Stations read at once."""

_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")


def harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def original(cell: str) -> str:
    """What harmless() was given; a cell that a person wrote stays as it is."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def export(stations: QuerySet[Station], perimeter: Perimeter, reported: bool = False) -> Iterator[str]:
    """Lines of CSV, the columns' names first, in the order of names; stations are a query within the perimeter.

    The perimeter decides which of their groups, models and images are named; reported adds the columns of REPORTED.
    """
    columns = [*COLUMNS, *(REPORTED if reported else ())]
    writer = csv.writer(_Lines(), quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    write: Callable[[Iterable[Any]], str] = writer.writerow
    yield write(columns)
    groups = Group.objects.within(perimeter)
    seen = Station.objects.within(perimeter)
    query = stations.select_related("site", "image").prefetch_related("macs").order_by("name", "id")
    last: tuple[str, int] | None = None
    while True:
        # Chunk by chunk from the last name on, so that a hundred thousand stations are neither held nor counted off.
        chunk = list((query if last is None else query.filter(name__gt=last[0]))[:CHUNK])
        if not chunk:
            return
        last = (chunk[-1].name, chunk[-1].pk)
        ids = [station.pk for station in chunk]
        members: dict[int, list[str]] = {}
        for name, station_id in groups.filter(stations__in=ids).order_by("name").values_list("name", "stations"):
            members.setdefault(station_id, []).append(name)
        models = dict(seen.filter(pk__in={station.model_id for station in chunk if station.model_id}).values_list("pk", "name"))
        for station in chunk:
            cells = _cells(station, members.get(station.pk, []), models, perimeter)
            yield write([harmless(cells[column]) for column in columns])


def _cells(station: Station, groups: list[str], models: dict[int, str], perimeter: Perimeter) -> dict[str, str]:
    image = station.image if station.image and _shown(station.image.site_id, perimeter) else None
    cells = {name: _text(getattr(station, name)) for name in ("name", "kind", "state", "tag", "uuid", "serial", "address", "disk_identity")}
    cells |= {name: _text(getattr(station, name)) for name in ("comment", *REPORTED)}
    return cells | {
        "site": station.site.slug,
        "macs": " ".join(card.mac for card in station.macs.all()),
        "model": models.get(station.model_id or 0, ""),
        "image": f"{image.name}/{image.version}" if image else "",
        "groups": " ".join(groups),
        "variables": json.dumps(station.variables, ensure_ascii=False, sort_keys=True) if station.variables else "",
    }


def _shown(site_id: int | None, perimeter: Perimeter) -> bool:
    return site_id is None or perimeter.covers(site_id, Right.VIEW)


def _text(value: object) -> str:
    return "" if value is None else value.isoformat() if hasattr(value, "isoformat") else str(value)


class _Lines:
    """A file for csv.writer that hands each line back."""

    def write(self, line: str) -> str:
        return line
