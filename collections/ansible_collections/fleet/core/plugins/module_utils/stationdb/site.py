# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sites in the station database."""

from __future__ import annotations

import ipaddress
from typing import Any

from ..errors import InputError
from .client import Client
from .entity import Entity, Outcome

FIELDS: dict[str, Any] = {
    "name": {"type": "str"},
    "parent": {"type": "str"},
    "time_zone": {"type": "str"},
    "relay": {"type": "str"},
    "content_url": {"type": "str"},
    "subnets": {"type": "list", "elements": "str"},
    "variables": {"type": "dict"},
}
"""What can be said of a site, as a module's arguments."""


def ensure_site(client: Client, slug: str, wanted: dict[str, Any], *, check_mode: bool) -> Outcome:
    """Make a site what is wanted; InputError for a subnet that is none. An empty parent or relay means none."""
    fields: dict[str, Any] = {name: value or None if name in ("parent", "relay") else value for name, value in wanted.items()}
    if "subnets" in fields:
        fields["subnets"] = _networks(fields["subnets"])
    sites = _sites(client)
    if "name" not in fields and sites.find(slug) is None:
        fields["name"] = slug
    return sites.ensure(slug, fields, check_mode=check_mode)


def remove_site(client: Client, slug: str, *, check_mode: bool) -> Outcome:
    """Remove a site that has nothing in it."""
    return _sites(client).remove(slug, check_mode=check_mode)


def _sites(client: Client) -> Entity:
    return Entity(client, "/sites", "slug", {"subnets": sorted})


def _networks(texts: list[str]) -> list[str]:
    found = set()
    for text in texts:
        try:
            found.add(str(ipaddress.ip_network(text.strip())))
        except ValueError as error:
            raise InputError(f"{text!r} is no subnet: {error}", remedy="Write it as 10.1.2.0/24") from error
    return sorted(found)
