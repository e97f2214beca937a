# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logs of DHCP and boot servers (dnsmasq, dhcpd, nginx): lines that name a card which asks for an address or for its boot menu."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .sighting import Found, Sighting, host_name, ip_address, mac_address

_MAC = r"(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}"
_ADDRESS = r"[0-9A-Fa-f:.]*[:.][0-9A-Fa-f:.]+"
_DNSMASQ = re.compile(
    rf"(?:DHCP(?:DISCOVER|OFFER|REQUEST|ACK|INFORM)|BOOTP|PXE)\([^)\s]+\)\s+(?:(?P<address>{_ADDRESS})\s+)?(?P<mac>{_MAC})(?:\s+(?P<name>\S+))?"
)
_DHCPD = re.compile(
    rf"DHCP(?:DISCOVER|REQUEST|ACK|OFFER)\b(?:\s+(?:for|on)\s+(?P<address>{_ADDRESS}))?.*?\b(?:from|to)\s+(?P<mac>{_MAC})(?:\s+\((?P<name>[^)\s]*)\))?"
)
_MENU = re.compile(rf"/mac/(?P<mac>{_MAC})\.(?:ipxe|cfg)\b")
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|\+00:?00)")


def read(lines: Iterable[str]) -> Found:
    """Cards that are named in lines we know; a log is full of others, so no line is bad."""
    for line in lines:
        found = _DNSMASQ.search(line) or _DHCPD.search(line) or _MENU.search(line)
        mac = mac_address(found["mac"]) if found else None
        if found is None or mac is None:
            continue
        said = found.groupdict()
        when = _TIME.search(line)
        address, name = ip_address(said.get("address") or ""), said.get("name") or ""
        # After PXE dnsmasq says proxy, after a request that it refuses why.
        name = "" if name in ("proxy", "no", "ignored", "not") else host_name(name)
        yield Sighting(mac, address or "", name, f"{when[1]}T{when[2]}Z" if when else "")
