# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ISC server's dhcpd.leases (dhcpd.leases(5)): blocks ``lease ADDRESS { … }``, of which a later one replaces an earlier one."""

from __future__ import annotations

import calendar
import re
import time
from collections.abc import Iterable
from typing import Optional

from .sighting import Found, Sighting, bad, host_name, ip_address, mac_address, moment

_BLOCK = re.compile(r"(\S+)(?:\s+([^\s{]+))?[^{]*\{")
_HARDWARE = re.compile(r"hardware\s+ethernet\s+([^\s;]+)\s*;")
_NAME = re.compile(r'client-hostname\s+"((?:[^"\\]|\\.)*)"\s*;')
_SEEN = re.compile(r"(?:cltt|starts)\s+(?:\d\s+(\d{4}/\d\d?/\d\d?\s+\d\d?:\d\d:\d\d)|epoch\s+(\d{1,12}))")
_OPENS = re.compile(r"\{\s*(?:#.*)?$")


def read(lines: Iterable[str]) -> Found:
    """Leases with an Ethernet card; other blocks (failover, IPv6) are passed over. A block that does not end was being written."""
    block: list[str] = []
    start = depth = 0
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not depth:
            if not text or text.startswith("#"):
                continue
            if not _OPENS.search(text):
                if not text.endswith(";"):  # settings such as authoring-byte-order
                    yield bad(number, "is neither a block nor a setting", line)
                continue
            block, start = [], number
        depth += bool(_OPENS.search(text)) - (text == "}")
        block.append(text)
        if not depth:
            yield from _lease(block, start)
    if depth:
        yield bad(start, "begins a block that does not end", block[0])


def _lease(block: list[str], start: int) -> Found:
    head = _BLOCK.match(block[0])
    if head is None or head[1] != "lease":
        return
    body = "\n".join(block[1:])
    hardware = _HARDWARE.search(body)
    if hardware is None:
        return  # free, or of a card that is not Ethernet
    mac, address = mac_address(hardware[1]), ip_address(head[2] or "")
    if mac is None or address is None:
        yield bad(start, "has no MAC address of a card" if mac is None else "has no address", block[0])
        return
    name = _NAME.search(body)
    times = [moment(each) for each in map(_seconds, _SEEN.finditer(body)) if each is not None]
    yield Sighting(mac, address, host_name(name[1]) if name else "", max(times, default=""))


def _seconds(found: re.Match[str]) -> Optional[int]:
    if found[2]:
        return int(found[2])
    try:
        return calendar.timegm(time.strptime(" ".join(found[1].split()), "%Y/%m/%d %H:%M:%S"))
    except ValueError:
        return None
