# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules of the station database through real ansible-playbook runs: check mode, diff, idempotence, defaults of the action group."""

from __future__ import annotations

import json
from typing import Any

import yaml

from .conftest import ROOT, Ansible, StationDatabase


def task(title: str, module: str, check: bool = False, **arguments: Any) -> dict[str, Any]:
    return {"name": title, f"fleet.core.{module}": arguments, "diff": True, **({"check_mode": True} if check else {})}


def test_each_module_would_does_and_has_done(database: StationDatabase, ansible: Ansible) -> None:
    things: dict[str, tuple[str, dict[str, Any]]] = {
        "site": ("site", {"slug": "paris", "name": "Paris", "subnets": ["10.75.0.0/16"], "variables": {"x": [1, None]}}),
        "station": ("station", {"name": "par-01", "site": "paris", "macs": ["52-54-00-00-00-01"], "secrets": {"key": "TOP-SECRET"}}),
        "many": ("station", {"stations": [{"name": "par-02", "site": "paris", "state": "repair"}, {"name": "par-03", "site": "paris"}]}),
        "group": ("station_group", {"name": "kiosks", "site": "paris", "stations": ["par-01"]}),
        "more": ("station_group", {"name": "kiosks", "add": ["par-02"]}),
        "table": ("station_import", {"content": "name,tag\npar-03,BETA\n"}),
        "retired": ("station", {"name": "par-03", "state": "retired"}),
        "gone": ("station", {"stations": [{"name": "par-03"}], "state": "absent"}),
        "groupless": ("station_group", {"name": "kiosks", "state": "absent"}),
    }
    tasks = []
    for name, (module, arguments) in things.items():
        tasks += [
            task(f"would {name}", module, True, **arguments),
            task(name, module, **arguments),
            task(f"again {name}", module, **arguments),
        ]
    # Address and token are given once for all of them.
    token = ansible.folder / "token"
    token.write_text(ansible.environment.pop("FLEET_STATIONDB_TOKEN"))
    token.chmod(0o600)
    defaults = {"group/fleet.core.stationdb": {"url": ansible.environment.pop("FLEET_STATIONDB_URL"), "token_file": str(token)}}
    played = ansible.play(*tasks, module_defaults=defaults, more=("-v", "--diff"))
    changed = {name: tuple(played[f"{when}{name}"]["changed"] for when in ("would ", "", "again ")) for name in things}
    assert changed == dict.fromkeys(things, (True, True, False))
    assert "TOP-SECRET" not in played.text + json.dumps(played.results)
    assert database.tokens["admin"] not in played.text + json.dumps(played.results)
    assert played["site"]["site"]["variables"] == {"x": [1, None]}
    assert played["station"]["stations"][0]["result"] == "created" and "done" not in played["station"]
    assert "par-02: added\n" in played["many"]["diff"]["after"]
    assert played["more"]["group"]["stations"] == ["par-01", "par-02"]
    assert played["table"]["updated"] == 1 and "par-03.tag: BETA" in played["table"]["diff"]["after"]
    assert "retired" in played["would retired"]["diff"]["after"]
    with database.client() as client:
        assert [row["name"] for row in client.pages("/stations")] == ["par-01", "par-02"]
        assert client.get("/stations/par-01/secrets")["secrets"] == {"key": "TOP-SECRET"}


def test_what_cannot_be_done_fails_with_the_remedy_and_changes_nothing(database: StationDatabase, ansible: Ansible) -> None:
    wrong = [
        task("subnet", "site", slug="lyon", subnets=["10.0.0.1/8"]),
        task("mac", "station", name="pc01", site="lyon", macs=["zz"]),
        task("mac checked", "station", True, name="pc01", site="lyon", macs=["zz"]),
        task("neither", "station"),
        task("criteria", "station_group", name="broken", criteria="tagg = x"),
        task("lines", "station_import", True, content="name,site\npc01,nowhere\n"),
        task("no file", "station_import", src="/no/such/file"),
        task("sections", "report", station="not a name", sections={}),
        task("sightings", "register_info", sightings=[{"mac": "x"}]),
        task("leases", "lease_info", paths=["/no/such/file"]),
        task("clear", "site", slug="lyon", url="http://stations.example"),
    ]
    played = ansible.play(*({**each, "ignore_errors": True} for each in wrong))
    expected = {
        "subnet": "Write it as 10.1.2.0/24",
        "mac": "52:54:00:12:34:56",
        "mac checked": "52:54:00:12:34:56",
        "neither": "one of the following is required: name, stations",
        "criteria": "tagg",
        "lines": "line 2",
        "no file": "No such file",
        "sections": "is no host name",
        "sightings": "fleet.core.lease_info",
        "leases": "Name the file of leases",
        "clear": "would send the token in clear",
    }
    for name, said in expected.items():
        assert "exception" in played[name] and said in played[name]["msg"], played[name]
        assert "Traceback" not in json.dumps(played[name])
    with database.client() as client:
        assert list(client.pages("/stations")) == []
        assert client.get("/sites/lyon")["subnets"] == []


