# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory plugin against a running station database, as ansible-inventory and ansible-playbook see it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .conftest import ROOT, Ansible, StationDatabase, plain

LYON = {
    "name": "lyo-b204-07",
    "site": "lyon",
    "tag": "ALPHA",
    "serial": "S1",
    "macs": ["52:54:00:12:34:56"],
    "address": "10.69.2.7",
    "disk_identity": "serial:S3Z9",
    "groups": ["kiosks"],
    "variables": {"room": "b204", "motd": "{{ lookup('pipe', 'touch ' ~ proof) }}", "nothing": None, "seats": [1, 2]},
}


@pytest.fixture
def fleet(database: StationDatabase) -> StationDatabase:
    """lyon with a site below it, paris, three groups, a relay and five stations."""
    with database.client() as client:
        client.patch("/sites/lyon", {"subnets": ["10.69.0.0/16"], "variables": {"fleet_content_trust": "/etc/fleet/lyon"}})
        client.post(
            "/sites", {"slug": "lyon_est", "name": "Lyon Est", "parent": "lyon", "content_url": "https://relay.est.example/content"}
        )
        client.post(
            "/sites", {"slug": "paris", "name": "Paris", "subnets": ["10.75.0.0/16"], "content_url": "https://relay.paris.example/content"}
        )
        client.post("/groups", {"name": "kiosks", "variables": {"session": "kiosk", "ansible_connection": "local"}})
        client.post("/groups", {"name": "alphas", "criteria": "tag = ALPHA"})
        client.post("/groups", {"name": "nobody"})
        stations = [
            LYON,
            {"name": "lyo-est-01", "site": "lyon_est", "tag": "ALPHA", "secrets": {"licence_key": "TOP-SECRET"}},
            {"name": "relay-lyon", "site": "lyon", "kind": "relays"},
            {"name": "par-a1-01", "site": "paris", "state": "repair", "address": "10.69.9.9"},
            {"name": "par-a1-02", "site": "paris", "state": "retired"},
        ]
        client.post("/stations/bulk", {"stations": stations})
    return database


def test_sites_groups_kinds_and_variables_are_what_the_database_says(fleet: StationDatabase, ansible: Ansible) -> None:
    said = ansible.inventory(ansible.source())
    assert said["site_lyon"] == {"children": ["site_lyon_est"], "hosts": ["lyo-b204-07", "relay-lyon"]}
    assert said["alphas"]["hosts"] == ["lyo-b204-07", "lyo-est-01"], "a dynamic group"
    assert said["kiosks"]["hosts"] == ["lyo-b204-07"]
    assert said["relays"]["hosts"] == ["relay-lyon"]
    assert set(said["all"]["children"]) >= {"alphas", "kiosks", "nobody", "relays", "site_lyon", "site_paris", "stations", "models"}
    hosts = said["_meta"]["hostvars"]
    assert "par-a1-02" not in hosts, "a retired station is no host"
    one = hosts["lyo-b204-07"]
    expected = {
        "ansible_host": "10.69.2.7",
        "fleet_site": "lyon",
        "fleet_site_name": "Lyon",
        "fleet_state": "ready",
        "fleet_tag": "ALPHA",
        "fleet_serial": "S1",
        "fleet_macs": ["52:54:00:12:34:56"],
        "fleet_disk_identity": "serial:S3Z9",
        "fleet_content_sources": ["https://relay.lyon.example/content"],
        "fleet_content_trust": "/etc/fleet/lyon",
        "session": "kiosk",
        "room": "b204",
        "nothing": None,
        "seats": [1, 2],
    }
    assert {name: one[name] for name in expected} == expected
    assert one["motd"] == LYON["variables"]["motd"], "as it stands, never as its value"
    assert "ansible_host" not in hosts["lyo-est-01"], "nothing is known"
    assert hosts["lyo-est-01"]["fleet_content_sources"] == ["https://relay.est.example/content", "https://relay.lyon.example/content"]
    assert hosts["par-a1-01"]["fleet_content_sources"] == ["https://relay.lyon.example/content"], "it stands in Lyon's subnet"


def test_the_graph_of_the_example_inventory(fleet: StationDatabase, ansible: Ansible) -> None:
    example = ROOT / "inventories/example/site.stations.yml"
    said = ansible.run("ansible-inventory", "-i", str(example), "--graph").stdout
    assert "  |--@site_lyon:\n  |  |--@site_lyon_est:\n  |  |  |--lyo-est-01\n  |  |--lyo-b204-07\n" in said


