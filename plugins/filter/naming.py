# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How this organisation names its stations: SITE-ROOM-NUMBER, as in "lyo-b204-07".

This is policy: change it to yours. A name must stay a valid DNS label and, for Windows, at most 15 characters (NetBIOS).
Wired by filter_plugins in ansible.cfg.
"""

from __future__ import annotations

DOCUMENTATION = r"""
name: station_name
short_description: The name of a station from its site, room and number
description:
  - "C({{ 'lyo' | station_name('B204', 7) }}) is V(lyo-b204-07)."
  - "C({{ new.unknown | new_stations('b204', new.names, {'lyon': 'lyo'}) }}) makes a station of each card that M(fleet.core.register_info)
    found, named with the next free numbers of the room; the code of a site is its short name unless it is given."
  - "The reverse is C({{ 'lyo-b204-07' | station_place }}), V({site: lyo, room: b204, number: 7})."
positional: room, number
options:
  _input:
    description: Code of the site, letters and digits.
    type: str
    required: true
  room:
    description: Room, letters and digits.
    type: str
    required: true
  number:
    description: Number of the station in its room, 0 to 999; the model of a room is number 0.
    type: int
    required: true
author:
  - Fleet contributors (@fleet)
"""

import re
from typing import Any, Callable

from ansible.errors import AnsibleFilterError

NETBIOS_LENGTH = 15
LABEL = re.compile(r"[a-z0-9]+")
NAME = re.compile(r"(?P<site>[a-z0-9]+)-(?P<room>[a-z0-9]+)-(?P<number>[0-9]{2,3})")


def station_name(site: str, room: str, number: int) -> str:
    """Return the station's name; raise AnsibleFilterError for what cannot be part of one."""
    parts = {"site": str(site).lower(), "room": str(room).lower()}
    for what, text in parts.items():
        if not LABEL.fullmatch(text):
            raise AnsibleFilterError(f"station_name: {what} {text!r} must be letters and digits only")
    try:
        count = int(number)
    except (TypeError, ValueError) as error:
        raise AnsibleFilterError(f"station_name: number {number!r} is not a number") from error
    if not 0 <= count <= 999:
        raise AnsibleFilterError(f"station_name: number {count} is not between 0 and 999")
    name = f"{parts['site']}-{parts['room']}-{count:02d}"
    if len(name) > NETBIOS_LENGTH:
        raise AnsibleFilterError(f"station_name: {name} has more than {NETBIOS_LENGTH} characters; shorten the room or the site")
    return name


def station_place(name: str) -> dict[str, Any]:
    """Return site, room and number of a station's name; raise AnsibleFilterError when it is not one of ours."""
    match = NAME.fullmatch(str(name).lower())
    if match is None or len(str(name)) > NETBIOS_LENGTH:
        raise AnsibleFilterError(f"station_place: {name!r} is not of the form SITE-ROOM-NUMBER, as in lyo-b204-07")
    return {"site": match["site"], "room": match["room"], "number": int(match["number"])}


def new_stations(
    cards: list[dict[str, Any]], room: str, used: dict[str, list[str]], codes: dict[str, str] | None = None, groups: list[str] | None = None
) -> list[dict[str, Any]]:
    """Return the stations that unknown network cards become, for M(fleet.core.station); names are the next free numbers of the room."""
    taken = {str(name).lower() for names in used.values() for name in names}
    found = []
    for card in cards:
        code = (codes or {}).get(card["site"], str(card["site"]).replace("_", ""))
        # Number 0 is the model's.
        names = (station_name(code, room, number) for number in range(1, 1000))
        name = next((each for each in names if each not in taken), None)
        if name is None:
            raise AnsibleFilterError(f"new_stations: no number is free in room {room} of {card['site']}")
        taken.add(name)
        station = {"name": name, "site": card["site"], "state": "new", "macs": [card["mac"]], "groups": groups or []}
        if card["reserve"]:
            station["address"] = card["reserve"]
        if card["hostname"]:
            station["comment"] = f"It called itself {card['hostname']} when it was registered."
        found.append(station)
    return found


class FilterModule:
    """The filters by name."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"new_stations": new_stations, "station_name": station_name, "station_place": station_place}
