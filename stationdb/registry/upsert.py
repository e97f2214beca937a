# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adding and changing stations, one or ten thousand, from the API, a table or a form: always this way.

What is wanted becomes a plan: for each row what would change and what is wrong with it. A plan that has no faults is applied with a
handful of statements, whatever its size. Build and apply it in one transaction.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from ..accounts.perimeter import Perimeter
from ..accounts.rights import Right
from ..content.models import Image
from ..errors import Fault
from .describe import describe
from .models import Group, MacAddress, Site, Station, StationValue
from .moving import SECRETS_MOVE, SECRETS_REMEDY, leave_groups, may_take_secrets
from .references import References
from .values import clean, remedy

FIELDS = (
    "name",
    "site",
    "kind",
    "state",
    "tag",
    "uuid",
    "serial",
    "macs",
    "address",
    "model",
    "image",
    "disk_identity",
    "groups",
    "variables",
    "secrets",
    "comment",
)
"""What a row may give. Names of other things are their natural names; secrets is an object whose nulls remove."""

Result = Literal["created", "changed", "unchanged", "error"]
Reason = Literal["invalid", "taken", "denied", "missing"]


@dataclass(frozen=True)
class Change:
    """A field that becomes something else. Secret values are not told, only that they change."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True)
class RowFault:
    """Why a row cannot be done: of which field, and whether it is invalid, not free, not allowed, or not there."""

    field: str
    what: str
    remedy: str
    value: Any = None
    reason: Reason = "invalid"

    def at(self, where: str, **place: Any) -> Fault:
        """As an error of an input."""
        value = None if self.value is None or self.field == "secrets" else str(self.value)[:100]
        return Fault(str(self.what), where, str(self.remedy), value, **place)


@dataclass
class Row:
    """What is wanted of one station."""

    name: str
    given: dict[str, Any]
    station: Station | None = None
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    faults: list[RowFault] = field(default_factory=list)

    @property
    def is_new(self) -> bool:
        """Whether there is no such station yet."""
        return not self.before

    @property
    def result(self) -> Result:
        """What became of it, or would."""
        return "error" if self.faults else "created" if self.is_new else "changed" if self.changes else "unchanged"

    def fail(self, name: str, what: str, remedy: str, reason: Reason = "invalid", value: Any = None) -> None:
        """Add a fault; the value is that of the field unless another is told."""
        self.faults.append(RowFault(name, what, remedy, self.given.get(name) if value is None else value, reason))


class UpsertPlan:
    """Rows, compared with what there is. Faults and changes lie in the rows."""

    def __init__(self, rows: list[Row], perimeter: Perimeter) -> None:
        self.rows = rows
        self.perimeter = perimeter

    @classmethod
    def build(cls, wanted: Iterable[Mapping[str, Any]], perimeter: Perimeter) -> UpsertPlan:
        """A plan for what is wanted: mappings with a name and any of FIELDS, matched by name whatever its case."""
        return cls._plan([Row(str(each["name"]), {key: each[key] for key in each if key != "name"}) for each in wanted], perimeter)

    @classmethod
    def change(cls, station: Station, given: Mapping[str, Any], perimeter: Perimeter) -> UpsertPlan:
        """A plan for one station that is there; a name that is given renames it."""
        return cls._plan([Row(station.name, dict(given))], perimeter)

    @classmethod
    def _plan(cls, rows: list[Row], perimeter: Perimeter) -> UpsertPlan:
        plan = cls(rows, perimeter)
        plan._match()
        plan._clean()
        references = References.of(rows, perimeter)
        for row in rows:
            references.resolve(row)
        plan._may()
        references.check_free([row for row in rows if not row.faults])
        plan._compare()
        return plan

    @property
    def has_faults(self) -> bool:
        """Whether a row has any."""
        return any(row.faults for row in self.rows)

    def count(self, result: Result) -> int:
        """How many rows have the result."""
        return sum(row.result == result for row in self.rows)

    def _match(self) -> None:
        """Find the stations that are there, and lock them for the transaction."""
        find = References.locked_stations if transaction.get_connection().in_atomic_block else References.stations_named
        known = find({row.name for row in self.rows})
        seen: set[str] = set()
        for row in self.rows:
            station = known.get(row.name.lower())
            if row.name.lower() in seen:
                row.fail("name", _("The station is there twice."), _("Leave one of the two out."), value=row.name)
            elif station and not self.perimeter.covers(station.site_id, Right.VIEW):
                row.fail("name", _("The name is not free."), _("Choose another name."), "taken", row.name)
            elif station:
                row.station = station
            seen.add(row.name.lower())
        there = [row.station for row in self.rows if row.station]
        found = dict(zip((station.pk for station in there), describe(there, self.perimeter), strict=True))
        for row in self.rows:
            if row.station:
                row.before = found[row.station.pk]

    def _clean(self) -> None:
        """Bring each value into its canonical form."""
        for row in self.rows:
            if row.is_new and not row.faults:
                row.given.setdefault("name", row.name)
                if "site" not in row.given:
                    row.fail("site", _("A new station needs a site."), _("Give the short name of its site."))
            for name in list(row.given):
                try:
                    if name not in FIELDS:
                        raise ValidationError(_("This field is not known."))
                    row.after[name] = clean(name, row.given[name])
                except ValidationError as error:
                    row.fail(name, " ".join(error.messages), remedy(name))

    def _may(self) -> None:
        """Refuse what the perimeter has no right for: changing a station needs it where the station is and where it comes to be."""
        for row in self.rows:
            new = row.after.get("site")
            sites = {row.station.site_id} if row.station else set()
            sites |= {new.pk} if isinstance(new, Site) else set()
            if not all(self.perimeter.covers(each, Right.EDIT) for each in sites):
                text = _("You need the right stations.edit for the site of the station.")
                row.fail("site" if new else "name", text, _("Ask who manages users."), "denied")
            elif "secrets" in row.after and not all(self.perimeter.covers(each, Right.SECRETS) for each in sites):
                row.fail(
                    "secrets", _("You need the right stations.secrets for the site of the station."), _("Ask who manages users."), "denied"
                )
            elif (
                row.station
                and isinstance(new, Site)
                and row.before["secret_names"]
                and not may_take_secrets(self.perimeter, row.station.site_id, new.pk)
            ):
                row.fail("site", str(SECRETS_MOVE), str(SECRETS_REMEDY), "denied")

    def _compare(self) -> None:
        """Say what changes, in canonical values."""
        secrets = self._secrets()
        for row in self.rows:
            if row.faults:
                continue
            for name, value in sorted(row.after.items(), key=lambda item: FIELDS.index(item[0])):
                if name == "secrets":
                    kept = secrets.get(row.station.pk, {}) if row.station else {}
                    row.changes += [
                        Change(f"secrets.{key}", _("set") if key in kept else None, None if secret is None else _("set"))
                        for key, secret in sorted(value.items())
                        if kept.get(key) != secret
                    ]
                    continue
                before, after = row.before.get(name), shown(value)
                if not same(before, after) and not (row.is_new and after in (None, "", [], {})):
                    row.changes.append(Change(name, before, after))

    def _secrets(self) -> dict[int, dict[str, str]]:
        stations = [row.station.pk for row in self.rows if row.station and "secrets" in row.after]
        found: dict[int, dict[str, str]] = {}
        for value in StationValue.objects.filter(station__in=stations) if stations else ():
            found.setdefault(value.station_id, {})[value.name] = value.value
        return found

    @transaction.atomic
    def apply(self) -> None:
        """Write the rows that have no faults. IntegrityError when somebody took a name or an address meanwhile."""
        rows = [row for row in self.rows if row.result in ("created", "changed")]
        self._free_addresses(rows)
        late = self._write_stations(rows)
        self._write_models(late)
        self._write_macs(rows)
        self._write_groups(rows)
        self._write_secrets(rows)

    @staticmethod
    def _free_addresses(rows: Sequence[Row]) -> None:
        """So that two stations can exchange theirs."""
        moving = [row.station.pk for row in rows if row.station and not row.is_new and any(each.field == "address" for each in row.changes)]
        for part in parts(moving):
            Station.objects.filter(pk__in=part).update(address=None)

    @staticmethod
    def _write_stations(rows: Sequence[Row]) -> list[Row]:
        """Insert and update; returns the rows whose model is itself new."""
        late = []
        columns = {"modified"}
        for row in rows:
            station = row.station = row.station or Station()
            for name, value in row.after.items():
                if name in ("macs", "groups", "secrets"):
                    continue
                if name == "model" and isinstance(value, Row):
                    late.append(row)
                    continue
                setattr(station, name, value)
                columns.add(name)
        Station.objects.bulk_create([row.station for row in rows if row.is_new and row.station], batch_size=1000)
        there = [row.station for row in rows if not row.is_new and row.station]
        if there:
            # One statement a thousand rows: INSERT … ON CONFLICT (id) DO UPDATE is far faster than Django's bulk_update with its CASE.
            Station.objects.bulk_create(there, 1000, update_conflicts=True, unique_fields=["id"], update_fields=sorted(columns))
        return late

    @staticmethod
    def _write_models(rows: Sequence[Row]) -> None:
        """Of stations whose model was added with them."""
        for row in rows:
            assert row.station is not None
            Station.objects.filter(pk=row.station.pk).update(model=row.after["model"].station)

    @staticmethod
    def _write_macs(rows: Sequence[Row]) -> None:
        wanted = {row.station.pk: row for row in rows if row.station and "macs" in row.after}
        known = {key: set(row.before.get("macs", ())) for key, row in wanted.items()}
        gone = [mac for key, row in wanted.items() for mac in known[key] - set(row.after["macs"])]
        for part in parts(gone):
            MacAddress.objects.filter(mac__in=part).delete()
        new = [MacAddress(station_id=key, mac=mac) for key, row in wanted.items() for mac in row.after["macs"] if mac not in known[key]]
        MacAddress.objects.bulk_create(new, batch_size=2000)

    def _write_groups(self, rows: Sequence[Row]) -> None:
        through = Group.stations.through
        visible = Group.objects.within(self.perimeter).filter(criteria="")
        wanted = {row.station.pk: row for row in rows if row.station and "groups" in row.after}
        for part in parts([key for key, row in wanted.items() if not row.is_new]):
            through.objects.filter(station_id__in=part, group__in=visible).delete()
        new = [through(station_id=key, group_id=group.pk) for key, row in wanted.items() for group in row.after["groups"]]
        through.objects.bulk_create(new, batch_size=2000, ignore_conflicts=True)
        moved = [row for row in rows if row.station and not row.is_new and any(change.field == "site" for change in row.changes)]
        for part in parts([row.station.pk for row in moved if row.station]):
            leave_groups(part)

    @staticmethod
    def _write_secrets(rows: Sequence[Row]) -> None:
        new = []
        for row in rows:
            if row.station and row.after.get("secrets"):
                values = row.after["secrets"]
                StationValue.objects.filter(station=row.station, name__in=values).delete()
                new += [StationValue(station=row.station, name=key, value=value) for key, value in values.items() if value is not None]
        StationValue.objects.bulk_create(new, batch_size=1000)


def shown(value: Any) -> Any:
    """A cleaned value as describe() shows it."""
    if isinstance(value, list):
        return sorted(shown(each) for each in value)
    if isinstance(value, Row | Station | Group):
        return value.name
    if isinstance(value, Site):
        return value.slug
    if isinstance(value, Image):
        return f"{value.name}/{value.version}"
    return str(value) if isinstance(value, UUID) else value


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same in JSON; in Python true is 1."""
    return bool(one == other) and json.dumps(one, sort_keys=True, default=str) == json.dumps(other, sort_keys=True, default=str)


def parts(items: Sequence[Any], size: int = 5000) -> Iterable[Sequence[Any]]:
    """So that a statement has no more parameters than a database takes."""
    return (items[start : start + size] for start in range(0, len(items), size))
