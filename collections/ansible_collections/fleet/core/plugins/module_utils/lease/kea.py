# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kea's file of leases (memfile): CSV with a header; a later row of an address replaces an earlier one.

https://kea.readthedocs.io/en/latest/arm/dhcp4-srv.html#memfile-basic-storage-for-leases
"""

from __future__ import annotations

import csv
from collections.abc import Iterable

from .sighting import Found, Sighting, bad, host_name, ip_address, mac_address, moment

_DECLINED = "1"
"""The state of an address that a card found in use by another."""


def read(lines: Iterable[str]) -> Found:
    """Leases with a card. Kea knows the card of an IPv6 lease sometimes only."""
    numbered = enumerate(csv.reader((line.replace("\0", "?") for line in lines), strict=False), 1)
    header: list[str] = []
    try:
        for number, row in numbered:
            if not header:
                header = row
                continue
            text = ",".join(row)
            if len(row) != len(header):
                if row:
                    yield bad(number, f"has {len(row)} columns, and the header {len(header)}", text)
                continue
            said = dict(zip(header, row))
            if not said.get("hwaddr") or said.get("state") == _DECLINED:
                continue
            mac, address = mac_address(said["hwaddr"]), ip_address(said.get("address", ""))
            times = [said.get(name, "") for name in ("expire", "valid_lifetime")]
            if mac is None or address is None or not all(each.isascii() and each.isdigit() and len(each) < 13 for each in times):
                yield bad(number, "has no MAC address of a card, no address, or no time", text)
                continue
            yield Sighting(mac, address, host_name(said.get("hostname", "")), moment(int(times[0]) - int(times[1])))
    except csv.Error as error:
        yield bad(len(header), f"cannot be read as CSV: {error}", "")
