# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who sees what: rights, sites and the sites below them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError

from stationdb.accounts.models import Assignment, Role, Token, User
from stationdb.accounts.perimeter import Perimeter
from stationdb.accounts.rights import Right
from stationdb.registry.models import Group, Site, Station

pytestmark = pytest.mark.django_db


@pytest.fixture
def tree() -> dict[str, Site]:
    """Two regions, each with an agency, and a station at each agency."""
    root = Site.objects.create(slug="root", name="All")
    sites = {"root": root}
    for region in ("north", "south"):
        sites[region] = Site.objects.create(slug=region, name=region.title(), parent=root)
        sites[f"{region}1"] = Site.objects.create(slug=f"{region}1", name=f"{region} agency", parent=sites[region])
        Station.objects.create(name=f"pc-{region}", site=sites[f"{region}1"])
    return sites


@pytest.fixture
def user(tree: dict[str, Site]) -> User:
    made = User.objects.create_user("alice")
    Assignment.objects.create(user=made, role=Role.objects.create(name="reader", rights=[Right.VIEW]), site=tree["north"])
    return made


def names(perimeter: Perimeter, right: Right = Right.VIEW) -> set[str]:
    return set(Station.objects.within(perimeter, right).values_list("name", flat=True))


def test_a_role_at_a_site_reaches_the_sites_below_and_no_other(user, tree):
    perimeter = Perimeter.of_user(user)
    assert names(perimeter) == {"pc-north"}
    assert names(perimeter, Right.EDIT) == set()
    assert perimeter.covers(tree["north1"].id, Right.VIEW) and not perimeter.covers(tree["south1"].id, Right.VIEW)
    assert not perimeter.covers(None, Right.VIEW)


def test_a_role_for_all_sites_an_administrator_and_who_is_not_active(user):
    Assignment.objects.create(user=user, role=Role.objects.create(name="editor", rights=[Right.EDIT]), site=None)
    assert names(Perimeter.of_user(user), Right.EDIT) == {"pc-north", "pc-south"}
    assert names(Perimeter.of_user(User.objects.create_superuser("root"))) == {"pc-north", "pc-south"}
    user.is_active = False
    assert names(Perimeter.of_user(user)) == set()


def test_a_token_can_do_no_more_than_its_scopes_and_its_user(user):
    token, secret = Token.issue(user, "ci", [Right.EDIT], timedelta(days=1))
    assert Perimeter.of_token(token).sites == {}
    token, secret = Token.issue(user, "cd", [Right.VIEW, Right.EDIT], timedelta(days=1))
    assert names(Perimeter.of_token(token)) == {"pc-north"}
    assert Token.find(secret) == token
    assert secret not in str(token.__dict__.values())
    assert Token.find("fleet_wrong") is None
    Token.objects.update(expires=token.created)
    assert Token.find(secret) is None


def test_a_group_without_a_site_is_seen_but_not_changed_by_all(user, tree):
    Group.objects.create(name="kiosks")
    Group.objects.create(name="south_only", site=tree["south"])
    perimeter = Perimeter.of_user(user)
    assert [group.name for group in Group.objects.within(perimeter)] == ["kiosks"]
    assert not Group.objects.within(perimeter, Right.GROUPS).exists()
    assert not Group.objects.within(Perimeter()).exists()


def test_sites_that_move_take_what_is_below_along(user, tree):
    tree["north"].parent = tree["south"]
    tree["north"].save()
    assert Perimeter.of_user(user).covers(tree["north1"].id, Right.VIEW)
    assert tree["south"].with_descendants().filter(slug="north1").exists()
    tree["south"].refresh_from_db()
    tree["south"].parent = Site.objects.get(slug="north1")
    with pytest.raises(Exception, match="part of itself"):
        tree["south"].save()


def test_names_are_unique_whatever_their_case(tree):
    with pytest.raises(IntegrityError):
        Station.objects.create(name="PC-North", site=tree["south"])
