# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The canonical report: ``{section: [row, ...]}`` with the names of GLPI's inventory_format, whatever format it came in.

Source of names and units: inventory.schema.json of github.com/glpi-project/inventory_format.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ..errors import ReportError
from ..sections import KINDS, SOFTWARES, Row

LONGEST = 4096
"""Characters of a value; what is longer is cut."""

LONG = frozenset({"attributes", "base64"})
"""Keys whose values may be sixteen times as long."""

MOST_ROWS = 20_000
"""Rows of a section."""

MOST_KEYS = 100
"""Keys of a row."""

NEVER = frozenset({"envs", "processes"})
"""Sections that no report brings in, for what they tell of people and secrets."""

NUMBERS: Mapping[str, frozenset[str]] = {
    "hardware": frozenset({"memory", "swap"}),
    "cpus": frozenset({"core", "corecount", "thread", "speed", "external_clock", "stepping"}),
    "memories": frozenset({"capacity", "numslots"}),
    "storages": frozenset({"disksize"}),
    "drives": frozenset({"total", "free"}),
    "partitions": frozenset({"start", "size"}),
    "videos": frozenset({"memory"}),
    "batteries": frozenset({"capacity", "real_capacity", "voltage"}),
    "networks": frozenset({"mtu"}),
    "virtualmachines": frozenset({"memory", "vcpu"}),
    "smart": frozenset({"passed", "temperature", "power_on_hours", "reallocated"}),
}
"""Keys whose values are numbers; a value that has none is left out."""

NO_USERS = frozenset({"wtmp", "btmp", "utmp", "wtmp.db", "wtmpdb"})
"""What agents on Unix take for the last user where nobody signed in yet: they read the line "wtmp begins …" of last(1) as if of one."""

SECRET = frozenset({("hardware", "winprodkey"), ("licenseinfos", "key")})
"""Licence keys, of which the last five characters are kept: enough to tell which it is."""

_KEPT_SECRET = frozenset(kind for kind, _key in SECRET)
_NONE = frozenset[str]()
_SEEN: set[str] = set()
_LARGEST_NUMBER = (1 << 63) - 1
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_NUMBER = re.compile(r"\s*(-?\d{1,19})")
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")


class Title:
    """A version of a software as reports name it; one object stands for it wherever it is reported. id: SoftwareVersion's; 0: not known."""

    __slots__ = ("arch", "id", "name", "publisher", "source", "version")

    def __init__(self, name: str, source: str, version: str, arch: str, publisher: str) -> None:
        self.name = name[:255]
        self.source = source[:20]
        self.version = version[:255]
        self.arch = arch[:20]
        self.publisher = publisher[:255]
        self.id = 0

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What makes it one: name, source, version, architecture."""
        return self.name, self.source, self.version, self.arch


@dataclass
class Reported:
    """A report that was read. A section that is not in it stays as it was, unless it is among those that this report speaks of."""

    format: str
    agent: str = ""
    name: str = ""
    """The station's name as it says itself."""
    device: str = ""
    """The agent's own id of the station."""
    tag: str = ""
    created: datetime | None = None
    sections: dict[str, list[Row]] = field(default_factory=dict)
    software: list[Title] | None = None
    """Of the section softwares; None when it says nothing of it."""
    software_digest: bytes | None = None
    """Of the bytes that the software was read from, when they were set apart."""
    unread: Callable[[], list[Title] | None] | None = None
    """Reads the software, which was left unread since another report had the same bytes."""
    speaks_of: frozenset[str] = frozenset()
    """Sections that are empty when they are missing."""
    cleaned: bytes | None = None
    """The document without what is never stored, when something of it was there."""

    def add(self, kind: str, rows: Iterable[Mapping[str, object]]) -> None:
        """Add the rows of a section, cleaned. ReportError for too many."""
        if kind not in KINDS or kind == SOFTWARES:
            return
        kept = self.sections.setdefault(kind, [])
        for row in rows:
            cleaned = clean(kind, row)
            if kind == "hardware" and cleaned.get("lastloggeduser") in NO_USERS:
                del cleaned["lastloggeduser"]
                cleaned.pop("datelastloggeduser", None)
            if cleaned:
                kept.append(cleaned)
            if len(kept) > MOST_ROWS:
                raise too_many(kind)

    def add_software(self, titles: list[Title]) -> None:
        """Add software. ReportError for too much."""
        self.software = titles if self.software is None else self.software + titles
        if len(self.software) > MOST_ROWS:
            raise too_many(SOFTWARES)

    def add_cut(self, digest: bytes, titles: list[Title], unread: Callable[[], list[Title] | None] | None) -> None:
        """Add the software of a run of rows that was set apart."""
        self.add_software(titles)
        self.software_digest, self.unread = digest, unread

    def read_software(self) -> list[Title]:
        """The software that was left unread. ReportError when it cannot be read, which it could when its digest was stored."""
        titles = self.unread() if self.unread else None
        if titles is None:
            raise ReportError("The software cannot be read.", "Send it again.")
        self.software, self.unread = (self.software or []) + titles, None
        return titles

    def first(self, kind: str) -> Row:
        """The first row of a section; empty when it has none."""
        rows = self.sections.get(kind)
        return rows[0] if rows else {}


def too_many(kind: str) -> ReportError:
    """What is said of a section with too many rows."""
    return ReportError(f"The section {kind} has more than {MOST_ROWS} rows.", "No station has that much: look at what it sends.")


def clean(kind: str, row: Mapping[str, object]) -> dict[str, str | int]:
    """A row without empty values, control characters and licence keys, its numbers as numbers."""
    found: dict[str, str | int] = {}
    numbers = NUMBERS.get(kind, _NONE)
    for key, value in row.items():
        if (
            type(value) is str
            and len(value) < LONGEST
            and value.isprintable()
            and key in _SEEN
            and key not in numbers
            and kind not in _KEPT_SECRET
        ):
            if value := value.strip():  # as nearly all are
                found[key] = value
            continue
        if value is None or value == "" or not _is_key(key):
            continue
        if isinstance(value, bool):
            value = int(value)
        if key in numbers:
            if (number := _number(value)) is not None:
                found[key] = number
            continue
        text = clean_text(str(value), LONGEST * (16 if key in LONG else 1))
        if (kind, key) in SECRET and len(text) > 5:
            text = f"…{text[-5:]}"
        if text:
            found[key] = text
        if len(found) >= MOST_KEYS:
            break
    return found


def _is_key(key: str) -> bool:
    """Whether a key is one that may be stored; those that are, are remembered."""
    if key not in _SEEN:
        if not _KEY.fullmatch(key):
            return False
        if len(_SEEN) < 1000:
            _SEEN.add(key)
    return True


def clean_text(text: str, longest: int = LONGEST) -> str:
    """Without what no text of a report has a use for: control characters, halves of surrogates, outer blanks."""
    if not text.isprintable():
        text = _CONTROL.sub("", text)
    return text.strip()[:longest]


def _number(value: object) -> int | None:
    if isinstance(value, float):
        value = int(value) if abs(value) < _LARGEST_NUMBER else None
    elif not isinstance(value, int):
        match = _NUMBER.match(str(value))
        value = int(match[1]) if match else None
    return value if isinstance(value, int) and abs(value) <= _LARGEST_NUMBER else None
