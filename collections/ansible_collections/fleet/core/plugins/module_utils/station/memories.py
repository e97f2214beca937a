# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The section memories: every slot, with its module or empty."""

from __future__ import annotations

from . import dmi
from . import smbios_words as words
from .root import Root
from .row import Row, meaningful

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
                "manufacturer": meaningful(module.get("Manufacturer")),
                "serialnumber": meaningful(module.get("Serial Number")),
                "model": meaningful(module.get("Part Number")),
                "memorycorrection": array.get("Error Correction Type") if array else "",
                "purpose": array.get("Use") if array else "",
            }
        )
    return rows


def _handle(text: str) -> int:
    try:
        return int(text, 16)
    except ValueError:
        return -1


def _speed(text: str) -> str:
    """Return 4800 MT/s; dmidecode before 3.2 says MHz, and means the same."""
    return f"{dmi.number(text)} MT/s" if dmi.number(text) else ""
