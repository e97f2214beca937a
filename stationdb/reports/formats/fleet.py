# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""fleet-report-1: the XML of our own stations (schema/fleet-report-1.xsd)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import partial

from lxml import etree

from ..errors import ReportError
from ..sections import KINDS, SOFTWARES
from .canonical import NEVER, Reported, clean_text
from .markup import parse
from .repeated import Cut, Memory, Shape


def _row(element: etree._Element) -> Mapping[str, str]:
    return {str(key): str(value) for key, value in element.attrib.items()}


SHAPE = Shape(
    begin=b"<softwares>",
    end=b"</softwares>",
    inclusive=False,
    row_end=b"/>",
    row=re.compile(rb'\s*<item(?:\s+[a-z][a-z0-9_]*="[^"<>]*")*\s*'),
    date=re.compile(rb' install_date="[0-9A-Za-z/:. +-]{0,40}"'),
    undated=b' install_date=""',
    mark=b"<fleet-cut/>",
    read=_row,
)


def read(document: bytes, memory: Memory, parts: Cut | None, unread: bool) -> Reported:
    """The report in a document, of which parts is the cut. unread leaves its software for later. ReportError when it is none."""
    titles = parts.titles(memory) if parts and not unread else []
    if titles is None:
        parts = None
    root = parse(parts.rest if parts else document)
    marks = root.findall(f"{SOFTWARES}/fleet-cut") if parts else []
    if parts and (len(marks) != 1 or len(root.findall(SOFTWARES)) != 1 or len(root.findall(SOFTWARES)[0]) != 1):
        parts, root = None, parse(document)
    if root.tag != "report" or root.get("format") != "1":
        raise ReportError(
            f"The document is no fleet-report-1: its root is {clean_text(str(root.tag), 40)} {clean_text(root.get('format') or '', 10)}.",
            "Known formats: fleet-report-1, OCS inventory XML, GLPI inventory JSON.",
        )
    report = Reported(
        "fleet",
        agent=clean_text(root.get("agent") or "fleet", 100),
        name=clean_text(root.get("station") or "", 253),
        tag=clean_text(root.get("tag") or "", 100),
        created=_moment(root.get("created")),
    )
    missing = {item.get("section") for item in root.iterfind("warnings/item")}
    report.speaks_of = frozenset(KINDS) - missing
    for section in root:
        if section.tag == SOFTWARES:
            found = [] if parts else [memory.title(_row(item)) for item in section]
            report.add_software([title for title in found if title])
        else:
            report.add(str(section.tag), (_row(item) for item in section))
    if parts:
        report.add_cut(parts.digest, titles or [], partial(parts.titles, memory) if unread else None)
    if forbidden := [section for section in root if section.tag in NEVER]:
        for section in forbidden:
            root.remove(section)
        rest: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
        report.cleaned = rest.replace(SHAPE.mark, parts.run) if parts else rest
    return report


def _moment(text: str | None) -> datetime | None:
    """When the station says that it made the report, if that is a moment with a time zone."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else None
