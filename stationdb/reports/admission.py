# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which agents may send without a token, since theirs have none. The rule and its reason: docs/decisions/0023-which-station.md.

With STATIONDB_AGENT_KEY set, who has the key in the address (/ocsinventory/<key>), from anywhere. Without, who sends from a subnet of a
site or from STATIONDB_AGENT_SUBNETS. A sender is slowed down to STATIONDB_AGENT_RATE requests a minute for each address.
"""

from __future__ import annotations

import hmac
import ipaddress
import threading
import time

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest

from ..registry.models import Subnet
from .placing import Network

_FRESH = 60.0
"""Seconds for which the sites' subnets are remembered; they also are when the database does not answer."""
_MOST_SENDERS = 20_000


def client_address(request: HttpRequest) -> str:
    """Whence a request came: what the reverse proxy beside us says, if one is; blank when nobody says."""
    direct = str(request.META.get("REMOTE_ADDR") or "")
    forwarded = request.headers.get("X-Forwarded-For", "")
    if settings.SECURE and forwarded and direct in ("", "127.0.0.1", "::1"):
        direct = forwarded.rpartition(",")[2].strip()
    try:
        address = ipaddress.ip_address(direct)
    except ValueError:
        return ""
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


class Admission:
    """One process's memory of subnets and of who sent how much."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._subnets: list[Network] = []
        self._read = 0.0
        self._sent: dict[str, tuple[int, int]] = {}

    def allows(self, address: str, key: str) -> bool:
        """Whether an agent may send from there with this key."""
        if settings.AGENT_KEY:
            return hmac.compare_digest(key.encode(), settings.AGENT_KEY.encode())
        if key:
            return False
        try:
            sender = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(sender in network for network in self._known())

    def too_many(self, address: str) -> bool:
        """Count a request; whether its sender has had more than its share of this minute."""
        minute = int(time.monotonic() // 60)
        with self._lock:
            if len(self._sent) > _MOST_SENDERS:
                self._sent.clear()
            since, count = self._sent.get(address, (minute, 0))
            count = count + 1 if since == minute else 1
            self._sent[address] = (minute, count)
        return count > settings.AGENT_RATE

    def _known(self) -> list[Network]:
        now = time.monotonic()
        if not self._read or now - self._read > _FRESH:
            try:
                texts = [*settings.AGENT_SUBNETS, *Subnet.objects.values_list("network", flat=True)]
                self._subnets = [ipaddress.ip_network(text) for text in texts]
            except DatabaseError:
                if not self._read:
                    return [ipaddress.ip_network(text) for text in settings.AGENT_SUBNETS]
            self._read = now
        return self._subnets

    def forget(self) -> None:
        """For tests."""
        self.__init__()  # type: ignore[misc]


admission = Admission()
