# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who holds which software: counts by version, and who has a version below another.

Counts of a perimeter are kept for some minutes, because a fleet of 10,000 stations has eleven million holdings. A perimeter of few
stations is read from what those stations reported, which is short; a large one is counted in the table of holdings for what a page shows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from django.core.cache import cache
from django.db.models import Count, Exists, OuterRef, QuerySet

from ..accounts.perimeter import Perimeter
from ..accounts.rights import Right
from ..registry.models import Station
from ..reports.models import Holding, Section, Software, SoftwareVersion
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
    """The software that somebody in the perimeter holds."""
    if perimeter.everywhere(Right.VIEW):
        return Software.objects.filter(Exists(Holding.objects.filter(software_version__software=OuterRef("pk"))))
    held = _held_by_few(perimeter)
    if held is not None:
        return Software.objects.filter(id__in=held[1])
    holding = Holding.objects.within(perimeter).filter(software_version__software=OuterRef("pk"))
    return Software.objects.filter(Exists(holding))


def counts(software: Iterable[Software], perimeter: Perimeter) -> dict[int, dict[int, int]]:
    """Stations by version's id, by software's id, as of some minutes ago; versions that nobody holds are left out."""
    wanted = [each.pk for each in software]
    held = None if perimeter.everywhere(Right.VIEW) else _held_by_few(perimeter)
    if held is not None:
        found: dict[int, dict[int, int]] = {pk: {} for pk in wanted}
        for version, owner in SoftwareVersion.objects.filter(software_id__in=wanted).values_list("id", "software_id"):
            if version in held[0]:
                found[owner][version] = held[0][version]
        return found
    keys = {f"{key_of(perimeter)}:holdings:{pk}": pk for pk in wanted}
    known = {keys[key]: value for key, value in cache.get_many(list(keys)).items()}
    missing = [pk for pk in wanted if pk not in known]
    if missing:
        fresh: dict[int, dict[int, int]] = {pk: {} for pk in missing}
        owners = dict(SoftwareVersion.objects.filter(software_id__in=missing).values_list("id", "software_id"))
        holdings = Holding.objects.within(perimeter).filter(software_version_id__in=list(owners))
        for version, number in holdings.order_by().values_list("software_version_id").annotate(number=Count("station_id")):
            fresh[owners[version]][version] = number
        cache.set_many({f"{key_of(perimeter)}:holdings:{pk}": value for pk, value in fresh.items()}, KEPT)
        known |= fresh
    return known


def versions_below(software: Software, version: str) -> list[int]:
    """Ids of the versions of a software that are lower than a version."""
    return list(SoftwareVersion.objects.filter(software=software, version_key__lt=version_key(version)).values_list("id", flat=True))


def holders(versions: Iterable[int], perimeter: Perimeter) -> QuerySet[Station]:
    """The stations that hold one of some versions.

    A few are named by their ids, so that no planner walks through all stations in the order of names to find ten.
    """
    holdings = Holding.objects.filter(software_version_id__in=list(versions)).order_by()
    ids = list(holdings.values_list("station_id", flat=True)[: FEW_HOLDERS + 1])
    stations = Station.objects.within(perimeter)
    return stations.filter(pk__in=ids) if len(ids) <= FEW_HOLDERS else stations.filter(pk__in=holdings.values("station_id"))


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
