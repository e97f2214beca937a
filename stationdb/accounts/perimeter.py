# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The perimeter: the sites that somebody may see, for each right. The one way from a user to rows.

Models that belong to a site have a manager made from ScopedQuerySet. Pages, counts, exports, API and inventory begin with
``Model.objects.within(perimeter)`` or ``within(perimeter, right)``; nothing that serves a user begins elsewhere, and a test asserts it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self, TypeVar

from django.db import models

from .rights import Right

if TYPE_CHECKING:
    from .models import Token, User

M = TypeVar("M", bound=models.Model)


@dataclass(frozen=True)
class Perimeter:
    """Sites by right: ids of sites, or None for every site. A right that is absent is not had anywhere."""

    sites: Mapping[str, frozenset[int] | None] = field(default_factory=dict)

    @classmethod
    def everything(cls) -> Perimeter:
        """Of the system itself and of administrators."""
        return cls({right.value: None for right in Right})

    @classmethod
    def of_user(cls, user: User) -> Perimeter:
        """What a user's roles give; everything for an active superuser, nothing for who is not active."""
        from .models import Assignment

        if not user.is_active:
            return cls()
        if user.is_superuser:
            return cls.everything()
        found: dict[str, set[int] | None] = {}
        for assignment in Assignment.objects.filter(user=user).select_related("role", "site"):
            inside = None if assignment.site is None else set(assignment.site.with_descendants().values_list("id", flat=True))
            for right in assignment.role.rights:
                known = found.get(right, set())
                found[right] = None if inside is None or known is None else known | inside
        return cls({right: None if ids is None else frozenset(ids) for right, ids in found.items()})

    @classmethod
    def of_token(cls, token: Token) -> Perimeter:
        """What the token's user may do, as far as the token's scopes go."""
        return cls.of_user(token.user).limited(token.scopes)

    def limited(self, rights: Iterable[str]) -> Perimeter:
        """The same sites for some of the rights only."""
        wanted = set(rights)
        return Perimeter({right: ids for right, ids in self.sites.items() if right in wanted})

    def has(self, right: Right | str) -> bool:
        """Whether the right is had for any site."""
        return str(right) in self.sites

    def everywhere(self, right: Right | str) -> bool:
        """Whether the right is had for every site."""
        return self.sites.get(str(right), frozenset()) is None

    def covers(self, site_id: int | None, right: Right | str) -> bool:
        """Whether the right is had for this site; None is what belongs to all sites, which only a right for every site covers."""
        ids = self.sites.get(str(right), frozenset())
        return ids is None or (site_id is not None and site_id in ids)

    def condition(self, right: Right | str, lookup: str) -> models.Q:
        """A condition on the id of a row's site, named by lookup ("site_id", "station__site_id")."""
        ids = self.sites.get(str(right), frozenset())
        return models.Q() if ids is None else models.Q(**{f"{lookup}__in": ids})


class ScopedQuerySet(models.QuerySet[M]):
    """Rows of a model whose ``site_lookup`` says through which field a row belongs to a site.

    A model with ``shared_when_siteless = True`` shows rows without a site to whoever has the right anywhere (never to change them).
    """

    def within(self, perimeter: Perimeter, right: Right | str = Right.VIEW) -> Self:
        """The rows for which the perimeter has the right."""
        lookup: str = self.model.site_lookup  # type: ignore[attr-defined]  # of every model with this queryset
        condition = perimeter.condition(right, lookup)
        if getattr(self.model, "shared_when_siteless", False) and right == Right.VIEW and perimeter.has(right) and condition:
            condition |= models.Q(**{f"{lookup}__isnull": True})
        return self.filter(condition)
