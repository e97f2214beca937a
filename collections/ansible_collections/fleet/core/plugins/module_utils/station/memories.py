# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The section memories: every slot, with its module or empty."""

from __future__ import annotations

import re

from . import dmi
from . import smbios_words as words
from .root import Root
from .row import Row, meaningful

MAKERS = {
    **dict.fromkeys(("80AD", "00AD", "AD80"), "SK Hynix"),
    **dict.fromkeys(("80CE", "00CE", "CE80"), "Samsung"),
    **dict.fromkeys(("802C", "002C", "2C80"), "Micron"),
    **dict.fromkeys(("859B", "9B85"), "Crucial"),
    **dict.fromkeys(("0198", "9801"), "Kingston"),
    **dict.fromkeys(("029E", "9E02"), "Corsair"),
    **dict.fromkeys(("04CB", "CB04"), "ADATA"),
    **dict.fromkeys(("04CD", "CD04"), "G.Skill"),
    **dict.fromkeys(("830B", "0B83"), "Nanya"),
    **dict.fromkeys(("04EF", "EF04"), "Team Group"),
}
_SYSTEM_MEMORY = ("System Memory", "")


def collect(root: Root) -> list[Row]:
    """Return the memory devices of the system's arrays; flash and cache chips are none."""
    arrays = {each.handle: each for each in dmi.structures(root, words.MEMORY_ARRAY)}
    rows: list[Row] = []
    for module in dmi.structures(root, words.MEMORY):
        array = arrays.get(_handle(module.get("Array Handle")))
        if array and array.get("Use") not in _SYSTEM_MEMORY:
            continue
        kind, capacity = meaningful(module.get("Type")), dmi.mebibytes(module.get("Size"))
        rows.append(
            {
                "numslots": len(rows) + 1,
                "caption": module.get("Locator"),
                "description": module.get("Bank Locator"),
                "capacity": capacity,
                "type": kind if capacity else "",
                "speed": _speed(module.get("Configured Memory Speed") or module.get("Configured Clock Speed") or module.get("Speed")),
                "formfactor": meaningful(module.get("Form Factor")),
                "manufacturer": _maker(meaningful(module.get("Manufacturer"))),
                "serialnumber": meaningful(module.get("Serial Number")),
                "model": meaningful(module.get("Part Number")),
                "memorycorrection": array.get("Error Correction Type") if array else "",
                "purpose": array.get("Use") if array else "",
            }
        )
    return rows


def _maker(text: str) -> str:
    """Return a maker's name; some firmware leaves the bytes of the module's SPD (JEDEC JEP106), such as 80AD000080AD."""
    return MAKERS.get(text[:4].upper(), text) if re.fullmatch("[0-9A-Fa-f]{4,16}", text) else text


def _handle(text: str) -> int:
    try:
        return int(text, 16)
    except ValueError:
        return -1


def _speed(text: str) -> str:
    """Return 4800 MT/s; dmidecode before 3.2 says MHz, and means the same."""
    return f"{dmi.number(text)} MT/s" if dmi.number(text) else ""
