# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sites and groups through the API."""

from __future__ import annotations

import pytest

from stationdb.accounts.rights import Right
from stationdb.registry.models import Group, Site, Station

from .conftest import wrong

pytestmark = pytest.mark.django_db


def test_a_site_has_subnets_a_relay_and_variables(bearer):
    north = bearer("north")
    north.post("/stations", {"name": "relay01", "site": "north1", "kind": "relays"})
    given = {
        "slug": "north2",
        "name": "Second agency",
        "parent": "north",
        "time_zone": "Europe/Paris",
        "relay": "relay01",
        "content_url": "https://relay.example/content",
        "variables": {"room": "{{ x }}"},
        "subnets": ["10.2.0.0/16", "10.1.2.0/24"],
    }
    answer = north.post("/sites", given)
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert made == {**given, "subnets": ["10.1.2.0/24", "10.2.0.0/16"], "group": "site_north2", "stations": 0}
    assert north.get("/sites/north2").json() == made
    assert north.patch("/sites/north2", {"subnets": ["10.1.2.0/24", "fd00::/64"]}).json()["subnets"] == ["10.1.2.0/24", "fd00::/64"]
    assert north.patch("/sites/north2", {"slug": "north3", "relay": None}).json()["relay"] is None
    assert [site["slug"] for site in north.get("/sites").json()["items"]] == ["north", "north1", "north3"]
    assert north.delete("/sites/north3").status_code == 204


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"slug": "North"}, "body.slug"),
        ({"slug": ""}, "body.slug"),
        ({"name": "a\nb"}, "body.name"),
        ({"time_zone": "Mars/Olympus"}, "body.time_zone"),
        ({"content_url": "javascript:alert(1)"}, "body.content_url"),
        ({"subnets": ["10.1.2.1/24"]}, "body"),
        ({"variables": []}, "body.variables"),
        ({"path": "/1/"}, "body.path"),
    ],
)
def test_bad_sites_are_refused(bearer, change, where):
    north = bearer("north")
    before = north.get("/sites/north1").json()
    assert wrong(north.patch("/sites/north1", change))[0]["where"] == where
    wrong(north.post("/sites", {"slug": "x", "name": "X", "parent": "north", **change}))
    assert north.get("/sites/north1").json() == before and not Site.objects.filter(slug="x").exists()


def test_only_sites_of_the_perimeter_become_parents_and_moving_needs_both(bearer, sites):
    north = bearer("north")
    wrong(north.post("/sites", {"slug": "x", "name": "X", "parent": "south"}), 404)
    wrong(north.post("/sites", {"slug": "x", "name": "X"}), 403)
    wrong(north.patch("/sites/north1", {"parent": "south1"}), 404)
    wrong(north.patch("/sites/north1", {"parent": None}), 403)
    wrong(north.patch("/sites/north", {"parent": "north1"}), 403)
    everywhere = bearer(None)
    wrong(everywhere.patch("/sites/north", {"parent": "north1"}), 422)
    assert everywhere.patch("/sites/north1", {"parent": "south"}).json()["parent"] == "south"
    assert Site.objects.get(slug="north1").path.startswith(Site.objects.get(slug="south").path)
    wrong(north.get("/sites/north1"), 404)


def test_a_parent_that_is_not_seen_stays(bearer, sites):
    north = bearer("north")
    site = north.get("/sites/north").json()
    assert site["parent"] is None
    assert north.patch("/sites/north", {"parent": None, "name": "N"}).json()["name"] == "N"
    assert Site.objects.get(slug="north").parent == sites["root"]


def test_what_still_has_something_is_not_removed(bearer):
    north = bearer("north")
    wrong(north.delete("/sites/north"), 409)
    north.post("/stations", {"name": "pc", "site": "north1"})
    wrong(north.delete("/sites/north1"), 409)


def test_subnets_and_short_names_are_taken_once(bearer):
    bearer("north").patch("/sites/north1", {"subnets": ["10.0.0.0/24"]})
    south = bearer("south")
    for answer in (south.patch("/sites/south1", {"subnets": ["10.0.0.0/24"]}), south.patch("/sites/south1", {"slug": "north1"})):
        assert "north" not in str(wrong(answer, 409)).lower()


