# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stations as plain values in their canonical form: what the API answers, what a table shows, what a change is compared with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..accounts.perimeter import Perimeter
from ..content.models import Image
from .models import Group, MacAddress, Site, Station, StationValue

REPORTED = (
    "last_seen",
    "reported_name",
    "reported_address",
    "manufacturer",
    "product",
    "os_name",
    "os_version",
    "architecture",
    "cpu",
    "cores",
    "ram",
    "disk",
    "disk_free",
    "user",
)
"""What reports say of a station; sizes in bytes."""

PLAIN = ("name", "kind", "state", "tag", "serial", "address", "disk_identity", "variables", "comment", "created", "modified")


def describe(stations: Sequence[Station], perimeter: Perimeter) -> list[dict[str, Any]]:
    """The stations' values, with the names of what they refer to as far as the perimeter shows it; a handful of queries for all of them."""
    ids = [station.pk for station in stations]
    sites = dict(Site.objects.filter(pk__in={station.site_id for station in stations}).values_list("pk", "slug"))
    images = _names(Image.objects.within(perimeter).filter(pk__in=_wanted(station.image_id for station in stations)), "name", "version")
    models = _names(Station.objects.within(perimeter).filter(pk__in=_wanted(station.model_id for station in stations)), "name")
    macs = _lists(MacAddress.objects.filter(station__in=ids).order_by("mac").values_list("station_id", "mac"))
    shown = Group.objects.within(perimeter).filter(stations__in=ids, criteria="")
    groups = _lists(shown.order_by("name").values_list("stations", "name"))
    secrets = _lists(StationValue.objects.filter(station__in=ids).order_by("name").values_list("station_id", "name"))
    return [
        {name: getattr(station, name) for name in PLAIN}
        | {
            "site": sites[station.site_id],
            "uuid": str(station.uuid) if station.uuid else None,
            "macs": macs.get(station.pk, []),
            "model": models.get(station.model_id or 0),
            "image": images.get(station.image_id or 0),
            "groups": groups.get(station.pk, []),
            "secret_names": secrets.get(station.pk, []),
            "reported": {name: getattr(station, name) for name in REPORTED},
        }
        for station in stations
    ]


def _wanted(ids: Iterable[int | None]) -> set[int]:
    return {each for each in ids if each}


def _names(rows: Any, *fields: str) -> dict[int, str]:
    return {key: "/".join(parts) for key, *parts in rows.values_list("pk", *fields)}


def _lists(pairs: Iterable[tuple[int, str]]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found
