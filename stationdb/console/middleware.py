# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every page has: the language of its user, headers that browsers obey, and a password that is the user's own."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import translation

from ..accounts.models import User

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""Nothing but our own files, and nothing inline: a name that slips through as markup still runs nothing."""

OTHERS = ("/api/", "/agents/", "/ocsinventory", "/schema/", "/static/")
"""Paths of programs and files, which are no pages."""

FREE = ("login", "logout", "password", "language", "theme")
"""Pages that a user with a one-time password may open."""


class ConsoleMiddleware:
    """Comes after authentication."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith(OTHERS):
            return self.get_response(request)
        user = request.user
        if isinstance(user, User) and user.language in dict(settings.LANGUAGES):
            translation.activate(user.language)
            request.LANGUAGE_CODE = user.language
        response = self._one_time(request) or self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        response.headers.setdefault("Cache-Control", "private, no-store")
        response.headers["Content-Language"] = translation.get_language() or settings.LANGUAGE_CODE
        return response

    @staticmethod
    def _one_time(request: HttpRequest) -> HttpResponse | None:
        """Where a user with a one-time password is led."""
        user = request.user
        if not isinstance(user, User) or not user.must_change_password or request.path in {reverse(f"console:{name}") for name in FREE}:
            return None
        return redirect("console:password")
