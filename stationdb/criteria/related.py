# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields whose values are rows of their own: sites, groups, models, images.

Names are looked up within the perimeter, so that what exists outside it is told in the same way as what does not exist.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Q
from django.utils.translation import gettext as _

from ..accounts.rights import Right
from ..content.models import Image
from ..registry.models import Group, Site, Station
from . import values
from .errors import CriteriaError
from .kinds import EQUALITY, LIKENESS, Field, Scope, any_of, nearest
from .lookups import begins, matches, nobody, same, same_name
from .syntax import Word


@dataclass(frozen=True)
class SiteField(Field):
    """A site and those below it, by short name or by name."""

    operators: tuple[str, ...] = field(default=LIKENESS, kw_only=True)

    def condition(self, operator: str, word: Word, scope: Scope) -> Q:
        sites = Site.objects.within(scope.perimeter)
        text = values.text(word)
        if operator == "~":
            _refuse_pattern(word, scope)
            paths = list(sites.filter(matches("slug", text) | matches("name", text)).values_list("path", flat=True))
        else:
            paths = list(sites.filter(slug=text.lower()).values_list("path", flat=True))
            paths = paths or list(sites.filter(same("name", text)).values_list("path", flat=True))
            if not paths:
                raise _unknown(word, _("There is no site “%(name)s” that you may see."), sites.values_list("slug", flat=True))
        if not paths:
            return nobody()
        return Q(site__in=Site.objects.filter(any_of(Q(path__startswith=path) for path in paths)).order_by().values("id"))

    def suggestions(self, beginning: str, scope: Scope, limit: int) -> list[str]:
        found = Site.objects.within(scope.perimeter).filter(begins("slug", beginning) | begins("name", beginning))
        return list(found.order_by("slug").values_list("slug", flat=True)[:limit])


@dataclass(frozen=True)
class GroupField(Field):
    """A static or dynamic group, or a kind of station, which is a group for Ansible."""

    operators: tuple[str, ...] = field(default=EQUALITY, kw_only=True)

    def condition(self, operator: str, word: Word, scope: Scope) -> Q:
        name = values.text(word).lower()
        if name in Station.Kind.values:
            return Q(kind=name)
        groups = Group.objects.within(scope.perimeter)
        group = groups.filter(name=name).first()
        if group is None:
            names = [*groups.values_list("name", flat=True), *Station.Kind.values]
            raise _unknown(word, _("There is no group “%(name)s” that you may see."), names)
        return scope.members(group, word)

    def suggestions(self, beginning: str, scope: Scope, limit: int) -> list[str]:
        found = Group.objects.within(scope.perimeter).filter(begins("name", beginning)).order_by("name")
        kinds = [kind for kind in Station.Kind.values if kind.startswith(beginning.lower())]
        return [*found.values_list("name", flat=True)[:limit], *kinds][:limit]


@dataclass(frozen=True)
class ModelField(Field):
    """The station whose image it is meant to have."""

    operators: tuple[str, ...] = field(default=LIKENESS, kw_only=True)

    def condition(self, operator: str, word: Word, scope: Scope) -> Q:
        text = values.text(word)
        models = Station.objects.within(scope.perimeter)
        if operator == "~":
            _refuse_pattern(word, scope)
            models = models.filter(matches("name", text))
        else:
            seen, models = models, models.filter(same_name(text))
            if not scope.kept and not models.exists():
                names = seen.filter(kind=Station.Kind.MODEL).values_list("name", flat=True)
                raise _unknown(word, _("There is no station “%(name)s” that you may see."), names)
        return Q(model__isnull=False, model__in=models.order_by().values("id"))

    def filled(self) -> Q:
        return Q(model__isnull=False)

    def suggestions(self, beginning: str, scope: Scope, limit: int) -> list[str]:
        found = Station.objects.within(scope.perimeter).filter(begins("name", beginning), kind=Station.Kind.MODEL)
        return list(found.order_by("name").values_list("name", flat=True)[:limit])


@dataclass(frozen=True)
class ImageField(Field):
    """The assigned image, by name, or by name and version: "debian13" or "debian13 2026.10"."""

    operators: tuple[str, ...] = field(default=LIKENESS, kw_only=True)

    def condition(self, operator: str, word: Word, scope: Scope) -> Q:
        images = Image.objects.within(scope.perimeter)
        if operator == "~":
            _refuse_pattern(word, scope)
            images = images.filter(matches("name", values.text(word)))
        else:
            name, _space, version = values.text(word).partition(" ")
            seen, images = images, images.filter(same("name", name), *([same("version", version)] if version else []))
            if not scope.kept and not images.exists():
                raise _unknown(word, _("There is no image “%(name)s” that you may see."), seen.values_list("name", flat=True).distinct())
        return Q(image__isnull=False, image__in=images.order_by().values("id"))

    def filled(self) -> Q:
        return Q(image__isnull=False)

    def suggestions(self, beginning: str, scope: Scope, limit: int) -> list[str]:
        found = Image.objects.within(scope.perimeter).filter(begins("name", beginning))
        return list(found.order_by("name").values_list("name", flat=True).distinct()[:limit])


def _unknown(word: Word, message: str, names: Iterable[str]) -> CriteriaError:
    return word.wrong(message % {"name": word.text}, nearest(word.text, names))


def _refuse_pattern(word: Word, scope: Scope) -> None:
    """A group is followed for every site: what its patterns match would tell its writer names from sites that they do not see."""
    if scope.for_group and not scope.perimeter.everywhere(Right.VIEW):
        raise word.wrong(_("In a group a pattern could match what you do not see."), _("Name each: with =, or with in (…, …)."))