def playbook(ansible: Ansible, name: str, *more: str, **environment: str) -> Any:
    """One of the project's playbooks, with the project's filters."""
    return ansible.playbook(ROOT / "playbooks" / name, *more, ANSIBLE_FILTER_PLUGINS=str(ROOT / "plugins/filter"), **environment)


def test_who_is_new_is_named_reserved_an_address_and_put_into_a_group(database: StationDatabase, ansible: Ansible) -> None:
    leases = ansible.folder / "dnsmasq.leases"
    leases.write_text(
        "1795262400 52:54:00:00:00:01 10.69.2.101 known 01:52:54:00:00:00:01\n"
        "1795262400 52:54:00:00:00:02 10.69.2.102 desktop-4711 *\n"
        "1795262400 52:54:00:00:00:03 10.69.2.103 * *\n"
        "1795262400 52:54:00:00:00:04 192.0.2.4 guest *\n"
        "half a li\n"
    )
    with database.client() as client:
        client.patch("/sites/lyon", {"subnets": ["10.69.2.0/24"]})
        client.post("/stations", {"name": "lyo-b204-01", "site": "lyon", "macs": ["52:54:00:00:00:01"], "address": "10.69.2.50"})
    (ansible.folder / "hosts").write_text("relay ansible_connection=local\n[relays]\nrelay\n")
    settings = {
        "register_leases": [str(leases)],
        "register_room": "b204",
        "register_codes": {"lyon": "lyo"},
        "register_group": "room_b204",
        "register_ranges": ["10.69.2.50-10.69.2.99"],
    }
    arguments = ("-i", str(ansible.folder / "hosts"), "-e", json.dumps(settings))
    would = playbook(ansible, "register.yml", *arguments, "--check")
    assert "2 stations would be registered, 1 cards are known" in would.text
    with database.client() as client:
        assert len(list(client.pages("/stations"))) == 1
    done = playbook(ansible, "register.yml", *arguments)
    assert "52:54:00:00:00:04 (guest, 192.0.2.4) stands in no site's subnet" in done.text
    with database.client() as client:
        found = {row["name"]: row for row in client.pages("/stations", group="room_b204")}
    assert {name: (row["macs"], row["address"], row["state"], row["site"]) for name, row in found.items()} == {
        "lyo-b204-02": (["52:54:00:00:00:02"], "10.69.2.51", "new", "lyon"),
        "lyo-b204-03": (["52:54:00:00:00:03"], "10.69.2.52", "new", "lyon"),
    }
    assert "desktop-4711" in found["lyo-b204-02"]["comment"]
    assert "0 stations were registered, 3 cards are known" in playbook(ansible, "register.yml", *arguments).text


def test_a_table_is_imported(database: StationDatabase, ansible: Ansible) -> None:
    table = ansible.folder / "table.csv"
    table.write_text("name;site\npc01;lyon\n")
    arguments = ("-e", f"import_file={table}")
    for more, said in (("--check", "1 stations would be added"), ("--diff", "1 stations were added"), ("--diff", "0 stations were added")):
        assert said in " ".join(playbook(ansible, "import.yml", *arguments, more).text.split())


def test_stations_are_looked_at_and_the_database_is_told(database: StationDatabase, ansible: Ansible) -> None:
    with database.client() as client:
        client.post("/stations", {"name": "pc01", "site": "lyon"})
    (ansible.folder / "group_vars").mkdir()
    (ansible.folder / "group_vars/all.yml").write_text(yaml.safe_dump({"ansible_connection": "local"}))
    arguments = ("-i", str(ansible.source()))
    first = playbook(ansible, "inventory.yml", *arguments)
    assert "pc01" in first["Show what was found"]["msg"]
    assert "softwares" in first["Tell the station database"]["sections"]
    database.manage("worker", "--once")
    with database.client() as client:
        there = client.get("/stations/pc01/sections")
        assert {"softwares", "hardware", "cpus"} <= set(there)
        assert client.get("/stations/pc01")["reported"]["last_seen"]
    again = playbook(ansible, "inventory.yml", *arguments)
    stable = {"softwares", "cpus", "bios", "partitions", "local_users"} & set(there)
    assert not stable & set(again["Tell the station database"]["sections"]), "nothing of these changed"
