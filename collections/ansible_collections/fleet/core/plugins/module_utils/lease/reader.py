# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file of leases or a log, whatever its kind."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

from ..errors import InputError
from . import dnsmasq, isc, kea, log
from .sighting import BadLine, Found, Sighting, latest

FORMATS: dict[str, Callable[[Iterable[str]], Found]] = {"dnsmasq": dnsmasq.read, "isc": isc.read, "kea": kea.read, "log": log.read}
_LONGEST = 10_000
"""Characters of a line that are looked at."""


@dataclass
class Leases:
    """What was found in files."""

    sightings: list[Sighting] = field(default_factory=list)
    skipped: dict[str, list[BadLine]] = field(default_factory=dict)
    """By file."""


def read_files(paths: Iterable[Path], kind: str) -> Leases:
    """All files, each card once. InputError for a file that cannot be read, or of which no line is of the kind."""
    found, skipped = [], {}
    for path in paths:
        sightings, wrong = read_file(path, kind)
        found += sightings
        if wrong:
            skipped[str(path)] = wrong
    return Leases(latest(found), skipped)


def read_file(path: Path, kind: str) -> tuple[list[Sighting], list[BadLine]]:
    """One file; kind is one of FORMATS, or auto."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            lines = (line[:_LONGEST] for line in file)
            first = list(itertools.islice(lines, 200))
            reading = FORMATS[kind_of(first, path) if kind == "auto" else kind]
            all_found = list(reading(itertools.chain(first, lines)))
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror}", remedy="Name the file of leases of the DHCP server on this host"
        ) from error
    sightings = [each for each in all_found if isinstance(each, Sighting)]
    wrong = [each for each in all_found if isinstance(each, BadLine)]
    if wrong and not sightings:
        raise InputError(
            f"No line of {path} could be read: line {wrong[0].line} {wrong[0].reason}", remedy=f"Say which of {', '.join(FORMATS)} it is"
        )
    return sightings, wrong


def kind_of(first: list[str], path: Path) -> str:
    """Which kind of file this is, by its first lines; InputError when none is like it. An empty file is one of no leases."""
    for line in first:
        words = line.split()
        if not words or line.startswith("#"):
            continue
        if words[0].startswith("address,") and "hwaddr" in words[0]:
            return "kea"
        if words[0] in ("lease", "authoring-byte-order", "server-duid", "failover", "ia-na"):
            return "isc"
        if (words[0].isdigit() and len(words) in (4, 5)) or words[0] == "duid":
            return "dnsmasq"
        if any(True for _sighting in log.read(first)):
            return "log"
        raise InputError(f"{path} is no file of leases that we know", remedy=f"Say which of {', '.join(FORMATS)} it is with format")
    return "dnsmasq"
