# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table through the API."""

from __future__ import annotations

import pytest

from stationdb.accounts.rights import Right
from stationdb.registry.models import Station

from .conftest import wrong

pytestmark = pytest.mark.django_db

TABLE = b"name;site;tag\r\npc01;north1;A\r\npc02;north;B\r\n"


def text(response):
    return b"".join(response.streaming_content).decode()


def test_import_with_a_dry_run_and_export(bearer):
    north = bearer("north")
    answer = north.post("/stations.csv?dry_run=true", TABLE, Content_Type="text/csv").json()
    assert (answer["created"], answer["errors"], answer["stations"][0]["name"], answer["stations"][1]["line"]) == (2, [], "pc01", 3)
    assert not Station.objects.exists()
    assert north.post("/stations.csv", TABLE, Content_Type="text/csv").json()["created"] == 2
    assert north.post("/stations.csv", TABLE, Content_Type="text/csv").json()["unchanged"] == 2
    exported = north.get("/stations.csv?site=north1")
    assert exported["Content-Type"].startswith("text/csv")
    assert '"pc01","north1"' in (written := text(exported)) and "pc02" not in written
    assert "pc01" not in text(bearer("south").get("/stations.csv"))
    again = north.post("/stations.csv", text(north.get("/stations.csv?reported=true")).encode(), Content_Type="text/csv").json()
    assert again["unchanged"] == 2


def test_bad_tables(bearer):
    north = bearer("north")
    errors = wrong(north.post("/stations.csv", TABLE + b"pc03;south1;C\r\n", Content_Type="text/csv"))
    assert [(error["line"], error["where"], error["value"]) for error in errors] == [(4, "site", "south1")]
    assert not Station.objects.exists()
    answer = north.post("/stations.csv?dry_run=true", TABLE + b"pc03;south1;C\r\n", Content_Type="text/csv").json()
    assert (answer["created"], len(answer["errors"])) == (2, 1)
    for data in (b"", b"\xff\xfe", b"nothing"):
        wrong(north.post("/stations.csv", data, Content_Type="text/csv"))


def test_rights(bearer):
    bearer("north").post("/stations.csv", TABLE, Content_Type="text/csv")
    wrong(bearer("north", Right.VIEW, Right.EDIT).get("/stations.csv"), 403)
    wrong(bearer("north", Right.VIEW, Right.EXPORT).post("/stations.csv", TABLE, Content_Type="text/csv"), 403)
    assert text(bearer("north", Right.EXPORT).get("/stations.csv")).count("\n") == 1
