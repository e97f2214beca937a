# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups in the station database."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..errors import InputError
from .client import Client
from .entity import Entity, Outcome

FIELDS: dict[str, Any] = {
    "description": {"type": "str"},
    "site": {"type": "str"},
    "criteria": {"type": "str"},
    "variables": {"type": "dict"},
    "stations": {"type": "list", "elements": "str"},
}
"""What can be said of a group, as a module's arguments."""


def ensure_group(
    client: Client, name: str, wanted: dict[str, Any], *, add: Iterable[str], remove: Iterable[str], check_mode: bool
) -> Outcome:
    """Make a group what is wanted, with some stations added and some taken out. An empty site means all sites."""
    groups = _groups(client)
    fields = {**wanted, **({"site": wanted["site"] or None} if "site" in wanted else {})}
    added, removed = list(add), list(remove)
    if added or removed:
        if "stations" in fields:
            raise InputError("stations says who is in the group, so there is nothing to add or remove", remedy="Give one or the other")
        found = groups.find(name)
        there = (found.body["stations"] or []) if found else []
        gone = {each.lower() for each in removed}
        fields["stations"] = [each for each in _once([*there, *added]) if each.lower() not in gone]
    return groups.ensure(name, fields, check_mode=check_mode)


def remove_group(client: Client, name: str, *, check_mode: bool) -> Outcome:
    """Remove a group; its stations stay."""
    return _groups(client).remove(name, check_mode=check_mode)


def _groups(client: Client) -> Entity:
    return Entity(client, "/groups", "name", {"stations": _spelt})


def _once(names: Iterable[str]) -> list[str]:
    """Each name once, whatever its case, as it was spelt first."""
    return list({name.lower(): name for name in reversed(list(names))}.values())[::-1]


def _spelt(names: Iterable[str]) -> list[str]:
    return sorted({name.lower() for name in names})
