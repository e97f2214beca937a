# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A station's part of a session: chunks as they arrive, and what the session leaves from the nearest content store."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Callable, Optional

from ansible_collections.fleet.core.plugins.module_utils.content.fetch import FetchError, FetchReport, Supply
from ansible_collections.fleet.core.plugins.module_utils.content.signed import SignedManifest
from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress
from ansible_collections.fleet.core.plugins.module_utils.stop import calling, check, shielded

from ..multicast.interface import COMPLETE, FAILED, Outcome, Receiver, SessionState, Settings, Take
from ..multicast.session import ReceiveSession
from .sender import image_id

MULTICAST = "multicast"
"""What a result calls the session among the sources of chunks."""

Join = Callable[["frozenset[bytes]", Take, Callable[[SessionState], None]], Receiver]
"""Makes the receiver of one session: what is wanted, who takes it, who is told."""


@dataclass(frozen=True)
class Membership:
    """What a station must know to join a session."""

    settings: Settings
    secret: bytes
    signed: SignedManifest
    station: str

    def __call__(self, wanted: frozenset[bytes], take: Take, report: Callable[[SessionState], None]) -> Receiver:
        """See Join."""
        return ReceiveSession(self.settings, self.secret, image_id(self.signed), self.station, wanted, take, report=report)


class SessionFailed(FleetError):
    """The session did not bring everything, and nothing else was allowed to."""


class SessionReceiver:
    """Chunks of a session (engine.stream_writer.Session)."""

    def __init__(self, join: Join, fetcher: Optional[Supply], progress: Progress) -> None:
        """fetcher: for what the session leaves; None: that is a failure."""
        self._join = join
        self._fetcher = fetcher
        self._progress = progress
        self.outcome: Optional[Outcome] = None

    def receive(self, wanted: Iterable[Any], begin: Callable[[], None], consume: Callable[[Any, memoryview], None]) -> FetchReport:
        """See Session; what a disk refused is raised as the disk said it."""
        lacking = {item.digest: item for item in wanted}
        intake = _Intake(lacking, begin, consume)
        self._progress.begin("wait for the session", 0, "stations")
        session = self._join(frozenset(lacking), intake.take, self._tell)
        with shielded(), calling(session.stop):  # it ends in order, and nobody waits for this station to come back
            outcome = self.outcome = session.run()
        if intake.error:
            raise intake.error
        check()
        if outcome.state == FAILED:
            raise SessionFailed(f"The session failed on this station: {outcome.reason}")
        if lacking and not self._fetcher:
            raise SessionFailed(
                f"{len(lacking)} of the chunks did not come by multicast: {outcome.reason or 'the session ended'}",
                remedy="Look at the switch's IGMP snooping and querier, or allow unicast with transport auto",
            )
        report = FetchReport(outcome.chunks, outcome.bytes, {MULTICAST: outcome.chunks} if outcome.chunks else {})
        if lacking and self._fetcher:
            rest = self._fetch(self._fetcher, list(lacking.values()), intake, outcome.reason)
            report = FetchReport(report.chunks + rest.chunks, report.bytes + rest.bytes, {**report.sources, **rest.sources})
        intake.begin()
        return report

    def _fetch(self, fetcher: Supply, left: list[Any], intake: _Intake, reason: str) -> FetchReport:
        """What the session left, from the content stores. The disk is as before until they have something, which they may not yet."""
        try:
            return fetcher.chunks(left, intake.write)
        except FetchError as error:
            said = f"The session left {len(left)} chunks ({reason or 'it ended'}), and they cannot be fetched: {error}"
            raise SessionFailed(said, **error.details) from error

    def as_dict(self) -> dict[str, Any]:
        """Keys of the module's result: how it went with the session."""
        if self.outcome is None:
            return {}
        return {
            "session": {
                "state": self.outcome.state,
                "complete": self.outcome.state == COMPLETE,
                "reason": self.outcome.reason,
                "chunks": self.outcome.chunks,
                "bytes": self.outcome.bytes,
                "seconds": round(self.outcome.seconds, 2),
                "damaged": self.outcome.damaged,
                "lost": round(self.outcome.lost, 4),
            }
        }

    def _tell(self, state: SessionState) -> None:
        if state.phase == "waiting":
            self._progress.advance(0, "waiting for the others")


class _Intake:
    """What takes the chunks of a session."""

    def __init__(self, lacking: dict[bytes, Any], begin: Callable[[], None], consume: Callable[[Any, memoryview], None]) -> None:
        self._lacking = lacking
        self._begin: Optional[Callable[[], None]] = begin
        self._consume = consume
        self._lock = threading.Lock()
        self.error: Optional[BaseException] = None

    def begin(self) -> None:
        """Before the first write, once; whoever else comes meanwhile waits until it is done."""
        with self._lock:
            if self._begin:
                self._begin()
                self._begin = None

    def write(self, item: Any, data: memoryview) -> None:
        """A verified chunk, from any thread."""
        self.begin()
        self._consume(item, data)

    def take(self, name: bytes, data: memoryview) -> None:
        """A verified chunk; one that is not wanted any more, or never was, is nothing to write."""
        item = self._lacking.get(name)
        if item is None:
            return
        try:
            self.write(item, data)
        except BaseException as error:
            self.error = error
            raise
        del self._lacking[name]
