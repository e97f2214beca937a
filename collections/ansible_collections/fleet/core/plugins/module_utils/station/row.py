# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A row of a section, and what its values may be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Union

Value = Union[str, int]
Row = dict[str, Value]

TEXT_LIMIT = 4096
LONG_LIMIT = 65536
LONG = frozenset({"attributes", "base64", "members", "ssh_key", "uuencode"})
NUMBER_LIMIT = 1 << 63

UNKNOWN_AS_ZERO = frozenset(
    [
        "capacity",
        "disksize",
        "external_clock",
        "height",
        "memory",
        "mtu",
        "real_capacity",
        "size",
        "speed",
        "voltage",
        "week",
        "width",
        "year",
    ]
)
"""Numbers that are never 0 where they are known."""

REQUIRED: dict[str, tuple[str, ...]] = {
    "partitions": ("device",),
    "networks": ("description",),
    "printers": ("name",),
    "slots": ("name",),
    "ports": ("type",),
    "local_users": ("id",),
    "local_groups": ("id", "name"),
    "users": ("login",),
    "virtualmachines": ("name",),
    "antivirus": ("name",),
    "licenseinfos": ("name",),
    "softwares": ("name",),
    "smart": ("device",),
}
"""What a row is worthless without, as in fleet-report-1.xsd."""

# Everything XML 1.0 cannot carry, and the line ends and tabs that an attribute would turn into spaces.
_UNFIT = re.compile("[^\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+")

_PLACEHOLDERS = frozenset(
    [
        "--",
        "...",
        "<bad index>",
        "<out of spec>",
        "default string",
        "invalid",
        "n/a",
        "na",
        "no asset information",
        "no asset tag",
        "no enclosure",
        "none",
        "not applicable",
        "not available",
        "not defined",
        "not provided",
        "not specified",
        "o.e.m.",
        "oem",
        "system manufacturer",
        "system name",
        "system product name",
        "system serial number",
        "system version",
        "to be filled by o.e.m.",
        "to be filled by o.e.m",
        "undefined",
        "unknown",
        "xxxxxxxx",
        "123456789",
        "asset-1234567890",
        "base board serial number",
        "chassis serial number",
        "sku",
        "type1productconfigid",
        "no module installed",
        "not installed",
    ]
)


def plain(text: str) -> str:
    """Return text without control characters, and without white space around it."""
    return _UNFIT.sub(" ", text).strip()


def meaningful(text: str) -> str:
    """Return text, or nothing when it is what mainboard makers leave in a field that they did not fill."""
    text = plain(text)
    return "" if text.lower() in _PLACEHOLDERS or not text.strip("0fF.-xX ") else text


def clean(section: str, rows: Iterable[Mapping[str, object]]) -> list[Row]:
    """Return rows as a report carries them: values without meaning left out, flags as 0 and 1, rows that lack what they need dropped."""
    cleaned = []
    for row in rows:
        fit: Row = {}
        for key, value in row.items():
            if isinstance(value, int):
                if abs(value) < NUMBER_LIMIT and (value or key not in UNKNOWN_AS_ZERO):
                    fit[key] = int(value)
            elif value is not None:
                text = plain(str(value))[: LONG_LIMIT if key in LONG else TEXT_LIMIT].strip()
                if text:
                    fit[key] = text
        if fit and all(key in fit for key in REQUIRED.get(section, ())):
            cleaned.append(fit)
    return cleaned
