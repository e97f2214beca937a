# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a room is, kept as ``room.json`` in its folder."""

from __future__ import annotations

import ipaddress
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError, InputError

from .station import Station, check_types

FORMAT = 1
FILE = "room.json"


class StateError(FleetError):
    """The room's state cannot be understood."""


@dataclass(frozen=True)
class State:
    """A room: complete tells whether its making came to an end, incarnation differs each time a room is made in the same folder."""

    name: str
    subnet: str
    root: str
    incarnation: str
    complete: bool
    stations: tuple[Station, ...]
    central_root: str = ""
    """The root of the central host; blank when it is that of the stations."""

    def station(self, name: str) -> Station:
        """Return one station; raise InputError when the room has none of that name."""
        for station in self.stations:
            if station.name == name:
                return station
        known = ", ".join(station.name for station in self.stations)
        raise InputError(f"Room {self.name} has no station {name!r}", remedy=f"It has: {known}")

    def save(self, room: Path) -> None:
        """Write the state; a reader sees the old one or the new one."""
        value = {"format": FORMAT, **self.__dict__, "stations": [station.as_json() for station in self.stations]}
        temporary = room / f".{FILE}"
        temporary.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
        os.replace(temporary, room / FILE)

    @classmethod
    def load(cls, room: Path) -> Optional[State]:
        """Return the state of the room in a folder, None when there is no room; raise StateError when the file is damaged."""
        path = room / FILE
        try:
            value: Any = json.loads(path.read_text(encoding="utf-8"))
            if value.pop("format") != FORMAT:
                raise ValueError("it has another format")
            stations = tuple(Station.from_json(station) for station in value.pop("stations"))
            state = cls(**value, stations=stations)
            check_types(state)
            hosts_of(state.subnet)
            return state
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError, AttributeError, InputError, RecursionError) as error:
            raise StateError(
                f"{path} is damaged: {error}", remedy="Remove the room (state: absent needs no room.json) and create it again"
            ) from error


def hosts_of(subnet: str) -> tuple[ipaddress.IPv4Interface, list[str]]:
    """Return the controller's own address in a subnet and the addresses left for stations; raise InputError on a bad subnet."""
    try:
        network = ipaddress.IPv4Network(subnet)
    except ValueError as error:
        raise InputError(f"{subnet!r} is not an IPv4 subnet: {error}", remedy="Write it as 10.77.0.0/24") from error
    if not 16 <= network.prefixlen <= 30:
        raise InputError(f"The subnet {subnet} does not fit a room", remedy="Use a prefix length from 16 to 30")
    first, *rest = (str(address) for address in network.hosts())
    return ipaddress.IPv4Interface(f"{first}/{network.prefixlen}"), rest
