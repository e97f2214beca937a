# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A progress report as a line of text: a bar for a terminal, a sentence for a log."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional

EIGHTHS = " ▏▎▍▌▋▊▉█"
BAR_WIDTH = 24
LONGEST = 100 * 24 * 3600.0
"""Seconds; a longer rest is none that anybody is told."""


@dataclass(frozen=True)
class Report:
    """What a module said last (see module_utils/progress.py): amounts in unit, rate in units a second."""

    operation: str
    done: float
    total: float
    unit: str
    rate: float
    note: str
    station: str = ""
    """Whose it is, when one task tells the progress of several stations; empty: the host's."""

    @classmethod
    def of(cls, progress: Any) -> Optional[Report]:
        """Return the report in a poll's ``progress``, or None when it is not one: it comes from another machine."""
        if not isinstance(progress, Mapping):
            return None
        try:
            done, total, rate = (float(progress.get(key, 0)) for key in ("done", "total", "rate"))
        except (TypeError, ValueError):
            return None
        if not all(map(math.isfinite, (done, total, rate))):
            return None
        operation, unit, note, station = (_printable(progress.get(key, "")) for key in ("operation", "unit", "note", "station"))
        return cls(operation, max(done, 0.0), max(total, 0.0), unit, max(rate, 0.0), note, station)

    @property
    def fraction(self) -> Optional[float]:
        """How much is done, 0 to 1; None when the total is unknown."""
        return min(self.done / self.total, 1.0) if self.total else None

    @property
    def remaining(self) -> Optional[float]:
        """Seconds until the end at the present rate; None when nobody can say, or nobody would wait for it."""
        seconds = max(self.total - self.done, 0.0) / self.rate if self.total and self.rate else math.inf
        return seconds if seconds < LONGEST else None

    def amounts(self) -> str:
        """Say how much, how fast and how long: "1.2/2.8 GiB  112.0 MiB/s  0:14 left"."""
        parts = [_amounts(self.done, self.total, self.unit)]
        if self.rate:
            parts.append(f"{amount(self.rate, self.unit)}/s")
        if self.remaining is not None and (self.fraction or 0) < 1:
            parts.append(f"{duration(self.remaining)} left")
        if self.note:
            parts.append(self.note)
        return "  ".join(parts)

    def drawing(self, fine: bool) -> str:
        """Return the bar, BAR_WIDTH wide; fine draws it in eighths of a character, else with signs that every terminal has."""
        if self.fraction is None:
            return ("·" if fine else ".") * BAR_WIDTH
        eighths = round(self.fraction * BAR_WIDTH * 8)
        if not fine:
            return ("#" * (eighths // 8)).ljust(BAR_WIDTH, ".")
        full, rest = divmod(eighths, 8)
        return (EIGHTHS[8] * full + (EIGHTHS[rest] if rest else "")).ljust(BAR_WIDTH)

    def percent(self) -> str:
        """Return " 43 %", five characters; rounded down, so that 100 % is the end and nothing else."""
        return "     " if self.fraction is None else f"{int(self.fraction * 100):3d} %"


def amount(value: float, unit: str) -> str:
    """Return a value with its unit: "1.2 GiB" for bytes, "37 files" for anything else."""
    if unit != "B":
        return f"{value:.0f} {unit}".rstrip()
    scale, name = _scale(value)
    return f"{value / scale:.{0 if scale == 1 else 1}f} {name}"


def duration(seconds: float) -> str:
    """Return "0:14" or "2:03:14"."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"


def _amounts(done: float, total: float, unit: str) -> str:
    if not total:
        return amount(done, unit)
    if unit != "B":
        return f"{done:.0f}/{amount(total, unit)}"
    scale, name = _scale(total)
    digits = 0 if scale == 1 else 1
    return f"{done / scale:.{digits}f}/{total / scale:.{digits}f} {name}"


def _scale(value: float) -> tuple[int, str]:
    for power, name in ((4, "TiB"), (3, "GiB"), (2, "MiB"), (1, "KiB")):
        if value >= 1024**power:
            return 1024**power, name
    return 1, "B"


def _printable(text: Any) -> str:
    """Return text without control characters: what a station says must not steer the admin's terminal."""
    return "".join(character if character.isprintable() else "?" for character in str(text))[:80]
