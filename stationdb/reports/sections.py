# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sections as they are stored: packed, read back, and compared."""

from __future__ import annotations

import hashlib
import json
import zlib
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..registry.models import Station
    from .models import SectionChange

Row = Mapping[str, str | int]
"""A row of the canonical report."""

SOFTWARES = "softwares"

_SHORT = 4096
"""Bytes of JSON."""

KINDS = (
    "hardware",
    "bios",
    "operatingsystem",
    "cpus",
    "memories",
    "storages",
    "drives",
    "partitions",
    "smart",
    "networks",
    "monitors",
    "videos",
    "sounds",
    "printers",
    "batteries",
    "usbdevices",
    "controllers",
    "slots",
    "ports",
    "inputs",
    "modems",
    "local_users",
    "local_groups",
    "users",
    "virtualmachines",
    "antivirus",
    "licenseinfos",
    SOFTWARES,
)
"""Sections of the canonical report, in the order in which people read them. Environments and processes are none of them: never stored."""

VOLATILE: Mapping[str, frozenset[str]] = {
    "hardware": frozenset({"swap", "datelastloggeduser", "description", "etime", "ipaddr", "uptime"}),
    "operatingsystem": frozenset({"boot_time"}),
    "drives": frozenset({"free"}),
    "cpus": frozenset({"speed"}),
    "batteries": frozenset({"real_capacity", "voltage", "capacity", "level", "status"}),
    "smart": frozenset({"temperature", "power_on_hours", "attributes"}),
    "networks": frozenset({"speed"}),
}
"""Keys that differ from day to day: kept up to date, but no change of the section and not in its history."""


def canonical(kind: str, row: Row) -> str:
    """A row's text for comparisons: without what is volatile, keys in order."""
    skip = VOLATILE.get(kind)
    return repr(sorted(item for item in row.items() if not skip or item[0] not in skip))


def digest(plain: bytes) -> bytes:
    """16 bytes that tell whether a section was written as before."""
    return hashlib.sha256(plain).digest()[:16]


def difference(kind: str, before: Sequence[Row], after: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Rows added and rows removed; a row that is there twice counts twice."""
    had, has = Counter(canonical(kind, row) for row in before), Counter(canonical(kind, row) for row in after)
    return _only(kind, after, has - had), _only(kind, before, had - has)


def _only(kind: str, rows: Sequence[Row], wanted: Counter[str]) -> list[Row]:
    found = []
    for row in rows if wanted else ():
        text = canonical(kind, row)
        if wanted[text] > 0:
            wanted[text] -= 1
            found.append(row)
    return found


def plain_rows(rows: Sequence[Row]) -> bytes:
    """Rows as JSON."""
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode()


def pack_plain(plain: bytes) -> bytes:
    """JSON, compressed when that is shorter. What is short is remembered: many stations of a model have the same cards, slots and disks."""
    return _packed_short(plain) if len(plain) < _SHORT else _packed(plain)


@lru_cache(2000)
def _packed_short(plain: bytes) -> bytes:
    return _packed(plain)


def _packed(plain: bytes) -> bytes:
    packed = zlib.compress(plain, 6)
    return b"z" + packed if len(packed) < len(plain) else b"j" + plain


def pack_rows(rows: Sequence[Row]) -> bytes:
    """Rows as they are stored."""
    return pack_plain(plain_rows(rows))


def unpack_rows(data: bytes) -> list[dict[str, str | int]]:
    """What pack_rows packed."""
    rows: list[dict[str, str | int]] = json.loads(zlib.decompress(data[1:]) if data[:1] == b"z" else data[1:] or b"[]")
    return rows


def pack_ids(ids: Iterable[int]) -> bytes:
    """Ids in order, as compressed steps from each to the next."""
    before = 0
    steps = array("I")
    for each in sorted(ids):
        steps.append(each - before)
        before = each
    return zlib.compress(steps.tobytes(), 6)


def unpack_ids(data: bytes) -> list[int]:
    """The ids that pack_ids packed, in order."""
    steps = array("I")
    if data:
        steps.frombytes(zlib.decompress(data))
    total = 0
    ids = []
    for step in steps:
        total += step
        ids.append(total)
    return ids


def rows(station: Station | int, kind: str) -> list[dict[str, str | int]]:
    """The rows of a section of a station as of its last report; none when it was never reported."""
    from .models import Section

    data = Section.objects.filter(station=station, kind=kind).values_list("data", flat=True).first()
    if data is None:
        return []
    if kind == SOFTWARES:
        known = software_rows(ids := unpack_ids(bytes(data)))
        return sorted((known[each] for each in ids if each in known), key=lambda row: str(row["name"]).lower())
    return unpack_rows(bytes(data))


def software_rows(ids: Iterable[int]) -> dict[int, dict[str, str | int]]:
    """Rows of the canonical report by id of SoftwareVersion."""
    from .models import SoftwareVersion

    found: dict[int, dict[str, str | int]] = {}
    wanted = list(ids)
    for first in range(0, len(wanted), 900):
        for each, name, version, publisher, source, arch in SoftwareVersion.objects.filter(id__in=wanted[first : first + 900]).values_list(
            "id", "software__name", "version", "software__publisher", "software__source", "arch"
        ):
            row = {"name": name, "version": version, "publisher": publisher, "from": source, "arch": arch}
            found[each] = {key: value for key, value in row.items() if value}
    return found


@dataclass(frozen=True)
class Change:
    """What a report added to a section of a station and removed from it."""

    kind: str
    when: datetime
    added: list[dict[str, str | int]]
    removed: list[dict[str, str | int]]


def changes(station: Station | int, kind: str | None = None, limit: int = 50) -> Iterator[Change]:
    """Changes of a station's sections (or of one), newest first."""
    from .models import SectionChange

    return unpacked(SectionChange.objects.filter(station=station, **({"kind": kind} if kind else {}))[:limit])


def unpacked(found: Iterable[SectionChange]) -> Iterator[Change]:
    """Stored changes as people read them."""
    stored = [(row.kind, row.when, bytes(row.added), bytes(row.removed)) for row in found]
    known = software_rows({each for row in stored if row[0] == SOFTWARES for data in row[2:] for each in unpack_ids(data)})
    for name, when, added, removed in stored:
        if name == SOFTWARES:
            yield Change(name, when, *([known[each] for each in unpack_ids(data) if each in known] for data in (added, removed)))
        else:
            yield Change(name, when, unpack_rows(added), unpack_rows(removed))
