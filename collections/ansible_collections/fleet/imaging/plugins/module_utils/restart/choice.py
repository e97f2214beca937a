# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the firmware needs to be told to start from the network, and whether we know how."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Optional

PXE, HTTP, OTHER_NETWORK, LOCAL = "pxe", "http", "other network", "local"
"""Kinds of entries: IPv4 with TFTP, IPv4 with HTTP, what the boot server does not serve (IPv6, unknown), and disks and the like."""


@dataclass(frozen=True)
class Entry:
    """An entry of a firmware's boot menu; number: for the tool that sets it; mac: with colons, empty when the entry does not say."""

    number: str
    label: str
    kind: str
    mac: str = ""
    is_active: bool = True


@dataclass(frozen=True)
class Choice:
    """The entry to start once, empty to leave the firmware's order as it is, and why."""

    number: str
    note: str


def choose(order: Sequence[Entry], macs: Collection[str], *, macs_shown: bool = True) -> Choice:
    """The entry for the network card of a station, when the order does not begin with it already.

    order: what the firmware tries, first first, and then what else there is. macs: the cards that the boot server knows. An entry is taken
    only when it is beyond doubt; macs_shown: whether the tool shows the card of an entry, which Windows does not.
    """
    served = [each for each in order if each.is_active and each.kind in (PXE, HTTP) and (each.mac in macs or not macs_shown)]
    first: Optional[Entry] = next((each for each in order if each.is_active), None)
    if first is not None and first in served:
        return Choice("", f"The firmware starts from the network by itself: {first.label}")
    if not served:
        return Choice("", "The firmware has no entry for the network that belongs to this station; its own order decides")
    best = [each for each in served if each.kind == PXE] or served
    # Several entries for one card are the same by another name; of several cards nobody knows which has the cable.
    if len({each.mac for each in best}) > 1 or (not macs_shown and len(best) > 1):
        labels = ", ".join(each.label for each in best)
        return Choice(
            "", f"The firmware has several entries for the network ({labels}), and nobody knows which is right; its order decides"
        )
    return Choice(best[0].number, f"The firmware starts from the network next time: {best[0].label}")
