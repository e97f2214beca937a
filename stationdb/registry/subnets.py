# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which site an address is of."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable

from .models import Subnet


class LongestSubnet:
    """The site of the longest subnet that contains an address. Made from all sites, whatever the perimeter."""

    def __init__(self) -> None:
        self._networks = _by_length(Subnet.objects.values_list("network", "site_id"))

    def site_of(self, address: str) -> int | None:
        """Its id; None for an address outside all subnets."""
        # A tenth of what ipaddress takes, for every station.
        version, bits, family = (6, 128, socket.AF_INET6) if ":" in address else (4, 32, socket.AF_INET)
        number = int.from_bytes(socket.inet_pton(family, address))
        for length, sites in self._networks.get(version, ()):
            found = sites.get(number >> (bits - length))
            if found is not None:
                return found
        return None


def _by_length(subnets: Iterable[tuple[str, int]]) -> dict[int, list[tuple[int, dict[int, int]]]]:
    """By version of the protocol: prefix lengths, longest first, each with the sites by leading bits."""
    found: dict[int, dict[int, dict[int, int]]] = {}
    for text, site_id in subnets:
        network = ipaddress.ip_network(text)
        leading = int(network.network_address) >> (network.max_prefixlen - network.prefixlen)
        found.setdefault(network.version, {}).setdefault(network.prefixlen, {})[leading] = site_id
    return {version: sorted(lengths.items(), reverse=True) for version, lengths in found.items()}
