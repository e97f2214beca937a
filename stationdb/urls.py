# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which app answers where."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path, re_path

from .api.problems import unknown_address
from .api.site import api

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", api.urls),
    re_path("^api/", unknown_address),
    path("", include("stationdb.reports.urls")),
    path("", include("stationdb.console.urls")),
]

handler400 = "stationdb.console.views.errors.bad_request"
handler403 = "stationdb.console.views.errors.forbidden"
handler404 = "stationdb.console.views.errors.missing"
handler500 = "stationdb.console.views.errors.broken"
