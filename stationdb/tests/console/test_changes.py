# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people change: forms, imports, passwords, tokens, users."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from stationdb.accounts.models import Assignment, Role, Token, User
from stationdb.accounts.rights import Right
from stationdb.content.models import Image
from stationdb.registry.models import Group, Site, Station, StationValue
from stationdb.tests.console.conftest import signed_in, somebody

PASSWORD = "correct-horse-battery"


def page_of(response) -> str:
    return response.content.decode()


def station_form(**change: str) -> dict[str, str]:
    site = Site.objects.get(slug="agency0001").pk
    return {
        "name": "lab1",
        "site": str(site),
        "state": "new",
        "kind": "stations",
        "variables": '{"room": 12}',
        "macs": "52-54-00-AA-BB-01",
        **change,
    }


def test_a_station_is_added_changed_and_removed(editor):
    response = editor.post("/stations/add/", station_form(), follow=True)
    made = Station.objects.get(name="lab1")
    assert "lab1 was saved." in page_of(response) and made.variables == {"room": 12}
    assert [card.mac for card in made.macs.all()] == ["52:54:00:aa:bb:01"]
    editor.post(f"/stations/{made.pk}/edit/", station_form(name="lab2", macs="", model="pc00003"))
    made.refresh_from_db()
    assert made.name == "lab2" and not made.macs.exists() and made.model.name == "pc00003"
    assert "lab2" in page_of(editor.get(f"/stations/{made.pk}/remove/")) and Station.objects.filter(pk=made.pk).exists()
    editor.post(f"/stations/{made.pk}/remove/")
    assert not Station.objects.filter(pk=made.pk).exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "no name"),
        ("name", "PC00003"),
        ("macs", "zz"),
        ("macs", "a4:bb:6d:00:00:01"),
        ("model", "pc00002"),
        ("variables", "[1]"),
        ("address", "1.2.3"),
        ("uuid", "x"),
    ],
)
def test_what_is_wrong_with_a_station_is_said_and_nothing_saved(editor, field, value):
    response = editor.post("/stations/add/", station_form(**{field: value}))
    assert response.status_code == 400 and f'id="id_{field}_error"' in page_of(response)
    assert not Station.objects.filter(name="lab1").exists()


def test_nothing_moves_to_a_site_beyond_the_perimeter(editor, fleet):
    south = Site.objects.get(slug="agency0002")
    response = editor.post(f"/stations/{fleet.stations[0].pk}/edit/", station_form(site=str(south.pk)))
    assert response.status_code == 400 and Station.objects.get(name="pc00001").site.slug == "agency0001"
    for path, form in (
        ("/sites/add/", {"slug": "x", "name": "x", "parent": str(south.pk)}),
        ("/sites/add/", {"slug": "x", "name": "x"}),
        ("/groups/add/", {"name": "x"}),
        ("/groups/add/", {"name": "x", "site": str(south.pk)}),
    ):
        assert editor.post(path, {"variables": "{}", **form}).status_code == 400, path
    assert not Site.objects.filter(slug="x").exists() and not Group.objects.filter(name="x").exists()


def test_a_site_and_its_subnets(editor):
    north = Site.objects.get(slug="north")
    editor.post(
        "/sites/add/",
        {"slug": "school", "name": "École", "parent": str(north.pk), "subnets": "10.99.0.0/24\n10.99.1.0/24", "variables": "{}"},
    )
    school = Site.objects.get(slug="school")
    assert [subnet.network for subnet in school.subnets.all()] == ["10.99.0.0/24", "10.99.1.0/24"] and school.path.startswith(north.path)
    form = {"slug": "school", "name": "École", "parent": str(north.pk), "subnets": "10.0.0.0/24", "variables": "{}"}
    assert "Another site has 10.0.0.0/24" in page_of(editor.post(f"/sites/{school.pk}/edit/", form))
    assert "still used by" in page_of(editor.post(f"/sites/{Site.objects.get(slug='agency0001').pk}/remove/", follow=True))
    editor.post(f"/sites/{school.pk}/remove/")
    assert not Site.objects.filter(slug="school").exists()


