# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which stations are in a group, and which groups a station is in. What criteria of groups mean does not depend on who asks."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet, Value

from ..accounts.perimeter import Perimeter
from ..registry.models import Group, Station
from .compiler import of_group
from .errors import CriteriaError

_AT_ONCE = 50
"""Groups in one query."""


def stations_of(group: Group, perimeter: Perimeter) -> QuerySet[Station]:
    """The stations of the group that are within the perimeter. CriteriaError when somebody broke its criteria."""
    return Station.objects.within(perimeter).filter(of_group(group))


def groups_of(station: Station, perimeter: Perimeter) -> list[Group]:
    """The groups within the perimeter that the station is in, by name; a group whose criteria are broken has nobody."""
    groups = list(Group.objects.within(perimeter).select_related("site"))
    named = set(station.groups.values_list("id", flat=True))
    tests = []
    for group in groups:
        if group.is_dynamic or (group.pk in named and group.site_id is not None):
            try:
                tests.append(Station.objects.filter(pk=station.pk).filter(of_group(group)).order_by().values_list(Value(group.pk)))
            except CriteriaError:
                continue
    inside = {group.pk for group in groups if group.pk in named and group.site_id is None and not group.is_dynamic}
    for first in range(0, len(tests), _AT_ONCE):
        query, *others = tests[first : first + _AT_ONCE]
        inside |= {each for (each,) in (query.union(*others, all=True) if others else query)}
    return [group for group in groups if group.pk in inside]


def members(groups: Iterable[Group], stations: QuerySet[Station]) -> dict[int, list[int]]:
    """Ids of those of the stations that are in each group, in order, by the group's id: one query for each group.

    CriteriaError when somebody broke the criteria of one of them.
    """
    chosen = stations.order_by("id").values_list("id", flat=True)
    return {group.pk: list(chosen.filter(of_group(group)).iterator(20_000)) for group in groups}
