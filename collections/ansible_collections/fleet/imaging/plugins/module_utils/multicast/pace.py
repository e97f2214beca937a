# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast a sender sends: at most the ceiling, and no faster than the network passes it.

Loss alone does not say that the network is full: one bad cable loses 1 % at any rate. So the sender tries: when more is lost than it is
used to, it sends a fifth slower for a moment (or more, when more is lost). If then much less is lost, packets had been too many, and the
rate becomes what came through; if not, that loss is what the network is like, and the sender goes on as before. Afterwards it grows slowly
again, as long as no more is lost than usual.
"""

from __future__ import annotations

from typing import Optional

TICK = 0.25
"""Seconds between two looks at the losses."""
_UNUSUAL, _FACTOR = 0.03, 1.5
"""More than this, beyond 1.5 times the usual loss, in two ticks in a row, is worth a try."""
_SLOWER = 0.8
_HARMLESS = 0.01
"""Beyond the usual loss, at which the rate may grow."""
_LESS = 0.5
"""Of the loss before: a network that was full by a quarter loses nothing at four fifths of the rate."""
_TRIAL_TICKS = 3
"""The first tick of a trial still reports what was sent before it."""
_REST_TICKS = 12
"""Ticks after a trial during which there is no other, unless the loss is far worse."""
_GROWTH, _NEAR_GROWTH = 1.05, 1.02
"""Each tick; the second near the rate at which the network was last full."""
_SLOWEST = 64_000.0
_BURST = 0.004
"""Seconds of sending that may be caught up with at once."""


class Pace:
    """The rate, in bytes a second on the wire; None while nothing limits it but the socket and the receivers' windows."""

    def __init__(self, ceiling: float) -> None:
        self._ceiling = ceiling
        self.rate: Optional[float] = ceiling or None
        self._usual = 0.005
        self._suspect: list[float] = []
        """Unusual losses of the last ticks."""
        self._full: Optional[float] = None
        """The rate at which the network was full."""
        self._trial: Optional[tuple[float, Optional[float], float]] = None
        """(loss before, rate before, measured rate before) while a trial lasts."""
        self._ticks = 0
        self._rest = 0
        self._next = 0.0

    # Sending --------------------------------------------------------------------------------------------------------------------------

    def delay(self, now: float) -> float:
        """Seconds until the next packets may be sent; 0 or less: at once."""
        return self._next - now if self.rate else 0.0

    def spent(self, size: int, now: float) -> None:
        """Bytes went out."""
        if self.rate:
            self._next = max(self._next, now - _BURST) + size / self.rate

    # Adapting -------------------------------------------------------------------------------------------------------------------------

    def tick(self, loss: float, measured: float) -> None:
        """loss: the largest share that a receiver lost lately; measured: bytes a second that were sent."""
        self._rest = max(self._rest - 1, 0)
        if self._trial:
            self._judge(self._trial, loss)
        elif loss > self._usual * _FACTOR + _UNUSUAL:
            if self._rest and loss < 3 * self._usual + 0.2:
                return
            self._suspect.append(loss)
            if len(self._suspect) < 2:
                return
            self._trial = (min(self._suspect), self.rate, measured)
            self._suspect = []
            self._ticks = 0
            self._limit(measured * min(_SLOWER, 1 - self._trial[0]))
        else:
            self._suspect = []
            if loss <= self._usual + _HARMLESS:
                self._grow(measured)
            self._usual += min(loss - self._usual, 0) * 0.1  # it rises by a trial only: else it would follow a network that fills up

    def _judge(self, trial: tuple[float, Optional[float], float], loss: float) -> None:
        self._ticks += 1
        if self._ticks < _TRIAL_TICKS:
            return
        before, rate, measured = trial
        self._trial = None
        self._rest = _REST_TICKS
        if loss < min(before * _LESS, before - _UNUSUAL):
            self._full = measured * (1 - before) * 1.02
            self._usual = loss
            self._limit(self._full)
        else:
            self._usual = max(self._usual, before)
            self.rate = rate

    def _grow(self, measured: float) -> None:
        if self.rate is None or measured < 0.8 * self.rate:
            return  # something else limits it
        near = self._full is not None and 0.9 * self._full < self.rate < 1.1 * self._full
        rate = self.rate * (_NEAR_GROWTH if near else _GROWTH)
        self.rate = min(rate, self._ceiling) if self._ceiling else rate

    def _limit(self, rate: float) -> None:
        self.rate = max(rate, _SLOWEST)
        if self._ceiling:
            self.rate = min(self.rate, self._ceiling)