def test_groups_and_their_members(editor):
    north = Site.objects.get(slug="north")
    wrong = editor.post("/groups/add/", {"name": "lab", "site": str(north.pk), "criteria": "ram < 8 GiX", "variables": "{}"})
    assert "At character 7 (8 GiX)" in page_of(wrong)
    editor.post("/groups/add/", {"name": "lab", "site": str(north.pk), "criteria": "", "variables": "{}"})
    group = Group.objects.get(name="lab")
    path = f"/groups/{group.pk}/members/"
    assert "pc00002" in page_of(editor.post(path, {"names": "pc00001 pc00002"}, follow=True)) and not group.stations.exists()
    editor.post(path, {"names": "PC00001, pc00003"})
    assert [station.name for station in group.stations.all()] == ["pc00001", "pc00003"]
    editor.post(f"{path}{Station.objects.get(name='pc00001').pk}/remove/")
    assert [station.name for station in group.stations.all()] == ["pc00003"]
    kiosks = Group.objects.get(name="kiosks")
    assert editor.post(f"/groups/{kiosks.pk}/members/", {"names": "pc00003"}).status_code == 403


def test_what_an_editor_does_not_see_is_not_taken_away(editor):
    north, south = (Site.objects.get(slug=slug) for slug in ("agency0001", "agency0002"))
    model = Station.objects.create(name="hidden-model", site=south)
    image = Image.objects.create(name="hidden", version="1", site=south)
    station = Station.objects.create(name="lab1", site=north, model=model, image=image)
    Site.objects.filter(pk=north.pk).update(relay=model)
    assert "hidden-model" not in page_of(editor.get(f"/stations/{station.pk}/edit/"))
    assert editor.post(f"/stations/{station.pk}/edit/", station_form(comment="x")).status_code == 302
    station.refresh_from_db()
    assert (station.comment, station.model, station.image) == ("x", model, image)
    form = {"slug": "agency0001", "name": "Renamed", "parent": str(north.parent_id), "variables": "{}"}
    assert editor.post(f"/sites/{north.pk}/edit/", form).status_code == 302
    north.refresh_from_db()
    assert (north.name, north.relay) == ("Renamed", model)


def test_who_signs_in_through_the_directory_gets_no_password_here(admin):
    user = User.objects.create_user("dora", directory="uid=dora,dc=example,dc=org")
    assert "one-time password" not in page_of(admin.get(f"/users/{user.pk}/"))
    assert admin.post(f"/users/{user.pk}/password/").status_code == 403
    user.refresh_from_db()
    assert not user.has_usable_password()


def test_who_is_in_a_group_is_said_by_who_may_change_the_stations(fleet):
    group = Group.objects.create(name="lab", site=Site.objects.get(slug="north"))
    group.stations.add(Station.objects.get(name="pc00001"))
    grouper = signed_in(somebody("grouper", Right.VIEW, Right.GROUPS))
    path = f"/groups/{group.pk}/members/"
    assert grouper.post(path, {"names": "pc00003"}).status_code == 403
    assert grouper.post(f"{path}{group.stations.get().pk}/remove/").status_code == 403
    assert [station.name for station in group.stations.all()] == ["pc00001"]


def test_pages_are_not_for_tokens(fleet):
    secret = Token.issue(somebody("robot", Right.VIEW), "short", ["stations.view"], timedelta(hours=1))[1]
    program = Client(headers={"Authorization": f"Bearer {secret}"})
    assert program.get("/stations/").status_code == 403
    assert program.post(reverse("console:token_issue"), {"name": "longer", "days": "365", "scopes": ["stations.view"]}).status_code == 403
    assert Token.objects.count() == 1


def test_secret_values_are_kept_and_forgotten(editor, fleet):
    station = fleet.stations[0]
    editor.post(f"/stations/{station.pk}/values/", {"name": "office_key", "value": "A-1"})
    editor.post(f"/stations/{station.pk}/values/", {"name": "office_key", "value": "A-2"})
    value = StationValue.objects.get(station=station)
    assert value.value == "A-2"
    editor.post(f"/stations/{station.pk}/values/{value.pk}/remove/")
    assert not StationValue.objects.exists()


