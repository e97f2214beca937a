# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who asks: the perimeter of every request."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import cast

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from .models import Token, User
from .perimeter import Perimeter

USED_EVERY = timedelta(minutes=1)
"""How often the use of a token is written down; not at each request, which would make every read a write."""


class Request(HttpRequest):
    """A request as views see it, after PerimeterMiddleware."""

    perimeter: Perimeter
    """What whoever asks may see and do; nothing for who is not signed in."""
    token: Token | None
    """The token that a program signed in with."""


class PerimeterMiddleware:
    """Set ``request.perimeter`` and ``request.token``, of the token in the Authorization header, else of the session's user.

    A header that holds no valid token gives an empty perimeter, whatever the session: who shows a token means it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        asked = cast(Request, request)
        kind, _, secret = request.headers.get("Authorization", "").partition(" ")
        asked.token = None
        if kind.lower() == "bearer":
            asked.token = used(secret.strip())
            asked.user = asked.token.user if asked.token else AnonymousUser()
        asked.perimeter = cast(Perimeter, SimpleLazyObject(lambda: perimeter_of(asked)))
        return self.get_response(request)


def perimeter_of(request: Request) -> Perimeter:
    """The perimeter of a request whose token is known."""
    if request.token is not None:
        return Perimeter.of_token(request.token)
    if isinstance(request.user, User):
        return Perimeter.of_user(request.user)
    return Perimeter()


def used(secret: str) -> Token | None:
    """The token of a secret, noted as used now, or None for a secret that opens nothing."""
    token = Token.find(secret) if secret.startswith(Token.PREFIX) else None
    if token is not None:
        now = timezone.now()
        if token.last_used is None or token.last_used < now - USED_EVERY:
            Token.objects.filter(Q(last_used=None) | Q(last_used__lt=now - USED_EVERY), pk=token.pk).update(last_used=now)
    return token
