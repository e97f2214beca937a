# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The section networks: one row an address, or one for an interface that has none. The loopback is left out."""

from __future__ import annotations

import ipaddress
import json
from typing import Any, Union

from ..errors import ToolError
from .root import Root
from .row import Row

INTERFACES = "/sys/class/net"
_LOOPBACK, _ETHERNET, _INFINIBAND = 772, 1, 32
_STATES = frozenset({"up", "down", "dormant", "notpresent", "lowerlayerdown", "unknown", "testing"})
Address = Union[ipaddress.IPv4Interface, ipaddress.IPv6Interface]


def collect(root: Root) -> list[Row]:
    """Return the interfaces with their addresses; ToolError when ``ip`` prints something else than JSON."""
    addresses, gateways = _addresses(root), _gateways(root)
    rows: list[Row] = []
    for name in root.names(INTERFACES):
        path = f"{INTERFACES}/{name}"
        if root.number(f"{path}/type") in (_LOOPBACK, None):
            continue
        interface = _interface(root, name, path)
        for address in addresses.get(name, []):
            rows.append({**interface, **_address(address), "ipgateway": gateways.get((name, address.version), "")})
        if not addresses.get(name):
            rows.append(interface)
    return rows


def _interface(root: Root, name: str, path: str) -> Row:
    state, speed = root.text(f"{path}/operstate"), root.number(f"{path}/speed") or 0
    device = f"{path}/device"
    ids = [root.text(f"{device}/{part}")[2:].lower() for part in ("vendor", "device", "subsystem_device", "subsystem_vendor")]
    slot = root.target(device)
    row: Row = {
        "description": name,
        "mac": root.text(f"{path}/address"),
        "status": state if state in _STATES else "unknown",
        "type": _type(root, path),
        "virtualdev": not root.exists(device),
        "speed": str(speed) if speed > 0 else "",
        "mtu": root.number(f"{path}/mtu") or 0,
        "driver": root.target(f"{device}/driver"),
        "pciid": ":".join(ids).upper() if all(ids) else "",
        "pcislot": (slot[5:] if slot.startswith("0000:") else slot) if all(ids) else "",
        "slaves": ",".join(root.names(f"{path}/brif") or root.text(f"{path}/bonding/slaves").split()),
    }
    return row


def _type(root: Root, path: str) -> str:
    if root.exists(f"{path}/wireless") or root.exists(f"{path}/phy80211"):
        return "wifi"
    if root.exists(f"{path}/bridge"):
        return "bridge"
    if root.exists(f"{path}/bonding"):
        return "aggregate"
    return {_ETHERNET: "ethernet", _INFINIBAND: "infiniband"}.get(root.number(f"{path}/type") or 0, "")


def _address(address: Address) -> Row:
    end = "" if address.version == 4 else "6"
    return {
        f"ipaddress{end}": str(address.ip),
        f"ipmask{end}": str(address.netmask),
        f"ipsubnet{end}": str(address.network.network_address),
    }


def _addresses(root: Root) -> dict[str, list[Address]]:
    """Return the addresses by interface. Temporary ones of IPv6 are left out: they are others every day."""
    found: dict[str, list[Address]] = {}
    for link in _json(root, "ip", "-json", "address"):
        for each in link.get("addr_info", []):
            try:
                if not each.get("temporary"):
                    address = ipaddress.ip_interface(f"{each['local']}/{each['prefixlen']}")
                    found.setdefault(str(link["ifname"]), []).append(address)
            except (KeyError, ValueError) as error:
                raise ToolError(f"ip printed an address that is none: {each}") from error
    return found


def _gateways(root: Root) -> dict[tuple[str, int], str]:
    """Return the default gateway of each interface, by IP version."""
    found: dict[tuple[str, int], str] = {}
    for version in (4, 6):
        for route in _json(root, "ip", f"-{version}", "-json", "route", "show", "default"):
            if route.get("gateway"):
                found.setdefault((str(route.get("dev")), version), str(route["gateway"]))
    return found


def _json(root: Root, *argv: str) -> list[dict[str, Any]]:
    if not root.has(argv[0]):
        return []
    text = root.tool(*argv)
    try:
        rows = json.loads(text or "[]")
    except ValueError as error:
        raise ToolError(f"{' '.join(argv)} did not print JSON: {text[:80]!r}") from error
    # iproute2 before 5.0 puts empty objects where it leaves an interface out.
    return [row for row in rows if isinstance(row, dict) and row]
