# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every template knows."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from ..accounts.models import User

SECTIONS = {
    "station": "stations",
    "site": "sites",
    "group": "groups",
    "software": "softwares",
    "image": "images",
    "package": "packages",
    "refused": "reports",
    "user": "users",
    "role": "users",
    "secret": "stations",
}
"""The entry of the navigation under which a page stands, by how the page's name begins."""


def console(request: HttpRequest) -> dict[str, Any]:
    """The theme, the perimeter, and where the navigation is."""
    user = getattr(request, "user", None)
    theme = user.theme if isinstance(user, User) else request.COOKIES.get("theme", "auto")
    match = request.resolver_match
    return {
        "theme": theme if theme in User.Theme.values else "auto",
        "perimeter": getattr(request, "perimeter", None),
        "place": (match.url_name or "") if match else "",
        "section": SECTIONS.get(match.url_name.partition("_")[0], "") if match and match.url_name else "",
        "here": request.get_full_path() if request.method == "GET" else "/",
    }
