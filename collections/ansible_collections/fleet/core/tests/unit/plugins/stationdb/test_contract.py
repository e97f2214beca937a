# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client and what modules do with it, in this process: every request and every answer is what the published OpenAPI document says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError, InputError
from ansible_collections.fleet.core.plugins.module_utils.stationdb.access import Access
from ansible_collections.fleet.core.plugins.module_utils.stationdb.client import Answer, Client, Conflict, NotFound, Refused, Unauthorized
from ansible_collections.fleet.core.plugins.module_utils.stationdb.group import ensure_group, remove_group
from ansible_collections.fleet.core.plugins.module_utils.stationdb.inventory import InventoryReader
from ansible_collections.fleet.core.plugins.module_utils.stationdb.register import Registry, plan
from ansible_collections.fleet.core.plugins.module_utils.stationdb.report import send_report
from ansible_collections.fleet.core.plugins.module_utils.stationdb.site import ensure_site, remove_site
from ansible_collections.fleet.core.plugins.module_utils.stationdb.station import ensure_stations, remove_stations
from ansible_collections.fleet.core.plugins.module_utils.stationdb.table import import_table

from .conftest import ROOT, StationDatabase

DOCUMENT = json.loads((ROOT / "docs/station-database/openapi.json").read_text())


class CheckedClient(Client):
    """A client that refuses to say, and to be told, what the document does not have."""

    asked: set[str]

    def __init__(self, access: Access) -> None:
        super().__init__(access)
        self.asked = set()

    def request(self, method: str, path: str, **given: Any) -> Answer:
        operation = self._operation(method, path)
        body = given.get("body")
        if body is not None:
            self._conforms(operation["requestBody"]["content"]["application/json"]["schema"], body)
        known = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"}
        assert set(given.get("query") or {}) <= known, path
        answer = super().request(method, path, **given)
        self.asked.add(operation["operationId"])
        if answer.body is not None:
            self._conforms(operation["responses"][str(answer.status)]["content"]["application/json"]["schema"], answer.body)
        return answer

    @staticmethod
    def _operation(method: str, path: str) -> dict[str, Any]:
        exact = DOCUMENT["paths"].get(f"/api/v1{path}")
        if exact:
            return dict(exact[method.lower()])
        for template, operations in DOCUMENT["paths"].items():
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), f"/api/v1{path}") and method.lower() in operations:
                return dict(operations[method.lower()])
        raise AssertionError(f"{method} {path} is not in the document")

    @staticmethod
    def _conforms(schema: dict[str, Any], value: Any) -> None:
        jsonschema.Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(value)


@pytest.fixture
def client(database: StationDatabase) -> Iterator[CheckedClient]:
    with CheckedClient(Access(database.url, database.tokens["admin"])) as client:
        yield client


def test_a_site_is_made_changed_left_alone_and_removed(client: CheckedClient) -> None:
    wanted = {"name": "Paris", "parent": "", "subnets": ["10.75.1.0/24", "10.75.0.0/24"], "variables": {"a": [1, {"b": None}]}}
    would = ensure_site(client, "paris", wanted, check_mode=True)
    assert would.changed and client.request("GET", "/sites").body["total"] == 1
    made = ensure_site(client, "paris", wanted, check_mode=False)
    assert made.changed and made.now is not None and made.now["subnets"] == ["10.75.0.0/24", "10.75.1.0/24"]
    assert not ensure_site(client, "paris", wanted, check_mode=False).changed
    moved = ensure_site(client, "paris", {"parent": "lyon"}, check_mode=False)
    assert (moved.before, moved.after) == ({"parent": None}, {"parent": "lyon"})
    assert moved.now is not None and moved.now["subnets"] == ["10.75.0.0/24", "10.75.1.0/24"], "what is not given stays"
    assert remove_site(client, "paris", check_mode=True).changed
    assert remove_site(client, "paris", check_mode=False).changed
    assert not remove_site(client, "paris", check_mode=False).changed
    assert ensure_site(client, "plain", {}, check_mode=False).now["name"] == "plain"  # type: ignore[index]
    with pytest.raises(InputError, match=r"10\.0\.0\.1/8.*10\.1\.2\.0/24"):
        ensure_site(client, "x", {"subnets": ["10.0.0.1/8"]}, check_mode=True)
    with pytest.raises(NotFound, match="There is no such site"):
        ensure_site(client, "x", {"parent": "nowhere"}, check_mode=False)


