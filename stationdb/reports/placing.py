# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""To which site a new station belongs: the one with the longest subnet that holds one of its addresses, else the only root."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterable

from ..registry.models import Site, Subnet

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Places:
    """The subnets of all sites, as they are now."""

    def __init__(self) -> None:
        found = [(ipaddress.ip_network(network), site) for network, site in Subnet.objects.values_list("network", "site_id")]
        self.subnets: list[tuple[Network, int]] = sorted(found, key=lambda pair: -pair[0].prefixlen)
        self.default = _default()

    def site_of(self, addresses: Iterable[str]) -> int | None:
        """The id of the site of the first address that any subnet holds; else of the default site; else None."""
        for text in addresses:
            try:
                address = ipaddress.ip_address(text)
            except ValueError:
                continue
            for network, site in self.subnets:
                if address in network:
                    return site
        return self.default


def _default() -> int | None:
    """The site named by STATIONDB_DEFAULT_SITE; else the root when there is one only."""
    if slug := os.environ.get("STATIONDB_DEFAULT_SITE"):
        return Site.objects.filter(slug=slug).values_list("id", flat=True).first()
    roots = list(Site.objects.filter(parent=None).values_list("id", flat=True)[:2])
    return roots[0] if len(roots) == 1 else None
