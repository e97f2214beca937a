# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role clone finds the sender of each station, whichever station comes first and wherever the sender was named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.playbooks import ansible_playbook

PARIS = {"clone_sender": "relay-paris"}
LYON = {"clone_sender": "relay-lyon"}


def sessions(folder: Path, stations: dict[str, dict[str, Any]], *arguments: str, **options: Any) -> dict[str, dict[str, Any]]:
    """Who sends to whom, by the role with variables of the stations' own; and what is said of it."""
    local = {"ansible_connection": "local", "ansible_remote_tmp": f"{folder}/remote"}
    servers = {"content_stores": {"hosts": {"centre": {}}}, "relays": {"hosts": {"relay": {}}}}
    inventory = {"all": {"children": {"stations": {"hosts": stations}, **servers}, "vars": local}}
    (folder / "hosts.json").write_text(json.dumps(inventory))
    role = {"name": "fleet.imaging.clone", "tasks_from": "sessions.yml"}
    grouping = {"ansible.builtin.include_role": role, "vars": {"clone_image": "room", **options}}
    show = {"ansible.builtin.copy": {"content": "{{ clone_sessions | to_json }}", "dest": f"{folder}/sessions.json"}, "run_once": True}
    play = {"hosts": "stations", "gather_facts": False, "tasks": [grouping, {**show, "check_mode": False}]}
    (folder / "play.yml").write_text(json.dumps([play]))
    done = ansible_playbook(folder / "hosts.json", *arguments, folder / "play.yml", home=folder / "home")
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, dict[str, Any]] = json.loads((folder / "sessions.json").read_text())
    said = [f"{sender}: {session['control']}" for sender, session in found.items()]
    assert all((line in done.stdout) != ("transport" in str(options)) for line in said), done.stdout
    return found


def stations_of(found: dict[str, dict[str, Any]]) -> dict[str, list[str]]:
    return {sender: session["stations"] for sender, session in found.items()}


@pytest.mark.parametrize(("one", "two"), [("pc01", "pc02"), ("pc02", "pc01")])
def test_each_station_has_the_sender_of_its_site_or_the_centre(one: str, two: str, tmp_path: Path) -> None:
    found = sessions(tmp_path, dict(sorted({one: PARIS, two: {}, "pc03": LYON, "pc04": PARIS, "pc05": {}}.items())))
    assert stations_of(found) == {"relay-paris": [one, "pc04"], "centre": [two, "pc05"], "relay-lyon": ["pc03"]}
    assert {sender: session["replicate"] for sender, session in found.items()} == {"relay-paris": True, "relay-lyon": True, "centre": False}
    assert len({session["control"] for session in found.values()}) == 3
    assert all(session["control"].startswith(f"/run/fleet/clone-room-{sender}-") for sender, session in found.items())


@pytest.mark.parametrize(
    ("arguments", "options"),
    [([], {"clone_sender": "relay"}), (["-e", "clone_sender=relay"], {"clone_sender": "other"})],
)
def test_a_sender_that_the_run_or_the_role_is_given_serves_whoever_has_none_of_its_own(
    arguments: list[str], options: dict[str, Any], tmp_path: Path
) -> None:
    stations = {"pc01": {}, "pc02": PARIS if arguments else {}}
    assert stations_of(sessions(tmp_path, stations, *arguments, **options)) == {"relay": ["pc01", "pc02"]}


def test_a_station_that_sends_does_so_for_its_own_site(tmp_path: Path) -> None:
    found = sessions(tmp_path, {"pc01": PARIS, "pc02": PARIS, "pc03": LYON}, clone_source="pc02")
    assert stations_of(found) == {"pc02": ["pc01", "pc02"], "relay-lyon": ["pc03"]}
    assert not found["pc02"]["replicate"] and found["relay-lyon"]["replicate"]


def test_a_model_is_the_only_sender_and_lacks_nothing(tmp_path: Path) -> None:
    found = sessions(tmp_path, {"pc01": PARIS, "pc02": {}}, clone_model="pc09")
    assert stations_of(found) == {"pc09": ["pc01", "pc02"]} and not found["pc09"]["replicate"]


def test_without_a_session_relays_are_filled_all_the_same_but_not_for_a_table(tmp_path: Path) -> None:
    assert sessions(tmp_path, {"pc01": PARIS}, clone_transport="unicast")["relay-paris"]["replicate"]
    assert not sessions(tmp_path, {"pc01": PARIS}, clone_transport="unicast", clone_mode="table")["relay-paris"]["replicate"]
