# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where Ansible reaches a station.

A reserved address was written by who may change the station. A reported one was not: whoever may report for a station could have its
site's commands and passwords sent to a host of their choosing. So it counts where the station could stand, and nowhere else.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..registry.models import Site, Station
from ..registry.subnets import LongestSubnet

if TYPE_CHECKING:
    from .variables import Row

Which = Literal["reserved", "subnets", "reported"]
"""Reserved addresses only; reported ones within the site's subnets as well; or any that a station reports."""

NAMED = 10
"""Stations that a warning names."""


class HostAddresses:
    """Addresses of stations: the reserved one, else the reported one as far as it counts."""

    def __init__(self, which: Which, subnets: LongestSubnet) -> None:
        self._which = which
        self._subnets = subnets
        self._sites = {site.pk: frozenset(site.ancestor_ids()) for site in Site.objects.only("id", "path")}
        self._own = own_addresses()

    def of(self, batch: list[Row]) -> tuple[list[str | None], list[str]]:
        """For each station its address, if it has one; and the names of those whose reported address does not count."""
        reported = {row.id: host_address(row.reported_address) for row in batch if row.address is None}
        given = {each for each in reported.values() if each}
        if self._which == "reserved":
            given.clear()
        others = set(Station.objects.filter(address__in=given).values_list("address", flat=True)) if given else set()
        found: list[str | None] = []
        refused = []
        for row in batch:
            address = row.address or reported[row.id]
            if address and address != row.address and (address in others or not self._counts(address, row.site_id)):
                address = None
                refused.append(row.name)
            found.append(address)
        return found, [] if self._which == "reserved" else refused

    def _counts(self, address: str, site_id: int) -> bool:
        """Whether a reported address is one that a station of the site may have, and not this host's.

        The longest subnet with it is the site's, or that of a site above it.
        """
        if self._which != "subnets":
            return self._which == "reported"
        return address not in self._own and self._subnets.site_of(address) in self._sites[site_id]


def host_address(reported: str) -> str | None:
    """An address that a report names, if it is one of a host.

    What else it may say must not become an argument of ssh, nor Ansible's own host the station.
    """
    try:
        address = ipaddress.ip_address(reported)
    except ValueError:
        return None
    plain = getattr(address, "ipv4_mapped", None) or address
    return None if plain.is_loopback or plain.is_unspecified or plain.is_multicast else str(address)


def own_addresses() -> frozenset[str]:
    """Addresses of this host in its network namespace, from /proc/net (proc(5)); none where there is no such file."""
    found, last = set(), ""
    for line in _lines("/proc/net/fib_trie"):
        words = line.split()
        if words[:1] == ["|--"]:
            last = words[1]
        elif words[1:3] == ["host", "LOCAL"]:
            found.add(last)
    found |= {str(ipaddress.IPv6Address(int(line.split()[0], 16))) for line in _lines("/proc/net/if_inet6")}
    return frozenset(found)


def warning(names: list[str]) -> str:
    """Why stations have no ansible_host although they report an address."""
    shown = f"{', '.join(names[:NAMED])}{' …' if len(names) > NAMED else ''}"
    return (
        f"{len(names)} stations have no ansible_host, because the address that they report is in no subnet of their site, or is another's: "
        f"{shown}. Give the site its subnets, reserve addresses, or set the option addresses of the inventory to reported"
    )


def _lines(path: str) -> Iterable[str]:
    try:
        return Path(path).read_text(encoding="ascii").splitlines()
    except OSError:
        return ()
