# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names, addresses and arguments from outside, checked before they become part of a path or of a loader's script."""

from __future__ import annotations

import re

from ansible_collections.fleet.core.plugins.module_utils.errors import InputError
from ansible_collections.fleet.core.plugins.module_utils.lease.sighting import mac_address

_NOTATIONS = re.compile(
    r"[0-9A-Fa-f]{12}|([0-9A-Fa-f]{2}([:-])([0-9A-Fa-f]{2}\2){4}[0-9A-Fa-f]{2})|([0-9A-Fa-f]{4}([.:-])[0-9A-Fa-f]{4}\5[0-9A-Fa-f]{4})"
)
_STATION = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")
_ARGUMENT = re.compile(r"---|[A-Za-z0-9_][A-Za-z0-9._,:/=+@%;~-]*")
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")


def card(text: str) -> str:
    """A MAC address as 52:54:00:77:00:01, from any notation of one; InputError for what is none."""
    found = mac_address(text) if _NOTATIONS.fullmatch(text.strip()) else None
    if found is None:
        raise InputError(
            f"{shown(text)} is no MAC address of a network card",
            remedy="Write it as 52:54:00:77:00:01, 52-54-00-77-00-01 or 5254.0077.0001",
        )
    return found


def file_name(mac: str) -> str:
    """How the files of a card are named: 52-54-00-77-00-01."""
    return card(mac).replace(":", "-")


def station(text: str) -> str:
    """A station's name; InputError unless it is a host name."""
    if not _STATION.fullmatch(text) or ".." in text:
        raise InputError(f"{shown(text)} is no name of a station", remedy="It has letters, digits, hyphens and full stops, 64 at most")
    return text


def argument(text: str) -> str:
    """One argument of a kernel, that neither iPXE nor GRUB takes for more than a word; InputError for any other."""
    if not _ARGUMENT.fullmatch(text):
        raise InputError(
            f"{shown(text)} cannot be an argument of a kernel here",
            remedy="One argument each, without spaces, quotes, $ and other signs of a shell",
        )
    return text


def below(text: str) -> str:
    """A path below the folders that are served, as installer/debian/vmlinuz; InputError for one that leaves them."""
    if not text or not all(_PART.fullmatch(part) for part in text.split("/")):
        raise InputError(
            f"{shown(text)} is no path of a file that is served",
            remedy="Name it from the root of what is served, as installer/debian/vmlinuz",
        )
    return text


def shown(text: str) -> str:
    """What somebody wrote, fit for a message."""
    return repr(text if len(text) <= 80 else f"{text[:80]}…")