@pytest.mark.parametrize(
    ("filters", "hosts"),
    [
        ({"sites": ["lyon"]}, {"lyo-b204-07", "lyo-est-01", "relay-lyon"}),
        ({"sites": ["lyon_est", "paris"]}, {"lyo-est-01", "par-a1-01"}),
        ({"in_groups": ["kiosks"]}, {"lyo-b204-07"}),
        ({"in_groups": ["alphas", "relays"]}, {"lyo-b204-07", "lyo-est-01", "relay-lyon"}),
        ({"criteria": "tag = ALPHA and not group(kiosks)"}, {"lyo-est-01"}),
        ({"states": ["repair", "retired"]}, {"par-a1-01", "par-a1-02"}),
        ({"sites": ["lyon"], "criteria": "tag = BETA"}, set()),
    ],
)
def test_filters_are_part_of_the_query(fleet: StationDatabase, ansible: Ansible, filters: dict[str, Any], hosts: set[str]) -> None:
    said = ansible.inventory(ansible.source(**filters))
    assert set(said["_meta"]["hostvars"]) == hosts
    assert "site_paris" not in said or "paris" in filters.get("sites", ["paris"])


def test_who_sees_one_site_gets_that_site_only(fleet: StationDatabase, ansible: Ansible) -> None:
    said = ansible.inventory(ansible.source(), FLEET_STATIONDB_TOKEN=fleet.tokens["local"])
    assert set(said["_meta"]["hostvars"]) == {"lyo-b204-07", "lyo-est-01", "relay-lyon"}
    assert "paris" not in json.dumps(said)
    path = ansible.source(sites=["paris"])
    failed = ansible.run("ansible-inventory", "-i", str(path), "--list", code=1, FLEET_STATIONDB_TOKEN=fleet.tokens["local"])
    assert "There is no site 'paris' among those you may see" in failed.stderr


def test_secrets_come_only_when_asked_for_and_with_the_right(fleet: StationDatabase, ansible: Ansible) -> None:
    assert "TOP-SECRET" not in json.dumps(ansible.inventory(ansible.source()))
    path = ansible.source(secrets=True)
    said = ansible.inventory(path)
    assert said["_meta"]["hostvars"]["lyo-est-01"]["fleet_secrets"] == {"licence_key": "TOP-SECRET"}
    failed = ansible.run("ansible-inventory", "-i", str(path), "--list", code=1, FLEET_STATIONDB_TOKEN=fleet.tokens["viewer"])
    assert "stations.secrets" in failed.stderr
    cached = ansible.source(
        secrets=True, cache=True, cache_plugin="ansible.builtin.jsonfile", cache_connection=str(ansible.folder / "cache")
    )
    failed = ansible.run("ansible-inventory", "-i", str(cached), "--list", code=1)
    assert "never cached" in failed.stderr


def test_nothing_from_the_database_is_templated_or_decides_what_runs_here(fleet: StationDatabase, ansible: Ansible) -> None:
    proof = ansible.folder / "proof"
    with fleet.client() as client:
        hostile = {
            "ansible_connection": "local",
            "ansible_ssh_common_args": "-o ProxyCommand=x",
            "ansible_user": "-oProxyCommand=x",
            "groups": {},
        }
        client.patch("/stations/lyo-b204-07", {"variables": {**LYON["variables"], **hostile, "ansible_port": 2222, "not-a-name": 1}})
    source = ansible.source()
    done = ansible.run("ansible-inventory", "-i", str(source), "--host", "lyo-b204-07")
    variables = json.loads(done.stdout)
    assert variables["ansible_port"] == 2222
    assert not {"ansible_connection", "ansible_ssh_common_args", "ansible_user", "groups", "not-a-name"} & set(variables)
    for name in ("ansible_ssh_common_args", "ansible_connection", "not-a-name", "ansible_user='-oProxyCommand=x'"):
        assert name in " ".join(done.stderr.split()), "what is left out is told"
    listed = json.loads(ansible.run("ansible-inventory", "-i", str(source), "--list").stdout)
    assert listed["_meta"]["hostvars"]["lyo-b204-07"]["motd"] == {"__ansible_unsafe": variables["motd"]}, "AWX is told so as well"
    shown = {"name": "show", "ansible.builtin.debug": {"msg": "{{ motd }} {{ hostvars['lyo-b204-07'].motd }} {{ fleet_site_name }}"}}
    played = ansible.play(shown, hosts="lyo-b204-07", more=("-i", str(source), "-e", f"proof={proof}"))
    assert "lookup('pipe'" in played["show"]["msg"]
    assert not proof.exists()
    allowed = ansible.source(connection_variables=["ansible_connection"])
    assert ansible.inventory(allowed)["_meta"]["hostvars"]["lyo-b204-07"]["ansible_connection"] == "local"


def test_a_template_that_changes_a_value_in_place_changes_it_for_nobody_else(fleet: StationDatabase, ansible: Ansible) -> None:
    with fleet.client() as client:
        client.patch("/stations/relay-lyon", {"address": "10.69.1.1"})
    change = {
        "name": "change",
        "ansible.builtin.set_fact": {"x": "{{ fleet_content_sources.append('evil') }}"},
        "when": "inventory_hostname == 'lyo-b204-07'",
    }
    show = {"name": "show", "ansible.builtin.debug": {"var": "hostvars['relay-lyon'].fleet_content_sources"}}
    played = ansible.play(change, show, hosts="lyo-b204-07,relay-lyon", more=("-i", str(ansible.source())))
    assert played["show"]["hostvars['relay-lyon'].fleet_content_sources"] == ["https://relay.lyon.example/content"]


