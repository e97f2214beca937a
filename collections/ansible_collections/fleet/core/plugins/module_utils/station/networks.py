# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The section networks: one row an address, or one for an interface that has none. The loopback is left out.

``ip`` tells which interfaces there are; /sys adds what it knows of their hardware. In a container /sys may be another network's, whose
interfaces have the same names: it is believed where it has the same address.
"""

from __future__ import annotations

import ipaddress
import json
from typing import Any, Union

from ..errors import ToolError
from .root import Root
from .row import Row

INTERFACES = "/sys/class/net"
_STATES = frozenset({"up", "down", "dormant", "notpresent", "lowerlayerdown", "unknown", "testing"})
_TYPES = {"ether": "ethernet", "infiniband": "infiniband", "ppp": "dialup", "fc": "fibrechannel", "none": ""}
Address = Union[ipaddress.IPv4Interface, ipaddress.IPv6Interface]


def collect(root: Root) -> list[Row]:
    """Return the interfaces with their addresses. ToolError when ``ip`` is missing, or prints something else than JSON."""
    gateways = _gateways(root)
    rows: list[Row] = []
    for link in _json(root, "ip", "-json", "address"):
        name = str(link.get("ifname", ""))
        if link.get("link_type") == "loopback" or not name:
            continue
        interface, addresses = _interface(root, name, link), _addresses(link)
        # The kernel's helpers and the ends of containers come and go, under another address each time.
        if interface["virtualdev"] and interface["type"] not in _MADE_OF_OTHERS and all(address.is_link_local for address in addresses):
            continue
        for address in addresses:
            rows.append({**interface, **_address(address), "ipgateway": gateways.get((name, address.version), "")})
        if not addresses:
            rows.append(interface)
    return rows


def _interface(root: Root, name: str, link: dict[str, Any]) -> Row:
    state, mac = str(link.get("operstate", "")).lower(), str(link.get("address", ""))
    path = f"{INTERFACES}/{name}"
    row: Row = {
        "description": name,
        "mac": mac if link.get("link_type") == "ether" else "",
        "status": state if state in _STATES else "unknown",
        "type": _TYPES.get(str(link.get("link_type")), ""),
        "virtualdev": True,
        "mtu": int(link.get("mtu") or 0),
    }
    return {**row, **_hardware(root, path)} if root.text(f"{path}/address") == mac else row


def _hardware(root: Root, path: str) -> Row:
    """Return what the driver tells."""
    device, speed = f"{path}/device", root.number(f"{path}/speed") or 0
    ids = [root.text(f"{device}/{part}")[2:].lower() for part in ("vendor", "device", "subsystem_device", "subsystem_vendor")]
    slot = root.target(device)
    row: Row = {
        "virtualdev": not root.exists(device),
        "speed": str(speed) if speed > 0 else "",
        "driver": root.target(f"{device}/driver"),
        "pciid": ":".join(ids).upper() if all(ids) else "",
        "pcislot": (slot[5:] if slot.startswith("0000:") else slot) if all(ids) else "",
        "slaves": ",".join(root.names(f"{path}/brif") or root.text(f"{path}/bonding/slaves").split()),
    }
    kind = next((kind for folder, kind in _KINDS.items() if root.exists(f"{path}/{folder}")), "")
    return {**row, "type": kind} if kind else row


_KINDS = {"wireless": "wifi", "phy80211": "wifi", "bridge": "bridge", "bonding": "aggregate"}
"""What an interface is, by a folder that the kernel gives it."""
_MADE_OF_OTHERS = ("bridge", "aggregate")


def _address(address: Address) -> Row:
    end = "" if address.version == 4 else "6"
    return {
        f"ipaddress{end}": str(address.ip),
        f"ipmask{end}": str(address.netmask),
        f"ipsubnet{end}": str(address.network.network_address),
    }


def _addresses(link: dict[str, Any]) -> list[Address]:
    """Return an interface's addresses. Temporary ones of IPv6 are left out: they are others every day."""
    try:
        lasting = [each for each in link.get("addr_info", []) if not each.get("temporary")]
        return [ipaddress.ip_interface(f"{each['local']}/{each['prefixlen']}") for each in lasting]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ToolError(f"ip printed an address that is none: {link}") from error


def _gateways(root: Root) -> dict[tuple[str, int], str]:
    """Return the default gateway of each interface, by IP version."""
    found: dict[tuple[str, int], str] = {}
    for version in (4, 6):
        for route in _json(root, "ip", f"-{version}", "-json", "route", "show", "default"):
            if route.get("gateway"):
                found.setdefault((str(route.get("dev")), version), str(route["gateway"]))
    return found


def _json(root: Root, *argv: str) -> list[dict[str, Any]]:
    text = root.tool(*argv)
    try:
        rows = json.loads(text or "[]")
    except ValueError as error:
        raise ToolError(f"{' '.join(argv)} did not print JSON: {text[:80]!r}") from error
    # iproute2 before 5.0 puts empty objects where it leaves an interface out.
    return [row for row in rows if isinstance(row, dict) and row]
