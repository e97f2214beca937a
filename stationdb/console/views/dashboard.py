# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the fleet is."""

from __future__ import annotations

from typing import Any

from django.core.cache import cache
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from ...accounts.rights import Right
from ...registry.models import Station
from ...reports.models import Report, Unplaced
from .. import charts
from ..charts import Bar
from ..figures import KEPT, Figures, figures
from ..intake import intake
from ..places import Place, places
from ..selection import AGE_WORDS
from ..shares import WAYS, shares
from .access import Request, page

STATES = {"ready": "good", "new": "t1", "repair": "warn", "retired": "quiet"}
AGES = {"1": "good", "7": "t1", "30": "t2", "90": "warn", "older": "bad", "never": "quiet"}
SYSTEMS = 6
"""Systems that are named; the others are one more row."""

SYSTEM_TONES = ("t1", "t2", "t3", "t4", "t5")
"""Systems that have a colour in the picture of sites; the others share one."""

SITES = 12
"""Sites in that picture."""


@page(None)
def dashboard(request: Request) -> HttpResponse:
    """Stations by site, state and system, how long ago they were seen, what came last and what is new."""
    if not request.perimeter.has(Right.VIEW):
        return render(request, "console/nothing.html")
    counts = figures(request.perimeter)
    states = [_bar(Station.State(key).label, counts.states.get(key, 0), tone, state=key) for key, tone in STATES.items()]
    ages = [_bar(AGE_WORDS[key](), counts.ages.get(key, 0), tone, seen=key) for key, tone in AGES.items()]
    way = request.GET.get("by", "")
    known = places(request.perimeter)
    sites = [place for place in known if place.depth <= 1 and place.total]
    everything = request.perimeter.everywhere(Right.VIEW)
    reports = Report.objects.within(request.perimeter).select_related("station__site").order_by("-received")
    new = Station.objects.within(request.perimeter).filter(state=Station.State.NEW).select_related("site").order_by("-created", "-pk")
    unplaced = Unplaced.objects.within(request.perimeter)[:8] if everything else []
    return render(
        request,
        "console/dashboard.html",
        {
            "counts": counts,
            "states": states,
            "state_ring": charts.ring(states, _("Stations by state")),
            "ages": ages,
            "age_line": charts.stacked(ages, _("Last seen")),
            "systems": _systems(counts),
            **_sites(request, way if way in WAYS else WAYS[0], sites[:SITES], known, counts),
            "more_sites": max(len(sites) - SITES, 0),
            "reports": reports[:8],
            "new": new[:8],
            "unplaced": unplaced,
            "warn": _warnings(counts),
            "intake": cache.get_or_set("console:intake", intake, KEPT) if everything else None,
        },
    )


def _bar(label: object, number: int, tone: str, **query: str) -> Bar:
    return Bar(str(label), number, tone, f"{reverse('console:stations')}?{urlencode(query)}")


def _sites(request: Request, way: str, shown: list[Place], known: list[Place], counts: Figures) -> dict[str, Any]:
    """Each site as a line, as long as it is large, divided by state, system or ageing."""
    if way == "state":
        tones = {key: (str(Station.State(key).label), tone) for key, tone in STATES.items()}
    elif way == "seen":
        tones = {key: (AGE_WORDS[key](), tone) for key, tone in AGES.items()}
    else:
        tones = {name: (name or _("unknown"), tone) for name, tone in zip(counts.systems, SYSTEM_TONES, strict=False)}
    divided = shares(request.perimeter, way, shown, known)
    most = max([place.total for place in shown], default=1)
    lines = []
    for place in shown:
        bars = [Bar(words, divided[place.id].get(key, 0), tone) for key, (words, tone) in tones.items()]
        rest = sum(number for key, number in divided[place.id].items() if key not in tones)
        bars += [Bar(_("others"), rest, "quiet")] if rest else []
        lines.append((place, charts.stacked(bars, place.name, place.total / most)))
    key = [*tones.values(), *([(_("others"), "quiet")] if way == "os" and len(counts.systems) > len(SYSTEM_TONES) else [])]
    ways = [(each, words) for each, words in zip(WAYS, (_("State"), _("System"), _("Last seen")), strict=True)]
    return {"sites": lines, "ways": ways, "way": way, "key": key}


def _systems(counts: Figures) -> list[tuple[Bar, float]]:
    named = list(counts.systems.items())
    bars = [_bar(name or _("unknown"), number, "t1", os=name or "-") for name, number in named[:SYSTEMS]]
    others = sum(number for _name, number in named[SYSTEMS:])
    if others:
        bars.append(Bar(_("others"), others, "quiet", reverse("console:stations")))
    most = max([bar.number for bar in bars], default=1)
    return [(bar, bar.number / most) for bar in bars]


def _warnings(counts: Figures) -> list[Bar]:
    """What deserves a look today."""
    return [
        _bar(_("new stations"), counts.states.get("new", 0), "t1", state="new"),
        _bar(_("in repair"), counts.states.get("repair", 0), "warn", state="repair"),
        _bar(_("not seen for 90 days"), counts.ages.get("older", 0), "bad", seen="older"),
        _bar(_("never seen"), counts.ages.get("never", 0), "quiet", seen="never"),
    ]
