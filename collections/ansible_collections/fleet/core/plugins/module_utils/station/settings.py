# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a station reports: what the role fleet.core.reporting wrote for it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, fields
from pathlib import Path

from ..errors import InputError

FILE = Path("/etc/fleet/report/settings.json")

_DESTINATION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*@[A-Za-z0-9:][A-Za-z0-9.:-]*")

_TYPES: dict[str, type] = {
    **dict.fromkeys(("station", "destination", "tag", "spool", "key", "known_hosts"), str),
    **dict.fromkeys(("port", "keep", "timeout"), int),
    "sections": list,
}


@dataclass(frozen=True)
class Settings:
    """Where a station keeps its reports, and where it sends them."""

    station: str
    """The name under which it reports."""
    destination: str
    """``user@centre``."""
    tag: str = ""
    port: int = 22
    keep: int = 10
    """Reports that wait at most; the newest stay."""
    sections: tuple[str, ...] = ()
    """Sections that are gathered; none means all."""
    spool: Path = Path("/var/spool/fleet-report")
    key: Path = Path("/etc/fleet/report/id_ed25519")
    known_hosts: Path = Path("/etc/fleet/report/known_hosts")
    timeout: int = 300
    """Seconds in which a report must be delivered."""

    @classmethod
    def load(cls, file: Path = FILE) -> Settings:
        """Read the file. InputError for what is missing, unknown or of another type."""
        try:
            raw = json.loads(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise InputError(f"cannot read {file}: {error.strerror}", remedy="Run the role fleet.core.reporting") from error
        except ValueError as error:
            raise InputError(f"{file} is no JSON: {error}", remedy="Run the role fleet.core.reporting again") from error
        try:
            return cls._checked(raw)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{file} is not acceptable: {error}", remedy="Run the role fleet.core.reporting again") from error

    @classmethod
    def _checked(cls, raw: object) -> Settings:
        if not isinstance(raw, dict):
            raise ValueError("it is no object")
        unknown = set(raw) - {field.name for field in fields(cls)}
        if unknown:
            raise ValueError(f"unknown: {', '.join(sorted(map(str, unknown)))}")
        for name, kind in _TYPES.items():
            if name in raw and not isinstance(raw[name], kind):
                raise ValueError(f"{name} is no {kind.__name__}")
        # ssh would take a destination that begins with a hyphen for an option.
        if not _DESTINATION.fullmatch(raw["destination"]):
            raise ValueError(f"destination {raw['destination']!r} is not user@host")
        if not 0 < raw.get("port", 22) < 65536 or raw.get("keep", 1) < 1 or raw.get("timeout", 1) < 1:
            raise ValueError("port, keep and timeout are positive numbers")
        paths = {name: Path(raw[name]) for name in ("spool", "key", "known_hosts") if name in raw}
        return cls(**{**raw, **paths, "station": raw["station"], "sections": tuple(map(str, raw.get("sections", ())))})
