# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom a sender is told to do without, and what one site's failure means, in every order in which tasks may end."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from typing import Any

import pytest
from ansible.errors import AnsibleError

from ansible_collections.fleet.core.plugins.plugin_utils.progress_action import TELL, ProgressActionBase
from ansible_collections.fleet.imaging.plugins.module_utils.clone.control import session_id
from ansible_collections.fleet.imaging.plugins.plugin_utils import clone_run, clone_session
from ansible_collections.fleet.imaging.plugins.plugin_utils.clone_run import CloneRun
from ansible_collections.fleet.imaging.plugins.plugin_utils.clone_session import (
    COPY,
    FILE,
    RECEIVE,
    REPLICATE,
    RESTORE,
    SEND,
    SENDER,
    SessionPlan,
)
from ansible_collections.fleet.imaging.plugins.plugin_utils.session_member import SECRET

REFUSED: Mapping[str, Any] = {"failed": True, "msg": "wrong disk"}
UNREACHABLE: Mapping[str, Any] = {"unreachable": True, "msg": "no route to host"}
GOOD: Mapping[str, Any] = {"changed": True, "session": {"complete": True, "chunks": 7}}
DEAF: Mapping[str, Any] = {"changed": True, "session": {"complete": False, "chunks": 0}}
RIGHT: Mapping[str, Any] = {"changed": False, "session": {"complete": True, "chunks": 0}}
"""Of a station that lacked nothing, and did not join."""
FILLED: Mapping[str, Any] = {"changed": True, "bytes": 1000}
SILENCE = None
"""Nothing ends for as long as somebody waits for it."""


class Tasks:
    """Stands for StationTasks: tasks end in the order of a script. Real ones are in test_station_tasks.py."""

    def __init__(self, script: list[Any]) -> None:
        self.script = script
        self.started: list[tuple[str, str, Any]] = []
        self.secrets: dict[str, str] = {}
        self.running: set[tuple[str, str]] = set()
        self.stopped: list[tuple[str, str]] = []

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
        if module == SEND:
            assert more[SENDER] == station
            self.secrets[station] = more[SECRET]
        elif module == RECEIVE:
            assert more[SECRET] == self.secrets[more[SENDER]]

    def stop(self, station: str, module: str) -> None:
        assert (module, station) in self.running
        self.stopped.append((module, station))

    def evaluate(self, station: str, value: Any, _more: Mapping[str, Any]) -> Any:
        if value == "{{ nobody_knows }}":
            raise AnsibleError("'nobody_knows' is undefined")
        return {"count": station} if value == "{{ station }}" else value

    def next(self, timeout: float | None) -> Any:
        ended = self.script.pop(0)
        if ended is None:
            assert timeout is not None and timeout < 1e6, "it would wait for ever"
        else:
            self.running.remove(ended[:2])
        return ended

    def begun(self) -> list[tuple[str, str]]:
        return [each[:2] for each in self.started]

    def told(self, sender: str = "centre") -> list[list[str]]:
        """Who, as the sender was told, will not come: each time."""
        documents = [json.loads(given["content"]) for module, name, given in self.started if (module, name) == (COPY, sender)]
        assert all(each["session"] == session_id(bytes.fromhex(self.secrets[sender])) for each in documents)
        return [each["absent"] for each in documents]


def held(monkeypatch: pytest.MonkeyPatch, plans: list[SessionPlan], *script: Any) -> tuple[dict[str, Any], Tasks]:
    """What a run of these sessions answers, and its tasks."""
    tasks = Tasks(list(script))
    monkeypatch.setattr(clone_run, "StationTasks", lambda *_arguments: tasks)
    with CloneRun(None, {}, plans) as run:  # type: ignore[arg-type]
        result = run.follow()
    assert not tasks.script and not tasks.running
    return result, tasks


ROOM = [SessionPlan("centre", ("pc1", "pc2", "pc3", "pc4"), receive={}, control="/run/fleet/c.json")]
REST = ((RECEIVE, "pc3", GOOD), (RECEIVE, "pc4", GOOD))


def test_given_two_that_refuse_at_once_then_the_newest_news_is_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = ((RECEIVE, "pc1", REFUSED), (RECEIVE, "pc2", UNREACHABLE))
    told = ((COPY, "centre", GOOD), (COPY, "centre", GOOD))
    _result, tasks = held(monkeypatch, ROOM, *refused, *told, *REST, (SEND, "centre", GOOD))
    assert tasks.told() == [["pc1"], ["pc1", "pc2"]]


