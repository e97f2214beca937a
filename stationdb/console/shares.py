# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the stations of sites divide by state, system or the time since they were seen: one grouped query, kept for some seconds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from django.core.cache import cache
from django.db.models import Count

from ..accounts.perimeter import Perimeter
from ..registry.models import Station
from .figures import KEPT, age_steps, key_of
from .places import Place

WAYS = ("state", "os", "seen")
"""What stations are divided by, as the dashboard's address names it."""

Shares = dict[int, dict[str, int]]
"""By a site's id: how many stations, with those of the sites below, by state, system's name or step of ageing."""


def shares(perimeter: Perimeter, way: str, shown: Sequence[Place], known: Sequence[Place]) -> Shares:
    """For the sites that are shown, out of those that are known; as of some seconds ago. KeyError for no way."""
    key = f"{key_of(perimeter)}:shares:{way}"
    found: Shares | None = cache.get(key)
    if found is None or not all(place.id in found for place in shown):
        found = _add_up(_COUNTS[way](perimeter), shown, known)
        cache.set(key, found, KEPT)
    return found


def _add_up(counts: Iterable[tuple[int, str, int]], shown: Sequence[Place], known: Sequence[Place]) -> Shares:
    paths = {place.id: place.path for place in known}
    found: dict[int, Counter[str]] = {place.id: Counter() for place in shown}
    for site, name, number in counts:
        for above in paths.get(site, "").strip("/").split("/"):
            if above and int(above) in found:
                found[int(above)][name] += number
    return {site: dict(each) for site, each in found.items()}


def _by_field(field: str, perimeter: Perimeter) -> Iterable[tuple[int, str, int]]:
    return Station.objects.within(perimeter).order_by().values_list("site_id", field).annotate(number=Count("id"))


def _by_age(perimeter: Perimeter) -> Iterable[tuple[int, str, int]]:
    steps = age_steps()
    numbers = {f"age_{step}": Count("id", filter=condition) for step, condition in steps.items()}
    for site, *ages in Station.objects.within(perimeter).order_by().values_list("site_id").annotate(**numbers):
        yield from ((site, step, number) for step, number in zip(steps, ages, strict=True))


_COUNTS = {
    "state": lambda perimeter: _by_field("state", perimeter),
    "os": lambda perimeter: _by_field("os_name", perimeter),
    "seen": _by_age,
}
