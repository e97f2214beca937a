# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may open a page."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, cast
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import reverse
from django_htmx.middleware import HtmxDetails

from ...accounts.middleware import Request as AskedRequest
from ...accounts.models import User
from ...accounts.perimeter import Perimeter
from ...accounts.rights import Right

P = ParamSpec("P")


class Request(AskedRequest):
    """A request of somebody who signed in."""

    htmx: HtmxDetails
    user: User


def page(
    right: Right | None = Right.VIEW, *, everywhere: bool = False, methods: tuple[str, ...] = ("GET", "HEAD")
) -> Callable[[Callable[Concatenate[Request, P], HttpResponseBase]], Callable[Concatenate[HttpRequest, P], HttpResponseBase]]:
    """Let through whoever signed in and has the right somewhere (or for all sites); others sign in, or are refused."""

    def wrap(view: Callable[Concatenate[Request, P], HttpResponseBase]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
        @functools.wraps(view)
        def inner(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            asked = cast(Request, request)
            if not request.user.is_authenticated:
                return _sign_in(asked)
            if asked.token is not None:
                # Pages are for people. Here a token could make another that outlives it.
                raise PermissionDenied
            if request.method not in methods:
                return HttpResponseNotAllowed(methods)
            if right is not None and not (asked.perimeter.everywhere(right) if everywhere else asked.perimeter.has(right)):
                raise PermissionDenied
            return view(asked, *args, **kwargs)

        cast(Any, inner).right = right
        return cast(Callable[Concatenate[HttpRequest, P], HttpResponseBase], inner)

    return wrap


def require(request: Request, site_id: int | None, right: Right) -> None:
    """PermissionDenied unless the right is had for the site of something that is seen."""
    if not request.perimeter.covers(site_id, right):
        raise PermissionDenied


def exporting(request: Request) -> Perimeter:
    """What may be exported, as a perimeter that sees it and nothing else."""
    seen, exported = (request.perimeter.sites.get(right.value, frozenset()) for right in (Right.VIEW, Right.EXPORT))
    both = exported if seen is None else seen if exported is None else seen & exported
    return Perimeter({Right.VIEW.value: both})


def _sign_in(request: Request) -> HttpResponse:
    wanted = request.get_full_path() if request.method == "GET" and not request.htmx else reverse("console:dashboard")
    address = f"{reverse('console:login')}?{urlencode({'next': wanted})}"
    if request.htmx:
        return HttpResponse(headers={"HX-Redirect": address})
    return redirect(address)
