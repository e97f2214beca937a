# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two ends of a session."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Callable

from .interface import Outcome, Report, SendCount, Settings, Source, StartPolicy, Take, Verdict


def quiet(_state: object) -> None:
    """A report that nobody reads."""


class SendSession:
    """Sends one image to receivers that come to it."""

    def __init__(
        self,
        settings: Settings,
        secret: bytes,
        image: bytes,
        source: Source,
        expected: Sequence[str],
        *,
        start: Callable[[], StartPolicy] = StartPolicy,
        report: Report = quiet,
    ) -> None:
        """secret: at least 16 bytes that only this session's stations have; image: 32 bytes, the SHA-256 of the manifest's bytes."""
        self.port = 0
        self.count = SendCount()

    def run(self) -> dict[str, Verdict]:
        """Hold the session."""
        raise NotImplementedError

    def stop(self) -> None:
        """End it soon."""


class ReceiveSession:
    """Receives what a station lacks."""

    def __init__(
        self,
        settings: Settings,
        secret: bytes,
        image: bytes,
        name: str,
        wanted: AbstractSet[bytes],
        take: Take,
        *,
        report: Report = quiet,
    ) -> None:
        """name: as the sender expects it; wanted: digests of chunks; secret, image: as for the sender."""

    def run(self) -> Outcome:
        """Receive until all is taken or the session is over."""
        raise NotImplementedError

    def stop(self) -> None:
        """End it soon."""
