# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users, roles and tokens: nobody comes to a right by managing users."""

from __future__ import annotations

import pytest

from stationdb.accounts.models import Assignment, Role, Token, User
from stationdb.accounts.rights import Right

from .conftest import Api, wrong

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"


@pytest.fixture
def roles(db: None) -> dict[str, Role]:
    return {
        "reader": Role.objects.create(name="reader", rights=[Right.VIEW]),
        "editor": Role.objects.create(name="editor", rights=[Right.VIEW, Right.EDIT]),
        "exporter": Role.objects.create(name="exporter", rights=[Right.EXPORT]),
    }


@pytest.fixture
def manager(bearer, roles) -> Api:
    """Who manages readers and editors in the north."""
    return bearer("north", Right.VIEW, Right.EDIT, Right.USERS, user="manager")


def given(role: str, site: str | None) -> dict[str, object]:
    return {"role": role, "site": site}


def test_a_manager_adds_users_at_their_sites_with_their_own_rights_at_most(manager):
    answer = manager.post("/users", {"username": "bob", "password": PASSWORD, "assignments": [given("editor", "north1")]})
    assert answer.status_code == 201, answer.content
    assert answer.json()["assignments"] == [given("editor", "north1")]
    bob = User.objects.get(username="bob")
    assert bob.check_password(PASSWORD) and bob.must_change_password and PASSWORD not in answer.content.decode()
    for assignments, status in (
        ([given("exporter", "north1")], 403),
        ([given("reader", None)], 403),
        ([given("reader", "south1")], 404),
        ([given("reader", "root")], 404),
        ([given("nothing", "north")], 404),
        ([], 422),
    ):
        wrong(manager.post("/users", {"username": "eve", "assignments": assignments}), status)
        assert not User.objects.filter(username="eve").exists()
    wrong(manager.post("/users", {"username": "eve", "is_superuser": True, "assignments": [given("reader", "north")]}), 403)
    wrong(manager.post("/users", {"username": "bob", "assignments": [given("reader", "north")]}), 409)


def test_who_signs_in_through_the_directory_gets_no_password_here(bearer):
    user = User.objects.create_user("dora", directory="uid=dora,dc=example,dc=org")
    everywhere = bearer(None)
    wrong(everywhere.patch("/users/dora", {"password": PASSWORD}), 403)
    assert everywhere.patch("/users/dora", {"first_name": "Dora"}).status_code == 200
    user.refresh_from_db()
    assert not user.has_usable_password()


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"password": "short"}, "body.password"),
        ({"password": "password1234"}, "body.password"),
        ({"email": "nonsense"}, "body.email"),
        ({"username": "x"}, "body.username"),
        ({"must_change_password": False}, "body.must_change_password"),
    ],
)
def test_bad_users(manager, change, where):
    manager.post("/users", {"username": "bob", "assignments": [given("reader", "north1")]})
    assert wrong(manager.patch("/users/bob", change))[0]["where"] == where


def test_an_account_with_more_rights_is_not_taken_over(manager, roles, sites):
    stronger = User.objects.create_user("stronger", password=PASSWORD)
    Assignment.objects.create(user=stronger, role=roles["editor"], site=sites["north"])
    Assignment.objects.create(user=stronger, role=roles["reader"], site=sites["south"])
    Token.issue(stronger, "t", [Right.VIEW], __import__("datetime").timedelta(days=1))
    assert manager.get("/users/stronger").json()["assignments"] == [given("editor", "north")]
    wrong(manager.patch("/users/stronger", {"password": PASSWORD + "2"}), 403)
    wrong(manager.patch("/users/stronger", {"is_active": False}), 403)
    wrong(manager.delete("/users/stronger"), 403)
    wrong(manager.post("/users/stronger/tokens", {"name": "mine", "scopes": ["stations.view"]}), 403)
    assert manager.get("/users/stronger/tokens").json()["total"] == 0
    wrong(manager.delete("/users/stronger/tokens/t"), 404)
    # The roles at the manager's own sites are the manager's to take away.
    assert manager.patch("/users/stronger", {"assignments": []}).json()["assignments"] == []
    assert list(stronger.assignments.values_list("site__slug", flat=True)) == ["south"]
    wrong(manager.get("/users/stronger"), 404)


def test_an_administrator_is_for_administrators(manager, admin, bearer):
    wrong(manager.get("/users/administrator"), 404)
    everywhere = bearer(None, Right.VIEW, Right.USERS)
    wrong(everywhere.patch("/users/administrator", {"password": PASSWORD}), 403)
    wrong(everywhere.patch("/users/manager", {"is_superuser": True}), 403)
    assert admin.patch("/users/manager", {"is_superuser": True}).json()["is_superuser"] is True
    wrong(admin.patch("/users/administrator", {"is_superuser": False}), 403)
    wrong(admin.delete("/users/administrator"), 403)
    assert admin.delete("/users/manager").status_code == 204


def test_nobody_gives_themselves_more(manager):
    own = manager.get("/users/manager").json()["assignments"]
    wrong(manager.patch("/users/manager", {"assignments": [*own, given("exporter", "north")]}), 403)
    wrong(manager.patch("/users/manager", {"assignments": [*own, given("reader", None)]}), 403)
    wrong(manager.patch("/roles/reader", {"rights": ["users.edit"]}), 403)
    wrong(manager.patch(f"/roles/{own[0]['role']}", {"rights": list(Right.values)}), 403)
    wrong(manager.post("/roles", {"name": "all", "rights": list(Right.values)}), 403)
    wrong(manager.delete("/roles/reader"), 403)


