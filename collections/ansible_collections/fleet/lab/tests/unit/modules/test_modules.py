# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules, run as Ansible runs them."""

from __future__ import annotations

import json
from typing import Any, Callable

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.fleet.lab.plugins.modules import boot_entry, room, room_info

PC = {"name": "pc1", "disk": "16M"}


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    """Run a module's main with parameters; return its result."""

    def call(module: Any, *, check: bool = False, **parameters: Any) -> dict[str, Any]:
        with patch_module_args({**parameters, "_ansible_check_mode": check}), pytest.raises(SystemExit):
            module.main()
        result: dict[str, Any] = json.loads(capsys.readouterr().out)
        return result

    return call


def test_a_room_from_its_creation_to_its_removal(run: Any, empty_room: Any) -> None:
    path, cache = str(empty_room.path), str(empty_room.cache)
    wanted = {"path": path, "cache": cache, "central": False, "stations": [PC]}

    foreseen = run(room, check=True, **wanted)
    assert foreseen["changed"] and '"pc1"' in foreseen["diff"]["after"] and foreseen["diff"]["before"] == ""
    assert not empty_room.path.exists()

    made = run(room, **wanted)
    assert made["changed"] and made["diff"] == foreseen["diff"]
    assert [station["name"] for station in made["room"]["stations"]] == ["pc1"]
    again = run(room, **wanted)
    assert not again["changed"] and again["diff"]["before"] == again["diff"]["after"]
    assert run(room, check=True, **wanted)["changed"] is False

    limited = run(room, check=True, **{**wanted, "stations": [{**PC, "rate": "10mbit"}]})
    assert limited["changed"] and '"rate": "10mbit"' in limited["diff"]["after"]
    assert run(room_info, path=path)["room"] == made["room"]

    entry = {"path": path, "station": "pc1", "entry": "disk"}
    assert run(boot_entry, check=True, **entry)["changed"] and empty_room.room.boot_entry("pc1") == "imaging"
    assert run(boot_entry, **entry)["diff"] == {"before": "imaging\n", "after": "disk\n"}
    assert empty_room.room.boot_entry("pc1") == "disk" and not run(boot_entry, **entry)["changed"]
    assert run(room_info, path=path)["room"]["stations"][0]["boot"] == "disk"
    assert not run(room, **wanted)["changed"]

    assert run(room, check=True, path=path, state="absent")["changed"] and empty_room.traces()
    assert run(room, path=path, state="absent")["changed"]
    assert empty_room.traces() == [] and not run(room, path=path, state="absent")["changed"]
    assert run(room_info, path=path)["room"] is None


def test_refusals_are_failures_with_a_message(run: Any, empty_room: Any) -> None:
    path = str(empty_room.path)
    failed = run(room, path=path, cache=str(empty_room.cache), stations=[PC, PC])
    assert failed["failed"] and failed["msg"] == "Stations named twice: pc1. Give each its own name; central is the central host's"
    assert "There is no room in" in run(boot_entry, path=path, station="pc1", entry="disk")["msg"]
    assert run(room, path=f"{path}:x", cache="/nowhere", check=True)["failed"]


def test_creating_needs_a_cache_which_the_environment_may_name(run: Any, empty_room: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLEET_CACHE", raising=False)
    assert "cache" in run(room, path=str(empty_room.path), stations=[PC])["msg"]
    monkeypatch.setenv("FLEET_CACHE", str(empty_room.cache))
    assert run(room, check=True, path=str(empty_room.path), stations=[PC])["changed"]
