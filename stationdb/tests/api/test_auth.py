# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signing in: tokens with scope and expiry, the site's session with CSRF."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from stationdb.accounts.models import Assignment, Role, Token, User
from stationdb.accounts.rights import Right

from .conftest import Api, wrong

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(sites) -> User:
    made = User.objects.create_user("alice", password="correct horse battery")
    Assignment.objects.create(user=made, role=Role.objects.create(name="editor", rights=[Right.VIEW, Right.EDIT]), site=sites["north"])
    return made


def test_a_token_can_do_what_its_user_can_as_far_as_its_scopes_go(alice):
    secret = Token.issue(alice, "reader", [Right.VIEW, Right.USERS], timedelta(days=1))[1]
    me = Api(secret).get("/me").json()
    assert (me["user"], me["token"], me["rights"]) == ("alice", "reader", {"stations.view": ["north", "north1"]})


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer fleet_wrong", "Bearer wrong", "Basic YTpi", "Bearer fleet_é", "fleet_x"])
def test_what_is_no_token_opens_nothing(client, header):
    response = client.get("/api/v1/me", headers={"Authorization": header} if header else {})
    wrong(response, 401)
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_a_token_ends_when_it_expires_and_when_its_user_is_no_longer_active(alice):
    token, secret = Token.issue(alice, "t", [Right.VIEW], timedelta(days=1))
    assert Api(secret).get("/me").status_code == 200
    Token.objects.filter(pk=token.pk).update(expires=timezone.now() - timedelta(seconds=1))
    wrong(Api(secret).get("/me"), 401)
    Token.objects.filter(pk=token.pk).update(expires=timezone.now() + timedelta(days=1))
    User.objects.filter(pk=alice.pk).update(is_active=False)
    wrong(Api(secret).get("/me"), 401)


def test_the_use_of_a_token_is_written_at_most_once_a_minute(alice):
    token, secret = Token.issue(alice, "t", [Right.VIEW], timedelta(days=1))
    Api(secret).get("/me")
    token.refresh_from_db()
    first = token.last_used
    assert first is not None
    with CaptureQueriesContext(connection) as queries:
        Api(secret).get("/me")
    assert not [query for query in queries if query["sql"].startswith("UPDATE")]
    Token.objects.update(last_used=first - timedelta(minutes=2))
    Api(secret).get("/me")
    token.refresh_from_db()
    assert token.last_used >= first


def test_a_session_reads_and_needs_the_csrf_token_to_change(alice):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    assert browser.get("/api/v1/me").json()["token"] is None
    path = "/api/v1/criteria"
    assert "CSRF" in wrong(browser.post(path, {}, content_type="application/json"), 403)[0]["what"]
    browser.cookies["csrftoken"] = "a" * 32
    assert browser.post(path, {}, content_type="application/json", headers={"X-CSRFToken": "a" * 32}).status_code == 422


def test_a_wrong_token_is_not_made_good_by_a_session(alice):
    browser = Client()
    browser.force_login(alice)
    wrong(browser.get("/api/v1/me", headers={"Authorization": "Bearer fleet_wrong"}), 401)


def test_who_must_change_the_password_does_that_first(alice):
    User.objects.update(must_change_password=True)
    browser = Client()
    browser.force_login(alice)
    wrong(browser.get("/api/v1/me"), 403)
