# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One task that tells the progress of several stations: each has its own line, and all are forgotten when the task ends."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible.plugins.callback.default import CallbackModule as Default

from ansible_collections.fleet.core.plugins.callback.progress import CallbackModule


def told(lead: str, **progress: Any) -> Any:
    """What Ansible hands to the callback when the lead's task reports."""
    report = {"operation": "restore", "done": 1, "total": 4, "unit": "B", "rate": 1, **progress}
    return SimpleNamespace(host=SimpleNamespace(get_name=lambda: lead), result={"progress": report})


@pytest.fixture
def callback(monkeypatch: pytest.MonkeyPatch) -> CallbackModule:
    made = CallbackModule()
    made._style = "lines"
    monkeypatch.setattr(made, "get_option", lambda _name: 5.0)
    monkeypatch.setattr(Default, "v2_runner_on_ok", lambda _self, _result: None)
    return made


def test_each_station_has_its_line_until_the_task_of_the_lead_ends(callback: CallbackModule, capsys: pytest.CaptureFixture[str]) -> None:
    for station in ("pc01", "pc02", "relay"):
        callback.v2_runner_on_async_poll(told("pc01", station=station))
        callback.v2_runner_on_async_poll(told("pc01", station=station))
    said = capsys.readouterr().out
    assert [said.count(f"[{station}] restore") for station in ("pc01", "pc02", "relay")] == [1, 1, 1]

    callback.v2_runner_on_ok(told("pc01"))
    assert callback._told == {} and callback._working == {}
    callback.v2_runner_on_async_poll(told("pc01", station="pc02"))
    assert "[pc02] restore" in capsys.readouterr().out


def test_a_report_without_a_station_is_the_hosts_own(callback: CallbackModule, capsys: pytest.CaptureFixture[str]) -> None:
    callback.v2_runner_on_async_poll(told("pc07"))
    assert "[pc07] restore" in capsys.readouterr().out
