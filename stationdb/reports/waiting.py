# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which reports of stations without a site may find one now, by what was written down of them: none of them is read again for nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from django.db.models.functions import Lower

from ..registry.models import MacAddress, Station
from .models import Unplaced
from .placing import Network, Places
from .spool import Spool

_AT_ONCE = 300
"""Values a query; SQLite takes 999 parameters at least."""


class Waiting:
    """One worker's memory of what waiting reports were tried against."""

    def __init__(self, spool: Spool) -> None:
        self.spool = spool
        self._places: tuple[list[tuple[Network, int]], int | None] | None = None
        self._tried: dict[str, set[int]] = {}
        """Stations by id of the report."""

    def ready(self) -> list[str]:
        """Ids of reports to be tried again: all when subnets or sites changed (or at first); else those for which a station turned up."""
        waiting = self.spool.waiting_ids()
        if not waiting:
            self._tried.clear()
            return []
        places = Places()
        before, self._places = self._places, (places.subnets, places.default)
        candidates = self._candidates()
        known = candidates.keys() | self._tried.keys()
        found = [each for each in waiting if before != self._places or each not in known or candidates[each] - self._tried.get(each, set())]
        self._tried = {each: candidates[each] for each in waiting}
        return found

    @staticmethod
    def _candidates() -> defaultdict[str, set[int]]:
        """Stations that share a name, a card or a serial number with a waiting report, by the report's id."""
        rows = list(Unplaced.objects.values_list("id", "name", "macs", "serial"))
        names: dict[str, int] = {}
        cards: dict[str, int] = {}
        serials: dict[str, set[int]] = defaultdict(set)
        for part in _parts({name.lower() for _pk, name, _macs, _serial in rows if name}):
            names |= Station.objects.alias(lower=Lower("name")).filter(lower__in=part).values_list(Lower("name"), "id")
        for part in _parts({mac for _pk, _name, macs, _serial in rows for mac in macs.split()}):
            cards |= MacAddress.objects.filter(mac__in=part).values_list("mac", "station_id")
        for part in _parts({serial for _pk, _name, _macs, serial in rows if serial}):
            for serial, station in Station.objects.filter(serial__in=part).values_list("serial", "id"):
                serials[serial].add(station)
        found: defaultdict[str, set[int]] = defaultdict(set)
        for pk, name, macs, serial in rows:
            matching = {names.get(name.lower()), *(cards.get(mac) for mac in macs.split()), *serials.get(serial, ())}
            found[pk.hex] = {station for station in matching if station is not None}
        return found


def _parts(values: Iterable[str]) -> Iterator[list[str]]:
    ordered = sorted(values)
    for first in range(0, len(ordered), _AT_ONCE):
        yield ordered[first : first + _AT_ONCE]
