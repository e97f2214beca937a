# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who sees and does what: every page, as somebody of another site."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client

from stationdb.accounts.models import Assignment, Role, Token, User
from stationdb.accounts.rights import Right
from stationdb.console.models import SavedFilter
from stationdb.content.models import Image, Package
from stationdb.registry.models import Group, Site, Station, StationValue
from stationdb.reports.models import Software
from stationdb.tests.console.conftest import signed_in, somebody
from stationdb.tests.console.pages import NAMES, OPEN, POSTS, address
from stationdb.tests.fleet import install

HIDDEN = "zz-secret"
KNOWN = [
    f"{HIDDEN}-{what}" for what in ("site", "pc", "tag", "os", "program", "group", "image", "package", "value", "owner", "token", "filter")
]
KNOWN += ["zz_secret_site", "zz_secret_group"]


@pytest.fixture
def south(fleet) -> dict[str, int]:
    """Something of each kind in the south, whose names all begin alike."""
    site = Site.objects.create(slug="zz_secret_site", name=f"{HIDDEN}-site", parent=Site.objects.get(slug="south"))
    station = Station.objects.create(name=f"{HIDDEN}-pc", site=site, tag=f"{HIDDEN}-tag", os_name=f"{HIDDEN}-os", state=Station.State.NEW)
    install(station, (f"{HIDDEN}-program", "1.0"))
    group = Group.objects.create(name="zz_secret_group", site=site, description=f"{HIDDEN}-group")
    group.stations.add(station)
    image = Image.objects.create(name=f"{HIDDEN}-image", version="1", site=site, source=station)
    package = Package.objects.create(name=f"{HIDDEN}-package", version="1", site=site)
    value = StationValue.objects.create(station=station, name="key", value=f"{HIDDEN}-value")
    owner = User.objects.create_user(f"{HIDDEN}-owner")
    token, _secret = Token.issue(owner, f"{HIDDEN}-token", [Right.VIEW], timedelta(days=1))
    saved = SavedFilter.objects.create(user=owner, name=f"{HIDDEN}-filter", query="tag=x")
    software = Software.objects.get(name=f"{HIDDEN}-program")
    return {
        "station": station.pk,
        "site": site.pk,
        "group": group.pk,
        "image": image.pk,
        "package": package.pk,
        "value": value.pk,
        "software": software.pk,
        "user": owner.pk,
        "token": token.pk,
        "filter": saved.pk,
    }


CHANGED = (Station, Site, Group, Image, Package, StationValue, Token, SavedFilter)


def text_of(response) -> str:
    return (b"".join(response.streaming_content) if response.streaming else response.content).decode(errors="replace")


@pytest.mark.parametrize("name", [name for name in NAMES if name not in OPEN])
def test_who_is_not_signed_in_is_led_to_the_sign_in(name, south):
    response = Client().get(address(name, south))
    assert response.status_code == 302 and response["Location"].startswith("/sign-in/")


@pytest.mark.parametrize("name", [name for name in NAMES if name not in {"login", "logout"}])
def test_no_page_shows_or_changes_what_is_of_another_site(name, south, editor):
    before = {model: list(model.objects.order_by("pk").values()) for model in CHANGED}
    for query in (
        "",
        f"?q={HIDDEN}",
        "?q=zz_secret",
        '?q=tag="zz-secret-tag"',
        "?site=zz_secret_site",
        "?group=zz_secret_group",
        f"?tag={HIDDEN}-tag",
        "?state=new",
    ):
        path = address(name, south)
        response = editor.post(path, {"names": f"{HIDDEN}-pc", "name": "x"}) if name in POSTS else editor.get(path + query)
        shown = text_of(response)
        assert [what for what in KNOWN if what in shown and what not in query] == [], f"{path}{query}"
        if re.search(r"/\d+/", path) and name not in ("role", "role_remove"):
            assert response.status_code in (403, 404), path
    after = {model: list(model.objects.order_by("pk").values()) for model in before}
    after[SavedFilter] = [row for row in after[SavedFilter] if row["name"] != "x"]
    assert after == before


