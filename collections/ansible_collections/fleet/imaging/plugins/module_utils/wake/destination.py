# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a magic packet goes: the broadcast address of a subnet, near or far, or everybody at an interface of this host."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.fleet.core.plugins.module_utils.errors import InputError

INTERFACES = Path("/sys/class/net")
EVERYBODY = "255.255.255.255"
_UP, _BROADCAST, _LOOPBACK = 0x1, 0x2, 0x8


@dataclass(frozen=True)
class Destination:
    """An IPv4 address, and the interface through which the packet must leave; empty: the one that the routes say."""

    address: str
    interface: str = ""

    def __str__(self) -> str:
        return f"{self.address}%{self.interface}" if self.interface else self.address


def destinations(subnets: Sequence[str], interfaces: Sequence[str], folder: Path = INTERFACES) -> list[Destination]:
    """Those asked for, each once; with none asked for, all interfaces of this host that can broadcast. Raises InputError."""
    found = [Destination(_broadcast_address(text)) for text in subnets]
    found += [Destination(EVERYBODY, _interface(name, folder)) for name in interfaces]
    if not found:
        found = [Destination(EVERYBODY, name) for name in broadcasting(folder)]
    if not found:
        raise InputError(
            "No network interface of this host is up and can broadcast",
            remedy="Say with subnets where the packet shall go, or send it from a host in the station's subnet. Nothing was sent",
        )
    return list(dict.fromkeys(found))


def broadcasting(folder: Path = INTERFACES) -> list[str]:
    """Interfaces that are up and can broadcast. A port of a bridge or bond sends through that."""
    return sorted(
        path.name
        for path in folder.glob("*")
        if _flags(path) & (_UP | _BROADCAST | _LOOPBACK) == _UP | _BROADCAST and not (path / "master").exists()
    )


def _broadcast_address(text: str) -> str:
    try:
        network = ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        network = None
    if not isinstance(network, ipaddress.IPv4Network):
        raise InputError(
            f"subnets: {text[:60]!r} is no IPv4 subnet", remedy="Write it as 10.1.2.0/24, or give its broadcast address. Nothing was sent"
        )
    if network.prefixlen == 31:
        raise InputError(
            f"subnets: {network} has no broadcast address", remedy="Send from a host at that link, with interfaces. Nothing was sent"
        )
    return str(network.broadcast_address)


def _interface(name: str, folder: Path) -> str:
    path = folder / name
    if "/" in name or not name.strip(".") or not path.exists():
        raise InputError(
            f"interfaces: this host has no {name[:40]!r}",
            remedy=f"It has {', '.join(broadcasting(folder)) or 'none that is up'}. Nothing was sent",
        )
    if not _flags(path) & _UP:
        raise InputError(f"interfaces: {name} is down", remedy=f"Bring it up (ip link set {name} up). Nothing was sent")
    if not _flags(path) & _BROADCAST:
        raise InputError(f"interfaces: {name} cannot broadcast", remedy="Take one at the station's network. Nothing was sent")
    return name


def _flags(path: Path) -> int:
    try:
        return int((path / "flags").read_text(encoding="ascii"), 16)
    except (OSError, ValueError):
        return 0