def test_stations_with_names_that_mean_something_else_are_left_out(fleet: StationDatabase, ansible: Ansible) -> None:
    with fleet.client() as client:
        client.post("/groups", {"name": "server"})
        names = ("localhost", "server", "all", "models")
        client.post(
            "/stations/bulk", {"stations": [{"name": name, "site": "paris", "address": None, "variables": {"x": name}} for name in names]}
        )
    done = ansible.run("ansible-inventory", "-i", str(ansible.source()), "--list")
    said = plain(json.loads(done.stdout))
    assert not set(names) & set(said["_meta"]["hostvars"])
    assert "x" not in said["_meta"]["hostvars"]["par-a1-01"], "a station named all sets no variable for all"
    assert "localhost (means the controller itself)" in " ".join(done.stderr.split())
    assert "all, models, server (is the name of a group and of a station; rename one)" in " ".join(done.stderr.split())


def test_compose_keyed_groups_and_groups(fleet: StationDatabase, ansible: Ansible) -> None:
    options = {
        "strict": True,
        "compose": {"short": "inventory_hostname.split('-')[0]"},
        "keyed_groups": [{"key": "fleet_state", "prefix": "state"}],
        "groups": {"of_lyon": "short == 'lyo'"},
    }
    said = ansible.inventory(ansible.source(**options))
    assert said["_meta"]["hostvars"]["lyo-est-01"]["short"] == "lyo"
    assert said["state_repair"]["hosts"] == ["par-a1-01"]
    assert said["of_lyon"]["hosts"] == ["lyo-b204-07", "lyo-est-01"]
    broken = ansible.source(strict=True, compose={"x": "no_such_variable"})
    assert "Could not set x" in ansible.run("ansible-inventory", "-i", str(broken), "--list", code=1).stderr


def test_a_dynamic_group_that_somebody_broke_is_empty_and_told(fleet: StationDatabase, ansible: Ansible) -> None:
    with fleet.client() as client:
        client.post("/groups", {"name": "circle", "criteria": "group(alphas)"})
        client.post("/groups", {"name": "outer", "criteria": "group(circle)"})
        client.delete("/groups/alphas")
    done = ansible.run("ansible-inventory", "-i", str(ansible.source()), "--list")
    said = plain(json.loads(done.stdout))
    assert "circle" in said["all"]["children"] and "circle" not in said, "it is there, and empty"
    assert "The dynamic group circle is empty because its criteria are wrong" in " ".join(done.stderr.split())
    assert "lyo-b204-07" in said["_meta"]["hostvars"]


def test_a_reported_address_counts_where_the_station_can_stand(fleet: StationDatabase, ansible: Ansible) -> None:
    say = "from stationdb.registry.models import Station; Station.objects.filter(name={!r}).update(reported_address={!r})"
    for name, address in (("lyo-est-01", "10.69.3.3"), ("relay-lyon", "198.51.100.7")):
        fleet.manage("shell", "--verbosity=0", "-c", say.format(name, address))
    for which, expected in (
        ("subnets", ("10.69.2.7", "10.69.3.3", None)),
        ("reserved", ("10.69.2.7", None, None)),
        ("reported", ("10.69.2.7", "10.69.3.3", "198.51.100.7")),
    ):
        done = ansible.run("ansible-inventory", "-i", str(ansible.source(addresses=which)), "--list")
        hosts = plain(json.loads(done.stdout))["_meta"]["hostvars"]
        assert tuple(hosts[name].get("ansible_host") for name in ("lyo-b204-07", "lyo-est-01", "relay-lyon")) == expected, which
        assert ("have no ansible_host" in " ".join(done.stderr.split())) == (which == "subnets")


def test_hosts_that_another_source_names_get_both(fleet: StationDatabase, ansible: Ansible) -> None:
    folder = ansible.folder / "both"
    folder.mkdir()
    (folder / "a.yml").write_text("all: {hosts: {lyo-b204-07: {mine: 1, room: other}}, children: {mine: {hosts: {lyo-b204-07: }}}}\n")
    ansible.source().rename(folder / "b.stations.yml")
    (folder / "group_vars").mkdir()
    (folder / "group_vars/site_lyon.yml").write_text("from_file: '{{ fleet_tag }}'\n")
    said = ansible.inventory(folder)
    one = said["_meta"]["hostvars"]["lyo-b204-07"]
    assert (one["mine"], one["room"], one["fleet_tag"], one["from_file"]) == (1, "b204", "ALPHA", "{{ fleet_tag }}")
    assert said["mine"]["hosts"] == ["lyo-b204-07"] and "lyo-b204-07" in said["site_lyon"]["hosts"]


def test_an_empty_database_is_an_empty_inventory(database: StationDatabase, ansible: Ansible) -> None:
    said = ansible.inventory(ansible.source())
    assert said["_meta"]["hostvars"] == {}
    assert "site_lyon" in said["all"]["children"]
