# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which packets a receiver has seen.

Anybody can forge a packet, nobody a TUNE, which says how far the sender is: so a packet's number is believed within bounds only, and not
for longer than until the next TUNE.
"""

from __future__ import annotations

AHEAD = 1 << 21
"""Packets that a sender can send between two TUNE, which come every second: more than twice what passes at 10 Gbit/s."""


class PacketCount:
    """Packets by their numbers."""

    def __init__(self) -> None:
        self.seen = 0
        """One more than the highest number that came."""
        self.received = 0
        """Packets that came."""
        self._told = 0
        self._from = -1

    def plausible(self, highest: int) -> bool:
        """Whether the sender can have come to this number since it last said where it is."""
        return highest < self._told + AHEAD

    def add(self, highest: int, lowest: int, count: int) -> None:
        """Packets came, whose numbers are plausible."""
        if self._from < 0:
            self._from = lowest
        self.received += count
        self.seen = max(self.seen, highest + 1)

    def told(self, number: int) -> None:
        """The sender's next packet has this number, as it says itself; what came after that counts again with the packet that follows."""
        self._told = number
        self.seen = min(self.seen, number)

    @property
    def lost(self) -> float:
        """Share of the packets that did not arrive."""
        sent = self.seen - self._from
        return max(0.0, 1 - self.received / sent) if self._from >= 0 and sent > 0 else 0.0
