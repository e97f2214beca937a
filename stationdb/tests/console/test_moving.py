# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the forms of the console move: not secrets, not rights, and not out of step with groups."""

from __future__ import annotations

import pytest
from django.test import Client

from stationdb.accounts.models import Assignment, Role
from stationdb.accounts.rights import Right
from stationdb.registry.models import Group, Site, Station, StationValue
from stationdb.tests.console.conftest import signed_in, somebody
from stationdb.tests.console.test_changes import page_of, station_form


@pytest.fixture
def mover(fleet) -> Client:
    """Edits stations, sites and groups in the north, and may do everything in the south."""
    user = somebody("mover", Right.VIEW, Right.EDIT, Right.SITES, Right.GROUPS)
    everything = Role.objects.create(name="everything", rights=list(Right.values))
    Assignment.objects.create(user=user, role=everything, site=Site.objects.get(slug="south"))
    return signed_in(user)


@pytest.fixture
def station(fleet) -> Station:
    return Station.objects.create(name="lab1", site=Site.objects.get(slug="agency0001"))


def moved(**change: str) -> dict[str, str]:
    return station_form(site=str(Site.objects.get(slug="agency0002").pk), macs="", **change)


def test_a_station_does_not_take_its_secrets_to_who_could_not_read_them(mover, station):
    value = StationValue.objects.create(station=station, name="licence", value="TOP-SECRET")
    response = mover.post(f"/stations/{station.pk}/edit/", moved())
    assert response.status_code == 400 and "secret values" in page_of(response) and 'id="id_site_error"' in page_of(response)
    table = f"name,site\r\nlab1,{Site.objects.get(slug='agency0002').slug}\r\n"
    assert "secret values" in page_of(mover.post("/stations/import/", {"text": table, "apply": "1"}))
    station.refresh_from_db()
    assert station.site.slug == "agency0001"
    assert mover.post(f"/stations/{station.pk}/edit/", station_form(macs="", comment="x")).status_code == 302
    value.delete()
    assert mover.post(f"/stations/{station.pk}/edit/", moved()).status_code == 302


def test_a_station_that_moves_leaves_the_groups_of_the_site(mover, station):
    north, everybody = Group.objects.create(name="northern", site=Site.objects.get(slug="north")), Group.objects.create(name="everybody")
    for group in (north, everybody):
        group.stations.add(station)
    mover.post(f"/stations/{station.pk}/edit/", station_form(macs="", comment="x"))
    assert north.stations.exists(), "it did not move"
    assert mover.post(f"/stations/{station.pk}/edit/", moved()).status_code == 302
    assert not north.stations.exists() and everybody.stations.get() == station


def test_a_site_does_not_come_under_one_where_whoever_moves_it_has_more_rights(mover, fleet):
    site = Site.objects.get(slug="agency0001")
    form = {"slug": site.slug, "name": site.name, "variables": "{}", "subnets": ""}
    response = mover.post(f"/sites/{site.pk}/edit/", {**form, "parent": str(Site.objects.get(slug="south").pk)})
    assert response.status_code == 400 and "stations.secrets" in page_of(response)
    assert mover.post(f"/sites/{site.pk}/edit/", {**form, "parent": str(site.parent_id), "name": "New"}).status_code == 302


def test_a_group_that_names_its_stations_gets_no_criteria(editor, station):
    north = Site.objects.get(slug="north")
    group = Group.objects.create(name="lab", site=north)
    group.stations.add(station)
    form = {"name": "lab", "site": str(north.pk), "variables": "{}"}
    response = editor.post(f"/groups/{group.pk}/edit/", {**form, "criteria": "ram < 8 GiB"})
    assert response.status_code == 400 and "Take its stations out first" in page_of(response)
    group.refresh_from_db()
    assert not group.is_dynamic
    group.stations.clear()
    assert editor.post(f"/groups/{group.pk}/edit/", {**form, "criteria": "ram < 8 GiB"}).status_code == 302


def test_a_group_that_becomes_a_sites_loses_the_stations_of_others(admin, station):
    group = Group.objects.create(name="lab")
    group.stations.add(station, Station.objects.get(name="pc00002"))
    form = {"name": "lab", "site": str(Site.objects.get(slug="north").pk), "variables": "{}", "criteria": ""}
    assert admin.post(f"/groups/{group.pk}/edit/", form).status_code == 302
    assert list(group.stations.values_list("name", flat=True)) == ["lab1"]


def test_stations_are_put_into_a_group_by_who_may_change_stations(fleet):
    north = Site.objects.get(slug="north")
    group = Group.objects.create(name="lab", site=north)
    group.stations.add(Station.objects.get(name="pc00001"))
    form = f'action="/groups/{group.pk}/members/'
    grouper = signed_in(somebody("grouper", Right.VIEW, Right.GROUPS))
    assert form not in page_of(grouper.get(f"/groups/{group.pk}/"))
    both = signed_in(somebody("both", Right.VIEW, Right.GROUPS, Right.EDIT))
    assert form in page_of(both.get(f"/groups/{group.pk}/"))
