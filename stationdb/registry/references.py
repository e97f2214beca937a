# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the rows of a plan refer to by name, read in a handful of queries for all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from ..accounts.perimeter import Perimeter
from ..accounts.rights import Right
from ..content.models import Image
from .models import Group, MacAddress, Site, Station

if TYPE_CHECKING:
    from .upsert import Row

PART = 5000
"""Names in one query."""


@dataclass
class References:
    """Sites, models, images and groups by name, as far as the perimeter shows them; and the rows' own stations by name."""

    sites: dict[str, Site]
    models: dict[str, Station]
    images: dict[str, Image]
    groups: dict[str, Group]
    rows: dict[str, Row]
    perimeter: Perimeter

    @classmethod
    def of(cls, rows: Sequence[Row], perimeter: Perimeter) -> References:
        """What the rows' cleaned values name."""
        images = _values(rows, "image")
        condition = Q(pk=None)
        for each in images:
            name, _slash, version = each.partition("/")
            condition |= Q(name=name, version=version)
        groups = {each for row in rows for each in row.after.get("groups", ())}
        ids = {row.station.site_id for row in rows if row.station}
        seen = Site.objects.within(perimeter)
        return cls(
            sites={site.slug: site for site in seen.filter(Q(slug__in=_values(rows, "site")) | Q(pk__in=ids))},
            models=cls.stations_named(_values(rows, "model"), perimeter),
            images={str(each).replace(" ", "/"): each for each in Image.objects.within(perimeter).filter(condition)},
            groups={group.name: group for group in Group.objects.within(perimeter).filter(name__in=groups).select_related("site")},
            rows={row.name.lower(): row for row in rows},
            perimeter=perimeter,
        )

    @staticmethod
    def stations_named(names: Iterable[str], perimeter: Perimeter | None = None) -> dict[str, Station]:
        """Stations by lowercase name; those of every site without a perimeter, for what is about names that are free."""
        wanted = sorted({name.lower() for name in names if "\0" not in name})
        found: dict[str, Station] = {}
        for start in range(0, len(wanted), PART):
            query = Station.objects.all() if perimeter is None else Station.objects.within(perimeter)
            for station in query.annotate(lower=Lower("name")).filter(lower__in=wanted[start : start + PART]):
                found[station.name.lower()] = station
        return found

    @classmethod
    def locked_stations(cls, names: Iterable[str]) -> dict[str, Station]:
        """The same of every site, which nobody else changes until the transaction ends.

        Locked in the order of their ids, so that two changes of the same stations wait for each other in a line, not in a circle.
        """
        ids = sorted(station.pk for station in cls.stations_named(names).values())
        found: dict[str, Station] = {}
        for start in range(0, len(ids), PART):
            locked = Station.objects.select_for_update().filter(pk__in=ids[start : start + PART]).order_by("pk")
            found |= {station.name.lower(): station for station in locked}
        return found

    def resolve(self, row: Row) -> None:
        """Put what is named in the place of the names in the row's values; faults for what is not there."""
        self._site(row)
        self._model(row)
        self._image(row)
        self._groups(row)

    def _site(self, row: Row) -> None:
        if "site" in row.after:
            site = self.sites.get(row.after["site"] or "")
            if site is None:
                row.fail("site", _("There is no such site."), _("Give the short name of a site of your perimeter."), "missing")
            row.after["site"] = site

    def _model(self, row: Row) -> None:
        name = row.after.get("model")
        if not name:
            self._unseen(row, "model")
            return
        other = self.rows.get(name.lower())
        model = self.models.get(name.lower())
        if name.lower() in (row.name.lower(), str(row.after.get("name", "")).lower()):
            row.fail("model", _("A station cannot be its own model."), _("Give another station, or none."))
        elif model is None and (other is None or not other.is_new or other.faults):
            row.fail("model", _("There is no such station."), _("Give the name of a station of your perimeter."), "missing")
        row.after["model"] = model or other

    def _image(self, row: Row) -> None:
        name = row.after.get("image")
        if not name:
            self._unseen(row, "image")
            return
        row.after["image"] = self.images.get(name)
        if row.after["image"] is None:
            row.fail("image", _("There is no such image."), _("Give name/version of a registered image."), "missing")

    @staticmethod
    def _unseen(row: Row, name: str) -> None:
        """What the asker does not see is not taken away by saying that there is none."""
        if name in row.after and row.before.get(name) is None and row.before:
            del row.after[name]

    def _groups(self, row: Row) -> None:
        site = row.after.get("site") or self.sites.get(row.before.get("site", ""))
        if "groups" not in row.after:
            if row.before.get("groups") and isinstance(row.after.get("site"), Site):
                self._leave(row, row.after["site"])
            return
        found: list[Group] = []
        for name in row.after["groups"]:
            group = self.groups.get(name)
            if group is None:
                row.fail("groups", _("There is no such group."), _("Give names of groups of your perimeter."), "missing", name)
            elif group.is_dynamic:
                row.fail("groups", _("Criteria say who is in this group."), _("Leave it out; change what the criteria ask."), value=name)
            elif group.site and site and not site.path.startswith(group.site.path):
                text = _("The group is for stations of another site.")
                row.fail("groups", text, _("Choose a group of the station's site."), value=name)
            else:
                found.append(group)
        row.after["groups"] = found

    def _leave(self, row: Row, site: Site) -> None:
        """A station that moves leaves the groups of the site it was in."""
        there = Group.objects.within(self.perimeter).filter(name__in=row.before["groups"]).select_related("site")
        kept = [group for group in there if group.site is None or site.path.startswith(group.site.path)]
        if len(kept) != len(row.before["groups"]):
            row.after["groups"] = kept

    def check_free(self, rows: Sequence[Row]) -> None:
        """Refuse names, addresses and cards that another station has, unless that station gives them up in the same plan."""
        self._names(rows)
        self._unique(rows, "address", self._holders_of_addresses(rows))
        self._unique(rows, "macs", self._holders_of_macs(rows))

    def _names(self, rows: Sequence[Row]) -> None:
        renamed = {str(row.after["name"]).lower(): row for row in rows if "name" in row.after and not row.is_new}
        for name, station in self.stations_named(renamed).items():
            own = renamed[name].station
            if own is None or own.pk != station.pk:
                renamed[name].fail("name", _("The name is not free."), _("Choose another name."), "taken")

    def _unique(self, rows: Sequence[Row], name: str, holders: dict[str, Station]) -> None:
        by_id = {row.station.pk: row for row in rows if row.station}
        taken: dict[str, Row] = {}
        for row in rows:
            for value in _several(row.after.get(name)):
                holder = holders.get(value)
                other = by_id.get(holder.pk) if holder else None
                gives_up = other is not None and name in other.after and value not in _several(other.after[name])
                mine = holder is not None and row.station is not None and holder.pk == row.station.pk
                if value in taken:
                    text = _("%(name)s has it as well.") % {"name": taken[value].name}
                    row.fail(name, text, _("Give it to one of the two."), value=value)
                elif holder and not mine and not gives_up:
                    self._held(row, name, value, holder)
                taken[value] = row

    def _held(self, row: Row, name: str, value: str, holder: Station) -> None:
        seen = self.perimeter.covers(holder.site_id, Right.VIEW)
        text = _("It belongs to %(name)s.") % {"name": holder.name} if seen else _("It is not free.")
        row.fail(name, text, _("Take it from there first, or give another."), "taken", value)

    @staticmethod
    def _holders_of_addresses(rows: Sequence[Row]) -> dict[str, Station]:
        wanted = sorted(_values(rows, "address"))
        return {
            str(station.address): station
            for start in range(0, len(wanted), PART)
            for station in Station.objects.filter(address__in=wanted[start : start + PART])
        }

    @staticmethod
    def _holders_of_macs(rows: Sequence[Row]) -> dict[str, Station]:
        wanted = sorted({mac for row in rows for mac in row.after.get("macs", ())})
        return {
            card.mac: card.station
            for start in range(0, len(wanted), PART)
            for card in MacAddress.objects.filter(mac__in=wanted[start : start + PART]).select_related("station")
        }


def _values(rows: Sequence[Row], name: str) -> set[str]:
    return {str(row.after[name]) for row in rows if row.after.get(name)}


def _several(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value] if value else []
