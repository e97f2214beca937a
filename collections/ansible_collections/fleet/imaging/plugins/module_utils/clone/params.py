# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the two modules of a session share of their parameters."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Mapping
from typing import Any, Union

from ansible_collections.fleet.core.plugins.module_utils.errors import InputError

from ..multicast.interface import Settings

SESSION_SPEC: dict[str, Any] = {
    "secret": {"type": "str", "required": True, "no_log": True},
    "address": {"type": "str", "required": True},
    "group": {"type": "str"},
    "ports": {"type": "str", "default": "7700-7731"},
    "interface": {"type": "str", "default": ""},
    "ttl": {"type": "int", "default": 1},
    "mtu": {"type": "int", "default": 1500},
    "patience": {"type": "float", "default": 30},
}
"""Options that sender and receiver share (doc fragment fleet.imaging.options.session)."""


def session_group(family: int, session_secret: str) -> str:
    """The session's own multicast address, IPv4 or IPv6: a switch that snoops then carries a room's packets to that room's ports only.

    Both ends make it of the secret. Two sessions of one segment share an address once in 254 times, and are still told apart.
    """
    number = 1 + hashlib.sha256(b"fleet session group\0" + session_secret.lower().encode()).digest()[0] % 254
    return f"239.255.77.{number}" if family == 4 else f"ff12::4d{number:02x}"


def settings(params: Mapping[str, Any], *, rate: float = 0) -> Settings:
    """The session's settings; InputError when they contradict one another. rate: bytes a second, for the sender."""
    address = _address(params["address"], "address")
    group = _address(params["group"] or session_group(address.version, params["secret"]), "group")
    if not group.is_multicast or group.version != address.version:
        raise InputError(
            f"group {group} is no multicast address of the family of {address}", remedy="Take one of 239.255.0.0/16 or ff12::/16"
        )
    match = re.fullmatch(r"(\d{1,5})-(\d{1,5})", params["ports"])
    first, last = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1024 <= first <= last <= 65535:
        raise InputError(f"ports {params['ports']!r:.40} is no range", remedy="Write it as 7700-7731, from 1024 to 65535")
    return Settings(
        sender=str(address),
        group=str(group),
        ports=(first, last),
        interface=params["interface"],
        ttl=params["ttl"],
        rate=rate,
        mtu=params["mtu"],
        patience=params["patience"],
    )


def secret(params: Mapping[str, Any]) -> bytes:
    """The session's secret; InputError, which does not repeat it, when it is none."""
    if not re.fullmatch(r"([0-9a-fA-F]{2}){16,64}", params["secret"]):
        raise InputError("the secret of the session is not 32 to 128 hexadecimal digits", remedy="Let image_clone make one")
    return bytes.fromhex(params["secret"])


def _address(text: str, what: str) -> Union[ipaddress.IPv4Address, ipaddress.IPv6Address]:
    try:
        return ipaddress.ip_address(text)
    except ValueError as error:
        raise InputError(f"{what} {text!r:.60} is no IP address", remedy="Give the sender's address, not its name") from error
