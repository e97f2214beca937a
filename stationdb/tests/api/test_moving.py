# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nobody comes to a right, or to a secret, by moving a station or a site to where they have more rights."""

from __future__ import annotations

import pytest

from stationdb.accounts.models import Assignment, Role, User
from stationdb.accounts.rights import Right
from stationdb.registry.models import Site, Station, StationValue

from .conftest import Api, wrong

pytestmark = pytest.mark.django_db


@pytest.fixture
def mover(bearer, sites) -> Api:
    """Edits stations and sites in the north, and may do everything in the south."""
    api = bearer("north", Right.VIEW, Right.EDIT, Right.SITES, user="mover")
    everything = Role.objects.create(name="everything", rights=list(Right.values))
    Assignment.objects.create(user=User.objects.get(username="mover"), role=everything, site=sites["south"])
    return api


@pytest.fixture
def station(sites) -> Station:
    """One in the north with a secret value."""
    made = Station.objects.create(name="pc01", site=sites["north1"])
    StationValue.objects.create(station=made, name="licence", value="TOP-SECRET")
    return made


ROW = {"name": "pc01", "site": "south1"}


@pytest.mark.parametrize(
    ("path", "body", "where"),
    [
        ("/stations/bulk", {"stations": [ROW]}, "body.stations[0].site"),
        ("/stations/bulk", {"stations": [{**ROW, "name": "PC01", "tag": "x"}]}, "body.stations[0].site"),
        ("/stations.csv", b"name,site\r\npc01,south1\r\n", "site"),
    ],
)
def test_many_stations_do_not_take_their_secrets_along(mover, station, path, body, where):
    error = wrong(mover.post(path, body))[0]
    assert error["where"] == where and "secret values" in error["what"] and "stations.secrets" in error["remedy"]
    wrong(mover.get("/stations/pc01/secrets"), 403)


def test_a_bulk_that_does_what_it_can_leaves_it_where_it_is(mover, station):
    answer = mover.post("/stations/bulk", {"stations": [ROW, {"name": "pc02", "site": "south1"}], "partial": True}).json()
    assert (answer["created"], answer["failed"]) == (1, 1)
    station.refresh_from_db()
    assert station.site.slug == "north1"


def test_a_station_does_not_take_its_secrets_to_who_could_not_read_them(mover, station):
    error = wrong(mover.patch("/stations/pc01", {"site": "south1"}), 403)[0]
    assert error["where"] == "body.site" and "stations.secrets" in error["remedy"]
    wrong(mover.patch("/stations/pc01", {"site": "south1", "secrets": {"licence": None}}), 403)
    assert mover.patch("/stations/pc01", {"site": "north", "tag": "x"}).status_code == 403, "nor within what they edit"
    assert mover.patch("/stations/pc01", {"site": "north1", "tag": "x"}).json()["tag"] == "x", "where it is already"
    StationValue.objects.all().delete()
    assert mover.patch("/stations/pc01", {"site": "south1"}).json()["site"] == "south1"


def test_who_may_read_them_moves_them(bearer, station):
    everywhere = bearer(None)
    assert everywhere.patch("/stations/pc01", {"site": "south1"}).json()["secret_names"] == ["licence"]


def test_a_site_does_not_come_under_one_where_whoever_moves_it_has_more_rights(mover, bearer, station):
    error = wrong(mover.patch("/sites/north1", {"parent": "south"}), 403)[0]
    assert error["where"] == "body.parent" and "stations.secrets" in error["what"] and error["remedy"]
    assert Site.objects.get(slug="north1").parent.slug == "north"
    assert mover.post("/sites", {"slug": "north2", "name": "N", "parent": "north"}).status_code == 201
    assert mover.patch("/sites/north2", {"parent": "north1"}).json()["parent"] == "north1"
    assert bearer(None).patch("/sites/north1", {"parent": "south"}).json()["parent"] == "south"