def test_given_a_station_that_lacks_nothing_then_the_others_do_not_wait_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = ((RECEIVE, "pc1", RIGHT), (COPY, "centre", GOOD), (RECEIVE, "pc2", GOOD), *REST, (SEND, "centre", GOOD))
    result, tasks = held(monkeypatch, ROOM, *ends)
    assert tasks.told() == [["pc1"]] and result["stations"]["pc1"] == RIGHT


def test_given_a_room_that_lacks_nothing_then_the_sender_is_ended_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clone_session, "FAREWELL", 1e9)
    ends = ((RECEIVE, name, RIGHT) for name in ("pc1", "pc2", "pc3", "pc4"))
    result, tasks = held(monkeypatch, ROOM, *ends, (COPY, "centre", GOOD), SILENCE, (SEND, "centre", REFUSED))
    assert tasks.stopped == [(SEND, "centre")] and not result["senders"]["centre"]["failed"]


def test_given_a_room_that_is_deaf_then_the_sender_may_still_tell_so(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = ((RECEIVE, name, DEAF) for name in ("pc1", "pc2", "pc3", "pc4"))
    result, tasks = held(monkeypatch, ROOM, *ends, (COPY, "centre", GOOD), (SEND, "centre", {"packets": 3}))
    assert tasks.stopped == [] and result["senders"]["centre"]["sent"] == {"packets": 3}


def test_given_a_station_that_refuses_then_the_file_of_the_admin_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = ((RECEIVE, "pc1", REFUSED), (COPY, "centre", GOOD), (RECEIVE, "pc2", GOOD), *REST, (SEND, "centre", GOOD))
    _result, tasks = held(monkeypatch, ROOM, *ends)
    assert [given["dest"] for module, _name, given in tasks.started if module == COPY] == ["/run/fleet/c.json.absent"]


def test_given_a_sender_without_a_folder_yet_then_it_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    first = ((RECEIVE, "pc1", REFUSED), (COPY, "centre", REFUSED), SILENCE, (COPY, "centre", REFUSED), SILENCE, (COPY, "centre", GOOD))
    _result, tasks = held(monkeypatch, ROOM, *first, (RECEIVE, "pc2", GOOD), *REST, (SEND, "centre", GOOD))
    assert tasks.told() == [["pc1"]] * 3


def test_given_a_sender_that_has_ended_then_no_file_is_left_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    late = ((RECEIVE, "pc1", REFUSED), (SEND, "centre", GOOD), (COPY, "centre", GOOD), (RECEIVE, "pc2", REFUSED), *REST)
    _result, tasks = held(monkeypatch, ROOM, *late, (FILE, "centre", GOOD))
    assert tasks.told() == [["pc1"]]
    assert tasks.started[-1] == (FILE, "centre", {"path": "/run/fleet/c.json.absent", "state": "absent"})


def test_given_a_sender_that_waits_for_nobody_then_it_is_ended_and_that_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    all_refuse = ((RECEIVE, name, REFUSED) for name in ("pc1", "pc2", "pc3", "pc4"))
    result, tasks = held(monkeypatch, ROOM, *all_refuse, (COPY, "centre", GOOD), SILENCE, (SEND, "centre", REFUSED))
    assert tasks.stopped == [(SEND, "centre")]
    assert result["senders"]["centre"] == {
        "stations": ["pc1", "pc2", "pc3", "pc4"],
        "replicated": {},
        "sent": {},
        "failed": False,
        "msg": "",
    }


PARIS = SessionPlan("relay1", ("p1", "p2"), receive={"disk": "p"}, replicate={"path": "/srv"}, control="/run/1", start="{{ station }}")
LYON = SessionPlan("relay2", ("l1", "l2"), receive={"disk": "l"}, replicate={"path": "/srv"}, control="/run/2")
PARIS_ENDS = ((RECEIVE, "p1", GOOD), (RECEIVE, "p2", GOOD), (SEND, "relay1", {"packets": 3}))
LYON_ENDS = ((RECEIVE, "l1", GOOD), (RECEIVE, "l2", GOOD), (SEND, "relay2", GOOD))


def test_each_relay_is_filled_first_and_no_site_waits_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    result, tasks = held(monkeypatch, [PARIS, LYON], (REPLICATE, "relay1", FILLED), *PARIS_ENDS, (REPLICATE, "relay2", GOOD), *LYON_ENDS)
    begun = tasks.begun()
    assert begun[:5] == [(REPLICATE, "relay1"), (REPLICATE, "relay2"), (SEND, "relay1"), (RECEIVE, "p1"), (RECEIVE, "p2")]
    assert begun[5:] == [(SEND, "relay2"), (RECEIVE, "l1"), (RECEIVE, "l2")]
    assert tasks.secrets["relay1"] != tasks.secrets["relay2"]
    assert tasks.started[2][2]["stations"] == ["p1", "p2"] and tasks.started[2][2]["start"] == {"count": "p1"}
    assert set(result["stations"]) == {"p1", "p2", "l1", "l2"} and result["changed"]
    assert result["senders"]["relay1"]["replicated"] == FILLED and result["senders"]["relay1"]["sent"] == {"packets": 3}


@pytest.mark.parametrize("end", [REFUSED, UNREACHABLE])
def test_given_a_relay_that_cannot_be_filled_then_its_stations_alone_fail_untouched_with_the_reason(
    end: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    result, tasks = held(monkeypatch, [PARIS, LYON], (REPLICATE, "relay2", end), (REPLICATE, "relay1", GOOD), *PARIS_ENDS)
    assert not {"l1", "l2"} & {name for _module, name in tasks.begun()}
    for name in ("l1", "l2"):
        assert result["stations"][name]["failed"] and end["msg"] in result["stations"][name]["msg"]
        assert "its sender relay2 failed" in result["stations"][name]["msg"]
    assert result["senders"]["relay2"]["failed"] and not result["senders"]["relay1"]["failed"]
    assert [result["stations"][name] for name in ("p1", "p2")] == [GOOD, GOOD]


def test_given_a_sender_that_fails_then_its_stations_that_fail_as_well_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    deaf = {"failed": True, "msg": "12 of the chunks did not come by multicast"}
    ends = ((SEND, "relay1", REFUSED), (RECEIVE, "p1", deaf), (RECEIVE, "p2", GOOD))
    result, _tasks = held(monkeypatch, [PARIS, LYON], (REPLICATE, "relay1", GOOD), *ends, (REPLICATE, "relay2", GOOD), *LYON_ENDS)
    assert result["stations"]["p1"]["msg"] == f"{deaf['msg']} (its sender relay1 failed: wrong disk)"
    assert result["stations"]["p2"] == GOOD  # by unicast
    assert result["senders"]["relay1"]["msg"] == "wrong disk"


def test_given_a_start_that_nobody_can_evaluate_then_that_site_alone_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = SessionPlan("relay2", ("l1",), receive={}, start="{{ nobody_knows }}")
    result, _tasks = held(monkeypatch, [bad, PARIS], (REPLICATE, "relay1", GOOD), *PARIS_ENDS)
    assert "'nobody_knows' is undefined" in result["stations"]["l1"]["msg"] and result["stations"]["p1"] == GOOD


def test_given_one_site_whose_station_refuses_then_only_its_own_sender_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    filled = ((REPLICATE, "relay1", GOOD), (REPLICATE, "relay2", GOOD))
    ends = ((RECEIVE, "l1", REFUSED), (COPY, "relay2", GOOD), (RECEIVE, "l2", GOOD), (SEND, "relay2", GOOD))
    _result, tasks = held(monkeypatch, [PARIS, LYON], *filled, *ends, *PARIS_ENDS)
    assert tasks.told("relay2") == [["l1"]] and tasks.told("relay1") == []


def test_given_unicast_then_relays_are_filled_and_nobody_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    apart = SessionPlan("relay1", ("p1",), receive={"disk": "p"}, replicate={}, together=False)
    result, tasks = held(monkeypatch, [apart], (REPLICATE, "relay1", FILLED), (RESTORE, "p1", GOOD))
    assert tasks.begun() == [(REPLICATE, "relay1"), (RESTORE, "p1")] and result["sender_name"] == ""
    assert result["senders"]["relay1"]["replicated"] == FILLED


@pytest.mark.parametrize("module", [SEND, RECEIVE, RESTORE, REPLICATE])
def test_progress_of_a_members_module_is_told_by_way_of_the_run(module: str) -> None:
    """Told as of its own task, which the strategy does not know, it would stop the play for ever."""
    collection, name = module.rsplit(".", 1)
    action = importlib.import_module(f"ansible_collections.{collection}.plugins.action.{name}").ActionModule
    assert issubclass(action, ProgressActionBase)
    told: list[object] = []
    action._emit(object.__new__(action), {"progress": {}}, {TELL: told.append})
    assert told == [{"progress": {}}]
