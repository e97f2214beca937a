# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The groups of an inventory: sites as a tree, kinds, static and dynamic groups; and which of them a station is in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet

from ..criteria import CriteriaError
from ..criteria.membership import members
from ..registry.models import Group, Site, Station
from .selection import Selection
from .variables import Row

Combination = tuple[int, ...]
"""Numbers of the groups that stations are in; many stations share one."""


class GroupTable:
    """Numbered groups. Dynamic ones are worked out once, for the selected stations, and kept as one bit for each station."""

    def __init__(self, selection: Selection, stations: QuerySet[Station]) -> None:
        self.warnings: list[str] = []
        sites = selection.visible_sites()
        groups = list(_groups(selection, sites))
        self._list = [*_tree(sites), *({"name": kind} for kind in Station.Kind.values), *map(_described, groups)]
        first_kind, first_group = len(sites), len(sites) + len(Station.Kind.values)
        self._sites = {site.id: number for number, site in enumerate(sites)}
        self._kinds = {kind: first_kind + number for number, kind in enumerate(Station.Kind.values)}
        self._static = {group.id: first_group + number for number, group in enumerate(groups) if not group.is_dynamic}
        self._inside = {group.id: _below(group.site_id, sites) for group in groups if group.site_id is not None}
        self._dynamic = {first_group + number: self._members(group, stations) for number, group in enumerate(groups) if group.is_dynamic}

    def describe(self) -> list[dict[str, Any]]:
        """``name``, and where there are any ``variables`` and ``children`` (names), of each group in the order of their numbers."""
        return self._list

    def combinations(self, batch: list[Row]) -> list[Combination]:
        """The groups of each station."""
        static: dict[int, list[int]] = {}
        site_of = {row.id: row.site_id for row in batch}
        through = Group.stations.through.objects.filter(station_id__in=list(site_of), group_id__in=list(self._static))
        for station_id, group_id in through.values_list("station_id", "group_id"):
            # A station that moved away is no longer in the groups of the site that it left.
            if group_id not in self._inside or site_of[station_id] in self._inside[group_id]:
                static.setdefault(station_id, []).append(self._static[group_id])
        dynamic: dict[int, list[int]] = {}
        for number, bits in self._dynamic.items():
            for station_id in bits.among(site_of):
                dynamic.setdefault(station_id, []).append(number)
        return [
            (self._sites[row.site_id], self._kinds[row.kind], *sorted((*static.get(row.id, ()), *dynamic.get(row.id, ())))) for row in batch
        ]

    def _members(self, group: Group, stations: QuerySet[Station]) -> Bits:
        try:
            return Bits(members([group], stations).get(group.id, ()))
        except CriteriaError as error:
            # One group that somebody broke must not take everybody's inventory away.
            self.warnings.append(f"The dynamic group {group.name} is empty because its criteria are wrong: {error}")
            return Bits(())


class Bits:
    """A set of ids, in a bit each."""

    def __init__(self, ids: Iterable[int]) -> None:
        ids = list(ids)
        self._bits = bytearray(max(ids, default=0) // 8 + 1)
        for each in ids:
            self._bits[each >> 3] |= 1 << (each & 7)

    def among(self, ids: Iterable[int]) -> list[int]:
        """Those of the ids that are in the set."""
        bits, end = self._bits, len(self._bits) * 8
        return [each for each in ids if each < end and bits[each >> 3] >> (each & 7) & 1]


def _groups(selection: Selection, sites: list[Site]) -> Iterable[Group]:
    """Groups of the perimeter: those without a site, and those of the sites that are part of this inventory."""
    visible = {site.id for site in sites}
    return (group for group in Group.objects.within(selection.perimeter) if group.site_id is None or group.site_id in visible)


def _below(site_id: int, sites: list[Site]) -> frozenset[int]:
    """Ids of a site and of those below it, of the sites that are part of this inventory."""
    return frozenset(site.id for site in sites if site_id in site.ancestor_ids())


def _tree(sites: list[Site]) -> Iterable[dict[str, Any]]:
    """Sites as groups, with those directly below as children."""
    below: dict[int | None, list[str]] = {}
    for site in sites:
        below.setdefault(site.parent_id, []).append(site.group_name)
    for site in sites:
        variables = {**site.variables, "fleet_site_name": site.name}
        if site.time_zone:
            variables["fleet_time_zone"] = site.time_zone
        described: dict[str, Any] = {"name": site.group_name, "variables": variables}
        if site.id in below:
            described["children"] = below[site.id]
        yield described


def _described(group: Group) -> dict[str, Any]:
    return {"name": group.name, "variables": group.variables} if group.variables else {"name": group.name}
