# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses that a DHCP server gives to stations, checked against each other before a server is told."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.fleet.core.plugins.module_utils.errors import InputError

from . import names


@dataclass(frozen=True)
class Reservation:
    """An address that belongs to the cards of one station."""

    name: str
    macs: tuple[str, ...]
    address: str


def reservations(hosts: Mapping[str, Mapping[str, Any]], network: str, further: Iterable[Mapping[str, Any]] = ()) -> list[Reservation]:
    """Reservations of the hosts that stand in a network, in the order of addresses. network is ADDRESS/MASK of the server.

    A host without a card, or whose ansible_host is no address there, has none. InputError for two that share a card or an address.
    """
    server = interface(network)
    found = [Reservation(names.station(each["name"]), (names.card(each["mac"]),), each["address"]) for each in further]
    for name, said in hosts.items():
        macs = said.get("fleet_macs") or ([said["fleet_mac"]] if said.get("fleet_mac") else [])
        if macs and _stands_in(str(said.get("ansible_host") or ""), server):
            found.append(
                Reservation(names.station(name), tuple(dict.fromkeys(names.card(str(mac)) for mac in macs)), str(said["ansible_host"]))
            )
    _refuse_duplicates(found, server)
    return sorted(found, key=lambda each: ipaddress.IPv4Address(each.address))


def pool(text: str, network: str) -> tuple[str, str]:
    """First and last address of a pool, as in 10.77.0.100-10.77.0.199; InputError unless it lies in the network, without the server."""
    server = interface(network)
    first, hyphen, last = (part.strip() for part in text.partition("-"))
    try:
        low, high = ipaddress.IPv4Address(first), ipaddress.IPv4Address(last)
    except ValueError as error:
        raise InputError(f"{names.shown(text)} is no pool of addresses: {error}", remedy="Write it as 10.77.0.100-10.77.0.199") from error
    if not hyphen or low > high or low not in server.network or high not in server.network:
        raise InputError(
            f"The pool {text} does not lie in {server.network}", remedy="Name its first and last address there, with a hyphen between"
        )
    if low <= server.ip <= high or server.network.network_address == low or server.network.broadcast_address == high:
        raise InputError(f"The pool {text} holds the address of the boot server, of the network, or that of everybody", remedy="Narrow it")
    return str(low), str(high)


def interface(network: str) -> ipaddress.IPv4Interface:
    """Address and mask of the server; InputError for what is none."""
    try:
        return ipaddress.IPv4Interface(network)
    except ValueError as error:
        raise InputError(f"{names.shown(network)} is no address and mask: {error}") from error


def _stands_in(address: str, server: ipaddress.IPv4Interface) -> bool:
    try:
        return ipaddress.IPv4Address(address) in server.network
    except ValueError:
        return False  # a name: who reserves addresses writes addresses


def _refuse_duplicates(found: Sequence[Reservation], server: ipaddress.IPv4Interface) -> None:
    owners: dict[str, str] = {str(server.ip): "the boot server"}
    for each in found:
        if not _stands_in(each.address, server):
            raise InputError(f"{each.name} is reserved {names.shown(each.address)}, which is not in {server.network}")
        for what in (each.address, *each.macs):
            owner = owners.setdefault(what, each.name)
            if owner != each.name:
                raise InputError(
                    f"{owner} and {each.name} both have {what}",
                    remedy="Correct one of them in the station database, or in boot_server_reservations",
                )
        if sum(other.name == each.name for other in found) > 1:
            raise InputError(f"{each.name} is reserved two addresses", remedy="Give it one; several cards may share it")
