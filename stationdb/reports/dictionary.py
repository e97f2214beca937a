# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The dictionary of software: which number a version has. It only grows, in transactions of its own, so that remembered numbers hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import transaction

from ..versions import version_key
from .formats.canonical import Title
from .models import Software, SoftwareVersion

_AT_ONCE = 200


def number(titles: Iterable[Title]) -> None:
    """Give each title that has none its SoftwareVersion's id, adding what is new. Several workers may do so at once.

    Not to be called in a transaction, which might be undone after the ids were remembered.
    """
    # Always in the same order, so that two workers never wait for each other.
    missing = sorted({title.key: title for title in titles if not title.id}.values(), key=lambda title: title.key)
    for first in range(0, len(missing), _AT_ONCE):
        part = missing[first : first + _AT_ONCE]
        with transaction.atomic():
            _add(part)
        look_up(part)


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
    SoftwareVersion.objects.bulk_create(
        [
            SoftwareVersion(software_id=program, version=title.version, version_key=version_key(title.version), arch=title.arch)
            for title in titles
            if ((program := programs[title.name, title.source]), title.version, title.arch) not in versions
        ],
        ignore_conflicts=True,
    )


def _programs(titles: Sequence[Title]) -> dict[tuple[str, str], int]:
    names = {title.name for title in titles}
    return {(name, source): pk for pk, name, source in Software.objects.filter(name__in=names).values_list("id", "name", "source")}


def _versions(programs: Iterable[int]) -> dict[tuple[int, str, str], int]:
    rows = SoftwareVersion.objects.filter(software_id__in=set(programs)).values_list("id", "software_id", "version", "arch")
    return {(program, version, arch): pk for pk, program, version, arch in rows}
