# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sections slots and ports: where something can be put into the machine, and into its outside."""

from __future__ import annotations

from . import dmi
from . import smbios_words as words
from .root import Root
from .row import Row, meaningful

_STATUS = {"Available": "free", "In Use": "used"}


def slots(root: Root) -> list[Row]:
    """Return the expansion slots."""
    return [
        {
            "name": slot.get("Designation") or slot.get("Type"),
            "description": _description(slot.get("Type"), slot.get("Data Bus Width")),
            "designation": slot.get("Designation"),
            "status": _STATUS.get(slot.get("Current Usage"), ""),
        }
        for slot in dmi.structures(root, words.SLOT)
    ]


def ports(root: Root) -> list[Row]:
    """Return the connectors."""
    rows: list[Row] = []
    for port in dmi.structures(root, words.PORT):
        inside, outside = meaningful(port.get("Internal Reference Designator")), meaningful(port.get("External Reference Designator"))
        connectors = [meaningful(port.get(f"{side} Connector Type")) for side in ("External", "Internal")]
        rows.append(
            {
                "name": outside or inside,
                "caption": next(filter(None, connectors), ""),
                "description": inside if outside else "",
                "type": port.get("Port Type") or "Other",
            }
        )
    return rows


def _description(kind: str, width: str) -> str:
    """Return ``x16 PCI Express 3``; some firmware tells the width in the type as well."""
    known = width in words.SLOT_WIDTHS.values() and width not in ("Other", "Unknown")
    return f"{width} {kind}" if known and width not in kind.split() else kind
