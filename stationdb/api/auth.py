# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How programs and pages sign in to the API. Who they are was found out by PerimeterMiddleware."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest, HttpResponseForbidden
from django.middleware.csrf import CsrfViewMiddleware
from ninja.security import APIKeyCookie, HttpBearer

from ..accounts.middleware import Request
from ..accounts.models import Token, User
from ..accounts.rights import Right
from ..errors import Denied


class TokenAuth(HttpBearer):
    """``Authorization: Bearer fleet_…``: a token, as far as its scopes go and until it expires."""

    def __call__(self, request: HttpRequest) -> Token | None:
        return cast(Request, request).token

    def authenticate(self, request: HttpRequest, token: str) -> Token | None:
        return cast(Request, request).token


class CsrfCheck(CsrfViewMiddleware):
    """Django's check, which answers yes or no rather than with a page."""

    def passes(self, request: HttpRequest) -> bool:
        """Whether the request comes from the site's own pages."""
        request.csrf_processing_done = False  # type: ignore[attr-defined]  # Django's own mark; it passed over this view
        self.process_request(request)
        return self.process_view(request, HttpResponseForbidden, (), {}) is None

    def _reject(self, request: HttpRequest, reason: str) -> HttpResponseForbidden:
        return HttpResponseForbidden(reason)


class SessionAuth(APIKeyCookie):
    """The cookie of who signed in at the site; changes need the CSRF token in the header X-CSRFToken as well."""

    param_name = "sessionid"

    def __call__(self, request: HttpRequest) -> User | None:
        user = request.user
        if cast(Request, request).token is not None or "Authorization" in request.headers or not isinstance(user, User):
            return None
        if not CsrfCheck(HttpResponseForbidden).passes(request):
            raise Denied("The request carries no valid CSRF token.", "Send the value of the cookie csrftoken in the header X-CSRFToken.")
        if user.must_change_password:
            raise Denied("The password must be changed first.", "Sign in at the site and choose a password.")
        return user

    def authenticate(self, request: HttpRequest, key: str | None) -> User | None:
        return self(request)


def need(request: Request, right: Right, site_id: int | None, what: str) -> None:
    """Denied when the right is not had for the site; None is what belongs to all sites."""
    if not request.perimeter.covers(site_id, right):
        where = "for all sites" if site_id is None else "for this site"
        raise Denied(f"To {what} you need the right {right} {where}.", "Ask who manages users, or use a token with this scope.")


def need_anywhere(request: Request, right: Right, what: str) -> None:
    """Denied when the right is had for no site at all."""
    if not request.perimeter.has(right):
        raise Denied(f"To {what} you need the right {right}.", "Ask who manages users, or use a token with this scope.")
