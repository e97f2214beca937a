# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The dictionary of software: which number a version has. It only grows, in transactions of its own, so that remembered numbers hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from django.db import connection, transaction

from ..versions import version_key
from . import bundles
from .formats.canonical import Title
from .models import Software, SoftwareVersion

_AT_ONCE = 200

_LOCK = 0x736F667477617265
"""The advisory lock of PostgreSQL that stands for the dictionary (the word software)."""


def number(titles: Iterable[Title]) -> None:
    """Give each title that has none its SoftwareVersion's id, adding what is new. Several workers may do so at once.

    Not to be called in a transaction, which might be undone after the ids were remembered.
    """
    wanted = [title for title in titles if not title.id]
    if not wanted:
        return
    often = Counter(title.key for title in wanted)
    # What is held together gets neighbouring numbers, which reports.bundles writes as one: first what most of the reports have.
    missing = sorted({title.key: title for title in wanted}.values(), key=lambda title: (-often[title.key], title.key))
    for first in range(0, len(missing), _AT_ONCE):
        part = missing[first : first + _AT_ONCE]
        with transaction.atomic():
            _one_at_a_time()
            _add(part)
        look_up(part)


def _one_at_a_time() -> None:
    """Workers add one after the other until their transactions end: in different orders they would wait for each other for ever."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def look_up(titles: Sequence[Title]) -> None:
    """Give each title that has none and is in the dictionary its id."""
    for first in range(0, len(titles), _AT_ONCE):
        part = [title for title in titles[first : first + _AT_ONCE] if not title.id]
        programs = _programs(part)
        versions = _versions(programs.values())
        for title in part:
            title.id = versions.get((programs.get((title.name, title.source), 0), title.version, title.arch), 0)


def _add(titles: Sequence[Title]) -> None:
    programs = _programs(titles)
    if new := [title for title in titles if (title.name, title.source) not in programs]:
        Software.objects.bulk_create(
            {
                (title.name, title.source): Software(name=title.name, source=title.source, publisher=title.publisher) for title in new
            }.values(),
            ignore_conflicts=True,
        )
        programs = _programs(titles)
    versions = _versions(programs.values())
    missing = [
        SoftwareVersion(software_id=program, version=title.version, version_key=version_key(title.version), arch=title.arch)
        for title in titles
        if ((program := programs[title.name, title.source]), title.version, title.arch) not in versions
    ]
    if missing:
        SoftwareVersion.objects.bulk_create(missing, ignore_conflicts=True)
        added = set(_versions({each.software_id for each in missing}).values()) - set(versions.values())
        with connection.cursor() as cursor:
            bundles.announce(cursor, added)


def _programs(titles: Sequence[Title]) -> dict[tuple[str, str], int]:
    names = {title.name for title in titles}
    return {(name, source): pk for pk, name, source in Software.objects.filter(name__in=names).values_list("id", "name", "source")}


def _versions(programs: Iterable[int]) -> dict[tuple[int, str, str], int]:
    rows = SoftwareVersion.objects.filter(software_id__in=set(programs)).values_list("id", "software_id", "version", "arch")
    return {(program, version, arch): pk for pk, program, version, arch in rows}
