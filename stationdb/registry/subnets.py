# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which site an address is of, and which subnets a site may be given.

The longest subnet decides from which relay a station fetches, and where Ansible may find it: whoever claims a subnet takes its addresses
away from who has them.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection, Iterable

from django.utils.translation import gettext as _

from ..accounts.perimeter import Perimeter
from ..accounts.rights import Right
from ..errors import Fault
from .models import Site, Subnet

WIDEST = {4: 8, 6: 20}
"""Shortest prefix, by version of the protocol, of what one site can be; what is wider is a default for addresses that nobody claims."""


Network = ipaddress.IPv4Network | ipaddress.IPv6Network


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


def refused_subnets(wanted: Iterable[str], site: Site | None, parent: Site | None, perimeter: Perimeter) -> list[Fault]:
    """What is wrong with subnets (normalised) that a site, new if it is None, is to have below this parent; what it has already is its own.

    With the right sites.edit for all sites any will do. Else a subnet may be part of one of a site above, which gives a part of its
    addresses away, and otherwise overlaps with no subnet of a site that whoever asks may not change.
    """
    if perimeter.everywhere(Right.SITES):
        return []
    own = set(site.subnets.values_list("network", flat=True)) if site else set()
    others = [
        (ipaddress.ip_network(network), site_id)
        for network, site_id in Subnet.objects.exclude(site=site.pk if site else None).values_list("network", "site_id")
        if not perimeter.covers(site_id, Right.SITES)
    ]
    above = parent.ancestor_ids() if parent else []
    faults = (_refused(ipaddress.ip_network(each), others, above, perimeter) for each in wanted if each not in own)
    return [fault for fault in faults if fault]


def _refused(network: Network, others: Iterable[tuple[Network, int]], above: Collection[int], perimeter: Perimeter) -> Fault | None:
    remedy = _("Ask who has the right sites.edit for both sites, or give a smaller subnet.")
    if network.prefixlen < WIDEST[network.version]:
        what = _("%(network)s is too wide for a site.") % {"network": network}
        return Fault(what, "", _("Give the subnets of the site; a wider one needs the right sites.edit for all sites."), str(network))
    if any(network == other for other, _site_id in others):
        return None  # one that is not free is told as such
    for other, site_id in others:
        if not network.overlaps(other) or other.prefixlen < WIDEST[other.version]:
            continue
        if site_id in above and network.prefixlen > other.prefixlen:
            continue
        # Which one is told to who sees the site.
        seen = {"network": network, "other": other} if perimeter.covers(site_id, Right.VIEW) else None
        if seen is None:
            return Fault(_("%(network)s overlaps with a subnet of another site.") % {"network": network}, "", remedy, str(network))
        return Fault(_("%(network)s overlaps with %(other)s, which is another site's.") % seen, "", remedy, str(network))
    return None


def _by_length(subnets: Iterable[tuple[str, int]]) -> dict[int, list[tuple[int, dict[int, int]]]]:
    """By version of the protocol: prefix lengths, longest first, each with the sites by leading bits."""
    found: dict[int, dict[int, dict[int, int]]] = {}
    for text, site_id in subnets:
        network = ipaddress.ip_network(text)
        leading = int(network.network_address) >> (network.max_prefixlen - network.prefixlen)
        found.setdefault(network.version, {}).setdefault(network.prefixlen, {})[leading] = site_id
    return {version: sorted(lengths.items(), reverse=True) for version, lengths in found.items()}
