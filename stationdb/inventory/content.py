# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a station fetches images and packages from: the longest matching subnet decides, then the parents, then the centre."""

from __future__ import annotations

from ..registry.models import Site
from ..registry.subnets import LongestSubnet


class ContentSources:
    """The way from an address to the relays that serve it, nearest first.

    It is made from all sites, whatever the perimeter: a station needs the address of its relay, and of its parents' relays if that fails.
    """

    def __init__(self, subnets: LongestSubnet) -> None:
        sites = {site.id: site for site in Site.objects.only("id", "path", "content_url")}
        self._chains = {identity: _chain(site, sites) for identity, site in sites.items()}
        self._subnets = subnets

    def of(self, address: str | None, site_id: int) -> tuple[str, ...]:
        """URLs for a station with this address; one without an address, or outside all subnets, has its own site's. Maybe none."""
        found = self._subnets.site_of(address) if address else None
        return self._chains[site_id if found is None else found]


def _chain(site: Site, sites: dict[int, Site]) -> tuple[str, ...]:
    urls = (sites[identity].content_url for identity in site.ancestor_ids())
    return tuple(dict.fromkeys(url for url in urls if url))
