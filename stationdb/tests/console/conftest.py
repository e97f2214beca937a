# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet of two regions, an administrator, and somebody who sees one region."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.test import Client

from stationdb.accounts.models import Assignment, Role, User
from stationdb.accounts.rights import Right
from stationdb.registry.models import Site
from stationdb.tests.fleet import Fleet, make_fleet


@pytest.fixture(autouse=True)
def _fresh():
    cache.clear()


@pytest.fixture
def fleet(db) -> Fleet:
    """Twenty stations: pc00001, pc00003 … in the north, the others in the south."""
    return make_fleet(stations=20, software=30, sites=4, outdated=6)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def admin(fleet) -> Client:
    return signed_in(User.objects.create_superuser("root"))


def somebody(name: str, *rights: Right, site: str | None = "north") -> User:
    user = User.objects.create_user(name)
    role = Role.objects.create(name=f"role of {name}", rights=[right.value for right in rights])
    Assignment.objects.create(user=user, role=role, site=Site.objects.get(slug=site) if site else None)
    return user


@pytest.fixture
def reader(fleet) -> Client:
    """Sees and exports the north."""
    return signed_in(somebody("reader", Right.VIEW, Right.EXPORT))


@pytest.fixture
def editor(fleet) -> Client:
    """May do everything in the north but administer users."""
    return signed_in(somebody("editor", *[right for right in Right if right != Right.USERS]))
