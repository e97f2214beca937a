# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GLPI's inventory JSON (inventory_format): what the GLPI agent sends. A partial inventory touches the sections that it gives, no other."""

from __future__ import annotations

import json
from collections.abc import Mapping

from ..errors import ReportError
from ..sections import KINDS, SOFTWARES
from .canonical import NEVER, Reported, clean_text
from .repeated import Memory

UNSAID = frozenset({"smart", "partitions"})
"""Sections of which the format knows nothing."""


def read(document: bytes, memory: Memory) -> Reported:
    """The report in a document. ReportError when it is none."""
    data = load(document)
    content = data.get("content")
    if not isinstance(content, dict) or data.get("action", "inventory") != "inventory":
        raise ReportError("The JSON is no inventory: it has no content.", "See inventory.schema.json of glpi-project/inventory_format.")
    if (kind := data.get("itemtype", "Computer")) != "Computer":
        raise ReportError(f"The inventory is of a {clean_text(str(kind), 40)}, not of a computer.", "Only stations report here.")
    hardware = content.get("hardware")
    report = Reported(
        "glpi",
        agent=clean_text(str(content.get("versionclient") or "GLPI"), 100),
        device=clean_text(str(data.get("deviceid") or ""), 250),
        name=clean_text(str(hardware.get("name") or "") if isinstance(hardware, dict) else "", 253),
        tag=clean_text(str(data.get("tag") or ""), 100),
        speaks_of=frozenset() if data.get("partial") else frozenset(KINDS) - UNSAID,
    )
    for name, section in content.items():
        rows = section if isinstance(section, list) else [section]
        mappings = [row for row in rows if isinstance(row, dict)]
        if name == SOFTWARES:
            report.add_software([title for row in mappings if (title := memory.title(row))])
        else:
            report.add(name, (_flat(row) for row in mappings))
    if NEVER & content.keys():
        for name in NEVER:
            content.pop(name, None)
        report.cleaned = json.dumps(data, ensure_ascii=True, separators=(",", ":")).encode()
    return report


def load(document: bytes) -> dict[str, object]:
    """The object in a JSON document. ReportError when there is none."""
    try:
        data = json.loads(document)
    except (ValueError, RecursionError) as error:  # wrong encodings are ValueErrors as well
        raise ReportError(
            f"The JSON is damaged: {' '.join(str(error).split())[:200]}.", "Send it again; if it comes back, the agent writes bad JSON."
        ) from error
    if not isinstance(data, dict):
        raise ReportError("The JSON is no object.", "See inventory.schema.json of glpi-project/inventory_format.")
    return data


def _flat(row: Mapping[str, object]) -> dict[str, object]:
    """Lists joined by commas, objects within as parent_child; an object's name alone (of a time zone) keeps the parent's key."""
    values: dict[str, object] = {}
    for key, value in row.items():
        if isinstance(value, list):
            values[key] = ", ".join(str(each) for each in value[:1000] if isinstance(each, str | int))
        elif isinstance(value, dict):
            for below, text in value.items():
                if isinstance(text, str | int | float):
                    values[key if below == "name" else f"{key}_{below}"] = text
        elif isinstance(value, str | int | float):
            values[key] = value
    return values
