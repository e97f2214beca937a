# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies in the spool of reports: how many wait for a worker, and which were refused and why."""

from __future__ import annotations

import contextlib
import heapq
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ..reports.spool import SUFFIX, Envelope, Spool

LONGEST = 1000
"""Characters of a reason that are shown."""


@dataclass(frozen=True)
class Refused:
    """A document that was not taken in. What its envelope does not say, or nobody can read, is blank."""

    id: str
    received: datetime | None
    reason: str
    station: str = ""
    address: str = ""
    agent: str = ""
    way: str = ""


@dataclass(frozen=True)
class Intake:
    """The spool as it is now."""

    waiting: int = 0
    """Documents that no worker has taken yet."""
    since: datetime | None = None
    """When the oldest of these came."""
    refused: int = 0


def intake() -> Intake:
    """What waits and what was refused; nothing where this process cannot read the spool."""
    try:
        spool = Spool()
        waiting = spool.ids()
        refused = sum(name.endswith(".txt") for name in _names(spool.refused))
    except OSError:
        return Intake()
    return Intake(len(waiting), _moment(waiting[0]) if waiting else None, refused)


def refused(limit: int) -> list[Refused]:
    """The last documents that were refused, newest first."""
    try:
        folder = Spool().refused
        names = heapq.nlargest(limit, (name for name in _names(folder) if name.endswith(".txt")))
    except OSError:
        return []
    found = []
    for name in names:
        with contextlib.suppress(OSError):  # tried again or forgotten by now
            identity = name.removesuffix(".txt")
            with (folder / name).open(encoding="utf-8", errors="replace") as file:
                reason = file.read(LONGEST).strip()
            said = _envelope(folder / f"{identity}{SUFFIX}")
            told = {key: str(getattr(said, key, None) or "")[:200] for key in ("station", "address", "agent", "way")}
            found.append(Refused(identity, _moment(identity), reason, **told))
    return found


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def _envelope(path: Path) -> Envelope | None:
    try:
        with path.open("rb") as file:
            return Envelope.read(file.readline(1 << 16))
    except OSError:
        return None


def _moment(identity: str) -> datetime | None:
    """When a document came, which its id begins with."""
    try:
        return datetime.fromtimestamp(int(identity[:16], 16) / 1e9, UTC)
    except (ValueError, OverflowError, OSError):
        return None
