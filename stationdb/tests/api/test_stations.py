# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stations through the API: add, read, change, remove, move; only what is given changes."""

from __future__ import annotations

import pytest
from django.db import connection

from stationdb.accounts.rights import Right
from stationdb.content.models import Image
from stationdb.registry.models import Group, Station, StationValue

from .conftest import wrong

pytestmark = pytest.mark.django_db

FULL = {
    "name": "pc01",
    "site": "north1",
    "kind": "models",
    "state": "new",
    "tag": "ALPHA",
    "uuid": "4C4C4544-0042-3510-8052-B4C04F303232",
    "serial": "BQ5R022",
    "macs": ["5254.0012.3456", "52-54-00-12-34-55"],
    "address": "10.1.2.17",
    "model": None,
    "image": "debian-12/2026.11",
    "disk_identity": "serial:S3Z",
    "groups": ["kiosks"],
    "variables": {"room": "B204", "nested": {"on": True, "list": [1, 1.5, None]}},
    "comment": "At the\nwindow",
}


@pytest.fixture
def north(bearer):
    Group.objects.create(name="kiosks")
    Image.objects.create(name="debian-12", version="2026.11")
    return bearer("north")


def test_a_station_comes_back_in_its_canonical_form(north):
    answer = north.post("/stations", FULL)
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert made == {
        **FULL,
        "uuid": "4c4c4544-0042-3510-8052-b4c04f303232",
        "macs": ["52:54:00:12:34:55", "52:54:00:12:34:56"],
        "secret_names": [],
        **{name: made[name] for name in ("created", "modified", "reported")},
    }
    assert north.get("/stations/PC01").json() == made
    assert north.get("/stations").json()["items"] == [made]


def test_what_is_not_given_stays_and_sending_back_what_was_read_changes_nothing(north):
    made = north.post("/stations", FULL).json()
    answer = north.patch("/stations/pc01", {name: made[name] for name in FULL})
    assert answer.json() == made
    changed = north.patch("/stations/pc01", {"state": "ready", "address": None, "macs": [], "groups": []}).json()
    same = set(FULL) - {"state", "address", "macs", "groups"}
    assert {name: changed[name] for name in same} == {name: made[name] for name in same}
    assert (changed["state"], changed["address"], changed["macs"], changed["groups"]) == ("ready", None, [], [])
    assert north.patch("/stations/pc01", {"name": "pc02"}).json()["name"] == "pc02"
    wrong(north.get("/stations/pc01"), 404)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"name": "-pc"}, "body.name"),
        ({"name": "a" * 300}, "body.name"),
        ({"name": "pc é"}, "body.name"),
        ({"site": "nowhere"}, "body.site"),
        ({"site": ""}, "body.site"),
        ({"state": "lost"}, "body.state"),
        ({"tag": "a\tb"}, "body.tag"),
        ({"tag": "x" * 101}, "body.tag"),
        ({"tag": None}, "body.tag"),
        ({"uuid": "4c4c"}, "body.uuid"),
        ({"macs": ["ff:ff:ff:ff:ff:ff"]}, "body.macs"),
        ({"macs": "52:54:00:12:34:55"}, "body.macs"),
        ({"macs": [None]}, "body.macs"),
        ({"address": "10.1.2.300"}, "body.address"),
        ({"model": "pc01"}, "body.model"),
        ({"model": "nobody"}, "body.model"),
        ({"image": "debian-12"}, "body.image"),
        ({"groups": ["nobody"]}, "body.groups"),
        ({"variables": []}, "body.variables"),
        ({"secrets": {"A b": "x"}}, "body.secrets"),
        ({"colour": "red"}, "body.colour"),
        ({"id": 7}, "body.id"),
    ],
)
def test_bad_input_is_told_with_its_place_and_changes_nothing(north, change, where):
    made = north.post("/stations", FULL).json()
    assert [error["where"].partition("[")[0] for error in wrong(north.patch("/stations/pc01", change))] == [where]
    assert north.get("/stations/pc01").json() == made
    if change != {"model": "pc01"}:
        fresh = {"name": "pc03", "site": "north1", **change}
        assert [error["where"].partition("[")[0] for error in wrong(north.post("/stations", fresh))] == [where]
    assert Station.objects.count() == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff",
        b'{"name": "pc01", "name": "pc02", "site": "north1"}',
        b'{"name": "pc\\u0000", "site": "north1"}',
        b'{"name": "pc01", "site": "north1", "variables": {"a": NaN}}',
        b'{"name": "pc01", "site": "north1", "variables": {"a": 1e999}}',
        b'{"name": "pc01", "site": "north1", "variables": {"a": "\\ud800"}}',
        b'{"name": "pc01", "site": "north1", "variables": {"a": "\\u0000"}}',
        b'{"name": "pc01", "site": "north1", "variables": {"a": ' + b"9" * 5000 + b"}}",
        b'{"name": "pc01", "site": "north1", "variables": {"a": ' + b"[" * 3000 + b"]" * 3000 + b"}}",
        b'{"name": "pc01", "site": "north1", "variables": {"a": ' + b"[" * 60 + b"]" * 60 + b"}}",
    ],
)
def test_bodies_that_are_no_json_or_cannot_be_stored_are_refused(north, body):
    wrong(north.post("/stations", body))
    assert not Station.objects.exists()


