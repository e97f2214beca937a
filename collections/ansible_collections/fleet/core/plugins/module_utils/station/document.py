# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as a document: fleet-report-1, whose XSD the station database publishes (stationdb/reports/schema)."""

from __future__ import annotations

import re
import time
from typing import Optional
from xml.sax.saxutils import escape

from ..errors import InputError
from .report import Report
from .row import LONG_LIMIT, Row, plain

FORMAT = "1"
VERSION = "0.1.0"
_STATION = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?)*\Z")


def write(report: Report, station: str, *, tag: str = "", created: Optional[float] = None) -> bytes:
    """Return the document in UTF-8.

    created is in seconds since 1970, now when left out. InputError when station is no host name.
    """
    if not _STATION.match(station):
        raise InputError(f"{station!r} is no host name, so a report cannot tell whose it is", remedy="Set one with hostnamectl")
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(created))
    head = {"format": FORMAT, "agent": f"fleet/{VERSION}", "created": moment, "station": station, "tag": plain(tag)}
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<report{_attributes({name: text for name, text in head.items() if text})}>"]
    warnings: list[Row] = [{"section": section, "message": message or "failed"} for section, message in report.warnings.items()]
    for section, rows in {**report.sections, "warnings": warnings}.items():
        if rows:
            lines += [f"  <{section}>", *(f"    <item{_attributes(row)}/>" for row in rows), f"  </{section}>"]
    return "\n".join([*lines, "</report>", ""]).encode()


def _attributes(row: Row) -> str:
    # Always between double quotes, so that the same row is the same bytes whatever is in it.
    values = {name: escape(plain(str(value))[:LONG_LIMIT], {'"': "&quot;"}) for name, value in row.items()}
    return "".join(f' {name}="{value}"' for name, value in values.items())
