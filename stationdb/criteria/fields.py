# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fields of the language."""

from __future__ import annotations

from collections.abc import Mapping

from ..registry.models import Station
from .kinds import ChoiceField, Field, MomentField, NameField, NumberField, SizeField, TextField, UuidField, VersionField
from .network import AddressField, CardField
from .related import GroupField, ImageField, ModelField, SiteField
from .variables import VariableField

KINDS = {"station": Station.Kind.STATION, "model": Station.Kind.MODEL, "relay": Station.Kind.RELAY, "store": Station.Kind.STORE}

SITE, GROUP = SiteField("site"), GroupField("group")

FIELDS: Mapping[str, Field] = {
    field.name: field
    for field in (
        NameField("name", column="name"),
        SITE,
        GROUP,
        ChoiceField("state", column="state", choices={value: value for value in Station.State.values}),
        ChoiceField("kind", column="kind", choices={word: value.value for word, value in KINDS.items()}),
        TextField("tag", column="tag"),
        TextField("serial", column="serial"),
        UuidField("uuid"),
        CardField("mac"),
        AddressField("address"),
        ModelField("model"),
        ImageField("image"),
        TextField("comment", column="comment", listed=False),
        MomentField("last_seen", column="last_seen"),
        TextField("manufacturer", column="manufacturer"),
        TextField("product", column="product"),
        TextField("os", column="os_name"),
        VersionField("os.version", column="os_version"),
        TextField("architecture", column="architecture"),
        TextField("cpu", column="cpu"),
        NumberField("cores", column="cores"),
        SizeField("ram", column="ram"),
        SizeField("disk", column="disk"),
        SizeField("disk.free", column="disk_free"),
        TextField("user", column="user"),
    )
}
"""By name, in the order in which they are told."""

CALLS: Mapping[str, Field] = {"site": SITE, "group": GROUP}
"""Fields that are written group(NAME) as well."""

REPORT = "report"
"""``has report`` is no field's value, but whether the station ever sent one."""


def find(name: str) -> Field | None:
    """The field of a name, whatever its case; variables keep theirs."""
    return FIELDS.get(name.lower()) or VariableField.of(name)
