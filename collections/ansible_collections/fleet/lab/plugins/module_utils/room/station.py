# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One station of a room: what was asked for, checked, and what it was given."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Union

from ansible_collections.fleet.core.plugins.module_utils.errors import InputError

ROLES = ("station", "model", "central")
ENTRIES = ("imaging", "disk", "imaging-once")
"""Boot entries: the imaging environment; the own system on the disk; the imaging environment once and then the disk."""

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")
_SIZE = re.compile(r"([0-9]{1,20})([KMGT]?)(i?B)?")
_RATE = re.compile(r"[1-9][0-9]{0,8}(kbit|mbit|gbit)")
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
SECTOR = 512
SMALLEST_DISK, LARGEST_DISK = 1 << 20, 16 << 40
SMALLEST_SYSTEM = 600 << 20
"""Bytes a disk needs for the own system that a room can install: the root is about 300 MiB."""


def parse_size(text: Union[str, int], what: str) -> int:
    """Return a disk size in bytes from ``400M``, ``4G`` or a number of bytes; raise InputError on nonsense."""
    found = _SIZE.fullmatch(str(text).strip())
    size = int(found[1]) * _UNITS[found[2]] if found else -1
    if size == 0:
        return 0
    if not SMALLEST_DISK <= size <= LARGEST_DISK or size % SECTOR:
        raise InputError(
            f"{what}: {text!r} is not a disk size", remedy="Give whole sectors between 1M and 16T, such as 400M or 4G, or 0 for no disk"
        )
    return size


def check_types(value: Any) -> None:
    """Raise ValueError unless the simple fields of a dataclass hold what they are declared to hold; JSON may hold anything."""
    for each in fields(value):
        if each.type in ("str", "int", "float", "bool") and type(getattr(value, each.name)).__name__ != each.type:
            raise ValueError(f"{each.name} is not a {each.type}")


@dataclass(frozen=True)
class Station:
    """A station; address, mac and loop are given by the room, the rest is asked for.

    disk_size in bytes (0: no disk), rate as tc(8) writes it ("" unlimited), loss in percent of the packets towards the station,
    boot the first boot entry, system whether an own system is installed on the disk when the room is made.
    """

    name: str
    role: str = "station"
    disk_size: int = 0
    rate: str = ""
    loss: float = 0.0
    boot: str = "imaging"
    system: bool = False
    address: str = ""
    mac: str = ""
    loop: str = ""

    @classmethod
    def asked(cls, request: Mapping[str, Any]) -> Station:
        """Return the station that a dict of module options asks for; raise InputError naming the station and the option."""
        name = str(request.get("name", ""))
        if not _NAME.fullmatch(name):
            raise InputError(f"{name!r} is not a station's name", remedy="Use at most 32 lower-case letters, digits and inner hyphens")
        what = f"Station {name}"
        role, boot = request.get("role") or "station", request.get("boot") or "imaging"
        if role not in ROLES or boot not in ENTRIES:
            raise InputError(f"{what}: role {role!r} or boot entry {boot!r} is unknown", remedy=f"Use one of {ROLES} and one of {ENTRIES}")
        rate, loss = str(request.get("rate") or ""), float(request.get("loss") or 0)
        if rate and not _RATE.fullmatch(rate):
            raise InputError(f"{what}: {rate!r} is not a rate", remedy="Write it as 100mbit (kbit, mbit, gbit)")
        if not 0 <= loss < 100:
            raise InputError(f"{what}: a loss of {loss} % is impossible", remedy="Give a percentage from 0 to below 100")
        size = parse_size(request.get("disk") or 0, what)
        system = bool(request.get("system"))
        if system and size < SMALLEST_SYSTEM:
            raise InputError(
                f"{what}: an own system needs a disk of at least {SMALLEST_SYSTEM >> 20}M", remedy="Give a larger disk or no system"
            )
        return cls(name, role, size, rate, loss, boot, system)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Station:
        """Return the station that as_json described; raise TypeError or ValueError on anything else."""
        station = cls(**value)
        check_types(station)
        return station

    def as_json(self) -> dict[str, Any]:
        """Return this station as a JSON object."""
        return asdict(self)

    @property
    def disk_identity(self) -> str:
        """Return what must match before anything writes on the disk; loop devices have no serial number."""
        return f"size:{self.disk_size}" if self.disk_size else ""
