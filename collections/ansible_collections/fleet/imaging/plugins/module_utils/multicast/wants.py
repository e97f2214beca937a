# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a receiver still wants, across connections and restarts of its sender."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from collections.abc import Set as AbstractSet

_ATTEMPTS = 3
"""Times that a chunk may come whole and wrong before it is left to unicast, which somebody cannot forge."""


class Wants:
    """Each wanted chunk is open (to be received), begun (at the taker), taken, or set aside for unicast."""

    def __init__(self, wanted: AbstractSet[bytes]) -> None:
        self._count = len(wanted)
        self.open = set(wanted)
        """To be received."""
        self._begun: set[bytes] = set()
        self._aside: set[bytes] = set()
        self._damaged: dict[bytes, int] = {}
        self.chunks = 0
        self.bytes = 0
        """Of frames that were taken."""
        self.damaged = 0

    @property
    def wanted(self) -> set[bytes]:
        """What this session may still bring: open or begun. Empty when its work is done."""
        return self.open | self._begun if self._begun else self.open

    @property
    def total(self) -> int:
        """Bytes of frames of all that was wanted, guessed from those that were taken."""
        return self.bytes * self._count // self.chunks if self.chunks else 0

    @property
    def left(self) -> frozenset[bytes]:
        """What has not been taken."""
        return frozenset(self.open | self._begun | self._aside)

    def begin(self, digest: bytes) -> bool:
        """A chunk goes to the taker; False when it need not."""
        if digest not in self.open:
            return False
        self.open.discard(digest)
        self._begun.add(digest)
        return True

    def settle(self, results: deque[tuple[bytes, int, bool]]) -> list[bytes]:
        """Empty the taker's results; return what has to be asked for again as its bytes were wrong."""
        again = []
        while results:
            digest, size, right = results.popleft()
            self._begun.discard(digest)
            if right:
                self.chunks += 1
                self.bytes += size
                continue
            self.damaged += 1
            count = self._damaged[digest] = self._damaged.get(digest, 0) + 1
            if count < _ATTEMPTS:
                self.open.add(digest)
                again.append(digest)
            else:
                self._aside.add(digest)
        return again

    def set_aside(self, digests: Iterable[bytes]) -> None:
        """The sender does not have these."""
        lacking = self.open.intersection(digests)
        self.open -= lacking
        self._aside |= lacking

    def none_begun(self) -> None:
        """The taker is idle: what it had and did not take is open again."""
        self.open |= self._begun
        self._begun.clear()
