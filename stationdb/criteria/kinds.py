# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds of fields: which operators they take, and the condition on Station that each makes.

Conditions are true or false for every station, never unknown, so that ``not`` is the exact opposite: what is not known is not less
than anything, and ``not (ram < 8 GiB)`` has the stations whose memory is not known.
"""

from __future__ import annotations

import difflib
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext as _

from ..accounts.perimeter import Perimeter
from ..registry.models import Group, Station
from ..versions import version_key
from . import values
from .lookups import begins, matches, same, same_name
from .syntax import Word

EQUALITY = ("=", "!=", "in", "not in")
LIKENESS = ("=", "!=", "~", "!~", "in", "not in")
ORDER = ("=", "!=", "<", "<=", ">", ">=", "in", "not in")
LOOKUPS = {"=": "exact", "<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}


class Scope(ABC):
    """What criteria are compiled for: who asks, and when."""

    perimeter: Perimeter
    now: datetime
    for_group: bool
    """Whether somebody writes criteria that a group will keep."""
    kept: bool
    """Whether a group keeps them: what they name was there when they were written, and is nobody's since it is gone."""

    @abstractmethod
    def members(self, group: Group, word: Word) -> Q:
        """The condition of being in a group that the word names."""


@dataclass(frozen=True)
class Field(ABC):
    """A field of the language."""

    name: str
    operators: tuple[str, ...] = field(default=EQUALITY, kw_only=True)

    @abstractmethod
    def condition(self, operator: str, word: Word, scope: Scope) -> Q:
        """Stations for which the field compares so with the value; the operator is one of = < <= > >= ~ that the field takes."""

    def filled(self) -> Q | None:
        """Stations that have a value; None for a field that says nothing by that."""
        return None

    def one_of(self, words: Iterable[Word], scope: Scope) -> Q:
        """Stations whose value is one of these."""
        return any_of(self.condition("=", word, scope) for word in words)

    def suggestions(self, beginning: str, scope: Scope, limit: int) -> list[str]:
        """Values that begin so, within the perimeter."""
        return []


@dataclass(frozen=True)
class TextField(Field):
    """A text of the station; case does not count."""

    column: str
    operators: tuple[str, ...] = field(default=LIKENESS, kw_only=True)
    listed: bool = field(default=True, kw_only=True)
    """Whether its values are offered while somebody writes."""

    def condition(self, operator: str, word: Word, scope: Scope) -> Q:
        text = values.text(word)
        return matches(self.column, text) if operator == "~" else same(self.column, text)

    def filled(self) -> Q:
        return ~Q(**{self.column: ""})

    def suggestions(self, beginning: str, scope: Scope, limit: int) -> list[str]:
        if not self.listed:
            return []
        found = Station.objects.within(scope.perimeter).filter(begins(self.column, beginning)).exclude(**{self.column: ""})
        return list(found.order_by(self.column).values_list(self.column, flat=True).distinct()[:limit])


@dataclass(frozen=True)
class NameField(TextField):
    """The station's name."""

    def condition(self, operator: str, word: Word, scope: Scope) -> Q:
        return same_name(values.text(word)) if operator == "=" else super().condition(operator, word, scope)


@dataclass(frozen=True)
class ChoiceField(Field):
    """One of a few words."""

    column: str
    choices: Mapping[str, str]
    """What the database has, by word."""
    operators: tuple[str, ...] = field(default=EQUALITY, kw_only=True)

    def condition(self, operator: str, word: Word, scope: Scope) -> Q:
        chosen = self.choices.get(values.text(word).lower())
        if chosen is None:
            raise word.wrong(
                _("“%(text)s” is no %(field)s.") % {"text": word.text, "field": self.name},
                _("It is one of %(choices)s.") % {"choices": ", ".join(self.choices)},
            )
        return Q(**{self.column: chosen})

    def suggestions(self, beginning: str, scope: Scope, limit: int) -> list[str]:
        return [choice for choice in self.choices if choice.startswith(beginning.lower())][:limit]


