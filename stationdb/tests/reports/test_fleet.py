# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet that tests and benchmarks count on, and what goes along with a station."""

from __future__ import annotations

import pytest

from stationdb.registry.models import Station
from stationdb.reports import sections
from stationdb.reports.models import Holding, Section
from stationdb.tests.fleet import EDITOR, install, make_fleet

pytestmark = pytest.mark.django_db


def test_every_station_is_whole_and_has_its_software():
    fleet = make_fleet(stations=30, software=40, outdated=7)
    assert len(fleet.stations) == Station.objects.count() == 30
    station = fleet.stations[0]
    held = sections.rows(station, "softwares")
    assert {row["name"] for row in held} >= {EDITOR} and 30 < len(held) < 60
    assert Holding.objects.filter(station=station).count() == len(held)
    assert sections.rows(station, "memories")[1]["type"] == "DDR4"
    assert sections.rows(station, "batteries") == []
    old = Holding.objects.filter(software_version__software__name=EDITOR, software_version__version="1.2")
    assert {holding.station_id for holding in old} == {station.pk for station in fleet.stations[:7]}
    [change] = sections.changes(station)
    assert len(change.added) == 3 and change.removed[0]["name"]


def test_a_station_that_is_removed_takes_what_is_known_of_it_along():
    fleet = make_fleet(stations=3)
    gone = fleet.stations[0]
    pk = gone.pk
    gone.delete()
    assert not Holding.objects.filter(station_id=pk).exists() and not Section.objects.filter(station_id=pk).exists()
    assert Holding.objects.filter(station=fleet.stations[1]).exists()
    Station.objects.filter(pk=fleet.stations[1].pk).delete()
    assert not Holding.objects.filter(station_id=fleet.stations[1].pk).exists()


def test_what_a_test_installs_is_what_the_station_holds():
    station = make_fleet(stations=2).stations[0]
    install(station, ("libreoffice", "7.4"), ("bash", "5.2"))
    assert [(row["name"], row["version"]) for row in sections.rows(station, "softwares")] == [("bash", "5.2"), ("libreoffice", "7.4")]
    assert Holding.objects.filter(station=station).count() == 2
