# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shapes of stations: what is sent and what is answered."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from .problems import ProblemPart
from .types import Change, Given, Variables

Kind = Literal["stations", "models", "relays", "content_stores"]
State = Literal["new", "ready", "repair", "retired"]
Macs = Annotated[list[str], Field(max_length=64, examples=[["52:54:00:12:34:56"]])]
Groups = Annotated[list[str], Field(max_length=500, examples=[["kiosks"]])]
Secrets = Annotated[dict[str, str | None], Field(max_length=100, examples=[{"licence_key": "ABCD-EFGH"}])]

TEXTS = {
    "name": "Host name; unique whatever its case.",
    "site": "Short name of its site. Moving needs stations.edit at both sites; groups of the old site are left.",
    "tag": "Free text, such as OCS's TAG.",
    "uuid": "SMBIOS UUID. Not unique: many mainboards ship the same.",
    "macs": "Network cards, in any usual spelling; each belongs to one station. The list replaces what there is.",
    "address": "Reserved IP address; unique.",
    "model": "Host name of the station whose image it is meant to have.",
    "image": "Image assigned, as name/version.",
    "disk": "Disk that may be written, as serial:… or wwn:…",
    "groups": "Static groups; the list replaces those of your perimeter.",
    "variables": "Ansible variables; the object replaces what there is. Texts such as {{ x }} are data and stay as they are.",
    "secrets": "Secret values to set, or to remove with null; the others stay. Stored encrypted; needs stations.secrets.",
}


class StationFields(Given):
    """What can be said of a station besides its name and site."""

    kind: Kind = Field("stations", description="The Ansible group it is in besides others.")
    state: State = Field("ready", description="Where it is in its life.")
    tag: str = Field("", description=TEXTS["tag"], examples=["ALPHA"])
    uuid: str | None = Field(None, description=TEXTS["uuid"], examples=["4c4c4544-0042-3510-8052-b4c04f303232"])
    serial: str = Field("", examples=["BQ5R022"])
    macs: Macs = Field([], description=TEXTS["macs"])
    address: str | None = Field(None, description=TEXTS["address"], examples=["10.1.2.17"])
    model: str | None = Field(None, description=TEXTS["model"], examples=["model01"])
    image: str | None = Field(None, description=TEXTS["image"], examples=["debian-12/2026.11"])
    disk_identity: str = Field("", description=TEXTS["disk"], examples=["serial:S3Z9NB0K"])
    groups: Groups = Field([], description=TEXTS["groups"])
    variables: Variables = Field({}, description=TEXTS["variables"], examples=[{"room": "B204"}])
    comment: str = Field("", examples=["At the window"])
    secrets: Secrets = Field({}, description=TEXTS["secrets"])


class StationNew(StationFields):
    """A station to add."""

    name: str = Field(description=TEXTS["name"], examples=["pc01"])
    site: str = Field(description=TEXTS["site"], examples=["paris"])


class StationChange(StationFields):
    """What to change; what is left out stays."""

    name: str = Field("", description="A new name.", examples=["pc02"])
    site: str = Field("", description=TEXTS["site"], examples=["lyon"])


class StationRow(StationFields):
    """A station to add or to change, matched by name; what is left out stays."""

    name: str = Field(description=TEXTS["name"], examples=["pc01"])
    site: str = Field("", description=TEXTS["site"], examples=["paris"])


class Reported(BaseModel):
    """What its last report says."""

    last_seen: datetime | None
    reported_name: str
    reported_address: str
    manufacturer: str = Field(examples=["Dell Inc."])
    product: str = Field(examples=["OptiPlex 7050"])
    os_name: str = Field(examples=["Debian GNU/Linux"])
    os_version: str = Field(examples=["12.5"])
    architecture: str = Field(examples=["x86_64"])
    cpu: str
    cores: int | None
    ram: int | None = Field(description="Bytes.")
    disk: int | None = Field(description="Bytes of all disks.")
    disk_free: int | None = Field(description="Bytes free in the mounted file systems.")
    user: str = Field(description="Who used it last.")


class StationOut(BaseModel):
    """A station."""

    name: str = Field(description=TEXTS["name"], examples=["pc01"])
    site: str = Field(description="Short name of its site.", examples=["paris"])
    kind: Kind
    state: State
    tag: str
    uuid: str | None = Field(description=TEXTS["uuid"])
    serial: str
    macs: list[str] = Field(description="Sorted, lowercase, with colons.", examples=[["52:54:00:12:34:56"]])
    address: str | None = Field(description=TEXTS["address"])
    model: str | None = Field(description=TEXTS["model"])
    image: str | None = Field(description=TEXTS["image"])
    disk_identity: str = Field(description=TEXTS["disk"])
    groups: list[str] = Field(description="Static groups of your perimeter that it is in, sorted.")
    variables: dict[str, Any]
    comment: str
    secret_names: list[str] = Field(description="Names of its secret values; /stations/{name}/secrets reads them.")
    created: datetime
    modified: datetime
    reported: Reported


class Bulk(Given):
    """Stations to add or to change in one transaction."""

    stations: list[StationRow] = Field(max_length=10_000, description="At most 10,000; a name once.")
    partial: bool = Field(False, description="Do the rows that have no errors; otherwise it is all or nothing.")
    dry_run: bool = Field(False, description="Only say what would change.")


class RowResult(BaseModel):
    """What became of a row, or would."""

    name: str
    result: Literal["created", "changed", "unchanged", "error"]
    changes: list[Change]
    errors: list[ProblemPart]


class BulkResult(BaseModel):
    """What became of the rows, in their order, or would."""

    dry_run: bool
    created: int
    changed: int
    unchanged: int
    failed: int
    results: list[RowResult]
