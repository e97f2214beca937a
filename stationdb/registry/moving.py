# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold when a station, or a site with all that is in it, comes to be elsewhere: nobody gains a right by moving things."""

from __future__ import annotations

from collections.abc import Collection

from django.utils.translation import gettext_lazy as _

from ..accounts.perimeter import Perimeter
from ..accounts.rights import Right
from .models import Group, Site

SECRETS_MOVE = _("The station has secret values, which others could read there.")
SECRETS_REMEDY = _("Ask somebody who has the right stations.secrets at its site to move it, or to remove the values first.")
RIGHTS_MOVE = _("You would have rights there that you do not have at this site: %(rights)s.")
RIGHTS_REMEDY = _("Ask somebody who has them at both to move it.")


def may_take_secrets(perimeter: Perimeter, before: int, after: int) -> bool:
    """Whether a station with secret values may be moved from one site (id) to the other: by who may read them where it is."""
    return before == after or perimeter.covers(before, Right.SECRETS)


def rights_gained(perimeter: Perimeter, site: Site, parent: Site | None) -> list[str]:
    """Rights that whoever has the perimeter would come to at a site by making it part of another; rights are had for what is below."""
    above = None if parent is None else parent.pk
    return [right.value for right in Right if perimeter.covers(above, right) and not perimeter.covers(site.pk, right)]


def leave_groups(stations: Collection[int]) -> None:
    """Take stations (ids) out of static groups of sites that they are no longer part of, which whoever moved them may not even see."""
    links = Group.stations.through.objects.filter(station_id__in=stations, group__site__isnull=False)
    paths = links.values_list("pk", "station__site__path", "group__site__path")
    links.filter(pk__in=[link for link, of_station, of_group in paths if not of_station.startswith(of_group)]).delete()
