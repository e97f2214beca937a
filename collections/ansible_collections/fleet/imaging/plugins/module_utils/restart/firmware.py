# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A UEFI firmware's entries as efibootmgr(8) shows them; device paths are those of the UEFI specification, chapter 10."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from ansible_collections.fleet.core.plugins.module_utils.command import available, run
from ansible_collections.fleet.core.plugins.module_utils.lease.sighting import mac_address

from .choice import HTTP, LOCAL, OTHER_NETWORK, PXE, Choice, Entry, choose

VARIABLES = Path("/sys/firmware/efi/efivars")
_LINE = re.compile(r"Boot([0-9A-Fa-f]{4})(\*?) +([^\t]*)\t?(.*)")
_MAC = re.compile(r"/MAC\(([0-9a-fA-F]{12})")


def entries(text: str) -> list[Entry]:
    """Those in what efibootmgr -v prints: first in the order of the firmware, then those outside of it. Its own programs are left out."""
    order = re.search(r"^BootOrder: ([0-9A-Fa-f,]+)", text, re.MULTILINE)
    places = {number.upper(): place for place, number in enumerate(order.group(1).split(","))} if order else {}
    found = [_entry(match) for match in map(_LINE.fullmatch, text.splitlines()) if match and "FvFile(" not in match.group(4)]
    return sorted(found, key=lambda entry: places.get(entry.number, len(places)))


def _entry(match: re.Match[str]) -> Entry:
    number, active, label, path = match.groups()
    card = _MAC.search(path)
    mac = (mac_address(card.group(1)) if card else None) or ""
    if not card:
        kind = OTHER_NETWORK if path.startswith("BBS(Network") or path.startswith("BBS(128") else LOCAL
    elif "/IPv6(" in path or "/Wi-Fi(" in path or "/Vlan(" in path:
        kind = OTHER_NETWORK
    else:
        kind = HTTP if "/Uri(" in path else PXE
    return Entry(number.upper(), label.strip(), kind, mac, bool(active))


def prepare(macs: Collection[str], *, check: bool) -> Choice:
    """Let the firmware of this host start from the network once, if it would not and it is sure how. Raises ToolError."""
    if not VARIABLES.is_dir() or not any(VARIABLES.iterdir()):
        return Choice("", "The station was started by a BIOS, whose own order decides")
    if not available("efibootmgr"):
        return Choice("", "efibootmgr is not installed; the firmware's own order decides")
    choice = choose(entries(run(["efibootmgr", "-v"]).stdout), macs)
    if choice.number and not check:
        run(["efibootmgr", "--quiet", "--bootnext", choice.number])
    return choice
