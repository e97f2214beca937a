# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sites of a perimeter as a tree with counts, kept for some seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.core.cache import cache
from django.utils.formats import number_format
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe

from ..accounts.perimeter import Perimeter
from ..registry.models import Site
from .figures import KEPT, figures, key_of


@dataclass
class Place:
    """A site where it stands in the tree; depth counts from the highest site that is seen. Total counts the sites below as well."""

    id: int
    slug: str
    name: str
    path: str
    depth: int = 0
    own: int = 0
    total: int = 0
    below: int = 0
    """Sites that are part of it, at any depth."""

    @property
    def indented(self) -> str:
        """The name behind as many spaces as it is deep, for lists to choose from."""
        return "\u2003" * self.depth + self.name


def places(perimeter: Perimeter, needed: int | None = None) -> list[Place]:
    """In the order of the tree, siblings by name. One site can be needed even if it came after the others were read."""
    key = f"{key_of(perimeter)}:places"
    found: list[Place] | None = cache.get(key)
    if found is None or (needed is not None and not any(place.id == needed for place in found)):
        found = _tree(perimeter)
        cache.set(key, found, KEPT)
    return found


def options(found: Sequence[Place], chosen: str) -> SafeString:
    """The option elements of a list to choose a site from; made here, because a template takes ten times as long for a hundred."""
    return format_html_join(
        "",
        '<option value="{}"{}>{} ({})</option>',
        (
            (
                place.slug,
                mark_safe(" selected") if place.slug == chosen else "",
                place.indented,
                number_format(place.total, force_grouping=True),
            )
            for place in found
        ),
    )


def _tree(perimeter: Perimeter) -> list[Place]:
    stations = figures(perimeter).sites
    by_id = {
        pk: Place(pk, slug, name, path, own=stations.get(pk, 0))
        for pk, slug, name, path in Site.objects.within(perimeter).values_list("id", "slug", "name", "path")
    }
    above: dict[int, list[Place]] = {}
    for place in by_id.values():
        line = [by_id[pk] for pk in map(int, place.path.strip("/").split("/")) if pk in by_id]
        above[place.id] = line
        place.depth = len(line) - 1
        for each in line:
            each.total += place.own
            each.below += each is not place
    return sorted(by_id.values(), key=lambda place: [(each.name.lower(), each.id) for each in above[place.id]])