@dataclass(frozen=True)
class NumberField(Field):
    """A whole number that may be unknown."""

    column: str
    operators: tuple[str, ...] = field(default=ORDER, kw_only=True)

    def condition(self, operator: str, word: Word, scope: Scope) -> Q:
        return known(self.column, operator, self.value(word))

    def value(self, word: Word) -> int:
        """The number of a word."""
        return values.number(word)

    def filled(self) -> Q:
        return Q(**{f"{self.column}__isnull": False})


@dataclass(frozen=True)
class SizeField(NumberField):
    """Bytes, written with a unit."""

    def value(self, word: Word) -> int:
        return values.size(word)

    def suggestions(self, beginning: str, scope: Scope, limit: int) -> list[str]:
        number, _space, unit = beginning.partition(" ")
        if not number.isdigit():
            return [] if beginning else ["4 GiB", "8 GiB", "16 GiB"]
        return [f"{number} {each}" for each in values.SIZE_UNITS[-4:] if each.lower().startswith(unit.lower())]


@dataclass(frozen=True)
class VersionField(TextField):
    """A version: it is compared by its key, and likened by its text."""

    operators: tuple[str, ...] = field(default=(*ORDER, "~", "!~"), kw_only=True)

    def condition(self, operator: str, word: Word, scope: Scope) -> Q:
        text = values.text(word)
        return matches(self.column, text) if operator == "~" else compared_version(f"{self.column}_key", operator, text)


@dataclass(frozen=True)
class MomentField(Field):
    """When something happened, if it ever did."""

    column: str
    operators: tuple[str, ...] = field(default=ORDER[:6], kw_only=True)

    def condition(self, operator: str, word: Word, scope: Scope) -> Q:
        if word.text.lower() == "never":
            if operator != "=":
                raise word.wrong(_("“never” goes with = and != only."))
            return Q(**{f"{self.column}__isnull": True})
        moment = values.moment(word, scope.now)
        if operator == "=":
            if moment.is_instant:
                raise word.wrong(
                    _("Nothing happens at exactly this instant."), _("Use < or >, or = with a day such as 2026-01-31, today, yesterday.")
                )
            return known(self.column, ">=", moment.start) & known(self.column, "<", moment.end)
        if operator in ("<=", ">") and not moment.is_instant:
            return known(self.column, "<" if operator == "<=" else ">=", moment.end)
        return known(self.column, operator, moment.start)

    def filled(self) -> Q:
        return Q(**{f"{self.column}__isnull": False})

    def suggestions(self, beginning: str, scope: Scope, limit: int) -> list[str]:
        number = beginning.split()[0] if beginning[:1].isdigit() else "30"
        moments = [f"{number} days ago", f"{number} hours ago", "today", "yesterday", "never"]
        return [each for each in moments if each.startswith(beginning.lower())]


@dataclass(frozen=True)
class UuidField(Field):
    """The SMBIOS UUID."""

    operators: tuple[str, ...] = field(default=EQUALITY, kw_only=True)

    def condition(self, operator: str, word: Word, scope: Scope) -> Q:
        try:
            return Q(**{self.name: uuid.UUID(values.text(word))})
        except ValueError as error:
            raise word.wrong(_("“%(text)s” is not a UUID.") % {"text": word.text}) from error

    def filled(self) -> Q:
        return Q(**{f"{self.name}__isnull": False})


def known(column: str, operator: str, value: object) -> Q:
    """A comparison that is false when the column has no value."""
    return Q(**{f"{column}__isnull": False, f"{column}__{LOOKUPS[operator]}": value})


def compared_version(column: str, operator: str, text: str) -> Q:
    """A column of keys compared with a version. What has no version is below none."""
    condition = Q(**{f"{column}__{LOOKUPS[operator]}": version_key(text)})
    return condition & Q(**{f"{column}__gt": b""}) if operator in ("<", "<=") else condition


def any_of(conditions: Iterable[Q]) -> Q:
    """At least one of the conditions; there is one."""
    whole = Q()
    for condition in conditions:
        whole |= condition
    return whole


def nearest(text: str, names: Iterable[str]) -> str:
    """A remedy that names what may have been meant, or nothing."""
    found = difflib.get_close_matches(text.lower(), list(names), 3, 0.6)
    return _("Did you mean %(names)s?") % {"names": ", ".join(found)} if found else ""
