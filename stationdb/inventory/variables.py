# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Ansible knows of a station: its host variables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import QuerySet

from ..accounts.perimeter import Perimeter
from ..accounts.rights import Right
from ..registry.models import MacAddress, Station, StationValue
from ..registry.subnets import LongestSubnet
from .addresses import HostAddresses, Which, host_address
from .content import ContentSources


class Row(NamedTuple):
    """What is read of a station, in the order of FIELDS."""

    id: int
    name: str
    site_id: int
    slug: str
    kind: str
    state: str
    tag: str
    serial: str
    uuid: UUID | None
    address: str | None
    reported_address: str
    disk_identity: str
    image: str | None
    image_version: str | None
    image_site_id: int | None
    model: str | None
    model_site_id: int | None
    manufacturer: str
    product: str
    os_name: str
    os_version: str
    architecture: str
    variables: dict[str, Any]


FIELDS = (
    "id",
    "name",
    "site_id",
    "site__slug",
    "kind",
    "state",
    "tag",
    "serial",
    "uuid",
    "address",
    "reported_address",
    "disk_identity",
    "image__name",
    "image__version",
    "image__site_id",
    "model__name",
    "model__site_id",
    "manufacturer",
    "product",
    "os_name",
    "os_version",
    "architecture",
    "variables",
)

COMPUTED = frozenset(["fleet_uuid", "fleet_disk_identity", "fleet_image", "fleet_model", "fleet_content_sources", "fleet_secrets"])
"""Variables that are absent when there is nothing to say, and then are nobody's to write."""


def rows(stations: QuerySet[Station], size: int) -> Iterable[Row]:
    """The stations by name, read from the database so many at once."""
    found = stations.order_by("name", "id").values_list(*FIELDS).iterator(chunk_size=size)
    return map(Row._make, found)


class HostVariables:
    """Host variables of stations for somebody with this perimeter, with their secret values when those are asked for."""

    def __init__(self, perimeter: Perimeter, *, secrets: bool = False, addresses: Which = "subnets") -> None:
        subnets = LongestSubnet()
        self._perimeter = perimeter
        self._secrets = secrets
        self._addresses = HostAddresses(addresses, subnets)
        self._sources = ContentSources(subnets)
        self.unreachable: list[str] = []
        """Stations so far whose reported address does not count."""

    def of(self, batch: list[Row]) -> list[dict[str, Any]]:
        """Variables of each station, the computed ones stronger than its own."""
        ids = [row.id for row in batch]
        macs: dict[int, list[str]] = {}
        for station_id, mac in MacAddress.objects.filter(station_id__in=ids).order_by("mac").values_list("station_id", "mac"):
            macs.setdefault(station_id, []).append(mac)
        addresses, refused = self._addresses.of(batch)
        self.unreachable += refused
        found = [
            {**_own(row.variables), **self._computed(row, address, macs.get(row.id, []))}
            for row, address in zip(batch, addresses, strict=True)
        ]
        if self._secrets:
            for variables, values in zip(found, self._secrets_of(batch), strict=True):
                variables["fleet_secrets"] = values
        return found

    def _computed(self, row: Row, address: str | None, macs: list[str]) -> dict[str, Any]:
        known: dict[str, Any] = {
            "ansible_host": address,
            "fleet_uuid": str(row.uuid) if row.uuid else None,
            "fleet_disk_identity": row.disk_identity or None,
            "fleet_image": f"{row.image}/{row.image_version}" if row.image and self._shown(row.image_site_id) else None,
            "fleet_model": row.model if row.model and self._shown(row.model_site_id) else None,
            "fleet_content_sources": self._sources.of(row.address or host_address(row.reported_address), row.site_id) or None,
        }
        return {
            "fleet_site": row.slug,
            "fleet_state": row.state,
            "fleet_tag": row.tag,
            "fleet_serial": row.serial,
            "fleet_macs": macs,
            "fleet_manufacturer": row.manufacturer,
            "fleet_product": row.product,
            "fleet_os": row.os_name,
            "fleet_os_version": row.os_version,
            "fleet_architecture": row.architecture,
            **{name: value for name, value in known.items() if value is not None},
        }

    def _shown(self, site_id: int | None) -> bool:
        """Whether what belongs to this site, or to all, is seen."""
        return site_id is None or self._perimeter.covers(site_id, Right.VIEW)

    def _secrets_of(self, batch: list[Row]) -> list[dict[str, str]]:
        """Secret values by name for each station; none where the right to read them is not had."""
        readable = StationValue.objects.within(self._perimeter, Right.SECRETS).filter(station_id__in=[row.id for row in batch])
        found: dict[int, dict[str, str]] = {}
        for value in readable:
            found.setdefault(value.station_id, {})[value.name] = value.value
        return [found.get(row.id, {}) for row in batch]


def _own(variables: dict[str, Any]) -> dict[str, Any]:
    """A station's variables without those that are only ever computed or secret, also where they have no value."""
    return {name: value for name, value in variables.items() if name not in COMPUTED} if COMPUTED & variables.keys() else variables
