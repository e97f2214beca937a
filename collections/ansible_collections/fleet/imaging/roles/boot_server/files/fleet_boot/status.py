# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How full the pool of addresses is, and who found none, by dnsmasq's configuration, leases and log."""

from __future__ import annotations

import ipaddress
import json
import re
import time
from pathlib import Path
from typing import Any

_RANGE = re.compile(r"dhcp-range=(?:(?:set|tag):[^,]*,)*([0-9.]+),([0-9.]+)")
_NONE_LEFT = re.compile(r"DHCP(?:DISCOVER|REQUEST)\([^)]*\)\s+(?:[0-9.]+\s+)?([0-9a-f:]{17})\s+no address (?:available|range available)")


def read(config: Path, now: float) -> dict[str, Any]:
    """Addresses of the pool, those in use, and cards that found none since the log began."""
    lines = config.read_text(encoding="utf-8").splitlines()
    named = dict(line.split("=", 1) for line in lines if "=" in line)
    ranges = [(ipaddress.IPv4Address(found[1]), ipaddress.IPv4Address(found[2])) for found in map(_RANGE.match, lines) if found]
    leases = Path(named.get("dhcp-leasefile", "/var/lib/misc/dnsmasq.leases"))
    used = set()
    for line in leases.read_text(errors="replace").splitlines() if leases.exists() else ():
        words = line.split()
        if len(words) >= 3 and words[0].isdigit() and (words[0] == "0" or int(words[0]) > now):
            try:
                used.add(ipaddress.IPv4Address(words[2]))
            except ValueError:
                continue
    log = Path(named.get("log-facility", ""))
    text = log.read_text(errors="replace") if log.is_file() else ""
    return {
        "ranges": [f"{first}-{last}" for first, last in ranges],
        "addresses": sum(int(last) - int(first) + 1 for first, last in ranges),
        "used": sum(any(first <= each <= last for first, last in ranges) for each in used),
        "refused": sorted(set(_NONE_LEFT.findall(text))),
    }


def show(config: Path, *, as_json: bool) -> int:
    """Print it; 1 when the pool is full or somebody found no address in it."""
    try:
        found = read(config, time.time())
    except OSError as error:
        print(f"fleet-boot: {error}")
        return 2
    full = bool(found["addresses"]) and found["used"] >= found["addresses"]
    if as_json:
        print(json.dumps({**found, "full": full}))
    else:
        print(f"{found['used']} of {found['addresses']} addresses are in use ({', '.join(found['ranges']) or 'no pool'})")
        for card in found["refused"]:
            print(f"{card} found no free address")
        if full or found["refused"]:
            print("Widen boot_server_pool, or shorten boot_server_lease")
    return 1 if full or found["refused"] else 0
