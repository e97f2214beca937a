# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images, packages, software and criteria through the API."""

from __future__ import annotations

import pytest

from stationdb.accounts.rights import Right
from stationdb.content.models import Image
from stationdb.registry.models import Station
from stationdb.reports.models import Software, SoftwareVersion
from stationdb.tests.fleet import hold
from stationdb.versions import version_key

from .conftest import wrong

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("kind", ["images", "packages"])
def test_versions_are_registered_changed_and_forgotten(bearer, kind):
    north = bearer("north")
    new = {"name": "debian", "version": "12", "site": "north1", "description": "x", "size": 2**40, "manifest": "ab" * 32}
    made = north.post(f"/{kind}", new)
    assert made.status_code == 201, made.content
    assert {name: made.json()[name] for name in new} == new
    wrong(north.post(f"/{kind}", new), 409)
    wrong(north.post(f"/{kind}", {"name": "debian", "version": "13"}), 403)
    for bad in ({"size": -1}, {"size": 2**63}, {"manifest": "xyz"}, {"description": "\n"}, {"name": "x"}, {"site": 1}):
        wrong(north.patch(f"/{kind}/debian/12", bad))
    read = north.get(f"/{kind}/debian/12")
    assert north.patch(f"/{kind}/debian/12", {"description": "y"}, If_Match=read["ETag"]).json()["description"] == "y"
    wrong(north.delete(f"/{kind}/debian/12", If_Match=read["ETag"]), 412)
    assert north.get(f"/{kind}?name=debian").json()["total"] == 1
    south = bearer("south")
    assert south.get(f"/{kind}").json()["total"] == 0
    wrong(south.get(f"/{kind}/debian/12"), 404)
    wrong(bearer("north", Right.VIEW).patch(f"/{kind}/debian/12", {"description": "z"}), 403)
    assert north.delete(f"/{kind}/debian/12").status_code == 204


def test_content_of_all_sites_is_seen_by_all_and_changed_by_who_may_for_all(bearer):
    Image.objects.create(name="shared", version="1")
    north = bearer("north")
    assert north.get("/images/shared/1").json()["site"] is None
    wrong(north.patch("/images/shared/1", {"description": "x"}), 403)
    wrong(north.patch("/images/shared/1", {"site": "north"}), 403)
    assert bearer(None).patch("/images/shared/1", {"description": "x"}).status_code == 200


def test_an_image_of_another_site_is_not_assigned(bearer):
    south = bearer("south")
    south.post("/images", {"name": "theirs", "version": "1", "site": "south"})
    wrong(bearer("north").post("/stations", {"name": "pc", "site": "north", "image": "theirs/1"}))


@pytest.fixture
def installed(sites):
    software = Software.objects.create(name="libreoffice", source="deb", publisher="TDF")
    Software.objects.create(name="nobody-has-it", source="deb")
    versions = [
        SoftwareVersion.objects.create(software=software, version=version, version_key=version_key(version), arch="amd64")
        for version in ("24.10", "24.2", "24.2~rc1")
    ]
    for site, index in (("north", 0), ("north1", 1), ("south", 2), ("south", 1)):
        station = Station.objects.create(name=f"pc-{site}-{index}", site=sites[site])
        hold({station.pk: [versions[index].pk]})


def test_software_is_counted_within_the_perimeter(bearer, installed):
    north = bearer("north")
    assert north.get("/software").json()["items"] == [{"name": "libreoffice", "source": "deb", "publisher": "TDF", "stations": 2}]
    assert north.get("/software?search=OFFICE").json()["total"] == 1
    assert north.get("/software?search=nobody").json()["total"] == 0
    versions = north.get("/software/versions?name=libreoffice").json()["items"]
    assert [(each["version"], each["stations"]) for each in versions] == [("24.2", 1), ("24.10", 1)]
    everywhere = bearer(None).get("/software/versions?name=libreoffice").json()["items"]
    assert [(each["version"], each["stations"]) for each in everywhere] == [("24.2~rc1", 1), ("24.2", 2), ("24.10", 1)]
    wrong(bearer("north", Right.EXPORT).get("/software"), 403)


def test_who_has_it_below_a_version(bearer, installed):
    answer = bearer("north").client.get("/api/v1/stations", {"criteria": 'software "libreoffice" < 24.10'})
    assert [station["name"] for station in answer.json()["items"]] == ["pc-north1-1"]


def test_criteria_are_looked_at(bearer):
    north = bearer("north")
    north.post("/stations", {"name": "pc01", "site": "north", "tag": "ALPHA"})
    assert north.post("/criteria", {"criteria": "tag = ALPHA"}).json() == {"valid": True, "count": 1, "error": None}
    assert bearer("south").post("/criteria", {"criteria": "tag = ALPHA"}).json()["count"] == 0
    answer = north.post("/criteria", {"criteria": "tag = ALPHA andd"}).json()
    assert (answer["valid"], answer["count"]) == (False, None)
    assert answer["error"]["position"] == 12 and answer["error"]["what"]
    error = wrong(north.client.get("/api/v1/stations", {"criteria": "tag = ALPHA andd"}))[0]
    assert (error["where"], error["position"]) == ("query.criteria", 12)
    error = wrong(north.post("/groups", {"name": "g", "site": "north", "criteria": "tag = ALPHA andd"}))[0]
    assert (error["where"], error["position"]) == ("body.criteria", 12)


def test_a_dynamic_group_holds_who_meets_its_criteria(bearer):
    north = bearer("north")
    north.post("/stations/bulk", {"stations": [{"name": f"pc{index}", "site": "north", "tag": "AB"[index % 2]} for index in range(4)]})
    made = north.post("/groups", {"name": "alphas", "site": "north", "criteria": "tag = A"}).json()
    assert (made["dynamic"], made["stations"]) == (True, None)
    assert [each["name"] for each in north.get("/groups/alphas/stations").json()["items"]] == ["pc0", "pc2"]
    assert north.get("/stations?group=alphas").json()["total"] == 2
    wrong(north.patch("/groups/alphas", {"add": ["pc1"]}))
    wrong(north.patch("/groups/alphas", {"criteria": "group(alphas)"}))
    assert north.patch("/groups/alphas", {"criteria": ""}).json()["stations"] == []
    north.patch("/groups/alphas", {"add": ["pc1"]})
    wrong(north.patch("/groups/alphas", {"criteria": "tag = A"}))
