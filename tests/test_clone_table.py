# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of playbooks/clone.yml, from facts as its plays leave them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.playbooks import ROOT, ansible_playbook

MIB = 1 << 20

SENT = {"packets": 9, "bytes_sent": 11 * MIB, "bytes_unique": 10 * MIB, "stations": {"p1": {"seconds": 3.25}, "p2": {"seconds": 4.25}}}
PARIS = {"sender": "relay-paris", "stations": ["p1", "p2"], "replicated": {"bytes": 10 * MIB}, "sent": SENT, "failed": False, "msg": ""}
LYON = {
    "sender": "relay-lyon",
    "stations": ["l1"],
    "replicated": {},
    "sent": {},
    "failed": True,
    "msg": "it has no image: no route",
}
CENTRE = {"sender": "centre", "stations": ["c1"], "replicated": {}, "sent": {}, "failed": False, "msg": ""}
DONE = {
    "seconds": 4.5,
    "bytes_fetched": 10 * MIB,
    "bytes_written": 20 * MIB,
    "verified": True,
    "session": {"bytes": 10 * MIB},
    "changed": True,
}
LATE = {**DONE, "session": {"bytes": 4 * MIB}}


def table(folder: Path, facts: dict[str, dict[str, Any]], *arguments: str) -> list[str]:
    """The table's lines, with one blank between two columns."""
    (folder / "hosts.json").write_text(json.dumps({"all": {"hosts": facts}}))
    show = {"ansible.builtin.copy": {"content": "{{ lookup('template', source) }}", "dest": f"{folder}/table"}, "run_once": True}
    variables = {"source": str(ROOT / "playbooks/templates/clone.txt.j2"), "ansible_connection": "local"}
    play = {"hosts": "all", "gather_facts": False, "vars": variables, "tasks": [{**show, "check_mode": False}]}
    (folder / "play.yml").write_text(json.dumps([play]))
    done = ansible_playbook(folder / "hosts.json", *arguments, folder / "play.yml", home=folder / "home")
    assert done.returncode == 0, done.stdout + done.stderr
    return [" ".join(line.split()) for line in (folder / "table").read_text().splitlines()]


def test_it_tells_of_each_station_and_each_sender_what_came_which_way(tmp_path: Path) -> None:
    reason = "Not begun, because its sender relay-lyon failed"
    rows = table(
        tmp_path,
        {
            "p1": {"clone_result": DONE, "clone_served_by": PARIS, "clone_done": True},
            "p2": {"clone_result": LATE, "clone_served_by": PARIS, "clone_done": True},
            "p3": {"clone_result": {}, "clone_done": True},
            "l1": {"clone_result": {"failed": True}, "clone_served_by": LYON, "clone_done": False, "clone_failed": reason},
            "l2": {},
            "c1": {"clone_result": DONE, "clone_served_by": CENTRE, "clone_done": False, "clone_failed": "no boot loader"},
        },
    )
    for row in (
        "p1 relay-paris cloned 4.5 10.0 0.0 20.0 - yes",
        "p2 relay-paris cloned 4.5 4.0 6.0 20.0 - yes",
        "p3 - sent - - - - - -",
        "l1 relay-lyon FAILED - - - - - no",
        "l2 - FAILED - - - - - no",
        "c1 centre no start - - - - - yes",
        f"l1: {reason}",
        "c1: no boot loader",
        "relay-paris sent 4.2 10.0 11.0 10.0 2",
        "relay-lyon FAILED - - - - 1",
        "centre - - - - - 1",
        "relay-lyon: it has no image: no route",
    ):
        assert row in rows, rows


def test_of_a_check_it_tells_what_stations_and_relays_lack(tmp_path: Path) -> None:
    lacks = {"changed": True, "bytes_differing": 3 * MIB}
    relay = {**PARIS, "replicated": {"bytes": 0, "left_bytes": 5 * MIB}, "sent": {}}
    rows = table(
        tmp_path,
        {
            "p1": {"clone_result": lacks, "clone_served_by": relay, "clone_done": True},
            "c1": {"clone_result": {**lacks, "changed": False, "bytes_differing": 0}, "clone_served_by": CENTRE, "clone_done": True},
        },
        "--check",
    )
    assert "p1 relay-paris differs - - - 3.0 - -" in rows and "c1 centre is right - - - 0.0 - -" in rows
    assert "relay-paris - - 5.0 - - 2" in rows and "centre - - - - - 1" in rows
