# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to be sent again, and which of it can go into one packet.

When stations lose packets independently, each lacks other segments. The XOR of several segments, of which every station lacks at most
one, repairs one segment for each of them: with six stations at 5 % loss the network carries 5 % more instead of 27 %.
"""

from __future__ import annotations

from array import array

from .wire import MEMBERS

_OPEN = 24
"""Groups that are looked at for a segment; more find hardly better company."""
_TRUSTED = 4
"""Times a segment is repaired together with others; then alone, as somebody may lack another of the group."""


class Repairs:
    """Segments that somebody lacks, by who lacks them."""

    def __init__(self, window: int) -> None:
        """window: segments that can be repaired, the last ones of the stream."""
        self._window = window
        self._wanted: dict[int, tuple[int, float]] = {}
        """Segment to the bits of who lacks it, and since when, the oldest first."""
        self._last = array("I", [0]) * window
        """Packet number after the last repair of each segment, by its place in the ring."""
        self._tries = bytearray(window)
        self.since = 0.0
        """When the oldest of what is wanted was asked for (monotonic seconds)."""

    def __len__(self) -> int:
        return len(self._wanted)

    def fresh(self, first: int, end: int) -> None:
        """New segments took places in the ring."""
        for segment in range(first, end):
            at = segment % self._window
            if self._tries[at]:
                self._last[at] = self._tries[at] = 0

    def ask(self, bit: int, seen: int, first: int, count: int, now: float) -> None:
        """A receiver that has seen all packets below seen lacks these; a repair that may still be on its way is not sent twice."""
        wanted, last, window = self._wanted, self._last, self._window
        for segment in range(first, first + count):
            if seen >= last[segment % window]:
                if not wanted:
                    self.since = now
                bits, since = wanted.get(segment, (0, now))
                wanted[segment] = bits | bit, since

    def forget(self, bit: int) -> None:
        """A receiver is gone."""
        for segment, (bits, since) in list(self._wanted.items()):
            if bits & bit:
                self._wanted[segment] = bits & ~bit, since
                if not bits & ~bit:
                    del self._wanted[segment]

    def take(self, most: int, common: int, everybody: int, now: float, hold: float) -> list[list[int]]:
        """Up to most groups of segments, each for one packet.

        common: segments below are not known to all and go alone; everybody: bits of who follows; hold: seconds for which a group that
        does not serve everybody yet waits for company.
        """
        groups: list[list[int]] = []
        bits: list[int] = []
        since: list[float] = []
        open_groups: list[int] = []
        for segment, (lacking, asked) in self._wanted.items():
            alone = segment < common or self._tries[segment % self._window] >= _TRUSTED
            for number in () if alone else open_groups:
                if not bits[number] & lacking:
                    groups[number].append(segment)
                    bits[number] |= lacking
                    if len(groups[number]) == MEMBERS:
                        open_groups.remove(number)
                    break
            else:
                if len(groups) >= most:
                    break
                groups.append([segment])
                bits.append(lacking)
                since.append(0.0 if alone else asked)
                if not alone:
                    open_groups.append(len(groups) - 1)
                    del open_groups[:-_OPEN]
        ready = [
            group
            for group, lacking, asked in zip(groups, bits, since)
            if now - asked >= hold or lacking & everybody == everybody or len(group) == MEMBERS
        ]
        for group in ready:
            for segment in group:
                del self._wanted[segment]
        self.since = now
        return ready

    def sent(self, group: list[int], number: int) -> None:
        """A group went out in packet number."""
        for segment in group:
            at = segment % self._window
            self._last[at] = number + 1
            self._tries[at] = min(self._tries[at] + 1, 255)
