# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is in a session: connections are taken in, proved, and followed until each receiver has its verdict."""

from __future__ import annotations

import contextlib
import select
import socket
from collections.abc import Sequence
from typing import Callable, Optional

from .channel import ACCEPTED, NAME_TAKEN, OTHER_IMAGE, Channel, Hello, Rejected, Terms, greeting, sender_answer
from .interface import DEAD, MISSING, UNICAST, MulticastError, Verdict
from .judge import SILENCE
from .member import Candidate, Member
from .wire import LEAVE

_CANDIDATES = 64
"""Connections that may be unproved at the same time."""
_PATIENCE = 5.0
"""Seconds for a candidate to prove itself."""


class Roster:
    """Members, candidates and verdicts."""

    def __init__(
        self,
        secret: bytes,
        image: bytes,
        expected: Sequence[str],
        listener: socket.socket,
        poll: select.epoll,
        removed: Callable[[Member], None] = lambda _member: None,
    ) -> None:
        """removed is called with each member that is no longer there, whyever."""
        self._secret, self._image = secret, image
        self.expected = tuple(expected)
        self._listener = listener
        self._poll = poll
        self._removed = removed
        self._candidates: dict[int, Candidate] = {}
        self._by_socket: dict[int, Member] = {}
        self.members: dict[str, Member] = {}
        """Who is there and has no verdict."""
        self.verdicts: dict[str, Verdict] = {}
        """Of who is not there any more."""
        self.gone_at: dict[str, float] = {}
        """When connections broke of who may come back."""
        poll.register(listener, select.EPOLLIN)

    @property
    def listening(self) -> int:
        """Number of the socket that is connected to."""
        return self._listener.fileno()

    def close(self) -> None:
        """Let go of all sockets."""
        for candidate in self._candidates.values():
            candidate.connection.close()
        for member in self.members.values():
            member.channel.close()
        self._listener.close()

    # Connections ----------------------------------------------------------------------------------------------------------------------

    def accept(self, now: float) -> None:
        """Somebody connected."""
        for candidate in [each for each in self._candidates.values() if now - each.since > _PATIENCE]:
            self._show_out(candidate)
        while True:
            try:
                connection, _address = self._listener.accept()
            except OSError:
                return
            if len(self._candidates) >= _CANDIDATES:
                self._show_out(next(iter(self._candidates.values())))
            connection.setblocking(False)
            candidate = Candidate(connection, greeting(), now)
            try:
                connection.send(candidate.greeting)
            except OSError:
                connection.close()
                continue
            self._candidates[connection.fileno()] = candidate
            self._poll.register(connection, select.EPOLLIN)

    def _show_out(self, candidate: Candidate) -> None:
        del self._candidates[candidate.connection.fileno()]
        with contextlib.suppress(OSError):
            self._poll.unregister(candidate.connection)
        candidate.connection.close()

    def candidate(self, number: int, terms: Callable[[int], Terms], now: float) -> None:
        """A candidate's socket can be read; it becomes a member when what it says is right."""
        candidate = self._candidates.get(number)
        if candidate is None:
            return
        try:
            hello = candidate.hello(self._secret)
            if hello is None:
                return
            status = self._status(hello, now)
            candidate.connection.send(sender_answer(self._secret, candidate.greeting, hello.nonce, terms(status)))
            if status != ACCEPTED:
                self._show_out(candidate)
                return
        except (BlockingIOError, InterruptedError):
            return
        except (OSError, Rejected):
            self._show_out(candidate)
            return
        del self._candidates[number]
        self._admit(candidate, hello, now)

    def _status(self, hello: Hello, now: float) -> int:
        """Whether a receiver is admitted. Of two stations of one name the second has to wait: they would push each other out for ever."""
        if hello.image != self._image:
            return OTHER_IMAGE
        namesake = self.members.get(hello.name)
        return NAME_TAKEN if namesake and now - namesake.heard < SILENCE else ACCEPTED

    def _admit(self, candidate: Candidate, hello: Hello, now: float) -> None:
        earlier = self.members.get(hello.name)
        if earlier:  # the same station, back before its old connection was found dead
            self.remove(earlier)
        bits = {member.bit for member in self.members.values()}
        bit = next(1 << place for place in range(len(bits) + 1) if 1 << place not in bits)
        channel = Channel(candidate.connection, self._secret, candidate.greeting, hello.nonce, sender=True)
        self.add(Member(hello.name, channel, bit, now))

    def add(self, member: Member) -> None:
        """Somebody has proved itself, and is followed from here on."""
        self.members[member.name] = member
        self._by_socket[member.channel.connection.fileno()] = member
        self.verdicts.pop(member.name, None)
        self.gone_at.pop(member.name, None)

    def of_socket(self, number: int) -> Optional[Member]:
        """The member whose socket it is."""
        return self._by_socket.get(number)

    # Verdicts -------------------------------------------------------------------------------------------------------------------------

    def remove(self, member: Member) -> None:
        """A member's connection is closed."""
        self._removed(member)
        self._by_socket.pop(member.channel.connection.fileno(), None)
        with contextlib.suppress(OSError):
            self._poll.unregister(member.channel.connection)
        member.channel.close()
        self.members.pop(member.name, None)

    def conclude(self, member: Member, state: str, reason: str = "") -> None:
        """A member has its verdict."""
        self.verdicts[member.name] = member.verdict(state, reason)
        self.remove(member)

    def let_go(self, member: Member, reason: str) -> None:
        """A member is told to go on by unicast."""
        with contextlib.suppress(MulticastError):
            member.channel.send(LEAVE, reason.encode())
        self.conclude(member, UNICAST, reason)

    def broken(self, member: Member, reason: str, now: float) -> None:
        """A member's connection broke: it may come back, else it is dead."""
        self.gone_at[member.name] = now
        self.conclude(member, DEAD, reason)

    def final(self) -> dict[str, Verdict]:
        """Verdicts of all, in the order they were expected."""
        for name in self.expected:
            self.verdicts.setdefault(name, Verdict(name, MISSING, reason="it never came"))
        order = {name: place for place, name in enumerate(self.expected)}
        return dict(sorted(self.verdicts.items(), key=lambda item: order.get(item[0], len(order))))

    def ready(self) -> list[Member]:
        """Members that said what they want."""
        return [member for member in self.members.values() if member.asked]

    def missing(self) -> tuple[str, ...]:
        """Expected and not there, and without a verdict."""
        return tuple(name for name in self.expected if name not in self.members and name not in self.verdicts)

    def started(self) -> list[Member]:
        """Members that the stream is sent to."""
        return [member for member in self.members.values() if member.started]
