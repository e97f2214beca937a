# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A network card that was seen."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Optional, Union


@dataclass(frozen=True)
class Sighting:
    """A card, with the address it was given, the name it gives itself, and when; empty where the file does not say."""

    mac: str
    """Lowercase, with colons."""
    address: str = ""
    hostname: str = ""
    seen: str = ""
    """UTC, as 2026-11-21T12:00:00Z."""


@dataclass(frozen=True)
class BadLine:
    """A line that was passed over."""

    line: int
    reason: str
    text: str


Found = Iterator[Union[Sighting, BadLine]]


def mac_address(text: str) -> Optional[str]:
    """One spelling of a MAC address; None for what is none, or not that of one card."""
    digits = re.sub(r"[-:.]", "", text.strip()).lower()
    if not re.fullmatch(r"[0-9a-f]{12}", digits) or digits in ("0" * 12, "f" * 12) or int(digits[1], 16) & 1:
        return None
    return ":".join(digits[place : place + 2] for place in range(0, 12, 2))


def ip_address(text: str) -> Optional[str]:
    """One spelling of an address; None for what is none."""
    try:
        return str(ipaddress.ip_address(text.strip()))
    except ValueError:
        return None


def host_name(text: str) -> str:
    """A name that a card gives itself, if it is one; a station may say anything."""
    name = text.strip().strip('"').rstrip(".").lower()
    return name if re.fullmatch(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*", name) else ""


def moment(seconds: int) -> str:
    """A time in seconds since 1970; empty for what no clock shows."""
    try:
        return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ") if seconds > 0 else ""
    except (OverflowError, OSError, ValueError):
        return ""


def bad(line: int, reason: str, text: str) -> BadLine:
    """A bad line, cut to what an admin needs to find it."""
    return BadLine(line, reason, "".join(character if character.isprintable() else "?" for character in text.strip()[:100]))


def latest(sightings: Iterable[Sighting]) -> list[Sighting]:
    """Each card once, as it was seen last, with the name from an earlier sighting if the last has none; in the order of addresses."""
    found: dict[str, Sighting] = {}
    for each in sightings:
        known = found.get(each.mac)
        if known is not None and known.seen > each.seen:
            known, each = each, known
        hostname = each.hostname or (known.hostname if known else "")
        address = each.address or (known.address if known else "")
        found[each.mac] = Sighting(each.mac, address, hostname, each.seen)
    return [found[mac] for mac in sorted(found)]
