# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who holds which software: counts by version, and who has a version below another.

Counts of a perimeter are kept for some minutes, because a fleet of 10,000 stations has eleven million holdings. A perimeter of few
stations is read from what those stations reported, which is short; a large one is counted in the table of bundles (reports.bundles) for
what a page shows: each bundle once, whichever of its four versions are asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from django.core.cache import cache
from django.db.models import Count, OuterRef, QuerySet, Subquery

from ..accounts.perimeter import Perimeter
from ..accounts.rights import Right
from ..registry.models import Station
from ..reports.bundles import WIDTH
from ..reports.models import Held, Holding, Section, Software, SoftwareVersion
from ..reports.sections import SOFTWARES, unpack_ids
from ..versions import version_key
from .figures import figures, key_of

KEPT = 300
"""Seconds."""

FEW = 1500
"""Stations whose reports are read at once."""


FEW_HOLDERS = 500
"""Holdings that are read rather than left to the database's planner."""


def seen(perimeter: Perimeter) -> QuerySet[Software]:
    """The software that somebody in the perimeter holds.

    One holder is looked for behind each software, by a query of its own: with EXISTS PostgreSQL may choose to read all holdings first.
    """
    if not perimeter.everywhere(Right.VIEW):
        held = _held_by_few(perimeter)
        if held is not None:
            return Software.objects.filter(id__in=held[1])
    holding = Holding.objects.within(perimeter).filter(software_version__software=OuterRef("pk"))
    return Software.objects.alias(holder=Subquery(holding.order_by().values("station_id")[:1])).filter(holder__isnull=False)


def counts(software: Iterable[Software], perimeter: Perimeter) -> dict[int, dict[int, int]]:
    """Stations by version's id, by software's id, as of some minutes ago; versions that nobody holds are left out."""
    wanted = [each.pk for each in software]
    held = None if perimeter.everywhere(Right.VIEW) else _held_by_few(perimeter)
    if held is not None:
        found: dict[int, dict[int, int]] = {pk: {} for pk in wanted}
        for version, owner in SoftwareVersion.objects.filter(software_id__in=wanted).order_by().values_list("id", "software_id"):
            if version in held[0]:
                found[owner][version] = held[0][version]
        return found
    keys = {f"{key_of(perimeter)}:holdings:{pk}": pk for pk in wanted}
    known = {keys[key]: value for key, value in cache.get_many(list(keys)).items()}
    missing = [pk for pk in wanted if pk not in known]
    if missing:
        fresh: dict[int, dict[int, int]] = {pk: {} for pk in missing}
        owners = dict(SoftwareVersion.objects.filter(software_id__in=missing).order_by().values_list("id", "software_id"))
        rows = Held.objects.within(perimeter).filter(bundle__in=_bundles(owners))
        for bundle, number in rows.order_by().values_list("bundle").annotate(number=Count("station_id")):
            for version in _members(bundle):
                if version in owners:
                    fresh[owners[version]][version] = fresh[owners[version]].get(version, 0) + number
        cache.set_many({f"{key_of(perimeter)}:holdings:{pk}": value for pk, value in fresh.items()}, KEPT)
        known |= fresh
    return known


def versions_below(software: Software, version: str) -> list[int]:
    """Ids of the versions of a software that are lower than a version."""
    below = SoftwareVersion.objects.filter(software=software, version_key__lt=version_key(version))
    return list(below.order_by().values_list("id", flat=True))


def holders(versions: Iterable[int], perimeter: Perimeter) -> QuerySet[Station]:
    """The stations that hold one of some versions.

    A few are named by their ids, so that no planner walks through all stations in the order of names to find ten.
    """
    rows = Held.objects.filter(bundle__in=_bundles(versions)).order_by()
    ids = list(rows.values_list("station_id", flat=True)[: FEW_HOLDERS + 1])
    stations = Station.objects.within(perimeter)
    return stations.filter(pk__in=ids) if len(ids) <= FEW_HOLDERS else stations.filter(pk__in=rows.values("station_id"))


def held_of(versions: Iterable[int], stations: Iterable[Station]) -> dict[int, set[int]]:
    """Which of some versions each of some stations holds, by the station's id."""
    wanted, found = set(versions), {station.pk: set[int]() for station in stations}
    for bundle, station in Held.objects.filter(bundle__in=_bundles(wanted), station__in=list(found)).values_list("bundle", "station_id"):
        found[station].update(wanted.intersection(_members(bundle)))
    return found


def _bundles(versions: Iterable[int]) -> list[int]:
    """All bundles that one of some versions may be in."""
    places: dict[int, int] = {}
    for each in versions:
        places[each >> WIDTH] = places.get(each >> WIDTH, 0) | 1 << each % (1 << WIDTH)
    some = range(1, 1 << (1 << WIDTH))
    return sorted(place << (1 << WIDTH) | bits for place, wanted in places.items() for bits in some if bits & wanted)


def _members(bundle: int) -> Iterator[int]:
    """The versions of a bundle."""
    first = bundle >> (1 << WIDTH) << WIDTH
    return (first + place for place in range(1 << WIDTH) if bundle >> place & 1)


def _held_by_few(perimeter: Perimeter) -> tuple[Counter[int], list[int]] | None:
    """Stations by version, and the software they are of, in a perimeter of few stations; None when there are many."""
    if figures(perimeter).total > FEW:
        return None
    key = f"{key_of(perimeter)}:held"
    found: tuple[Counter[int], list[int]] | None = cache.get(key)
    if found is None:
        held: Counter[int] = Counter()
        sections = Section.objects.within(perimeter).filter(kind=SOFTWARES)
        for data in sections.values_list("data", flat=True).iterator():
            held.update(unpack_ids(bytes(data)))
        ids = list(held)
        owners: set[int] = set()
        for first in range(0, len(ids), 900):
            owners.update(SoftwareVersion.objects.filter(id__in=ids[first : first + 900]).values_list("software_id", flat=True))
        found = held, sorted(owners)
        cache.set(key, found, KEPT)
    return found
