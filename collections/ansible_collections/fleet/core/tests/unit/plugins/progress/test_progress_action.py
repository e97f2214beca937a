# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Long work under the real ansible-playbook: result, check mode, async, failures, cancelling, lost connections."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.signals import heed

from .conftest import Project, work


def shown(register: str) -> dict[str, Any]:
    return {
        "ansible.builtin.copy": {"content": f"{{{{ {register} | to_json }}}}", "dest": "{{ playbook_dir }}/result.json"},
        "run_once": True,
    }


def result_of(project: Project) -> dict[str, Any]:
    result: dict[str, Any] = json.loads((project.root / "result.json").read_text())
    return result


def gone(pid: int) -> bool:
    for _try in range(600):
        if not Path(f"/proc/{pid}").exists() or Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
            return True
        time.sleep(0.1)
    return False


def test_the_result_is_the_modules_own(project: Project) -> None:
    output = project.run(work(register="done", seconds=0.5), shown("done"))
    result = result_of(project)
    assert (result["changed"], result["answer"]) == (True, 42)
    assert not {"ansible_job_id", "results_file", "started", "finished", "progress", "module_pid"} & set(result)
    assert output.count("hot") >= 1, "the module's warning is shown"
    assert project.jobs() == []


def test_progress_is_told_in_plain_lines_through_a_pipe(project: Project) -> None:
    output = project.run(work(seconds=2))
    for host in ("room1-01", "room1-02"):
        assert re.search(rf"^\[{host}\] working  \d+ %  \d+\.\d/10\.0 MiB", output, re.MULTILINE), output
    assert "\x1b[" not in output, "no terminal control in a log"
    assert "ASYNC POLL" not in output


def test_a_failure_keeps_its_message_and_details(project: Project) -> None:
    output = project.run(work(seconds=0.3, fail=True), ok=False)
    assert "the disk is on fire" in output
    assert "extinguish it" in output
    assert project.jobs() == []


def test_check_mode_runs_the_module_directly(project: Project) -> None:
    project.run(work(register="done"), shown("done") | {"check_mode": False}, arguments=("--check",))
    assert result_of(project)["as_job"] is False


def test_async_of_the_task_is_left_to_ansible(project: Project) -> None:
    output = project.run({**work(seconds=3), "async": 60, "poll": 1})
    assert "ASYNC OK on room1-01" in output
    assert re.search(r"\[room1-01\] working  \d+ %", output), "the job file tells progress in this case as well"


@pytest.mark.parametrize("no_log", [True, "{{ 1 == 1 }}"])
def test_secrets_stay_secret(project: Project, no_log: object) -> None:
    output = project.run({**work(seconds=1, secret="hunter2"), "no_log": no_log}, arguments=("-vvv",))
    assert "hunter2" not in output
    assert "working" not in output


def test_a_timeout_stops_the_job(project: Project) -> None:
    output = project.run({**work(seconds=120, pid_file=pid_file(project)), "timeout": 10}, ok=False)
    assert "timed out" in output.lower() or "timeout" in output.lower()
    for host in ("room1-01", "room1-02"):
        assert gone(int((project.root / f"pid-{host}").read_text()))
    assert project.jobs() == []


def test_after_ctrl_c_the_jobs_go_on(project: Project) -> None:
    playbook = project.playbook(work(seconds=600, pid_file=pid_file(project)))
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    run = subprocess.Popen(project.command(playbook), cwd=project.root, env=project.environment(), preexec_fn=heed, **silent)
    try:
        subprocess.run(["sh", "-c", once_they_work(project)], check=True, timeout=120)
        run.send_signal(signal.SIGINT)
        assert run.wait(120) != 0
    finally:
        run.kill()
    for host in ("room1-01", "room1-02"):
        pid = int((project.root / f"pid-{host}").read_text())
        assert Path(f"/proc/{pid}").exists()
        os.kill(pid, signal.SIGTERM)


def test_a_killed_job_is_a_failure_that_says_so(project: Project) -> None:
    project.variables["fleet_progress_silence"] = 1
    output = project.run(work(seconds=1, die=True), ok=False)
    assert "its process is gone" in output
    assert "Run the task again" in output
    assert project.jobs() == []


def pid_file(project: Project) -> str:
    """Where the jobs say that they are at work."""
    return str(project.root / "pid-{{ inventory_hostname }}")


def once_they_work(project: Project) -> str:
    """A shell command that waits until both jobs are at work, and Ansible had time to notice."""
    return f"until [ -e {project.root}/pid-room1-01 -a -e {project.root}/pid-room1-02 ]; do sleep 0.1; done; sleep 1.5"


def test_a_lost_job_file_is_a_failure_that_says_so(project: Project) -> None:
    remove = {"ansible.builtin.shell": f"({once_they_work(project)}; rm -rf {project.root}/async) >/dev/null 2>&1 &", "run_once": True}
    output = project.run(remove, work(seconds=10, pid_file=pid_file(project)), ok=False)
    assert "the job file is gone" in output


@pytest.fixture
def flaky(project: Project) -> Project:
    """The project, with hosts that cannot be reached while the file "down" exists."""
    folder = project.root / "collections/ansible_collections/fleet_test/work/plugins/connection"
    folder.mkdir()
    (folder / "flaky.py").write_text(FLAKY_CONNECTION.format(down=project.root / "down"))
    project.variables["ansible_connection"] = "fleet_test.work.flaky"
    return project


FLAKY_CONNECTION = """\
DOCUMENTATION = '''
name: flaky
short_description: local, with a cable that can be pulled
description: [local]
'''
import os

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection.local import Connection as Local


class Connection(Local):
    transport = "fleet_test.work.flaky"

    def exec_command(self, cmd, in_data=None, sudoable=True):
        if os.path.exists("{down}"):
            raise AnsibleConnectionFailure("the cable is pulled")
        return super().exec_command(cmd, in_data=in_data, sudoable=sudoable)

    def reset(self):
        pass
"""


def pull_the_cable(project: Project, seconds: float) -> dict[str, Any]:
    """Return a task that pulls the cable once the jobs work, for so long."""
    down = project.root / "down"
    script = f"({once_they_work(project)}; touch {down}; sleep {seconds}; rm {down}) >/dev/null 2>&1 &"
    return {"ansible.builtin.shell": script, "delegate_to": "localhost", "run_once": True, "vars": {"ansible_connection": "local"}}


def test_a_lost_connection_is_survived(flaky: Project) -> None:
    flaky.run(pull_the_cable(flaky, 3), work(register="done", seconds=3, pid_file=pid_file(flaky)), shown("done"))
    assert result_of(flaky)["answer"] == 42
    assert flaky.jobs() == []


def test_a_station_out_of_reach_for_longer_is_unreachable_and_its_job_goes_on(flaky: Project) -> None:
    flaky.variables["fleet_progress_patience"] = 1
    output = flaky.run(pull_the_cable(flaky, 20), work(seconds=60, pid_file=pid_file(flaky)), ok=False)
    assert "UNREACHABLE" in output
    for host in ("room1-01", "room1-02"):
        pid = int((flaky.root / f"pid-{host}").read_text())
        assert Path(f"/proc/{pid}").exists()
        os.kill(pid, 15)


def test_the_limit_kills_the_job(project: Project) -> None:
    project.variables["fleet_progress_limit"] = 2
    started = time.monotonic()
    output = project.run(work(seconds=110), ok=False)
    assert "Timeout exceeded" in output
    assert time.monotonic() - started < 100
    assert os.listdir(project.root / "async") == []
