# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a station fetches images and packages from: the longest matching subnet decides, then the parents, then the centre."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable

from ..registry.models import Site, Subnet


class ContentSources:
    """The way from an address to the relays that serve it, nearest first.

    It is made from all sites, whatever the perimeter: a station needs the address of its relay, and of its parents' relays if that fails.
    """

    def __init__(self) -> None:
        sites = {site.id: site for site in Site.objects.only("id", "path", "content_url")}
        self._chains = {identity: _chain(site, sites) for identity, site in sites.items()}
        self._networks = _by_length(Subnet.objects.values_list("network", "site_id"))

    def of(self, address: str | None, site_id: int) -> tuple[str, ...]:
        """URLs for a station with this address; one without an address, or outside all subnets, has its own site's. Maybe none."""
        return self._chains[self._site_of(address, site_id)]

    def _site_of(self, address: str | None, site_id: int) -> int:
        if address:
            # A tenth of what ipaddress takes, for every station.
            version, bits, family = (6, 128, socket.AF_INET6) if ":" in address else (4, 32, socket.AF_INET)
            number = int.from_bytes(socket.inet_pton(family, address))
            for length, sites in self._networks.get(version, ()):
                found = sites.get(number >> (bits - length))
                if found is not None:
                    return found
        return site_id


def _chain(site: Site, sites: dict[int, Site]) -> tuple[str, ...]:
    urls = (sites[identity].content_url for identity in site.ancestor_ids())
    return tuple(dict.fromkeys(url for url in urls if url))


def _by_length(subnets: Iterable[tuple[str, int]]) -> dict[int, list[tuple[int, dict[int, int]]]]:
    """By version of the protocol: prefix lengths, longest first, each with the sites by leading bits."""
    found: dict[int, dict[int, dict[int, int]]] = {}
    for text, site_id in subnets:
        network = ipaddress.ip_network(text)
        leading = int(network.network_address) >> (network.max_prefixlen - network.prefixlen)
        found.setdefault(network.version, {}).setdefault(network.prefixlen, {})[leading] = site_id
    return {version: sorted(lengths.items(), reverse=True) for version, lengths in found.items()}
