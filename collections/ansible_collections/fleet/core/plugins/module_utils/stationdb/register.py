# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What it takes to register network cards that were seen: which are unknown, at which site they stand, which address is free there."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Optional, Union

from ..errors import InputError
from ..lease.sighting import ip_address, mac_address
from .client import Client
from .inventory import InventoryReader

Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]
Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
ALL_STATES = ("new", "ready", "repair", "retired")


@dataclass
class Registry:
    """What the station database knows: cards and addresses of all stations, names by site, subnets by site."""

    cards: dict[str, str] = field(default_factory=dict)
    """Station by MAC address."""
    addresses: set[str] = field(default_factory=set)
    names: dict[str, list[str]] = field(default_factory=dict)
    subnets: dict[Network, str] = field(default_factory=dict)

    @classmethod
    def read(cls, client: Client) -> Registry:
        """All stations that the token's user sees, in one stream; a card of another's perimeter is refused when it is registered."""
        registry = cls()
        # Whoever has an address has it, whether or not Ansible would go there.
        with client.lines("/inventory", {"state": list(ALL_STATES), "addresses": "reported"}) as lines:
            for batch in InventoryReader(lines or iter(())).batches():
                for name, variables in zip(batch.names, batch.variables):
                    registry._add(name, variables)
        for site in client.pages("/sites"):
            for subnet in site["subnets"]:
                registry.subnets[ipaddress.ip_network(subnet)] = site["slug"]
        return registry

    def _add(self, name: str, variables: Mapping[str, Any]) -> None:
        self.cards.update(dict.fromkeys(variables.get("fleet_macs", ()), name))
        self.names.setdefault(variables["fleet_site"], []).append(name)
        if "ansible_host" in variables:
            self.addresses.add(variables["ansible_host"])

    def subnet_of(self, address: str) -> Optional[Network]:
        """The longest subnet with this address."""
        there = [network for network in self.subnets if address and ipaddress.ip_address(address) in network]
        return max(there, key=lambda network: network.prefixlen, default=None)


@dataclass
class Candidate:
    """An unknown card: where it stands, and the address it could have."""

    mac: str
    hostname: str
    seen: str
    address: str
    site: str
    reserve: str


@dataclass
class Plan:
    """What to do with the cards that were seen."""

    unknown: list[Candidate] = field(default_factory=list)
    outside: list[dict[str, Any]] = field(default_factory=list)
    """Unknown, and in no site's subnet."""
    full: list[dict[str, Any]] = field(default_factory=list)
    """Unknown, and no address is free at their site."""
    known: dict[str, str] = field(default_factory=dict)
    names: dict[str, list[str]] = field(default_factory=dict)
    """Names in use, by site."""


def sighting(said: Mapping[str, Any]) -> dict[str, str]:
    """A card as a task gives it; InputError for what is none."""
    mac, address = mac_address(str(said.get("mac", ""))), str(said.get("address") or "")
    if mac is None or (address and ip_address(address) is None):
        raise InputError(f"{dict(said)!r:.200} is no card that was seen", remedy="Give what fleet.core.lease_info returns in sightings")
    return {"mac": mac, "address": ip_address(address) or "", **{name: str(said.get(name) or "") for name in ("hostname", "seen")}}


def plan(registry: Registry, sightings: Sequence[Mapping[str, Any]], *, ranges: Sequence[str], skip: int, reserve: bool) -> Plan:
    """Sort cards. Addresses come out of the ranges that lie in the card's subnet, or all of it but the first so many.

    InputError for a range that is none. No address is chosen that a station has, or that any card was seen with.
    """
    wanted = [_range(text) for text in ranges]
    taken = {*registry.addresses, *(each["address"] for each in sightings)}
    found = Plan(names={site: sorted(names) for site, names in registry.names.items()})
    free: dict[Network, Iterator[str]] = {}
    for each in sightings:
        if each["mac"] in registry.cards:
            found.known[each["mac"]] = registry.cards[each["mac"]]
            continue
        subnet = registry.subnet_of(each["address"])
        if subnet is None:
            found.outside.append(dict(each))
            continue
        if subnet not in free:
            free[subnet] = (address for address in _addresses(subnet, wanted, skip) if address not in taken)
        address = next(free[subnet], None) if reserve else ""
        if address is None:
            found.full.append(dict(each))
            continue
        site = registry.subnets[subnet]
        found.names.setdefault(site, [])
        found.unknown.append(Candidate(each["mac"], each["hostname"], each["seen"], each["address"], site, address))
    return found


def _range(text: str) -> tuple[Address, Address]:
    first, _dash, last = text.partition("-")
    try:
        ends = ipaddress.ip_address(first.strip()), ipaddress.ip_address((last or first).strip())
    except ValueError as error:
        raise InputError(f"{text!r} is no range of addresses: {error}", remedy="Write it as 10.1.2.50-10.1.2.99") from error
    if ends[0].version != ends[1].version or int(ends[0]) > int(ends[1]):
        raise InputError(f"{text!r} is no range of addresses: it ends before it begins", remedy="Write it as 10.1.2.50-10.1.2.99")
    return ends


def _addresses(subnet: Network, ranges: Iterable[tuple[Address, Address]], skip: int) -> Iterator[str]:
    """Addresses for hosts, in order: never the subnet's own nor its broadcast."""
    low, high = int(subnet.network_address) + 1, int(subnet.broadcast_address) - (1 if subnet.version == 4 else 0)
    inside = [(max(int(first), low), min(int(last), high)) for first, last in ranges if first.version == subnet.version]
    chosen = [ends for ends in inside if ends[0] <= ends[1]] or [(low + skip, high)]
    kind = ipaddress.IPv4Address if subnet.version == 4 else ipaddress.IPv6Address
    return (str(kind(number)) for first, last in chosen for number in range(first, last + 1))