def test_a_static_group(bearer):
    north = bearer("north")
    north.post("/stations/bulk", {"stations": [{"name": name, "site": "north1"} for name in ("a", "b", "c")]})
    given = {"name": "room1", "description": "Room", "site": "north", "criteria": "", "variables": {"x": 1}, "stations": ["B", "a"]}
    made = north.post("/groups", given)
    assert made.status_code == 201, made.content
    assert made.json() == {**given, "stations": ["a", "b"], "dynamic": False}
    assert north.patch("/groups/room1", {"add": ["c"], "remove": ["a"]}).json()["stations"] == ["b", "c"]
    assert north.patch("/groups/room1", {"stations": ["a"]}).json()["stations"] == ["a"]
    assert north.get("/groups/room1/stations").json()["items"] == [{"name": "a", "site": "north1"}]
    assert north.get("/stations?group=room1").json()["total"] == 1
    assert north.patch("/groups/room1", {"name": "room2"}).json()["name"] == "room2"
    assert north.delete("/groups/room2").status_code == 204
    assert Station.objects.count() == 3


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"name": "all"}, "body.name"),
        ({"name": "site_x"}, "body.name"),
        ({"name": "stations"}, "body.name"),
        ({"name": "relays"}, "body.name"),
        ({"name": "A"}, "body.name"),
        ({"stations": ["nobody"]}, "body.stations[0]"),
        ({"stations": ["elsewhere"]}, "body.stations[0]"),
        ({"stations": ["outside"]}, "body.stations"),
        ({"colour": 1}, "body.colour"),
    ],
)
def test_bad_groups_are_refused(bearer, sites, change, where):
    Station.objects.create(name="elsewhere", site=sites["south1"])
    Station.objects.create(name="outside", site=sites["north"])
    north = bearer("north")
    north.post("/groups", {"name": "g", "site": "north1"})
    before = north.get("/groups/g").json()
    assert wrong(north.patch("/groups/g", change))[0]["where"] == where
    assert north.get("/groups/g").json() == before


def test_a_group_of_all_sites_is_changed_by_who_may_for_all_but_holds_everybodys_stations(bearer, sites):
    Group.objects.create(name="kiosks")
    north, south = bearer("north"), bearer("south")
    north.post("/stations", {"name": "n", "site": "north"})
    south.post("/stations", {"name": "s", "site": "south"})
    wrong(north.patch("/groups/kiosks", {"description": "mine"}), 403)
    wrong(north.delete("/groups/kiosks"), 403)
    wrong(north.post("/groups", {"name": "mine"}), 403)
    wrong(north.patch("/groups/kiosks", {"site": "north"}), 403)
    assert north.patch("/groups/kiosks", {"stations": ["n"]}).json()["stations"] == ["n"]
    assert south.patch("/groups/kiosks", {"stations": ["s"]}).json()["stations"] == ["s"]
    assert north.patch("/groups/kiosks", {"stations": []}).json()["stations"] == []
    assert south.get("/groups/kiosks").json()["stations"] == ["s"]
    wrong(bearer("south", Right.VIEW, Right.GROUPS).patch("/groups/kiosks", {"stations": []}), 403)


def test_a_group_that_becomes_a_sites_loses_the_stations_of_others(bearer):
    everywhere = bearer(None)
    everywhere.post("/stations/bulk", {"stations": [{"name": "n", "site": "north"}, {"name": "s", "site": "south"}]})
    everywhere.post("/groups", {"name": "g", "stations": ["n", "s"]})
    assert everywhere.patch("/groups/g", {"site": "north"}).json()["stations"] == ["n"]


def test_names_of_groups_elsewhere_are_not_free_and_not_told(bearer):
    bearer("north").post("/groups", {"name": "secret_place", "site": "north"})
    south = bearer("south")
    wrong(south.get("/groups/secret_place"), 404)
    error = wrong(south.post("/groups", {"name": "secret_place", "site": "south"}), 409)
    assert "north" not in str(error)
    assert wrong(south.get("/groups/secret_place"), 404) == wrong(south.get("/groups/nothing"), 404)


def test_of_two_changes_at_the_same_time_one_is_refused(bearer):
    north = bearer("north")
    north.post("/groups", {"name": "g", "site": "north"})
    for path, change in (("/sites/north1", {"name": "New"}), ("/groups/g", {"description": "New"})):
        read = north.get(path)["ETag"]
        assert north.patch(path, change, If_Match=read).status_code == 200
        for outdated in (read, "", '""', "W/", "x, y"):
            wrong(north.patch(path, change, If_Match=outdated), 412)
        wrong(north.delete(path, If_Match=read), 412)