def test_names_cards_and_addresses_belong_to_one_station(north, bearer):
    north.post("/stations", FULL)
    south = bearer("south")
    elsewhere = {"name": "pc09", "site": "south1"}
    for change, where in (({"name": "PC01"}, "name"), ({"macs": FULL["macs"][:1]}, "macs"), ({"address": FULL["address"]}, "address")):
        error = wrong(south.post("/stations", {**elsewhere, **change}), 409)[0]
        assert error["where"] == f"body.{where}"
        assert "pc01" not in error["what"].lower() and "north" not in str(error).lower()
    error = wrong(north.post("/stations", {"name": "pc09", "site": "north", "macs": FULL["macs"][:1]}), 409)[0]
    assert "pc01" in error["what"]
    wrong(north.post("/stations", FULL), 409)


def test_two_stations_exchange_cards_and_addresses_in_one_bulk(north):
    mine, yours = {"address": "10.0.0.1", "macs": ["52:54:00:00:00:01"]}, {"address": "10.0.0.2", "macs": ["52:54:00:00:00:02"]}
    rows = [{"name": "a", "site": "north1", **mine}, {"name": "b", "site": "north1", **yours}]
    assert north.post("/stations/bulk", {"stations": rows}).json()["created"] == 2
    answer = north.post("/stations/bulk", {"stations": [{"name": "a", **yours}, {"name": "b", **mine}]}).json()
    assert answer["changed"] == 2, answer
    assert north.get("/stations/a").json()["address"] == "10.0.0.2"
    assert north.get("/stations/b").json()["macs"] == ["52:54:00:00:00:01"]


def test_moving_needs_the_right_at_both_sites(sites, bearer, north):
    north.post("/stations", FULL)
    wrong(north.patch("/stations/pc01", {"site": "south1"}), 422)
    both = bearer("root", Right.VIEW)
    wrong(both.patch("/stations/pc01", {"site": "south1"}), 403)
    assert north.patch("/stations/pc01", {"site": "north"}).json()["site"] == "north"
    assert Station.objects.get().site == sites["north"]


def test_who_only_sees_changes_nothing(north, bearer):
    north.post("/stations", FULL)
    reader = bearer("north", Right.VIEW)
    wrong(reader.patch("/stations/pc01", {"tag": "x"}), 403)
    wrong(reader.delete("/stations/pc01"), 403)
    wrong(reader.post("/stations", {**FULL, "name": "pc02"}), 403)
    wrong(reader.post("/stations/bulk", {"stations": [{"name": "pc01", "tag": "x"}]}), 422)
    assert Station.objects.get().tag == "ALPHA"


