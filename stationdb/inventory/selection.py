# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which stations an inventory is about: filters that become one query."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from ..accounts.perimeter import Perimeter
from ..criteria import compile as compile_criteria
from ..criteria.membership import stations_of
from ..errors import Missing
from ..registry.models import Group, Site, Station

LIVING = (Station.State.NEW, Station.State.READY, Station.State.REPAIR)
"""States that are meant when none is named: a retired station is no host any more."""


@dataclass(frozen=True)
class Selection:
    """Stations of the perimeter that are in one of the sites or below, in one of the groups, in one of the states, and meet the criteria.

    What is empty does not filter; without states all but retired stations are meant. Groups may be kinds (models, relays) as well.
    """

    perimeter: Perimeter
    sites: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    criteria: str = ""
    states: tuple[str, ...] = ()

    def stations(self) -> QuerySet[Station]:
        """The stations; Missing for a site, group or state that there is not, CriteriaError for criteria that are wrong."""
        states = [_known(state, Station.State.values, "state") for state in self.states] or LIVING
        stations = Station.objects.within(self.perimeter).filter(state__in=states)
        if self.sites:
            stations = stations.filter(_any(Q(site__path__startswith=site.path) for site in self.selected_sites()))
        if self.groups:
            stations = stations.filter(_any(self._in_group(name) for name in self.groups))
        if self.criteria.strip():
            stations = stations.filter(compile_criteria(self.criteria, self.perimeter))
        return stations

    def selected_sites(self) -> list[Site]:
        """The sites that are named."""
        found = {site.slug: site for site in Site.objects.within(self.perimeter).filter(slug__in=self.sites)}
        return [found[_known(slug, found, "site")] for slug in self.sites]

    def visible_sites(self) -> list[Site]:
        """Sites of the perimeter by name; of a selection of sites those above and below it only."""
        sites = Site.objects.within(self.perimeter)
        if self.sites:
            selected = self.selected_sites()
            below = _any(Q(path__startswith=site.path) for site in selected)
            sites = sites.filter(below | Q(id__in=[above for site in selected for above in site.ancestor_ids()]))
        return list(sites.order_by("slug"))

    def _in_group(self, name: str) -> Q:
        if name in Station.Kind.values:
            return Q(kind=name)
        group = Group.objects.within(self.perimeter).filter(name=name).first()
        if group is None:
            raise _unknown(name, "group")
        return Q(id__in=stations_of(group, self.perimeter).order_by().values("id"))


def _any(conditions: Iterable[Q]) -> Q:
    whole = Q()
    for condition in conditions:
        whole |= condition
    return whole


def _known(name: str, names: Iterable[str], what: str) -> str:
    if name not in names:
        raise _unknown(name, what)
    return name


def _unknown(name: str, what: str) -> Missing:
    return Missing(f"There is no {what} {name!r} among those you may see", "Check its spelling, and the sites your roles are for")
