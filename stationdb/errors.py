# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong, said so that an admin can act: what, where, and the remedy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


class StationDBError(Exception):
    """Something was not done, and nothing was changed. The message says what; remedy what to do; where which part of the input."""

    def __init__(self, message: str, remedy: str = "", where: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.where = where

    def __str__(self) -> str:
        return " ".join(part for part in (f"{self.where}:" if self.where else "", str(self.message), str(self.remedy)) if part)


class Missing(StationDBError):
    """There is no such thing in the perimeter, whether or not it exists elsewhere."""


class Denied(StationDBError):
    """What is asked for needs a right that the asker does not have."""


class Taken(StationDBError):
    """A name or an address is not free, or something still depends on what was to be removed."""


class Outdated(StationDBError):
    """Somebody else changed it since the asker read it."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with an input: what, where (a path such as ``stations[3].macs``), and the remedy.

    Position and length count characters from 0 in texts such as criteria; line counts from 1 in files.
    """

    what: str
    where: str = ""
    remedy: str = ""
    value: str | None = None
    line: int | None = None
    position: int | None = None
    length: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass
class Faulty(StationDBError):
    """An input with faults: all of them, not only the first."""

    faults: Sequence[Fault] = field(default_factory=list)

    def __post_init__(self) -> None:
        first = self.faults[0] if self.faults else Fault("The input is wrong.")
        super().__init__(first.what, first.remedy, first.where)

    __str__ = StationDBError.__str__
