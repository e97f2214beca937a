# SPDX-License-Identifier: GPL-3.0-or-later
"""The naming scheme of stations, as ansible.cfg wires it."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from ansible.errors import AnsibleFilterError
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).parents[2]
specification = importlib.util.spec_from_file_location("naming", ROOT / "plugins/filter/naming.py")
assert specification is not None and specification.loader is not None
naming = importlib.util.module_from_spec(specification)
specification.loader.exec_module(naming)

code = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=5)


def test_a_name_says_site_room_and_number() -> None:
    assert naming.station_name("LYO", "B204", 7) == "lyo-b204-07"


@given(code, code, st.integers(0, 999))
def test_a_name_leads_back_to_its_place(site: str, room: str, number: int) -> None:
    place = naming.station_place(naming.station_name(site, room, number))
    assert place == {"site": site.lower(), "room": room.lower(), "number": number}


@pytest.mark.parametrize(
    ("site", "room", "number", "reason"),
    [
        ("ly-o", "b204", 1, "site 'ly-o'"),
        ("", "b204", 1, "site ''"),
        ("lyo", "salle é", 1, "room 'salle é'"),
        ("lyo", "b204", 1000, "number 1000"),
        ("lyo", "b204", -1, "number -1"),
        ("lyo", "b204", "x", "number 'x'"),
        ("lyon", "building2", 1, "more than 15"),
    ],
)
def test_what_cannot_be_a_name_is_refused(site: str, room: str, number: int, reason: str) -> None:
    with pytest.raises(AnsibleFilterError, match=reason):
        naming.station_name(site, room, number)


@pytest.mark.parametrize("name", ["", "lyo-b204", "lyo-b204-7", "lyo-b204-07-x", "lyo-b204-07\n", "../../etc-a-07", "x" * 12 + "-b-07"])
def test_a_foreign_name_has_no_place(name: str) -> None:
    with pytest.raises(AnsibleFilterError, match="SITE-ROOM-NUMBER"):
        naming.station_place(name)


def test_ansible_finds_the_filters() -> None:
    done = subprocess.run(
        [
            Path(sys.executable).with_name("ansible"),
            "localhost",
            "--inventory=localhost,",
            "--connection=local",
            "--module-name=ansible.builtin.debug",
            "--args=msg={{ 'lyo' | station_name('B204', 7) }}/{{ ('lyo-b204-07' | station_place).number }}",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "lyo-b204-07/7" in done.stdout


def test_unknown_cards_become_stations_with_the_next_free_numbers() -> None:
    cards = [
        {"mac": f"52:54:00:00:00:0{number}", "site": site, "reserve": reserve, "hostname": hostname}
        for number, (site, reserve, hostname) in enumerate([("lyon_est", "10.69.2.11", "desktop"), ("lyon_est", "", ""), ("paris", "", "")])
    ]
    found = naming.new_stations(cards, "b204", {"lyon_est": ["LYO-B204-01", "lyo-b204-03"]}, {"lyon_est": "lyo"}, ["kiosks"])
    assert [station["name"] for station in found] == ["lyo-b204-02", "lyo-b204-04", "paris-b204-01"]
    assert found[0] == {
        "name": "lyo-b204-02",
        "site": "lyon_est",
        "state": "new",
        "macs": ["52:54:00:00:00:00"],
        "groups": ["kiosks"],
        "address": "10.69.2.11",
        "comment": "It called itself desktop when it was registered.",
    }
    assert "address" not in found[1]


def test_a_full_room_is_told() -> None:
    card = {"mac": "52:54:00:00:00:01", "site": "lyo", "reserve": "", "hostname": ""}
    with pytest.raises(AnsibleFilterError, match="no number is free in room b204 of lyo"):
        naming.new_stations([card], "b204", {"lyo": [f"lyo-b204-{number:02d}" for number in range(1000)]})