def test_a_site_with_stations_is_not_removed(client: CheckedClient) -> None:
    client.post("/sites", {"slug": "full", "name": "Full"})
    client.post("/stations", {"name": "pc01", "site": "full"})
    with pytest.raises(Conflict, match="belongs to it.*Nothing was removed"):
        remove_site(client, "full", check_mode=False)


def test_stations_are_made_changed_and_left_alone_in_one_request(client: CheckedClient) -> None:
    wanted = [
        {"name": "pc01", "site": "lyon", "macs": ["52-54-00-AA-00-01"], "tag": None},
        {"name": "pc02", "site": "lyon", "state": "new"},
    ]
    would = ensure_stations(client, wanted, check_mode=True)
    assert would.changed and client.request("GET", "/stations").body["total"] == 0
    done = ensure_stations(client, wanted, check_mode=False)
    assert [each["result"] for each in done.now["stations"]] == ["created", "created"]  # type: ignore[index]
    assert not ensure_stations(client, wanted, check_mode=False).changed, "another spelling of a MAC address is the same card"
    changed = ensure_stations(client, [{"name": "PC01", "tag": "A"}], check_mode=True)
    assert (changed.before, changed.after) == ({"PC01.tag": ""}, {"PC01.tag": "A"})
    gone = remove_stations(client, ["pc01", "pc09"], check_mode=False)
    assert gone.changed and [each["result"] for each in gone.now["stations"]] == ["removed", "unchanged"]  # type: ignore[index]


@pytest.mark.parametrize("check_mode", [True, False])
def test_one_wrong_station_and_none_is_changed(client: CheckedClient, check_mode: bool) -> None:
    wanted = [{"name": "pc01", "site": "lyon"}, {"name": "pc02", "site": "lyon", "macs": ["zz"]}, {"name": "pc03", "site": "nowhere"}]
    with pytest.raises(Refused, match="zz") as refused:
        ensure_stations(client, wanted, check_mode=check_mode)
    assert len(refused.value.details["errors"] if check_mode else [1, 2]) == 2
    assert "nowhere" in str(refused.value) or "There is no such site" in str(refused.value)
    assert client.request("GET", "/stations").body["total"] == 0


def test_secret_values_are_changed_and_never_told(client: CheckedClient) -> None:
    client.post("/stations", {"name": "pc01", "site": "lyon"})
    done = ensure_stations(client, [{"name": "pc01", "secrets": {"licence_key": "TOP-SECRET"}}], check_mode=False)
    assert done.changed and "TOP-SECRET" not in json.dumps(done.as_dict("done"))
    assert not ensure_stations(client, [{"name": "pc01", "secrets": {"licence_key": "TOP-SECRET"}}], check_mode=False).changed


def test_a_group_is_made_and_its_stations_come_and_go(client: CheckedClient) -> None:
    ensure_stations(client, [{"name": f"pc0{number}", "site": "lyon"} for number in range(4)], check_mode=False)
    group: dict[str, Any] = {"add": [], "remove": [], "check_mode": False}
    assert ensure_group(client, "kiosks", {"stations": ["pc00", "PC01"]}, **group).changed
    assert not ensure_group(client, "kiosks", {"stations": ["pc01", "pc00"]}, **group).changed
    assert not ensure_group(client, "kiosks", {}, **{**group, "add": ["PC01"], "remove": ["pc03"]}).changed
    done = ensure_group(client, "kiosks", {}, **{**group, "add": ["pc02"], "remove": ["PC00"]})
    assert done.now is not None and done.now["stations"] == ["pc01", "pc02"]
    with pytest.raises(InputError, match="one or the other"):
        ensure_group(client, "kiosks", {"stations": []}, **{**group, "add": ["pc02"]})
    dynamic = {"criteria": "tag = ALPHA", "site": "lyon"}
    assert ensure_group(client, "alphas", dynamic, **group).changed
    assert not ensure_group(client, "alphas", dynamic, **group).changed
    with pytest.raises(Refused, match="tagg"):
        ensure_group(client, "broken", {"criteria": "tagg = ALPHA"}, **group)
    assert remove_group(client, "alphas", check_mode=False).changed


def test_a_table_is_imported_or_every_bad_line_is_told(client: CheckedClient) -> None:
    good = b"name;site;macs\r\npc01;lyon;52:54:00:aa:00:01\r\npc02;lyon;\r\n"
    would = import_table(client, good, check_mode=True)
    assert would.changed and would.now is not None and would.now["created"] == 2
    assert client.request("GET", "/stations").body["total"] == 0
    assert import_table(client, good, check_mode=False).changed
    again = import_table(client, good, check_mode=False)
    assert not again.changed and again.now is not None and again.now["unchanged"] == 2
    for check_mode in (True, False):
        with pytest.raises(Refused) as refused:
            import_table(client, b"name,site,address\npc03,nowhere,\npc04,lyon,999\n", check_mode=check_mode)
        assert "line 2" in str(refused.value) and "line 3" in str(refused.value)
    assert client.request("GET", "/stations").body["total"] == 2


