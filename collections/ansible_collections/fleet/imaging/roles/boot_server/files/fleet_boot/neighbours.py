# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose card an address belongs to, as the kernel knows it from ARP (/proc/net/arp, proc(5))."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Optional

_COMPLETE = 0x2


def card_of(address: str, table: Path) -> Optional[str]:
    """The card (52-54-00-77-00-01) that has an address now; None when the kernel does not know, as behind a router."""
    try:
        lines = table.read_text(encoding="ascii", errors="replace").splitlines()[1:]
    except OSError:
        return None
    for line in lines:
        words = line.split()
        # address, type, flags, card, mask, interface
        if (
            len(words) >= 4
            and words[0] == address
            and int(words[2], 16) & _COMPLETE
            and re.fullmatch(r"([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}", words[3])
        ):
            return words[3].lower().replace(":", "-")
    return None
