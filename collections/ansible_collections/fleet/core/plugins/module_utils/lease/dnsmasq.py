# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""dnsmasq's file of leases: one a line, ``expiry mac address hostname client-id`` (dnsmasq(8), --dhcp-leasefile)."""

from __future__ import annotations

from collections.abc import Iterable

from .sighting import Found, Sighting, bad, host_name, ip_address, mac_address


def read(lines: Iterable[str]) -> Found:
    """Leases of IPv4. Those of IPv6, behind a line ``duid …``, name no card. The file says when a lease ends, not when it began."""
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or line.startswith("#"):
            continue
        if words[0] == "duid":
            return
        if len(words) not in (4, 5) or not (words[0].isascii() and words[0].isdigit()):
            yield bad(number, "is not: expiry, MAC address, address, name, client id", line)
            continue
        # A type of hardware other than Ethernet stands before the address, as 06-.
        mac, address = mac_address(words[1]), ip_address(words[2])
        if mac is None or address is None:
            yield bad(number, "has no MAC address of a card" if mac is None else "has no address", line)
            continue
        yield Sighting(mac, address, "" if words[3] == "*" else host_name(words[3]))
