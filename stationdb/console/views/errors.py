# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages for what went wrong."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400."""
    return render(request, "console/errors/400.html", status=400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403."""
    return render(request, "console/errors/403.html", status=403)


def missing(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404; says nothing of what was looked for."""
    return render(request, "console/errors/404.html", status=404)


def broken(request: HttpRequest) -> HttpResponse:
    """500; asks nothing of the database, which may be what is broken."""
    return render(None, "console/errors/500.html", status=500)


def forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form whose CSRF token is wrong, mostly one that lay open over a sign-in."""
    return render(request, "console/errors/csrf.html", status=403)
