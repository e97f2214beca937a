# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which stations the address of a list asks for: criteria, and one choice of each facet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _

from ..accounts.perimeter import Perimeter
from ..criteria import CriteriaError, compile
from ..criteria.membership import stations_of
from ..registry.models import Group, Site, Station
from .figures import age_condition

FACETS = ("site", "state", "os", "group", "tag", "seen")
LONGEST = 2000
"""Characters of criteria."""

AGE_WORDS: dict[str, Callable[[], str]] = {
    "1": lambda: _("in the last day"),
    "7": lambda: _("1 to 7 days ago"),
    "30": lambda: _("7 to 30 days ago"),
    "90": lambda: _("30 to 90 days ago"),
    "older": lambda: _("more than 90 days ago"),
    "never": lambda: _("never"),
}


@dataclass
class Mistake:
    """Criteria that are not understood: the text before the place, the place, the text behind it."""

    message: str
    before: str
    place: str
    behind: str


@dataclass
class Selection:
    """The stations, and what narrowed them."""

    stations: QuerySet[Station]
    text: str = ""
    mistake: Mistake | None = None
    chosen: dict[str, str] = field(default_factory=dict)
    """Facets that are in force, as words."""

    @property
    def narrowed(self) -> bool:
        """Whether it is not simply every station of the perimeter."""
        return bool(self.text or self.chosen)

    @property
    def chips(self) -> list[tuple[str, str]]:
        """Facets and their words."""
        return list(self.chosen.items())


def select(query: QueryDict, perimeter: Perimeter) -> Selection:
    """The stations of the perimeter that a query asks for. A facet that nothing has selects nothing."""
    found = Selection(Station.objects.within(perimeter), text=query.get("q", "").strip()[:LONGEST])
    if found.text:
        _search(found, perimeter)
    for facet in FACETS:
        value = query.get(facet, "").strip().replace("\0", "")
        if value:
            _narrow(found, facet, value, perimeter)
    return found


def kept(query: QueryDict) -> str:
    """What a saved filter keeps of a query: criteria, facets and the order."""
    return urlencode([(name, query[name]) for name in ("q", *FACETS, "sort") if query.get(name)])


def _search(found: Selection, perimeter: Perimeter) -> None:
    try:
        found.stations = found.stations.filter(compile(found.text, perimeter))
    except CriteriaError as error:
        start = min(max(error.position, 0), len(found.text))
        end = min(start + max(error.length, 1), len(found.text))
        found.mistake = Mistake(str(error), found.text[:start], found.text[start:end], found.text[end:])
        found.stations = found.stations.none()


def _narrow(found: Selection, facet: str, value: str, perimeter: Perimeter) -> None:
    condition: Q = Q(pk__in=[])
    words: Any = value
    if facet == "site":
        site = Site.objects.within(perimeter).filter(slug=value).first()
        if site is not None:
            condition, words = Q(site__path__startswith=site.path), site.name
    elif facet == "state":
        if value in Station.State.values:
            condition, words = Q(state=value), Station.State(value).label
    elif facet == "os":
        condition = Q(os_name="" if value == "-" else value)
        words = _("unknown") if value == "-" else value
    elif facet == "tag":
        condition = Q(tag="" if value == "-" else value)
        words = _("none") if value == "-" else value
    elif facet == "seen":
        if value in AGE_WORDS:
            condition, words = age_condition(value), AGE_WORDS[value]()
    elif facet == "group":
        group = Group.objects.within(perimeter).filter(name=value).first()
        if group is not None:
            try:
                condition = Q(pk__in=stations_of(group, perimeter).order_by().values("pk"))
            except CriteriaError as error:
                found.mistake = Mistake(_("The criteria of the group are wrong: %(error)s") % {"error": error}, "", group.criteria, "")
    found.chosen[facet] = str(words)
    found.stations = found.stations.filter(condition)
