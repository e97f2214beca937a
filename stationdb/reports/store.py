# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes what differs: sections, their history, who holds what, and the columns of stations that lists show.

All of a batch at once, in the batch's transaction, under the locks of its stations' rows. docs/decisions/0022-storing-reports.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection

from ..registry.models import Station
from . import bundles, dictionary
from .bundles import bundled
from .formats.canonical import Reported, Title
from .models import Section, SectionChange
from .sections import (
    SOFTWARES,
    Row,
    difference,
    digest,
    pack_ids,
    pack_plain,
    pack_rows,
    plain_rows,
    unpack_ids,
    unpack_rows,
)
from .summary import summary


@dataclass
class Taken:
    """A report that is being taken in for a station."""

    station: Station
    report: Reported
    moment: datetime
    changed: list[str] = field(default_factory=list)
    """Kinds of sections that are new or differ in what counts."""
    written: list[str] = field(default_factory=list)
    """Kinds of sections that were written, be it for what is volatile."""


@dataclass
class _Work:
    """What a batch writes."""

    sections: list[tuple[int, str, bytes, bytes, datetime]] = field(default_factory=list)
    removed: list[tuple[int, str]] = field(default_factory=list)
    changes: list[SectionChange] = field(default_factory=list)
    gained: list[tuple[int, int]] = field(default_factory=list)
    """(bundle, station)"""
    lost: list[tuple[int, int]] = field(default_factory=list)


_Old = tuple[bytes, datetime]
"""Data of a stored section, and when it changed."""


def store(batch: Sequence[Taken]) -> None:
    """Write what differs. A station is in the batch once; every title has a number. LookupError when one has none."""
    if not batch:
        return
    ids = [taken.station.pk for taken in batch]
    digests = {
        (station, kind): bytes(value)
        for station, kind, value in Section.objects.filter(station__in=ids).values_list("station_id", "kind", "digest")
    }
    kinds: dict[int, list[str]] = {pk: [] for pk in ids}
    for station, kind in digests:
        kinds[station].append(kind)
    differing: list[tuple[Taken, str, bytes, bytes]] = []  # kind, digest, JSON
    unread: list[Title] = []
    for taken in batch:
        report, pk = taken.report, taken.station.pk
        for kind in report.speaks_of:
            if kind != SOFTWARES and kind in kinds[pk]:
                report.sections.setdefault(kind, [])
        if SOFTWARES in report.speaks_of and report.software is None and SOFTWARES in kinds[pk]:
            report.software = []
        for kind, rows in report.sections.items():
            plain = plain_rows(rows)
            value = digest(plain)
            if digests.get((pk, kind)) != value and (rows or (pk, kind) in digests):
                differing.append((taken, kind, value, plain))
        if report.software is not None:
            if report.unread and digests.get((pk, SOFTWARES)) != report.software_digest:
                unread += report.read_software()
            value = report.software_digest or digest(repr(sorted({title.id for title in report.software})).encode())
            if digests.get((pk, SOFTWARES)) != value and (report.software or (pk, SOFTWARES) in digests):
                differing.append((taken, SOFTWARES, value, b""))
    dictionary.look_up(unread)
    if not all(title.id for taken in batch for title in taken.report.software or ()):
        raise LookupError("some software has no number")
    work = _Work()
    old = _stored({(taken.station.pk, kind) for taken, kind, *_rest in differing if (taken.station.pk, kind) in digests})
    for taken, kind, value, plain in differing:
        before = old.get((taken.station.pk, kind))
        (_software if kind == SOFTWARES else _section)(work, taken, kind, value, plain, before)
    _write(work)


def _stored(wanted: set[tuple[int, str]]) -> dict[tuple[int, str], _Old]:
    if not wanted:
        return {}
    found = Section.objects.filter(station__in={pk for pk, _kind in wanted}, kind__in={kind for _pk, kind in wanted})
    return {
        (station, kind): (bytes(data), changed)
        for station, kind, data, changed in found.values_list("station_id", "kind", "data", "changed")
        if (station, kind) in wanted
    }


def _section(work: _Work, taken: Taken, kind: str, value: bytes, plain: bytes, before: _Old | None) -> None:
    pk, rows, changed = taken.station.pk, taken.report.sections[kind], taken.moment
    if before is None:
        taken.changed.append(kind)
    else:
        added, removed = difference(kind, unpack_rows(before[0]), rows)
        if added or removed:
            taken.changed.append(kind)
            work.changes.append(_change(taken, kind, pack_rows(added), pack_rows(removed)))
        else:
            changed = before[1]
    taken.written.append(kind)
    if rows:
        work.sections.append((pk, kind, value, pack_plain(plain), changed))
    else:
        work.removed.append((pk, kind))


