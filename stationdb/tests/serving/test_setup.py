# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens of services, which the role station_database puts on the control node."""

from __future__ import annotations

import io
import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from stationdb.accounts.models import Token, User
from stationdb.accounts.perimeter import Perimeter
from stationdb.accounts.rights import Right
from stationdb.errors import StationDBError
from stationdb.serving.service import is_valid, issue

pytestmark = pytest.mark.django_db
YEAR = timedelta(days=365)


def test_a_service_has_the_rights_of_its_scopes_and_no_password() -> None:
    secret = issue("inventory", ["stations.view"], YEAR)
    token = Token.find(secret)
    assert token is not None
    assert not token.user.has_usable_password()
    perimeter = Perimeter.of_token(token)
    assert perimeter.covers(None, Right.VIEW)
    assert not perimeter.has(Right.EDIT)
    assert is_valid("inventory", secret, ["stations.view"])


def test_a_new_token_replaces_the_old_one_and_its_rights() -> None:
    old = issue("inventory", ["stations.view", "stations.edit"], YEAR)
    new = issue("inventory", ["stations.view"], YEAR)
    assert Token.find(old) is None
    assert not Perimeter.of_token(Token.find(new)).has(Right.EDIT)  # type: ignore[arg-type]
    assert User.objects.filter(username="service-inventory").count() == 1


@pytest.mark.parametrize("secret", ["", "fleet_", "fleet_nothing", "nonsense"])
def test_what_opens_nothing_is_not_valid(secret: str) -> None:
    assert not is_valid("inventory", secret, ["stations.view"])


def test_another_services_token_other_scopes_and_one_that_ends_soon_are_not_valid() -> None:
    secret = issue("inventory", ["stations.view"], YEAR)
    assert not is_valid("register", secret, ["stations.view"])
    assert not is_valid("inventory", secret, ["stations.view", "stations.edit"])
    now = timezone.now()
    Token.objects.update(created=now - timedelta(days=362), expires=now + timedelta(days=3))
    assert not is_valid("inventory", secret, ["stations.view"])


@pytest.mark.parametrize("scopes", [[], ["stations.fly"], ["stations.view", "'; DROP TABLE"]])
def test_scopes_that_are_no_rights_are_refused(scopes: list[str]) -> None:
    with pytest.raises(StationDBError, match="These are no rights"):
        issue("inventory", scopes, YEAR)
    assert not User.objects.exists()


def test_setup_makes_the_administrator_once_and_says_what_it_did() -> None:
    first, second = io.StringIO(), io.StringIO()
    call_command("setup", "--json", stdout=first)
    call_command("setup", "--json", stdout=second)
    done = json.loads(first.getvalue())
    assert done["changed"]
    assert done["migrations"] == []
    assert User.objects.get().check_password(done["password"])
    assert json.loads(second.getvalue()) == {"changed": False, "migrations": [], "password": None}
