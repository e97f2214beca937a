# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Words of the API's addresses are nobody's name, whoever gives it."""

from __future__ import annotations

import re

import pytest
from django.core.exceptions import ValidationError

from stationdb.accounts.perimeter import Perimeter
from stationdb.api.site import api
from stationdb.console.forms import StationForm
from stationdb.registry.fields import GROUP_NAME, RESERVED_NAMES
from stationdb.registry.models import Site, Station
from stationdb.registry.tableimport import ImportPlan
from stationdb.registry.upsert import UpsertPlan
from stationdb.reports.intake import accept, process_spool
from stationdb.tests.reports.documents import fleet

EVERYTHING = Perimeter.everything()


@pytest.fixture
def site(db) -> Site:
    return Site.objects.create(slug="a", name="A")


def test_every_word_of_an_address_where_a_name_could_stand_is_reserved():
    paths = [path.strip("/").split("/") for path in api.get_openapi_schema()["paths"]]
    words = {}
    for path in paths:
        for other in paths:
            if len(path) == len(other) and path != other and path[:-1] == other[:-1] and other[-1].startswith("{"):
                words.setdefault(path[-2], set()).add(path[-1])
    assert words.pop("stations") == RESERVED_NAMES
    assert not any(GROUP_NAME.regex.match(word) for each in words.values() for word in each if not word.startswith("{")), words


@pytest.mark.parametrize("name", ["bulk", "Bulk"])
def test_no_station_is_called_so(site, name):
    with pytest.raises(ValidationError):
        Station(name=name, site=site).full_clean()
    form = StationForm(EVERYTHING, {"name": name, "site": site.pk, "state": "new", "kind": "stations", "variables": "{}"})
    assert "name" in form.errors
    assert [fault.field for fault in UpsertPlan.build([{"name": name, "site": "a"}], EVERYTHING).rows[0].faults] == ["name"]
    assert [fault.where for fault in ImportPlan.read(f"name,site\r\n{name},a\r\n", EVERYTHING).errors] == ["name"]
    accept(fleet(name, mac="a4:bb:6d:00:00:01"), "local")
    process_spool()
    station = Station.objects.get()
    assert re.fullmatch(rf"{name}-000001", station.name) and station.reported_name == name
    station.name = name
    with pytest.raises(ValidationError):
        station.full_clean()


@pytest.mark.parametrize(
    ("column", "value", "choices"), [("state", "lost", "new, ready, repair, retired"), ("kind", "pc", "stations, models, relays")]
)
def test_who_gives_none_of_the_choices_is_told_them(site, column, value, choices):
    [fault] = ImportPlan.read(f"name,site,{column}\r\npc01,a,{value}\r\n", EVERYTHING).errors
    assert (fault.where, fault.value) == (column, value) and choices in fault.remedy
