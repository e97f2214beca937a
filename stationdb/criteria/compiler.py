# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From nodes to a condition on Station."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from ..accounts.perimeter import Perimeter
from ..registry.models import Group
from . import syntax
from .errors import CriteriaError
from .fields import CALLS, FIELDS, REPORT, find
from .installed import holders
from .kinds import Field, Scope, any_of, nearest
from .lookups import searched
from .network import card_contains
from .syntax import Word
from .variables import PREFIX

MAX_CONDITIONS = 300
"""Those of the groups that are named included."""


def compile(text: str, perimeter: Perimeter, *, group: str = "") -> Q:
    """The condition of the stations that meet the criteria; every station meets blank ones. CriteriaError for criteria that are wrong.

    Sites, groups, models and images are looked up within the perimeter; the stations are the caller's: ``Station.objects.within(…)``.
    Group is the name of the dynamic group whose criteria these are or will be: it cannot be part of itself.
    """
    return Compilation(perimeter, timezone.now(), (group,) if group else ()).of(text)


def of_group(group: Group) -> Q:
    """The condition of being in the group. What its criteria name need not be within the perimeter of who looks at the group.

    The perimeter of who wrote them was what counted: criteria are compiled with it before they are stored.
    """
    return Compilation(Perimeter.everything(), timezone.now(), ()).in_group(group)


class Circle(CriteriaError):
    """Groups that are part of each other."""


class Compilation(Scope):
    """One text, and those of the groups it names."""

    def __init__(
        self, perimeter: Perimeter, now: datetime, trail: tuple[str, ...], spent: list[int] | None = None, kept: bool = False
    ) -> None:
        self.perimeter = perimeter
        self.now = now
        self.kept = kept
        self.for_group = bool(trail) and not kept
        self._trail = trail
        self._spent = spent if spent is not None else [0]

    def of(self, text: str) -> Q:
        """The condition of a text."""
        return self._of(syntax.parse(text)) if text.strip() else Q()

    def in_group(self, group: Group) -> Q:
        """The condition of being in the group; a group of a site has stations of that site and those below it only."""
        if group.is_dynamic:
            inner = Compilation(Perimeter.everything(), self.now, (*self._trail, group.name), self._spent, kept=True)
            condition = inner.of(group.criteria) or Q(pk__isnull=False)  # an empty Q is everybody alone, but nobody's addition to an or
        else:
            condition = Q(id__in=Group.stations.through.objects.filter(group_id=group.pk).values("station_id"))
        return condition if group.site is None else condition & Q(site__in=group.site.with_descendants().order_by().values("id"))

    def members(self, group: Group, word: Word) -> Q:
        if group.name in self._trail:
            circle = " → ".join((*self._trail[self._trail.index(group.name) :], group.name))
            message = _("The group “%(name)s” would be part of itself: %(circle)s.") % {"name": group.name, "circle": circle}
            raise Circle(message, word.position, word.length)
        try:
            return self.in_group(group)
        except Circle as error:
            raise Circle(error.message, word.position, word.length) from error
        except CriteriaError as error:
            raise word.wrong(_("The criteria of the group “%(name)s” are wrong:") % {"name": group.name}, str(error)) from error

    def _of(self, node: syntax.Node) -> Q:
        if isinstance(node, syntax.All):
            whole = Q()
            for part in node.parts:
                whole &= self._of(part)
            return whole
        if isinstance(node, syntax.Some):
            return any_of([self._of(part) for part in node.parts])
        if isinstance(node, syntax.Not):
            return ~self._of(node.inner)
        if isinstance(node, syntax.Comparison):
            return self._comparison(node)
        if isinstance(node, syntax.Call):
            return self._call(node.name, node.values)
        if isinstance(node, syntax.Filled):
            return self._filled(node.field)
        if isinstance(node, syntax.Text):
            return self._text(node.words)
        self._spend(node.name, 1 + len(node.values))
        return holders(node)

    def _comparison(self, node: syntax.Comparison) -> Q:
        field = self._field(node.field)
        self._spend(node.field, len(node.values))
        if node.operator not in field.operators:
            raise node.place.wrong(
                _("“%(operator)s” does not go with %(field)s.") % {"operator": node.operator, "field": field.name},
                _("Use one of %(operators)s.") % {"operators": " ".join(field.operators)},
            )
        if node.operator in ("in", "not in"):
            found = field.one_of(node.values, self)
        else:
            found = field.condition(node.operator.replace("!", "") or "=", node.values[0], self)
        return ~found if node.operator in ("!=", "!~", "not in") else found

    def _call(self, name: Word, words: tuple[Word, ...]) -> Q:
        field = CALLS.get(name.text.lower())
        if field is None:
            raise name.wrong(
                _("“%(name)s” is not followed by parentheses.") % {"name": name.text},
                _("Only site(…) and group(…) are; else write and or or."),
            )
        self._spend(name, len(words))
        return field.one_of(words, self)

    def _filled(self, name: Word) -> Q:
        self._spend(name, 1)
        if name.text.lower() == REPORT:
            return ~Q(last_seen=None)
        found = self._field(name).filled()
        if found is None:
            raise name.wrong(_("Every station has %(field)s, or may have several.") % {"field": name.text})
        return found

    def _text(self, words: tuple[Word, ...]) -> Q:
        whole = Q()
        for word in words:
            if not word.quoted and word.text.startswith(PREFIX):
                raise word.wrong(
                    _("“%(text)s” is a field; its operator is missing.") % {"text": self._field(word).name},
                    _("Write %(text)s = … or has %(text)s, or quote it to search the text.") % {"text": word.text},
                )
            if not word.quoted and word.text.lower() in FIELDS:
                raise word.wrong(
                    _("“%(text)s” is a field; its operator is missing.") % {"text": word.text},
                    _("Write %(text)s = …, or quote it to search the text.") % {"text": word.text},
                )
            self._spend(word, 1)
            whole &= anywhere(word.text)
        return whole

    def _field(self, word: Word) -> Field:
        field = find(word.text)
        if field is None:
            remedy = nearest(word.text, [*FIELDS, "software"])
            if word.text.startswith(PREFIX):
                remedy = _("Write variables.NAME with letters, digits and underscores.")
            remedy = remedy or _("There are: %(names)s.") % {"names": ", ".join([*FIELDS, "software", f"{PREFIX}NAME"])}
            raise word.wrong(_("There is no field “%(name)s”.") % {"name": word.text}, remedy)
        return field

    def _spend(self, word: Word, conditions: int) -> None:
        self._spent[0] += max(1, conditions)
        if self._spent[0] > MAX_CONDITIONS:
            raise word.wrong(
                _("There are more than %(count)s conditions, those of the named groups included.") % {"count": MAX_CONDITIONS},
                _("Make a static group of the stations you mean."),
            )


def anywhere(text: str) -> Q:
    """Stations that have this text in their name, serial number, product, user, addresses or network cards."""
    found = searched(text)
    card = card_contains(text)
    return found if card is None else found | card
