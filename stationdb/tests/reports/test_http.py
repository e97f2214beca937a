# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Upload with a token, and what the API tells of reports: of the asker's sites and of no others."""

from __future__ import annotations

import zlib
from datetime import timedelta

import pytest
from django.test import Client

from stationdb.accounts.models import Assignment, Role, Token, User
from stationdb.accounts.rights import Right
from stationdb.registry.models import Site, Station
from stationdb.reports.intake import accept, process_spool
from stationdb.tests.reports.documents import REAL, fleet

pytestmark = pytest.mark.django_db


@pytest.fixture
def sites() -> dict[str, Site]:
    root = Site.objects.create(slug="root", name="All")
    made = {slug: Site.objects.create(slug=slug, name=slug.title(), parent=root) for slug in ("north", "south")}
    for slug, site in made.items():
        Station.objects.create(name=f"pc-{slug}", site=site)
    return made | {"root": root}


def client(site: Site | None, *rights: Right) -> Client:
    user = User.objects.create_user(f"user-{User.objects.count()}")
    role = Role.objects.create(name=f"role-{Role.objects.count()}", rights=list(rights))
    Assignment.objects.create(user=user, role=role, site=site)
    secret = Token.issue(user, "t", list(rights), timedelta(days=1))[1]
    return Client(headers={"Authorization": f"Bearer {secret}"})


def send(sender: Client, data: bytes, query: str = "", kind: str = "application/octet-stream"):
    return sender.post(f"/api/v1/reports{query}", data, content_type=kind)


def test_a_report_is_uploaded_with_a_token(sites, spool):
    sender = client(sites["north"], Right.REPORT)
    answer = send(sender, zlib.compress(fleet("pc-north")))
    assert answer.status_code == 202 and spool.ids() == [answer.json()["id"]]
    assert send(sender, REAL, "?station=pc-north", "application/xml").status_code == 202
    assert process_spool().taken == 2
    assert Station.objects.get(name="pc-north").reports.first().way == "https"


def test_it_needs_the_right_and_a_station_of_ones_sites(sites, spool):
    assert send(Client(), fleet()).status_code == 401
    assert send(client(sites["north"], Right.VIEW), fleet()).status_code == 403
    sender = client(sites["north"], Right.REPORT)
    assert send(sender, fleet(), "?station=../x").status_code == 422
    assert send(sender, b"").status_code == 422 and not spool.ids()
    assert send(sender, fleet(), "?station=pc-south").status_code == 202, "the answer does not tell that there is one"
    assert send(sender, fleet("pc-south")).status_code == 202
    assert process_spool().refused == 2 and "may not report" in next(spool.reasons())[1]
    assert not Station.objects.get(name="pc-south").reports.exists()


def test_a_full_disk_is_503(sites, spool, monkeypatch):
    from stationdb.reports import spool as module

    monkeypatch.setattr(module, "RESERVE", 1 << 60)
    answer = send(client(None, Right.REPORT), fleet())
    assert answer.status_code == 503 and "No space left" in answer.json()["errors"][0]["what"]


def test_what_stations_said_is_read_in_ones_own_sites(sites):
    for version in ("1", "2"):
        for slug in ("north", "south"):
            accept(fleet(f"pc-{slug}", mac="", software=[("bash", version)]), "local", station=f"pc-{slug}")
        process_spool()
    north = client(sites["north"], Right.VIEW)
    base = "/api/v1/stations/pc-north"
    assert north.get(f"{base}/sections").json() == ["hardware", "bios", "softwares"]
    assert north.get(f"{base}/sections/softwares").json()["rows"] == [{"name": "bash", "version": "2", "from": "deb", "arch": "amd64"}]
    assert north.get(f"{base}/sections/printers").status_code == 404 and north.get(f"{base}/sections/..%2f").status_code in (404, 422)
    [change] = north.get(f"{base}/changes").json()["items"]
    assert (change["kind"], change["added"][0]["version"], change["removed"][0]["version"]) == ("softwares", "2", "1")
    reports = north.get(f"{base}/reports").json()
    assert reports["total"] == 2 and reports["items"][0]["changed"] == ["softwares"]
    for path in ("sections", "sections/softwares", "changes", "reports"):
        assert north.get(f"/api/v1/stations/pc-south/{path}").status_code == 404
        assert Client().get(f"{base}/{path}").status_code == 401


def test_stations_without_a_site_are_seen_by_who_sees_all_sites(sites):
    Site.objects.create(slug="root2", name="Another root")
    accept(fleet("lost"), "local")
    assert process_spool().unplaced == 1
    [lost] = client(None, Right.VIEW).get("/api/v1/reports/unplaced").json()["items"]
    assert (lost["name"], lost["macs"]) == ("lost", ["a4:bb:6d:00:00:01"])
    assert client(sites["north"], Right.VIEW).get("/api/v1/reports/unplaced").json()["total"] == 0