def test_a_token_makes_no_stronger_token(manager):
    user = User.objects.get(username="manager")
    made = manager.post("/users/manager/tokens", {"name": "weak", "scopes": ["users.edit", "stations.view"], "days": 1})
    assert made.status_code == 201 and made.json()["secret"].startswith("fleet_")
    weak = Api(made.json()["secret"])
    wrong(weak.post("/users/manager/tokens", {"name": "strong", "scopes": ["users.edit", "stations.edit"]}), 403)
    wrong(weak.patch("/users/manager", {"password": PASSWORD}), 403)
    assert weak.post("/users/manager/tokens", {"name": "weaker", "scopes": ["stations.view"]}).status_code == 201
    assert [token["name"] for token in manager.get("/users/manager/tokens").json()["items"]] == ["tests", "weak", "weaker"]
    wrong(manager.post("/users/manager/tokens", {"name": "weak", "scopes": []}), 409)
    assert manager.delete("/users/manager/tokens/weak").status_code == 204
    wrong(weak.get("/me"), 401)
    for bad in ({"name": "x", "scopes": ["everything"]}, {"name": "", "scopes": []}, {"name": "x", "scopes": [], "days": 0}):
        wrong(manager.post("/users/manager/tokens", bad))
    assert user.tokens.count() == 2


def test_roles_are_changed_by_who_has_their_rights_everywhere(bearer, roles):
    everywhere = bearer(None, Right.VIEW, Right.EDIT, Right.USERS)
    made = everywhere.post("/roles", {"name": "helpers", "rights": ["stations.view"]})
    assert made.json() == {"name": "helpers", "rights": ["stations.view"]}
    assert everywhere.patch("/roles/helpers", {"rights": ["stations.edit"]}).json()["rights"] == ["stations.edit"]
    wrong(everywhere.patch("/roles/helpers", {"rights": ["export"]}), 403)
    wrong(everywhere.patch("/roles/exporter", {"name": "mine"}), 403)
    wrong(everywhere.delete("/roles/exporter"), 403)
    wrong(everywhere.post("/roles", {"name": "reader", "rights": []}), 409)
    assert everywhere.delete("/roles/helpers").status_code == 204


def test_without_the_right_there_is_nothing_to_manage(bearer):
    reader = bearer("north", Right.VIEW)
    for path in ("/users", "/roles", "/users/x", "/roles/x", "/users/x/tokens"):
        wrong(reader.get(path), 403)


def test_lost_updates_of_users_and_roles(manager, bearer):
    manager.post("/users", {"username": "bob", "assignments": [given("reader", "north1")]})
    read = manager.get("/users/bob")["ETag"]
    assert manager.patch("/users/bob", {"first_name": "Bob"}, If_Match=read).status_code == 200
    wrong(manager.patch("/users/bob", {"first_name": "Rob"}, If_Match=read), 412)


def test_a_token_has_no_scope_that_its_user_has_not(manager, admin):
    manager.post("/users", {"username": "bob", "assignments": [given("reader", "north1")]})
    error = wrong(manager.post("/users/bob/tokens", {"name": "x", "scopes": ["stations.view", "stations.edit"]}))[0]
    assert error["where"] == "body.scopes" and "stations.edit" in error["what"] and "stations.view" not in error["what"]
    assert not User.objects.get(username="bob").tokens.exists()
    assert manager.post("/users/bob/tokens", {"name": "x", "scopes": ["stations.view"]}).status_code == 201
    assert admin.post("/users/administrator/tokens", {"name": "x", "scopes": list(Right.values)}).status_code == 201


def test_the_last_administrator_stays(admin, bearer):
    for answer in (
        admin.patch("/users/administrator", {"is_active": False}),
        admin.patch("/users/administrator", {"is_active": False, "first_name": "x"}),
    ):
        error = wrong(answer, 403)[0]
        assert "last active administrator" in error["what"] and error["remedy"]
    assert User.objects.get(username="administrator").is_active
    bearer("north")
    wrong(admin.patch("/users/administrator", {"is_active": False}), 403)
    bearer(None, Right.VIEW, Right.USERS)
    wrong(admin.patch("/users/administrator", {"is_active": False}), 403)
    User.objects.create_superuser("asleep", is_active=False)
    wrong(admin.patch("/users/administrator", {"is_active": False}), 403)
    bearer(None)
    assert admin.patch("/users/administrator", {"is_active": False}).json()["is_active"] is False


def test_who_administers_by_a_role_does_not_lose_it_while_nobody_else_does(bearer):
    chief = bearer(None, user="chief")
    wrong(chief.patch("/users/chief", {"assignments": []}), 403)
    wrong(chief.patch("/users/chief", {"is_active": False}), 403)
    wrong(chief.patch("/roles/role of chief", {"rights": ["users.edit"]}), 403)
    wrong(chief.delete("/roles/role of chief"), 403)
    assert chief.get("/me").json()["rights"] == dict.fromkeys(Right.values)
    assert chief.patch("/roles/role of chief", {"name": "chiefs"}).status_code == 200
    User.objects.create_superuser("root")
    assert chief.delete("/roles/chiefs").status_code == 204
