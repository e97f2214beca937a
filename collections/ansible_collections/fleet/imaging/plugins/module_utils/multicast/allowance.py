# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much a member may say: everybody waits while its sender listens to it, so who says too much is not listened to for a while."""

from __future__ import annotations

_RATE = 250.0
"""Messages a second: five times the reports that a receiver is asked for at most."""
_SAVED = 1000.0
"""Messages at once: what gathers while a sender stands still for some seconds, or the wishes for an image of terabytes."""


class Allowance:
    """Messages that may still come."""

    def __init__(self, now: float) -> None:
        self._left = _SAVED
        self._at = now

    def spend(self, messages: int, now: float) -> None:
        """Messages came; what is beyond the allowance has to be waited for."""
        self._left = min(self._left + (now - self._at) * _RATE, _SAVED) - messages
        self._at = now

    def overdrawn(self, now: float) -> bool:
        """Whether more came than may."""
        return self._left + (now - self._at) * _RATE < 0
