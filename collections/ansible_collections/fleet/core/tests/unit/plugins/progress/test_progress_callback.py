# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an admin sees on a terminal, and what ansible-runner records."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from typing import Any

import ansible_runner
import pytest

from .conftest import Project, work
from .terminal import Terminal


def on_a_terminal(project: Project, *tasks: dict[str, Any], lines: int = 24, columns: int = 100) -> tuple[str, Terminal]:
    """Run a play on a terminal of this size; return every byte it received and the terminal as it looks at the end."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    environment = {**project.environment(), "TERM": "xterm", "LANG": "C.UTF-8"}
    playbook = project.playbook(*tasks)
    process = subprocess.Popen(project.command(playbook), cwd=project.root, env=environment, stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    received = bytearray()
    try:
        while True:
            received += os.read(master, 65536)
    except OSError:  # EIO: the other side is closed
        pass
    finally:
        os.close(master)
        assert process.wait(timeout=60) == 0, received.decode()
    text = received.decode()
    return text, Terminal.after(text, lines, columns)


def test_bars_of_all_hosts_are_drawn_in_place_and_leave_no_trace(project: Project) -> None:
    received, terminal = on_a_terminal(project, work(seconds=3))
    assert re.search(r"room1-01  working  .*█.* \d+ %  \d\.\d/10\.0 MiB  \d\.\d MiB/s  0:0\d left", received), received
    together = [frame for frame in received.split("\x1b[J") if "room1-01  working" in frame and "room1-02  working" in frame]
    assert together, "both hosts are shown at once"
    screen = terminal.text()
    assert "working" not in screen, screen
    assert [line for line in screen.splitlines() if line.startswith("changed")] == [
        "changed: [room1-01]",
        "changed: [room1-02]",
    ] or re.search(r"changed: \[room1-02\]\nchanged: \[room1-01\]", screen), screen


def test_text_that_others_print_is_not_swallowed_by_bars(project: Project) -> None:
    one = {**work(seconds=1), "when": "inventory_hostname == 'room1-01'"}
    _received, terminal = on_a_terminal(
        project, {"ansible.builtin.debug": {"msg": "before"}}, one, work(seconds=2), {"ansible.builtin.debug": {"msg": "after"}}
    )
    screen = terminal.history()
    for text in ("before", "skipping: [room1-02]", "hot", "after", "PLAY RECAP"):
        assert text in screen, screen
    assert not re.search(r"MiB", screen), screen


def test_a_host_that_is_ready_has_no_bar(project: Project) -> None:
    received, _terminal = on_a_terminal(project, work(seconds="{{ 1 if inventory_hostname == 'room1-01' else 4 }}"))
    _before, after = received.split("changed: [room1-01]")
    assert "room1-02  working" in after
    assert "room1-01  working" not in after


@pytest.mark.parametrize("columns", [30, 60])
def test_bars_never_wrap_in_a_narrow_terminal(project: Project, columns: int) -> None:
    _received, terminal = on_a_terminal(project, work(seconds=1), lines=10, columns=columns)
    assert "working" not in terminal.history()


def test_few_lines_are_enough_for_many_hosts(project: Project) -> None:
    received, terminal = on_a_terminal(project, work(seconds=2), lines=5)
    assert re.search(r"… and 2 more, \d+% done", received), received
    assert "more" not in terminal.history()


@pytest.mark.parametrize("style", ["none", "lines"])
def test_the_style_can_be_chosen(project: Project, style: str) -> None:
    output = project.run(work(seconds=1), FLEET_PROGRESS_STYLE=style)
    assert ("[room1-01] working" in output) is (style == "lines")
    assert "changed: [room1-01]" in output


def test_lines_come_no_more_often_than_the_interval(project: Project) -> None:
    output = project.run(work(seconds=4), FLEET_PROGRESS_INTERVAL="60")
    assert output.count("[room1-01] working") == 1


def test_polls_of_other_tasks_are_printed_as_usual(project: Project) -> None:
    output = project.run({"ansible.builtin.command": "sleep 2", "async": 20, "poll": 1})
    assert "ASYNC POLL on room1-01" in output


def test_ansible_runner_records_progress_as_events(project: Project) -> None:
    playbook = project.playbook(work(seconds=3))
    (project.root / "runner").mkdir()
    run = ansible_runner.run(
        private_data_dir=str(project.root / "runner"),
        project_dir=str(project.root),
        playbook=str(playbook),
        inventory=str(project.root / "hosts.json"),
        envvars=project.environment(),
        quiet=True,
    )
    assert run.status == "successful", run.stdout.read()
    polls = [event["event_data"] for event in run.events if event["event"] == "runner_on_async_poll"]
    for host in ("room1-01", "room1-02"):
        reports = [poll["res"]["progress"] for poll in polls if poll["host"] == host]
        assert reports, polls
        assert {"operation", "done", "total", "unit", "rate"} <= set(reports[0])
        assert [report["done"] for report in reports] == sorted(report["done"] for report in reports)
