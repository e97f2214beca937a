# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stations as a table: CSV for spreadsheets. ``tableimport`` reads it again.

A cell that a spreadsheet would take for a formula (it begins with =, +, -, @, a tab or a line's end) is written behind an apostrophe,
and so is one that begins with apostrophes before such a character; reading takes the apostrophe away again, so that nothing changes on
the way. https://owasp.org/www-community/attacks/CSV_Injection
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy

from ..accounts.perimeter import Perimeter
from .describe import REPORTED, describe
from .models import Station

COLUMNS = {
    "name": gettext_lazy("host name; says which station the line is about"),
    "site": gettext_lazy("short name of the site; an empty cell leaves it"),
    "kind": gettext_lazy("stations, models, relays or content_stores; an empty cell leaves it"),
    "state": gettext_lazy("new, ready, repair or retired; an empty cell leaves it"),
    "tag": gettext_lazy("free text"),
    "uuid": gettext_lazy("SMBIOS UUID"),
    "serial": gettext_lazy("serial number"),
    "macs": gettext_lazy("MAC addresses between spaces"),
    "address": gettext_lazy("reserved IP address"),
    "model": gettext_lazy("host name of the model"),
    "image": gettext_lazy("image assigned, as name/version"),
    "disk_identity": gettext_lazy("disk that may be written, as serial:… or wwn:…"),
    "groups": gettext_lazy("static groups between spaces"),
    "variables": gettext_lazy("variables as a JSON object"),
    "comment": gettext_lazy("free text, of several lines if need be"),
}
"""What can be imported and exported, and what it means. What reports say (describe.REPORTED) can be exported as well."""

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
    query = stations.order_by("name", "id")
    last = ""
    # Chunk by chunk from the last name on, so that a hundred thousand stations are neither held nor counted off.
    while chunk := list(query.filter(name__gt=last)[:CHUNK] if last else query[:CHUNK]):
        last = chunk[-1].name
        for values in describe(chunk, perimeter):
            yield write([harmless(_cell(column, values)) for column in columns])


def _cell(column: str, values: Mapping[str, Any]) -> str:
    value = values["reported"][column] if column in REPORTED else values[column]
    if column == "variables":
        return json.dumps(value, ensure_ascii=False, sort_keys=True) if value else ""
    if isinstance(value, list):
        return " ".join(value)
    return "" if value is None else value.isoformat() if hasattr(value, "isoformat") else str(value)


class _Lines:
    """A file for csv.writer that hands each line back."""

    def write(self, line: str) -> str:
        return line