def test_an_import_shows_what_would_change_and_then_does_it(editor):
    table = "name,site,tag\npc00001,agency0001,NEW TAG\nlab7,agency0003,\n"
    page = page_of(editor.post("/stations/import/", {"text": table}))
    assert "2 stations would change" in page and "NEW TAG" in page and not Station.objects.filter(name="lab7").exists()
    editor.post("/stations/import/", {"text": table, "apply": "1"})
    assert Station.objects.get(name="lab7").site.slug == "agency0003" and Station.objects.get(name="pc00001").tag == "NEW TAG"
    page = page_of(editor.post("/stations/import/", {"text": "name,site\nlab8,agency0003\nlab9,agency0002\n", "apply": "1"}))
    assert "1 fault" in page and "agency0002" in page and not Station.objects.filter(name__startswith="lab8").exists()
    page = page_of(editor.post("/stations/import/", {"text": "name,site,macs\nlab8,agency0003,52:54:zz\n"}))
    table = page[page.index("What is wrong") : page.index("</table>")]
    assert table.count("52:54:zz") == 1, "a message that names the value is not followed by it"
    assert "not UTF-8" in page_of(editor.post("/stations/import/", {"file": _file(b"name\n\xff\n")}))


def _file(content: bytes):
    from django.core.files.uploadedfile import SimpleUploadedFile

    return SimpleUploadedFile("stations.csv", content, "text/csv")


def test_a_one_time_password_leads_to_a_new_one_first(fleet):
    user = User.objects.create_user("alice", password=PASSWORD, must_change_password=True)
    client = Client()
    response = client.post("/sign-in/", {"username": "alice", "password": PASSWORD, "next": "/stations/"})
    assert response["Location"] == "/stations/"
    for path in ("/", "/stations/", "/account/", "/stations/export.csv"):
        assert client.get(path)["Location"] == "/password/"
    form = {"old_password": PASSWORD, "new_password1": "another-horse-42", "new_password2": "another-horse-42"}
    assert 'id="id_old_password_error"' in page_of(client.post("/password/", {**form, "old_password": "no"}))
    client.post("/password/", form)
    user.refresh_from_db()
    assert not user.must_change_password and client.get("/account/").status_code == 200


def test_who_guesses_is_slowed(fleet):
    User.objects.create_user("victim", password=PASSWORD)
    client = Client()
    for _try in range(7):
        page = page_of(client.post("/sign-in/", {"username": "victim", "password": "guess"}))
    assert "too many failures" in page
    assert client.post("/sign-in/", {"username": "victim", "password": PASSWORD}).status_code == 200, "not even the right one, yet"


def test_tokens_are_issued_within_ones_rights_shown_once_and_revoked(reader):
    page = page_of(reader.post("/account/tokens/", {"name": "AWX", "days": "30", "scopes": ["stations.view"]}))
    secret = re.search(r"fleet_[A-Za-z0-9_-]{43}", page)
    assert secret and Token.find(secret[0]).name == "AWX"
    assert secret[0] not in page_of(reader.get("/account/"))
    assert reader.post("/account/tokens/", {"name": "root", "days": "30", "scopes": ["stations.edit"]}).status_code == 400
    assert reader.post("/account/tokens/", {"name": "AWX", "days": "30", "scopes": ["export"]}).status_code == 400
    other, _secret = Token.issue(User.objects.create_user("bob"), "b", [Right.VIEW], timedelta(days=1))
    assert reader.post(f"/account/tokens/{other.pk}/revoke/").status_code == 404
    reader.post(f"/account/tokens/{Token.objects.get(name='AWX').pk}/revoke/")
    assert [token.name for token in Token.objects.all()] == ["b"]


def test_users_get_roles_and_a_password_to_sign_in_once(admin):
    page = page_of(admin.post("/users/add/", {"username": "carol", "language": "fr", "is_active": "on"}))
    password = re.search(r'class="revealed">([^<]+)<', page)[1]
    carol = User.objects.get(username="carol")
    assert carol.check_password(password) and carol.must_change_password
    admin.post("/roles/add/", {"name": "north reader", "rights": ["stations.view"]})
    role = Role.objects.get(name="north reader")
    admin.post(f"/users/{carol.pk}/roles/", {"role": str(role.pk), "site": str(Site.objects.get(slug="north").pk)})
    given = Assignment.objects.get(user=carol)
    assert given.site.slug == "north"
    assert "not removed while" in page_of(admin.post(f"/roles/{role.pk}/remove/", follow=True))
    admin.post(f"/users/{carol.pk}/roles/{given.pk}/remove/")
    admin.post(f"/roles/{role.pk}/remove/")
    assert not Role.objects.filter(pk=role.pk).exists()


