# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a session begins: who has come, who hears multicast, and what the start policy says to it."""

from __future__ import annotations

import time
from typing import Callable

from .interface import MulticastError, StartPolicy
from .roster import Roster

_HEARING = 1.5
"""Seconds that a receiver has for hearing a probe: what it says after them counts, however late a busy machine says it."""


class Opening:
    """The time between a session's opening and its beginning."""

    def __init__(self, policy: Callable[[], StartPolicy], roster: Roster) -> None:
        self._policy = policy
        self._roster = roster
        self._opened = time.monotonic()

    def over(self, now: float) -> bool:
        """Whether the session begins now; MulticastError that names who is missing when it never will."""
        policy, ready = self._policy(), len(self._roster.ready())
        waited = now - self._opened
        enough = (policy.count or len(self._roster.expected) or 1) if not policy.minimum or waited < policy.wait else policy.minimum
        if ready >= enough and self._heard():
            return True
        if waited > policy.give_up:
            missing = ", ".join(self._roster.missing()) or "nobody who was expected"
            raise MulticastError(
                f"{ready} receivers came in {waited:.0f} s, of {enough} that the session needs; missing: {missing}",
                remedy="Start these stations, or let it begin with a minimum of them",
            )
        return False

    def _heard(self) -> bool:
        """Whether it is known of everybody who is ready that multicast is heard, or not."""
        return all(member.report.received or member.heard - member.joined > _HEARING for member in self._roster.ready())
