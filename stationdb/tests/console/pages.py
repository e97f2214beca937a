# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every address of the console, with numbers of things that exist."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.urls import reverse

from stationdb.console.urls import urlpatterns

NAMES = [pattern.name for pattern in urlpatterns]
POSTS = {
    "logout",
    "language",
    "theme",
    "save_filter",
    "delete_filter",
    "value_save",
    "secret",
    "value_remove",
    "member_add",
    "member_remove",
    "station_groups",
    "token_issue",
    "token_revoke",
    "user_password",
    "assign",
    "unassign",
    "revoke",
    "role_remove",
}
"""Those that only take POST."""

OPEN = {"login", "logout", "language", "theme"}
"""Those for who is not signed in."""


def address(name: str, things: Mapping[str, Any]) -> str:
    """The address of a page about the given things: station, site, group, software, value, user …, each by its id."""
    pattern = next(each for each in urlpatterns if each.name == name)
    wanted = dict.fromkeys(pattern.pattern.converters, 0)
    kind = name.partition("_")[0]
    kind = {"value": "station", "secret": "station", "member": "group", "assign": "user", "unassign": "user", "revoke": "user"}.get(
        kind, kind
    )
    kind = {"delete_filter": "filter", "token_revoke": "token"}.get(name, kind)
    arguments = {each: things.get(kind if each == "pk" else each, 0) for each in wanted}
    return reverse(f"console:{name}", kwargs=arguments)
