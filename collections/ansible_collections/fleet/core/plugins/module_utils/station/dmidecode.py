# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of dmidecode, for stations whose kernel shows no SMBIOS tables."""

from __future__ import annotations

import re

from .smbios import Structure

_HANDLE = re.compile(r"Handle 0x([0-9A-Fa-f]{1,8}), DMI type (\d{1,3})\b")
_FIELD = re.compile(r"\t([^\t:][^:]*):(?: (.*))?$")


def structures(text: str) -> list[Structure]:
    """Return what dmidecode printed; lists within fields (flags, features) are left out. Other text gives nothing."""
    found: list[Structure] = []
    for line in text.splitlines():
        handle = _HANDLE.match(line)
        field = _FIELD.match(line)
        if handle:
            found.append(Structure(int(handle[2]), int(handle[1], 16), {}))
        elif field and found:
            value = (field[2] or "").strip()
            if value and value not in ("Not Specified", "<BAD INDEX>", "<OUT OF SPEC>"):
                found[-1].fields.setdefault(field[1], value)
    return found