@pytest.mark.parametrize(
    "name", [name for name in NAMES if name.endswith(("_add", "_edit", "_remove", "_save")) or name in ("import", "users")]
)
def test_a_reader_changes_nothing(name, reader, fleet):
    group = Group.objects.create(name="of_the_north", site=Site.objects.get(slug="north"))
    north = Site.objects.get(slug="north")
    image, package = (model.objects.create(name="ours", version="1", site=north).pk for model in (Image, Package))
    things = {"station": fleet.stations[0].pk, "site": north.pk, "group": group.pk, "image": image, "package": package}
    path = address(name, things)
    for response in (reader.get(path), reader.post(path, {"name": "x", "names": "pc00001"})):
        assert response.status_code in (403, 404, 405), path


def test_counts_and_choices_are_those_of_the_perimeter(reader, south):
    page = text_of(reader.get("/"))
    assert "10 stations" in page and "Agency 2" not in page
    page = text_of(reader.get("/stations/"))
    assert "10 stations" in page and "agency0001" in page and "agency0002" not in page


def test_only_what_may_be_exported_is_exported(fleet, south):
    user = somebody("both", Right.VIEW, site=None)
    role = Role.objects.create(name="exporter", rights=[Right.EXPORT.value])
    Assignment.objects.create(user=user, role=role, site=Site.objects.get(slug="north"))
    client = signed_in(user)
    assert "pc00002" in text_of(client.get("/stations/"))
    lines = text_of(client.get("/stations/export.csv"))
    assert "pc00001" in lines and "pc00002" not in lines and HIDDEN not in lines
    for name in ("sites_csv", "groups_csv", "softwares_csv", "images_csv", "packages_csv", "software_csv", "group_csv"):
        assert HIDDEN not in text_of(client.get(address(name, south))), name
    assert client.get(address("station_pdf", south)).status_code == 403
    assert client.get(address("station_software_csv", south)).status_code == 403


def test_nobody_comes_to_a_right_by_managing_users(editor, fleet):
    local = signed_in(somebody("local", Right.VIEW, Right.USERS))
    assert ">editor<" in text_of(local.get("/users/")) and ">root<" not in text_of(local.get("/users/"))
    assert local.get("/users/add/").status_code == 403 and local.get("/roles/add/").status_code == 403
    above = User.objects.get(username="editor")
    assert local.post(f"/users/{above.pk}/password/").status_code == 403
    given = {"role": str(Role.objects.get(name="role of editor").pk), "site": str(Site.objects.get(slug="north").pk)}
    assert local.post(f"/users/{above.pk}/roles/", given).status_code == 403
    below = somebody("below", Right.VIEW)
    assert local.post(f"/users/{below.pk}/roles/", given).status_code == 403
    given = {"role": str(Role.objects.get(name="role of below").pk), "site": str(Site.objects.get(slug="agency0001").pk)}
    assert local.post(f"/users/{below.pk}/roles/", given).status_code == 302 and below.assignments.count() == 2
    assert local.post(f"/users/{below.pk}/roles/{above.assignments.get().pk}/remove/").status_code == 404
    client = signed_in(somebody("global", Right.USERS, site=None))
    assert client.get("/users/").status_code == 200
    boss = User.objects.create_superuser("boss")
    assert client.post(f"/users/{boss.pk}/", {"username": "mine"}).status_code == 403
    assert client.post(f"/users/{boss.pk}/password/").status_code == 403
    assert client.post("/roles/add/", {"name": "all", "rights": ["stations.edit"]}).status_code == 403


def test_a_secret_is_shown_on_demand_to_who_may_read_it(fleet, reader, editor, caplog):
    station = Station.objects.get(name="pc00001")
    value = StationValue.objects.create(station=station, name="office_key", value="ABCD-EFGH")
    path = f"/stations/{station.pk}/values/{value.pk}/"
    for client, may in ((reader, False), (editor, True)):
        page = text_of(client.get(f"/stations/{station.pk}/"))
        assert ("office_key" in page) is may and "ABCD-EFGH" not in page
    assert reader.post(path).status_code == 403
    assert editor.get(path).status_code == 405
    caplog.set_level("INFO", "stationdb.audit")
    response = editor.post(path, headers={"HX-Request": "true"})
    assert "ABCD-EFGH" in text_of(response) and "no-store" in response["Cache-Control"]
    assert "editor read the value office_key of pc00001" in caplog.text
