# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom the sender is told to expect, in every order in which stations, the sender and the news may end."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from typing import Any

import pytest

from ansible_collections.fleet.imaging.plugins.module_utils.clone.control import session_id
from ansible_collections.fleet.imaging.plugins.plugin_utils import clone_session
from ansible_collections.fleet.imaging.plugins.plugin_utils.clone_session import COPY, FILE, RECEIVE, RESTORE, SEND, CloneSession
from ansible_collections.fleet.imaging.plugins.plugin_utils.station_tasks import MemberActionBase

SECRET = "ab" * 32
REFUSED: Mapping[str, Any] = {"failed": True, "msg": "wrong disk"}
GOOD: Mapping[str, Any] = {"changed": True}
SILENCE = None
"""Nothing ends for as long as somebody waits for it."""


class Tasks:
    """Stands for StationTasks: tasks end in the order of a script. Real ones are in test_station_tasks.py."""

    def __init__(self, script: list[Any]) -> None:
        self.script = script
        self.started: list[tuple[str, str, Any]] = []
        self.running: set[tuple[str, str]] = set()

    def __enter__(self) -> Tasks:
        return self

    def __exit__(self, *_error: object) -> None:
        pass

    def __len__(self) -> int:
        return len(self.running)

    def start(self, station: str, module: str, arguments: Mapping[str, Any], more: Mapping[str, Any]) -> None:
        assert (module, station) not in self.running, "two at a time may end in any order"
        self.running.add((module, station))
        self.started.append((module, station, arguments))

    def next(self, timeout: float | None) -> Any:
        ended = self.script.pop(0)
        if ended is None:
            assert timeout is not None, "it would wait for ever"
        else:
            self.running.remove(ended[:2])
        return ended


def held(monkeypatch: pytest.MonkeyPatch, *script: Any) -> tuple[list[int], Tasks]:
    """A session of four stations; the counts that the sender was told, and the tasks."""
    tasks = Tasks(list(script))
    monkeypatch.setattr(clone_session, "StationTasks", lambda *_arguments: tasks)
    with CloneSession(None, {}, SECRET) as session:  # type: ignore[arg-type]
        session.send("centre", ["pc1", "pc2", "pc3", "pc4"], {"control": "/run/fleet/c.json", "start": {}})
        for station in ("pc1", "pc2", "pc3", "pc4"):
            session.receive(station, {}, together=True)
        session.follow()
    documents = [json.loads(arguments["content"]) for module, _station, arguments in tasks.started if module == COPY]
    assert all(each["session"] == session_id(bytes.fromhex(SECRET)) for each in documents) and not tasks.script
    return [each["count"] for each in documents], tasks


REST = ((RECEIVE, "pc3", GOOD), (RECEIVE, "pc4", GOOD))


def test_given_two_that_refuse_at_once_then_the_newest_number_is_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = ((RECEIVE, "pc1", REFUSED), (RECEIVE, "pc2", REFUSED))
    told = ((COPY, "centre", GOOD), (COPY, "centre", GOOD))
    assert held(monkeypatch, *refused, *told, *REST, (SEND, "centre", GOOD))[0] == [3, 2]


def test_given_a_sender_without_a_folder_yet_then_it_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    first = ((RECEIVE, "pc1", REFUSED), (COPY, "centre", REFUSED), SILENCE, (COPY, "centre", REFUSED), SILENCE, (COPY, "centre", GOOD))
    assert held(monkeypatch, *first, (RECEIVE, "pc2", GOOD), *REST, (SEND, "centre", GOOD))[0] == [3, 3, 3]


def test_given_a_sender_that_has_ended_then_no_file_is_left_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    late = ((RECEIVE, "pc1", REFUSED), (SEND, "centre", GOOD), (COPY, "centre", GOOD), (RECEIVE, "pc2", REFUSED), *REST)
    counts, tasks = held(monkeypatch, *late, (FILE, "centre", GOOD))
    assert counts == [3] and tasks.started[-1] == (FILE, "centre", {"path": "/run/fleet/c.json", "state": "absent"})


@pytest.mark.parametrize("module", [SEND, RECEIVE, RESTORE])
def test_progress_of_a_stations_module_is_told_by_way_of_the_session(module: str) -> None:
    """Told as of its own task, which the strategy does not know, it would stop the play for ever."""
    action = importlib.import_module(f"ansible_collections.fleet.imaging.plugins.action.{module.rpartition('.')[2]}").ActionModule
    assert issubclass(action, MemberActionBase)
    told: list[object] = []
    action._emit(object.__new__(action), {"progress": {}}, {"_fleet_tell": told.append})
    assert told == [{"progress": {}}]