def test_language_and_colours_are_kept_for_the_user(admin):
    admin.post("/language/", {"language": "fr", "next": "/stations/"})
    admin.post("/theme/", {"theme": "dark", "next": "/stations/"})
    user = User.objects.get(username="root")
    assert (user.language, user.theme) == ("fr", "dark")
    fresh = Client()
    fresh.force_login(user)
    page = page_of(fresh.get("/stations/", headers={"Accept-Language": "en"}))
    assert '<html lang="fr" data-theme="dark">' in page and "Postes" in page
    assert "Se connecter" in page_of(Client().get("/sign-in/", headers={"Accept-Language": "fr"}))


def test_pages_for_what_went_wrong(admin, monkeypatch):
    response = admin.get("/nothing/here/")
    assert response.status_code == 404 and "Not found" in page_of(response)
    assert admin.get("/stations/999999/").status_code == 404
    admin.raise_request_exception = False
    monkeypatch.setattr("stationdb.console.views.dashboard.figures", lambda perimeter: 1 / 0)
    response = admin.get("/")
    assert response.status_code == 500 and "Something went wrong" in page_of(response)


def test_who_has_no_role_is_told_so(db):
    client = Client()
    client.force_login(User.objects.create_user("nobody"))
    assert "no role gives you a site" in page_of(client.get("/"))
    assert client.get("/stations/").status_code == 403


def test_the_static_groups_of_a_station_are_changed_on_its_page(editor, fleet):
    station, north, south = fleet.stations[0], Site.objects.get(slug="north"), Site.objects.get(slug="south")
    Group.objects.create(name="lab", site=north)
    Group.objects.create(name="lab_of_the_south", site=south)
    Group.objects.create(name="by_criteria", site=north, criteria="ram > 1 GiB")
    path, page = f"/stations/{station.pk}/groups/", f"/stations/{station.pk}/"
    shown = page_of(editor.get(page))
    assert "<option>lab</option>" in shown and "lab_of_the_south" not in shown and "<option>by_criteria" not in shown
    assert "lab" in page_of(editor.post(path, {"join": "lab"}, follow=True)) and _static(station) == ["kiosks", "lab"]
    shown = page_of(editor.get(page))
    assert "Take out of lab" in shown and "<option>lab</option>" not in shown
    assert "Take out of kiosks" not in shown, "a group of all sites needs the right for all sites"
    for wrong in ("lab_of_the_south", "by_criteria", "kiosks", "nonsense", "", "\0"):
        assert "Not changed." in page_of(editor.post(path, {"join": wrong}, follow=True)), wrong
    for wrong in (Group.objects.get(name="kiosks").pk, Group.objects.get(name="by_criteria").pk, 0, "x", "9" * 30):
        assert editor.post(path, {"leave": str(wrong)}).status_code == 404, wrong
    assert _static(station) == ["kiosks", "lab"]
    editor.post(path, {"leave": str(Group.objects.get(name="lab").pk)})
    assert _static(station) == ["kiosks"]


def _static(station) -> list[str]:
    return list(station.groups.order_by("name").values_list("name", flat=True))


@pytest.mark.parametrize("rights", [(Right.VIEW, Right.GROUPS), (Right.VIEW, Right.EDIT)])
def test_who_may_change_only_the_station_or_only_the_group_puts_nobody_in(fleet, rights):
    Group.objects.create(name="lab", site=Site.objects.get(slug="north"))
    client, station = signed_in(somebody("half", *rights)), fleet.stations[0]
    assert 'name="join"' not in page_of(client.get(f"/stations/{station.pk}/"))
    assert client.post(f"/stations/{station.pk}/groups/", {"join": "lab"}).status_code == 403
    assert _static(station) == ["kiosks"]


def test_the_last_administrator_stays(admin):
    root = User.objects.get(username="root")
    form = {"username": "root", "first_name": "R"}
    assert "last active administrator" in page_of(admin.post(f"/users/{root.pk}/", form))
    root.refresh_from_db()
    assert root.is_active and not root.first_name
    chief = somebody("chief", *Right, site=None)
    assert admin.post(f"/users/{root.pk}/", form).status_code == 302
    by_role = signed_in(chief)
    given = chief.assignments.get()
    path = f"/users/{chief.pk}/roles/{given.pk}/remove/"
    assert "last active administrator" in page_of(by_role.post(path, follow=True)) and chief.assignments.exists()
    response = by_role.post(f"/roles/{given.role_id}/", {"name": "role of chief", "rights": ["users.edit"]})
    assert response.status_code == 400 and "last active administrator" in page_of(response)
    User.objects.create_superuser("other")
    assert by_role.post(path).status_code == 302 and not chief.assignments.exists()
