# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts of stations for the dashboard and the facets: a few grouped queries over indexes, kept for some seconds per perimeter."""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.core.cache import cache
from django.db.models import Count, Q
from django.utils import timezone

from .. import home
from ..accounts.perimeter import Perimeter
from ..accounts.rights import Right
from ..registry.models import Station

KEPT = 30
"""Seconds."""

AGES = (1, 7, 30, 90)
"""Days since a station was last seen; the steps of ageing."""


@dataclass(frozen=True)
class Figures:
    """How many stations there are in a perimeter, by site (without those below it), state, system, tag and days since they were seen."""

    total: int
    sites: dict[int, int]
    states: dict[str, int]
    systems: dict[str, int]
    tags: dict[str, int]
    ages: dict[str, int]
    """By step: 1, 7, 30, 90 for at most as many days, older, never."""


def _changed() -> Path:
    """Its time is that of the last change made here. A file, because each process that serves has a cache of its own."""
    return home.home() / "console.changed"


def key_of(perimeter: Perimeter) -> str:
    """Names what a perimeter sees, and the state of things since forget()."""
    ids = perimeter.sites.get(Right.VIEW.value, frozenset())
    seen = "all" if ids is None else hashlib.sha256(",".join(map(str, sorted(ids))).encode()).hexdigest()[:32]
    try:
        changed = _changed().stat().st_mtime_ns
    except FileNotFoundError:
        changed = 0
    return f"console:{changed}:{seen}"


def forget() -> None:
    """Count anew: somebody changed something here and wants to see it."""
    path, now = _changed(), time.time_ns()
    path.touch(mode=0o600)
    os.utime(path, ns=(now, now))


def figures(perimeter: Perimeter) -> Figures:
    """The counts as of some seconds ago."""
    key = f"{key_of(perimeter)}:figures"
    found = cache.get(key)
    if not isinstance(found, Figures):
        found = _count(perimeter)
        cache.set(key, found, KEPT)
    return found


def age_condition(step: str) -> Q:
    """The stations of a step of Figures.ages. KeyError for no step."""
    return age_steps()[step]


def age_steps() -> dict[str, Q]:
    """Conditions by step of Figures.ages, in their order."""
    now = timezone.now()
    steps: dict[str, Q] = {}
    newer: Q | None = None
    for days in AGES:
        since = Q(last_seen__gte=now - timedelta(days=days))
        steps[str(days)] = since if newer is None else since & newer
        newer = Q(last_seen__lt=now - timedelta(days=days))
    steps["older"] = newer or Q()
    steps["never"] = Q(last_seen=None)
    return steps


def _count(perimeter: Perimeter) -> Figures:
    stations = Station.objects.within(perimeter).order_by()

    def by(field: str) -> dict[str, int]:
        return dict(stations.values_list(field).annotate(number=Count("id")).order_by("-number", field))

    sites: dict[int, int] = dict(stations.values_list("site_id").annotate(number=Count("id")).order_by())
    ages = stations.aggregate(**{f"age_{step}": Count("id", filter=condition) for step, condition in age_steps().items()})
    return Figures(
        total=sum(sites.values()),
        sites=sites,
        states=by("state"),
        systems=by("os_name"),
        tags=by("tag"),
        ages={step.removeprefix("age_"): number for step, number in ages.items()},
    )
