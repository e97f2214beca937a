# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a multicast session is given and what it answers: the only file that modules and the rest of the collection need to read.

A sender (a relay, the centre, any station that has the image)::

    session = SendSession(settings, secret, image, source, expected=["pc01", "pc02"], start=lambda: StartPolicy(), report=show)
    verdicts = session.run()                       # {"pc01": Verdict(...), ...}, one for each expected and each that came besides

A receiver::

    session = ReceiveSession(settings, secret, image, "pc01", wanted={digest, ...}, take=write, report=show)
    outcome = session.run()                        # Outcome; outcome.left is what to fetch by unicast

Both are in ``session``. The receiver finds its sender by trying the ports of the range until one proves that it knows the secret, so no
port has to be passed on, and a sender that was restarted is found again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Callable, Protocol

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError

COMPLETE = "complete"
"""Everything that was wanted came and was taken (written) by the receiver."""
UNICAST = "unicast"
"""Let go by the session: deaf, slow, lossy, or what it lacks could not be read here. It gets what is left by unicast."""
DEAD = "dead"
"""It was there and then was silent for too long, or its connection broke and it did not come back."""
FAILED = "failed"
"""It said itself that it cannot go on, as when its disk does not take a chunk."""
MISSING = "missing"
"""It was expected and never came."""


class MulticastError(FleetError):
    """A session cannot begin or go on: no port, no multicast route, no such interface, nobody there."""


@dataclass(frozen=True)
class Settings:
    """Where and how a session is held. Sender and receivers must agree on sender, group and ports."""

    sender: str
    """The sender's IPv4 or IPv6 address: it listens there, and its multicast packets come from there."""
    group: str = "239.255.77.1"
    """Multicast address, of the same family as the sender's."""
    ports: tuple[int, int] = (7700, 7731)
    """First and last port; a session takes one that is free, for TCP (control) and for UDP (data). So many sessions fit on one sender."""
    interface: str = ""
    """Name of this host's interface for multicast; empty: the one that has (sender) or reaches (receiver) the sender's address."""
    ttl: int = 1
    """Hops a multicast packet may take; 1 stays on the segment."""
    rate: float = 0
    """Ceiling in bytes a second, headers of the link included; 0: what the network passes."""
    mtu: int = 1500
    """Bytes of the largest IP packet the way passes."""
    segmentation: bool = True
    """Whether the kernel may cut packets out of larger buffers (UDP_SEGMENT), which it is asked for at the start."""
    patience: float = 30.0
    """Seconds of silence after which a receiver is dead to the sender; twice that, and a receiver gives up looking for its sender."""


@dataclass(frozen=True)
class StartPolicy:
    """When to begin. A session asks for it again and again while it waits, so the answer may change meanwhile."""

    count: int = 0
    """Receivers that begin it at once; 0: all that are expected."""
    minimum: int = 0
    """Receivers that suffice after wait seconds; 0: it goes on waiting for count."""
    wait: float = 0
    """Seconds from the session's opening until minimum suffices. count=1 begins with the first one."""
    give_up: float = 600
    """Seconds after which a session that could not begin ends with a MulticastError that names who is missing."""


class Source(Protocol):
    """Where a sender has its chunks from."""

    @property
    def digests(self) -> Sequence[bytes]:
        """All chunks of the image that may be wanted, each once, in the order in which they are best written."""

    def frame(self, digest: bytes) -> bytes:
        """The zstd frame of a chunk, as stored; called from one thread.

        FleetError or OSError when it cannot be had: then that chunk is left to unicast, and the verdicts of who wants it say so.
        """


Digest = bytes
"""SHA-256 of a chunk's uncompressed bytes: its name."""

Take = Callable[[bytes, memoryview], None]
"""take(digest, data): a chunk's uncompressed bytes, hashed and found right, once for each wanted chunk, in the order of arrival.

Called from threads of the session, never two at a time; the memory (page-aligned) is the taker's only until it returns. When it raises a
FleetError or an OSError the session ends as FAILED with that reason. While it is slow the sender is asked to wait, and if that is too
long for the others, the session ends with what is left for unicast.
"""


@dataclass(frozen=True)
class Verdict:
    """What became of one receiver, as the sender knows it."""

    name: str
    state: str
    """COMPLETE, UNICAST, DEAD, FAILED or MISSING."""
    bytes: int = 0
    """Of frames, that it has taken."""
    seconds: float = 0.0
    """From the first packet of the session to its end for this receiver."""
    reason: str = ""
    """Why it is not complete."""


@dataclass(frozen=True)
class Outcome:
    """What became of a receiver, as it knows itself."""

    state: str
    """COMPLETE; UNICAST: fetch what is left; FAILED."""
    reason: str = ""
    left: frozenset[bytes] = frozenset()
    """Digests that were wanted and have not been taken."""
    chunks: int = 0
    bytes: int = 0
    """Of frames that were taken."""
    seconds: float = 0.0
    damaged: int = 0
    """Chunks that came whole and did not hash to their name."""
    lost: float = 0.0
    """Share of the packets that did not arrive."""


@dataclass(frozen=True)
class ReceiverState:
    """A receiver in a report."""

    name: str
    done: int
    """Bytes of frames it has taken."""
    total: int
    """Bytes of frames it asked for, as far as their sizes are known."""
    state: str = ""
    """Empty while it receives, else as in Verdict."""


@dataclass(frozen=True)
class SessionState:
    """A session in a report; at most 5 a second, from the session's own thread."""

    phase: str
    """waiting, sending, ended."""
    present: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    """Expected and not there."""
    done: int = 0
    """Bytes of frames that were sent (the first time each), or taken on a receiver."""
    total: int = 0
    """Bytes of frames to send or to take, as far as their sizes are known."""
    rate: float = 0.0
    """Bytes a second of frames, lately."""
    receivers: tuple[ReceiverState, ...] = ()
    """Empty on a receiver."""
    port: int = 0


Report = Callable[[SessionState], None]


@dataclass(frozen=True)
class SendCount:
    """What a sender sent, for tables and benchmarks."""

    packets: int = 0
    repairs: int = 0
    combined: int = 0
    """Repairs that served several receivers at once (XOR)."""
    bytes: int = 0
    """Of UDP payload."""
    frames: int = 0
    """Bytes of frames, each counted once."""
    unreadable: tuple[Digest, ...] = ()
    """Chunks that the source could not give."""


class Sender(Protocol):
    """SendSession of ``session``: SendSession(settings, secret, image, source, expected, start=..., report=...)."""

    port: int
    count: SendCount

    def run(self) -> dict[str, Verdict]:
        """Hold the session; MulticastError when it cannot begin. Nobody's failure ends it for the others."""

    def stop(self) -> None:
        """End it soon, from another thread or a signal handler; receivers are left to unicast."""


class Receiver(Protocol):
    """ReceiveSession of ``session``: ReceiveSession(settings, secret, image, name, wanted, take, report=...)."""

    def run(self) -> Outcome:
        """Receive until all is taken or the session is over.

        A group that cannot be joined, a wrong secret, an image that the sender does not send, or no sender for twice the patience end as
        UNICAST with the reason and with everything left: nothing was written then. So does whatever else goes wrong with the session, with
        what is left by then.
        """

    def stop(self) -> None:
        """End it soon, from another thread or a signal handler."""
