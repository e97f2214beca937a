# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ten thousand stations in one request."""

from __future__ import annotations

import time

import pytest

from stationdb.registry.models import Group, MacAddress, Station

from .conftest import wrong

pytestmark = pytest.mark.django_db


def rows(count: int, **more: object) -> list[dict[str, object]]:
    return [
        {
            "name": f"pc{index:05}",
            "site": "north1" if index % 2 else "north",
            "serial": f"S{index}",
            "macs": [f"52:54:00:{index >> 16:02x}:{index >> 8 & 255:02x}:{index & 255:02x}"],
            "address": f"10.{index >> 16}.{index >> 8 & 255}.{index & 255}",
            "groups": ["kiosks"],
            "variables": {"room": f"B{index % 100}"},
            **more,
        }
        for index in range(count)
    ]


def test_ten_thousand_are_added_changed_and_left(bearer):
    Group.objects.create(name="kiosks")
    north = bearer("north")
    for more, result in (({}, "created"), ({}, "unchanged"), ({"tag": "NEW", "state": "repair"}, "changed")):
        started = time.process_time()
        answer = north.post("/stations/bulk", {"stations": rows(10_000, **more)})
        took = time.process_time() - started
        assert answer.status_code == 200, answer.content[:500]
        assert answer.json()[result] == 10_000
        print(f"{result}: {took:.1f} s of CPU")
        assert took < 30, f"{result} took {took:.1f} s of CPU"
    assert Station.objects.filter(tag="NEW", groups__name="kiosks").count() == MacAddress.objects.count() == 10_000


def test_it_is_all_or_nothing_and_every_bad_row_is_told(bearer):
    north = bearer("north")
    given = rows(4, groups=[])
    given[1]["macs"] = ["nonsense"]
    given[2]["site"] = "south1"
    given[3]["name"] = given[0]["name"]
    errors = wrong(north.post("/stations/bulk", {"stations": given}))
    assert [error["where"] for error in errors] == ["body.stations[1].macs", "body.stations[2].site", "body.stations[3].name"]
    assert not Station.objects.exists()
    answer = north.post("/stations/bulk", {"stations": given, "partial": True}).json()
    assert [row["result"] for row in answer["results"]] == ["created", "error", "error", "error"]
    assert (answer["created"], answer["failed"]) == (1, 3)
    assert Station.objects.count() == 1


def test_a_dry_run_tells_and_changes_nothing(bearer):
    north = bearer("north")
    north.post("/stations/bulk", {"stations": rows(2, groups=[])})
    given = [{"name": "PC00000", "site": "north1", "tag": "T"}, {"name": "pc00001"}, {"name": "pc00002", "site": "north"}]
    answer = north.post("/stations/bulk", {"stations": given, "dry_run": True}).json()
    assert [row["result"] for row in answer["results"]] == ["changed", "unchanged", "created"]
    assert answer["results"][0]["changes"] == [
        {"field": "site", "before": "north", "after": "north1"},
        {"field": "tag", "before": "", "after": "T"},
    ]
    assert Station.objects.count() == 2 and not Station.objects.filter(tag="T").exists()


def test_models_may_come_with_their_clones(bearer):
    north = bearer("north")
    given = [{"name": "clone", "site": "north", "model": "master"}, {"name": "master", "site": "north", "kind": "models"}]
    assert north.post("/stations/bulk", {"stations": given}).json()["created"] == 2
    assert north.get("/stations/clone").json()["model"] == "master"


def test_limits(bearer):
    north = bearer("north")
    wrong(north.post("/stations/bulk", {"stations": [{"name": "x"}] * 10_001}))
    assert north.post("/stations/bulk", {"stations": []}).json()["results"] == []