def test_what_lies_elsewhere_is_as_if_it_were_not(north, bearer):
    north.post("/stations", FULL)
    south = bearer("south")
    for method, body in (("GET", None), ("PATCH", {"tag": "x"}), ("PATCH", {"site": "south1"}), ("DELETE", None)):
        there, nowhere = south(method, "/stations/pc01", body), south(method, "/stations/pc77", body)
        assert (there.status_code, there.content) == (nowhere.status_code, nowhere.content) == (404, there.content)
    assert south.get("/stations?search=pc&site=north").json()["total"] == 0
    there = wrong(south.post("/stations", {"name": "x1", "site": "north1"}))
    assert there[0]["what"] == wrong(south.post("/stations", {"name": "x1", "site": "nowhere"}))[0]["what"]


def test_a_group_of_a_site_holds_stations_of_that_site_only(sites, bearer):
    Group.objects.create(name="northern", site=sites["north"])
    everywhere = bearer(None)
    everywhere.post("/stations", {"name": "n", "site": "north1", "groups": ["northern"]})
    wrong(everywhere.post("/stations", {"name": "s", "site": "south1", "groups": ["northern"]}))
    moved = everywhere.patch("/stations/n", {"site": "south1"}).json()
    assert moved["groups"] == []
    assert not Group.objects.get().stations.exists()


def test_a_station_that_moves_leaves_the_groups_that_the_mover_cannot_see(sites, bearer, north):
    Group.objects.create(name="northern", site=sites["north"])
    bearer(None).post("/stations", {"name": "n", "site": "north1", "groups": ["northern"]})
    agencies = bearer("north1", user="mover")
    from stationdb.accounts.models import Assignment, Role, User

    Assignment.objects.create(user=User.objects.get(username="mover"), role=Role.objects.get(name="role of mover"), site=sites["south1"])
    assert agencies.get("/stations/n").json()["groups"] == []
    assert agencies.patch("/stations/n", {"groups": ["kiosks"]}).json()["groups"] == ["kiosks"]
    assert Group.objects.get(name="northern").stations.exists()
    assert agencies.patch("/stations/n", {"site": "south1"}).json()["groups"] == ["kiosks"]
    assert not Group.objects.get(name="northern").stations.exists()


def test_dynamic_groups_are_not_assigned(north):
    Group.objects.create(name="small", criteria="ram < 8 GiB")
    wrong(north.post("/stations", {"name": "pc02", "site": "north1", "groups": ["small"]}))


def test_secret_values_are_encrypted_and_read_with_their_right_only(north, bearer):
    north.post("/stations", {**FULL, "secrets": {"licence": "ABCD-EFGH", "code": "1"}})
    with connection.cursor() as cursor:
        cursor.execute("SELECT value FROM registry_stationvalue")
        assert all(b"ABCD" not in bytes(value) for (value,) in cursor.fetchall())
    assert north.get("/stations/pc01").json()["secret_names"] == ["code", "licence"]
    assert b"ABCD" not in north.get("/stations/pc01").content
    assert north.get("/stations/pc01/secrets").json() == {"secrets": {"code": "1", "licence": "ABCD-EFGH"}}
    editor = bearer("north", Right.VIEW, Right.EDIT)
    wrong(editor.get("/stations/pc01/secrets"), 403)
    wrong(editor.patch("/stations/pc01", {"secrets": {"licence": "X"}}), 403)
    wrong(bearer("south").get("/stations/pc01/secrets"), 404)
    answer = north.patch("/stations/pc01", {"secrets": {"code": None, "licence": "NEW"}}).json()
    assert answer["secret_names"] == ["licence"]
    assert StationValue.objects.get().value == "NEW"
    rows = [{"name": "pc01", "secrets": {"licence": "NEW2"}}]
    answer = north.post("/stations/bulk", {"stations": rows, "dry_run": True})
    assert answer.json()["changed"] == 1 and b"NEW" not in answer.content