def test_somebody_else_was_faster(client: CheckedClient) -> None:
    made = client.request("POST", "/sites", body={"slug": "paris", "name": "Paris"})
    read = client.request("GET", "/sites/paris")
    assert made.body == read.body
    client.patch("/sites/paris", {"name": "Paris 1"}, read.etag)
    with pytest.raises(Conflict, match="changed it since you read it"):
        client.patch("/sites/paris", {"name": "Paris 2"}, read.etag)


def test_lists_come_whole(client: CheckedClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansible_collections.fleet.core.plugins.module_utils.stationdb.client._PAGE", 3)
    ensure_stations(client, [{"name": f"pc{number:04d}", "site": "lyon"} for number in range(7)], check_mode=False)
    names = [row["name"] for row in client.pages("/stations", site="lyon")]
    assert names == [f"pc{number:04d}" for number in range(7)]
    with client.lines("/inventory", {"site": ["lyon"]}) as lines:
        assert lines is not None
        reader = InventoryReader(lines)
        assert sum(len(batch.names) for batch in reader.batches()) == 7
    with client.lines("/inventory", {"site": ["lyon"]}, reader.etag) as lines:
        assert lines is None, "304"


def test_a_report_says_what_differs(client: CheckedClient) -> None:
    document = b'<?xml version="1.0"?><report format="1" agent="fleet/0.1.0" created="2026-11-21T12:00:00Z" station="pc01"></report>'
    would = send_report(client, "pc01", {"hardware": [{"name": "pc01", "memory": 16000}]}, document, check_mode=True)
    assert would.changed and would.now == {"sections": ["hardware"]}
    client.post("/stations", {"name": "pc01", "site": "lyon"})
    sent = send_report(client, "pc01", {"hardware": [{"name": "pc01", "memory": 16000}]}, document, check_mode=False)
    assert sent.now is not None and sent.now["id"]


def test_who_is_new_on_the_network(client: CheckedClient) -> None:
    client.patch("/sites/lyon", {"subnets": ["10.69.2.0/28"]})
    client.post("/stations", {"name": "pc01", "site": "lyon", "macs": ["52:54:00:00:00:01"], "address": "10.69.2.3"})
    sightings = [
        {"mac": f"52:54:00:00:00:0{number}", "address": address, "hostname": "", "seen": ""}
        for number, address in enumerate(["10.69.2.9", "10.69.2.2", "10.69.2.4", "192.0.2.1", "", "10.69.2.12"], 1)
    ]
    found = plan(Registry.read(client), sightings, ranges=[], skip=1, reserve=True)
    assert found.known == {"52:54:00:00:00:01": "pc01"}
    expected = [("2", "lyon", "10.69.2.5"), ("3", "lyon", "10.69.2.6"), ("6", "lyon", "10.69.2.7")]
    assert [(each.mac[-1], each.site, each.reserve) for each in found.unknown] == expected
    assert [each["mac"][-1] for each in found.outside] == ["4", "5"]
    narrow = plan(Registry.read(client), sightings, ranges=["10.69.2.8-10.69.2.10", "192.0.2.1"], skip=0, reserve=True)
    assert [each.reserve for each in narrow.unknown] == ["10.69.2.8", "10.69.2.10"], "10.69.2.9 was seen"
    assert [each["mac"][-1] for each in narrow.full] == ["6"]
    assert plan(Registry.read(client), sightings, ranges=[], skip=1, reserve=False).unknown[0].reserve == ""
    for text in ("10.0.0.9-10.0.0.1", "x", "10.0.0.1-::1"):
        with pytest.raises(InputError, match=re.escape(repr(text))):
            plan(Registry.read(client), [], ranges=[text], skip=0, reserve=True)


def test_who_may_not_is_told_so(database: StationDatabase) -> None:
    with database.client("viewer") as client, pytest.raises(Refused, match=r"sites\.edit"):
        ensure_site(client, "lyon", {"name": "Mine"}, check_mode=False)
    with database.client("expired") as client, pytest.raises(Unauthorized, match="has expired"):
        client.get("/sites")
    with database.client("local") as client:
        assert [row["slug"] for row in client.pages("/sites")] == ["lyon"]
        with pytest.raises(FleetError):
            client.get("/no/such/operation")
