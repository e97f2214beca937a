# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sender's part of a session: a signed image, where its chunks are, who is expected, and what became of everybody."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.fleet.core.plugins.module_utils.content.signed import SignedManifest, UntrustedManifest, trusted
from ansible_collections.fleet.core.plugins.module_utils.content.store import ChunkStore, ManifestRef
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress
from ansible_collections.fleet.core.plugins.module_utils.stop import calling, check, shielded

from ..multicast.interface import COMPLETE, SessionState, Settings, Source
from ..multicast.session import SendSession
from .control import Control


def image_id(signed: SignedManifest) -> bytes:
    """By which the packets of a session name their image: 32 bytes."""
    return hashlib.sha256(signed.data).digest()


def manifest_of(store: ChunkStore, ref: ManifestRef, allowed_signers: str) -> SignedManifest:
    """An image of a store's folder, believed only after its signature was verified."""
    data, signature = store.manifest_bytes(ref), store.signature(ref)
    if signature is None:
        raise UntrustedManifest(f"{ref} must not be used: it is not signed", remedy="Capture or publish it with a signing key")
    return trusted(ref, data, signature, allowed_signers)


@dataclass(frozen=True)
class Sending:
    """A session that may begin."""

    settings: Settings
    secret: bytes
    signed: SignedManifest
    source: Source
    stations: Sequence[str]
    control: Control

    def run(self, progress: Progress) -> dict[str, Any]:
        """Hold the session; keys of the module's result. MulticastError when it cannot begin."""
        with self.control as control:
            session = SendSession(
                self.settings,
                self.secret,
                image_id(self.signed),
                self.source,
                self.stations,
                start=control.policy,
                report=_Teller(progress, control).tell,
            )
            with shielded(), calling(session.stop):  # it ends in order, and the stations go on by unicast at once
                verdicts = session.run()
            check()
        count = session.count
        return {
            "changed": False,
            "image": self.signed.manifest.name,
            "version": self.signed.manifest.version,
            "port": session.port,
            "stations": {
                name: {
                    "state": verdict.state,
                    "complete": verdict.state == COMPLETE,
                    "bytes": verdict.bytes,
                    "seconds": round(verdict.seconds, 2),
                    "reason": verdict.reason,
                }
                for name, verdict in verdicts.items()
            },
            "packets": count.packets,
            "packets_repaired": count.repairs,
            "bytes_sent": count.bytes,
            "bytes_unique": count.frames,
            "chunks_unreadable": len(count.unreadable),
        }


class _Teller:
    """Turns a session's reports into progress."""

    def __init__(self, progress: Progress, control: Control) -> None:
        self._progress = progress
        self._control = control
        self._begun = ("", 0)
        self._done = 0

    def tell(self, state: SessionState) -> None:
        """Who is missing while it waits, how much is sent afterwards."""
        waiting = state.phase == "waiting"
        absent = self._control.absent() if waiting else frozenset()
        awaited = [name for name in state.missing if name not in absent]
        total = len(state.present) + len(awaited) if waiting else state.total
        done = len(state.present) if waiting else state.done
        if self._begun != (state.phase, total):
            self._begun, self._done = (state.phase, total), 0
            self._progress.begin("wait for stations" if waiting else "send", total, "stations" if waiting else "B")
        missing = f"missing: {', '.join(awaited[:8])}{' …' if len(awaited) > 8 else ''}" if waiting and awaited else ""
        self._progress.advance(max(done - self._done, 0), missing)
        self._done = max(done, self._done)
