# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OCS inventory XML: REQUEST/{DEVICEID,QUERY,CONTENT}, sections as repeated flat elements of CONTENT.

Spoken by the OCS agents for Unix and Windows, by the FusionInventory agent, and by the GLPI agent in its older protocol, each with names
of its own for the same thing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial

from lxml import etree

from ..errors import ReportError
from ..sections import KINDS, SOFTWARES
from .canonical import NEVER, Reported, clean_text
from .glpi import UNSAID
from .markup import flat, parse, text_of
from .repeated import Cut, Memory, Shape

NAMES: Mapping[str, Mapping[str, str]] = {
    "bios": {"serial": "biosserial", "type": "chassis_type"},
    "cpus": {
        "cores": "core",
        "threads": "thread",
        "cpuarch": "arch",
        "serialnumber": "serial",
        "l2cachesize": "cache",
        "type": "name",
        "current_speed": "",
        "cpustatus": "",
    },
    "storages": {"serialnumber": "serial"},
    "networks": {"macaddr": "mac", "ipaddr": "ipaddress"},
    "local_groups": {"id_group": "id", "member": "members"},
    "local_users": {"id_user": "id"},
    "operatingsystem": {"timezone_name": "timezone"},
}
"""Names of keys in OCS that differ from the canonical report's; blank for what is left out."""

HARDWARE = {"osname": "name", "osversion": "version", "oscomments": "full_name", "archname": "arch", "arch": "arch"}
"""Keys of HARDWARE that tell of the system, where there is no section OPERATINGSYSTEM."""

NOT_HARDWARE = frozenset({*HARDWARE, "checksum", "etime", "processorn", "processors", "processort", "ipaddr", "userid", "userdomain"})

WINDOWS_ONLY = ("guid", "bitswidth", "uninstallstring", "source")
"""Keys that only agents on Windows write; the software comes from the registry then."""

_UPTIME = re.compile(r"\S+/[\d: -]+")
"""What agents on Unix write as a description: the architecture and since when it is up."""
_TIME_IN_DEVICE = re.compile(r"-\d{4}(-\d\d){5}\Z")


def software(element: etree._Element) -> Mapping[str, str]:
    """The canonical row of an element SOFTWARES."""
    row = flat(element)
    if "arch" not in row and row.get("architecture"):
        row["arch"] = row["architecture"]
    if not row.get("from") and any(key in row for key in WINDOWS_ONLY):
        row["from"] = "registry"
        if row.get("bitswidth") in ("32", "64") and not row.get("arch"):
            row["arch"] = "x86_64" if row["bitswidth"] == "64" else "i586"
    return row


SHAPE = Shape(
    begin=b"<SOFTWARES>",
    end=b"</SOFTWARES>",
    inclusive=True,
    row_end=b"</SOFTWARES>",
    row=re.compile(rb"\s*<SOFTWARES>\s*(?:<([A-Z][A-Z0-9_]*)>[^<]*</\1>\s*|<[A-Z][A-Z0-9_]*\s?/>\s*)*"),
    date=re.compile(rb"<INSTALLDATE>[0-9A-Za-z/:. +-]{0,40}</INSTALLDATE>"),
    undated=b"<INSTALLDATE/>",
    mark=b"<fleet-cut/>",
    read=software,
)


def read(document: bytes, memory: Memory, parts: Cut | None, unread: bool) -> Reported:
    """The report in a document, of which parts is the cut. unread leaves its software for later. ReportError when it is none."""
    titles = parts.titles(memory) if parts and not unread else []
    if titles is None:
        parts = None
    root = parse(parts.rest if parts else document)
    content = root.find("CONTENT")
    if parts and (content is None or len(content.findall("fleet-cut")) != 1):
        parts, root = None, parse(document)
        content = root.find("CONTENT")
    if root.tag != "REQUEST" or content is None:
        raise ReportError(
            f"The XML is no report: its root is {clean_text(str(root.tag), 40)}.",
            "Known formats: fleet-report-1, OCS inventory XML, GLPI inventory JSON.",
        )
    if (query := text_of(root, "QUERY")) not in ("INVENTORY", ""):
        raise ReportError(f"The request is no inventory but {clean_text(query, 40)}.", "Only inventories are taken here.")
    if (kind := text_of(root, "ITEMTYPE")) not in ("Computer", ""):
        raise ReportError(f"The inventory is of a {clean_text(kind, 40)}, not of a computer.", "Only stations report here.")
    report = Reported("ocs", device=clean_text(text_of(root, "DEVICEID"), 250), speaks_of=frozenset(KINDS) - UNSAID)
    report.agent = clean_text(text_of(content, "VERSIONCLIENT") or "OCS", 100)
    _read_sections(content, report, memory, whole=parts is None)
    if parts:
        report.add_cut(parts.digest, titles or [], partial(parts.titles, memory) if unread else None)
    report.name = str(report.first("hardware").get("name") or _TIME_IN_DEVICE.sub("", report.device))[:253]
    if forbidden := [element for element in content if str(element.tag).lower() in NEVER]:
        for element in forbidden:
            content.remove(element)
        rest: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
        report.cleaned = rest.replace(SHAPE.mark, parts.run) if parts else rest
    return report


def _read_sections(content: etree._Element, report: Reported, memory: Memory, *, whole: bool) -> None:
    system: dict[str, str] = {}
    chassis = ""
    rows: dict[str, list[Mapping[str, str]]] = {}
    titles = []
    for element in content:
        kind = str(element.tag).lower()
        if kind == SOFTWARES:
            titles.append(memory.title(software(element)))
        elif kind == "accountinfo" and text_of(element, "KEYNAME") == "TAG":
            report.tag = clean_text(text_of(element, "KEYVALUE"), 100)
        elif kind in KINDS and len(element):
            row = _renamed(kind, flat(element))
            if kind == "hardware":
                system = {HARDWARE[key]: value for key, value in row.items() if key in HARDWARE}
                row = {key: value for key, value in row.items() if key not in NOT_HARDWARE}
                if _UPTIME.fullmatch(row.get("description", "")):
                    del row["description"]
            elif kind == "bios":
                chassis = row.pop("chassis_type", "")
            rows.setdefault(kind, []).append(row)
    if system and "operatingsystem" not in rows:
        rows["operatingsystem"] = [system]
    if chassis and rows.get("hardware"):
        rows["hardware"] = [{"chassis_type": chassis, **rows["hardware"][0]}]
    for kind, given in rows.items():
        report.add(kind, given)
    report.add_software([title for title in titles if title])


def _renamed(kind: str, row: dict[str, str]) -> dict[str, str]:
    names = NAMES.get(kind)
    if not names:
        return row
    found: dict[str, str] = {}
    for key, value in row.items():
        name = names.get(key, key)
        if name and (name == key or name not in row):
            found[name] = value
    return found