def test_lists_are_narrowed_and_paged_in_a_stable_order(north, bearer):
    rows = [{"name": f"pc{index:02}", "site": "north1" if index % 2 else "north", "tag": "A" if index < 4 else "B"} for index in range(10)]
    north.post("/stations/bulk", {"stations": rows})
    seen, path = [], "/stations?limit=3"
    while path:
        answer = north.get(path).json()
        assert (answer["total"], answer["limit"]) == (10, 3)
        seen += [station["name"] for station in answer["items"]]
        path = (answer["next"] or "").removeprefix("/api/v1")
    assert seen == [f"pc{index:02}" for index in range(10)]
    assert north.get("/stations?tag=A").json()["total"] == 4
    assert north.get("/stations?site=north1").json()["total"] == 5
    assert north.get("/stations?site=north&search=PC0&state=ready&kind=stations").json()["total"] == 10
    assert north.get("/stations?mac=52-54-00-00-00-01").json()["total"] == 0
    for query in ("site=x", "group=x"):
        assert north.get(f"/stations?{query}").json()["total"] == 0
    for query in ("limit=0", "limit=9999", "offset=-1", "limit=x", "state=x", "mac=x", "search=%00", "criterai=x", "offset=" + "9" * 30):
        wrong(north.get(f"/stations?{query}"))


def test_etags_save_reading_again_and_refuse_lost_updates(north):
    north.post("/stations", FULL)
    for path in ("/stations/pc01", "/stations", "/sites", "/groups/kiosks"):
        first = north.get(path)
        again = north.get(path, If_None_Match=first["ETag"])
        assert (again.status_code, again.content) == (304, b"")
    read = north.get("/stations/pc01")["ETag"]
    changed = north.patch("/stations/pc01", {"tag": "B"}, If_Match=read)
    assert changed.status_code == 200
    wrong(north.patch("/stations/pc01", {"tag": "C"}, If_Match=read), 412)
    wrong(north.delete("/stations/pc01", If_Match=read), 412)
    assert north.get("/stations/pc01", If_None_Match=read).json()["tag"] == "B"
    assert north.patch("/stations/pc01", {"tag": "C"}, If_Match=changed["ETag"]).status_code == 200
    assert north.delete("/stations/pc01", If_Match="*").status_code == 204
    assert not Station.objects.exists()


@pytest.mark.parametrize(
    "text",
    [
        "{{ lookup('pipe', 'id') }}",
        "{% raw %}",
        "'; DROP TABLE registry_station; --",
        '" OR 1=1',
        "<script>alert(1)</script>",
        "$(id)",
        "%s%n",
        "!unsafe x",
    ],
)
def test_values_are_data_and_come_back_as_they_are(north, text):
    variables = {"text": text, text: [text, {"deep": text}]}
    given = {"name": "pc01", "site": "north1", "variables": variables, "comment": text, "tag": text, "secrets": {"key": text}}
    assert north.post("/stations", given).status_code == 201
    answer = north.get("/stations/pc01").json()
    assert (answer["variables"], answer["comment"], answer["tag"]) == (variables, text, text)
    assert north.get("/stations/pc01/secrets").json()["secrets"]["key"] == text
    wrong(north.post("/stations", {"name": text, "site": "north1"}))
    assert north.client.get("/api/v1/stations", {"search": text}).json()["total"] == 0
    assert north.client.get("/api/v1/stations", {"tag": text}).json()["total"] == 1


def test_true_is_not_one(north):
    north.post("/stations", {"name": "pc01", "site": "north1", "variables": {"a": 1}})
    assert north.patch("/stations/pc01", {"variables": {"a": True}}).content.count(b'"a": true') == 1