def _software(work: _Work, taken: Taken, kind: str, value: bytes, _plain: bytes, before: _Old | None) -> None:
    pk, changed = taken.station.pk, taken.moment
    has = {title.id for title in taken.report.software or ()}
    had = set(unpack_ids(before[0])) if before else set()
    gained, lost = has - had, had - has
    if before is None:
        taken.changed.append(kind)
    elif gained or lost:
        taken.changed.append(kind)
        work.changes.append(_change(taken, kind, pack_ids(gained), pack_ids(lost)))
    else:
        changed = before[1]
    if gained or lost:
        if before:  # the bundles around what differs only
            places = {each >> bundles.WIDTH for each in gained | lost}
            has_there, had_there = ([each for each in ids if each >> bundles.WIDTH in places] for ids in (has, had))
            holds, held = bundled(has_there), bundled(had_there)
        else:
            holds, held = bundled(has), set()
        work.gained += [(bundle, pk) for bundle in holds - held]
        work.lost += [(bundle, pk) for bundle in held - holds]
    taken.written.append(kind)
    if has:
        work.sections.append((pk, kind, value, pack_ids(has) if gained or lost or before is None else before[0], changed))
    else:
        work.removed.append((pk, kind))


def _change(taken: Taken, kind: str, added: bytes, removed: bytes) -> SectionChange:
    return SectionChange(station=taken.station, kind=kind, when=taken.moment, added=added, removed=removed)


def _write(work: _Work) -> None:
    postgresql = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        if work.removed:
            cursor.executemany("DELETE FROM reports_section WHERE station_id = %s AND kind = %s", work.removed)
        if work.sections:
            conflict = """ON CONFLICT (station_id, kind) DO UPDATE SET digest = excluded.digest, data = excluded.data,
                changed = excluded.changed"""
            columns = "reports_section (station_id, kind, digest, data, changed)"
            if postgresql:
                cursor.execute(
                    f"INSERT INTO {columns} SELECT * FROM "
                    f"unnest(%s::bigint[], %s::text[], %s::bytea[], %s::bytea[], %s::timestamptz[]) {conflict}",
                    [list(column) for column in zip(*work.sections, strict=True)],
                )
            else:
                adapt = connection.ops.adapt_datetimefield_value
                cursor.executemany(
                    f"INSERT INTO {columns} VALUES (%s, %s, %s, %s, %s) {conflict}", [(*row[:4], adapt(row[4])) for row in work.sections]
                )
        if work.lost:
            bundles.remove(cursor, work.lost)
        if work.gained:
            bundles.write(cursor, work.gained)
    if work.changes:
        SectionChange.objects.bulk_create(work.changes)


def describe(batch: Iterable[Taken]) -> None:
    """Write what lists show of the stations: what the written sections say, and when each was seen."""
    seen: list[tuple[datetime, int]] = []
    wider: list[tuple[Station, dict[str, object]]] = []
    for taken in batch:
        station = taken.station
        written = {kind: taken.report.sections[kind] for kind in taken.written if kind != SOFTWARES}
        columns = _columns(station, _complete(written, taken.report.sections), taken.report)
        different = {name: value for name, value in columns.items() if getattr(station, name) != value}
        if different:
            wider.append((station, different))
        if station.last_seen != taken.moment:
            seen.append((taken.moment, station.pk))
    for station, different in wider:
        Station.objects.filter(pk=station.pk).update(**different)
    if seen:
        _see(seen)


def introduce(taken: Taken) -> None:
    """Set what lists show of a station that is new, so that it is written once."""
    station = taken.station
    for name, value in _columns(station, taken.report.sections, taken.report).items():
        setattr(station, name, value)
    station.last_seen = taken.moment


def _columns(station: Station, sections: Mapping[str, Sequence[Row]], report: Reported) -> dict[str, object]:
    columns = summary(sections)
    if not station.tag and report.tag:
        columns["tag"] = report.tag
    return columns


def _complete(written: Mapping[str, Sequence[Row]], given: Mapping[str, Sequence[Row]]) -> dict[str, Sequence[Row]]:
    """The written sections, with those beside which they are read (memory and user stand in two places each)."""
    found = dict(written)
    for kind, beside in (("memories", "hardware"), ("hardware", "users"), ("cpus", "operatingsystem")):
        if kind in found and beside in given:
            found.setdefault(beside, given[beside])
    return found


def _see(seen: Sequence[tuple[datetime, int]]) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "UPDATE registry_station SET last_seen = seen.moment FROM unnest(%s::timestamptz[], %s::bigint[]) seen (moment, station) "
                "WHERE id = seen.station",
                [list(column) for column in zip(*seen, strict=True)],
            )
        else:
            adapt = connection.ops.adapt_datetimefield_value
            cursor.executemany("UPDATE registry_station SET last_seen = %s WHERE id = %s", [(adapt(moment), pk) for moment, pk in seen])


def number_software(reports: Iterable[Reported]) -> None:
    """Give every software in the reports its number, in transactions of its own."""
    dictionary.number([title for report in reports for title in report.software or () if not title.id])


def known_software(digests: Iterable[bytes | None]) -> set[bytes]:
    """Those of the digests that some station's software was read from: its rows need not be read again."""
    wanted = [value for value in digests if value]
    found = Section.objects.filter(kind=SOFTWARES, digest__in=wanted).values_list("digest", flat=True) if wanted else []
    return {bytes(value) for value in found}
