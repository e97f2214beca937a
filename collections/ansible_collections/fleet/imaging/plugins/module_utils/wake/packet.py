# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The magic packet (AMD publication 20213): six bytes of ones, the address of the card sixteen times, and the password if it has one."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ansible_collections.fleet.core.plugins.module_utils.errors import InputError
from ansible_collections.fleet.core.plugins.module_utils.lease.sighting import mac_address

_REPEATS = 16


def cards(texts: Iterable[str]) -> list[str]:
    """MAC addresses in one spelling, each once, in the order given. Raises InputError for what is not the address of one card."""
    found: dict[str, None] = {}
    for place, text in enumerate(texts, 1):
        mac = mac_address(text)
        if mac is None:
            raise InputError(
                f"macs: number {place}, {text[:40]!r}, is not the MAC address of one network card",
                remedy="It has twelve hexadecimal digits, as 52:54:00:77:00:01, 52-54-00-77-00-01 or 5254.0077.0001. Nothing was done",
            )
        found[mac] = None
    if not found:
        raise InputError("macs is empty", remedy="Give at least one MAC address; a station's are in fleet_macs. Nothing was done")
    return list(found)


def secure_on(text: str) -> bytes:
    """The password of six bytes; empty when there is none. The error does not repeat what was given, which is a secret."""
    digits = re.sub(r"[-:.]", "", text.strip())
    if digits and not re.fullmatch(r"[0-9A-Fa-f]{12}", digits):
        raise InputError(
            "password is not a SecureOn password",
            remedy="It has six bytes, written as twelve hexadecimal digits, as 01:23:45:67:89:ab. Nothing was done",
        )
    return bytes.fromhex(digits)


def magic_packet(mac: str, password: bytes = b"") -> bytes:
    """What the card waits for: 102 bytes, or 108 with a password. mac: with colons."""
    return b"\xff" * 6 + bytes.fromhex(mac.replace(":", "")) * _REPEATS + password
