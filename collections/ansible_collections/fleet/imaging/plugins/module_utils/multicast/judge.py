# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who holds up the others, and what the network passes: rules of a session, apart from its mechanics."""

from __future__ import annotations

from collections.abc import Iterable

from .interface import DEAD, UNICAST
from .member import Member
from .outlet import Outlet
from .pace import TICK, Pace
from .stream import Stream

SILENCE = 0.8
"""Seconds without a report after which a receiver is not waited for; a report is due fifty times a second."""
_LOSSY, _CLEAN = 0.25, 0.1
"""A receiver that loses more than the first, while another loses less than the second, is let go..."""
_LOSSY_TICKS = 3
"""...after so many ticks of the pace."""
_HELD_UP, _HELD_UP_SHARE, _HELD_UP_MOST = 2.5, 0.05, 5.0
"""Seconds for which one receiver may hold up the others: a twentieth of the session, at least and at most these."""
_NARROW = 4
"""Receivers whose sockets hold so many times fewer packets than most are those that are waited for, when the sender waits at all."""
_DEAF = 2.0
"""Seconds for a receiver that came late to hear its first packet."""


class Judge:
    """Looks at members some times a second."""

    def __init__(self, window: int, patience: float) -> None:
        """window: segments that sender and receivers keep; patience: seconds of silence after which a receiver is dead."""
        self._window = window
        self._patience = patience
        self._began = 0.0
        self._ticked = 0.0
        self._wire = 0

    def following(self, members: Iterable[Member]) -> list[Member]:
        """Members that are waited for: who is not silent. When all are silent, the network is cut and all are."""
        members = list(members)
        return [member for member in members if not member.silent] or members

    def look(
        self, members: list[Member], now: float, elapsed: float, outlet: Outlet, stream: Stream, held: bool
    ) -> list[tuple[Member, str, str]]:
        """Members that have to go: (member, verdict, reason). elapsed: seconds since the last look; held: whether the sender waits."""
        self._began = self._began or now
        gone = []
        exhausted = stream.exhausted
        for member in members:
            member.silent = now - member.heard > SILENCE
            member.watch(exhausted, min(elapsed, 1))
            if now - member.heard > self._patience:
                gone.append((member, DEAD, f"silent for {self._patience:.0f} s"))
            elif not member.report.received and member.heard - member.started_at > _DEAF and outlet.number > 50:
                gone.append((member, UNICAST, "it does not hear multicast"))
            elif member.stalled > self._patience:
                gone.append((member, UNICAST, f"everything was sent, and it got nowhere for {self._patience:.0f} s"))
        others = self.following(members)
        if held and len(others) > 1 and elapsed < 1:
            gone += self._slow(others, now, elapsed, outlet, stream)
        return gone

    def _slow(self, members: list[Member], now: float, elapsed: float, outlet: Outlet, stream: Stream) -> list[tuple[Member, str, str]]:
        """The sender waits: for whom, and has it waited for long enough?"""
        if stream.waiting_for_room:
            lag = {member.name: stream.end - member.report.low for member in members}
        else:
            lag = self._narrow(members) or {member.name: outlet.number - member.report.seen for member in members}
        worst = max(lag.values())
        if min(lag.values()) > worst / 2:
            return []  # they are all as slow
        allowed = min(max(_HELD_UP, (now - self._began) * _HELD_UP_SHARE), _HELD_UP_MOST)
        gone = []
        for member in members:
            if lag[member.name] > worst * 0.8:
                member.held_up += elapsed
                if member.held_up > allowed:
                    gone.append((member, UNICAST, f"it is slow: the others waited {member.held_up:.1f} s for it"))
        return gone[: len(members) - 1]

    def _narrow(self, members: list[Member]) -> dict[str, int]:
        """Who has so small a socket that the others wait for it (1, else 0), as nobody can be far behind then; empty when nobody has."""
        usual = sorted(member.report.room for member in members)[len(members) // 2]
        narrow = {member.name: int(member.report.room * _NARROW <= usual) for member in members}
        return narrow if any(narrow.values()) else {}

    def pace(self, pace: Pace, members: list[Member], now: float, outlet: Outlet) -> list[Member]:
        """Every tick: measure losses and let the pace adapt to them; return who loses far more than others."""
        if now - self._ticked < TICK:
            return []
        measured = (outlet.wire - self._wire) / (now - self._ticked) if self._ticked else 0.0
        self._ticked, self._wire = now, outlet.wire
        losses = [member.measure(outlet.number, now) for member in self.following(members)]
        if losses and measured:
            pace.tick(max((loss for loss in losses if loss <= _LOSSY or min(losses) > _CLEAN), default=0.0), measured)
        return self._lossy(members)

    def _lossy(self, members: list[Member]) -> list[Member]:
        others = self.following(members)
        clean = any(member.loss < _CLEAN for member in others)
        gone = []
        for member in others:
            member.lossy_ticks = member.lossy_ticks + 1 if clean and member.loss > _LOSSY else 0
            if member.lossy_ticks >= _LOSSY_TICKS:
                gone.append(member)
        return gone
