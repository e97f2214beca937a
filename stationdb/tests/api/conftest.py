# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two regions, who may do what in them, and a client that speaks as one of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from stationdb.accounts.models import Assignment, Role, Token, User
from stationdb.accounts.rights import Right
from stationdb.registry.models import Site


class Api:
    """The API as the bearer of a token sees it."""

    def __init__(self, secret: str) -> None:
        self.secret = secret
        self.client = Client(headers={"Authorization": f"Bearer {secret}"})

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> HttpResponse:
        """Ask; a body is sent as JSON unless it is bytes. Headers have underscores: If_Match."""
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        kind = given.pop("Content-Type", "application/json")
        return self.client.generic(method, f"/api/v1{path}", content, content_type=kind, headers=given)

    def get(self, path: str, **headers: str) -> HttpResponse:
        return self("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> HttpResponse:
        return self("POST", path, body, **headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> HttpResponse:
        return self("PATCH", path, body, **headers)

    def delete(self, path: str, **headers: str) -> HttpResponse:
        return self("DELETE", path, **headers)


@pytest.fixture
def sites(db: None) -> dict[str, Site]:
    """north and south with an agency each, below root."""
    root = Site.objects.create(slug="root", name="All")
    found = {"root": root}
    for region in ("north", "south"):
        found[region] = Site.objects.create(slug=region, name=region.title(), parent=root)
        found[f"{region}1"] = Site.objects.create(slug=f"{region}1", name=f"{region.title()} agency", parent=found[region])
    return found


@pytest.fixture
def bearer(sites: dict[str, Site]) -> Callable[..., Api]:
    """The API as somebody with rights (all, unless told) at a site, or everywhere with None."""

    def make(site: str | None, *rights: Right, user: str = "") -> Api:
        name = user or f"{site or 'everywhere'}-{User.objects.count()}"
        made = User.objects.create_user(name)
        role = Role.objects.create(name=f"role of {name}", rights=list(rights or Right.values))
        Assignment.objects.create(user=made, role=role, site=sites[site] if site else None)
        return Api(Token.issue(made, "tests", list(Right.values), timedelta(hours=1))[1])

    return make


@pytest.fixture
def admin(db: None) -> Api:
    """An administrator."""
    return Api(Token.issue(User.objects.create_superuser("administrator"), "tests", list(Right.values), timedelta(hours=1))[1])


def wrong(response: HttpResponse, status: int = 422) -> list[dict[str, Any]]:
    """What a Problem says; asserts that it is one, with a remedy for each error."""
    assert response.status_code == status, (response.status_code, response.content[:500])
    errors: list[dict[str, Any]] = json.loads(response.content)["errors"]
    assert errors and all(error["what"] and error["remedy"] for error in errors), errors
    return errors
