# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counting work, and telling it through the job file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.core.plugins.module_utils import progress as progress_module
from ansible_collections.fleet.core.plugins.module_utils.job_file import JobFile
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress, Report

COLLECTIONS = Path(progress_module.__file__).parents[5]


class Clock:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress_module, "time", clock)
    return clock


def test_reports_come_at_most_five_times_a_second_and_never_miss_the_end(clock: Clock) -> None:
    reports: list[Report] = []
    progress = Progress(reports.append)
    progress.begin("restore", 1000)
    for _step in range(1000):
        clock.now += 0.01
        progress.advance(1)
    assert 45 <= len(reports) <= 52, "ten seconds of work"
    assert reports[0] == {"operation": "restore", "done": 0, "total": 1000, "unit": "B", "rate": 0.0}
    assert reports[-1]["done"] == 1000
    assert reports[-1]["rate"] == pytest.approx(100, rel=0.01)


def test_a_second_operation_begins_at_nought(clock: Clock) -> None:
    reports: list[Report] = []
    progress = Progress(reports.append)
    progress.begin("read", 10)
    progress.advance(10)
    progress.begin("verify", 0, unit="files")
    assert reports[-1] == {"operation": "verify", "done": 0, "total": 0, "unit": "files", "rate": 0.0}


def test_work_that_was_not_begun_is_not_reported() -> None:
    reports: list[Report] = []
    Progress(reports.append).advance(5)
    assert reports == []


def test_threads_may_advance_together() -> None:
    reports: list[Report] = []
    progress = Progress(reports.append)
    progress.begin("restore", 8 * 1000)

    def work() -> None:
        for _step in range(1000):
            progress.advance(1)

    threads = [threading.Thread(target=work) for _thread in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(report["done"] for report in reports) == 8000


COMMAND = ["/usr/bin/python3", "/root/.ansible/tmp/ansible-tmp-1/AnsiballZ_async_wrapper.py", "j123", "60", "/root/module.py", "_", ""]


def test_the_job_file_is_found_by_the_command_line_of_async_wrapper(tmp_path: Path) -> None:
    for name in ("j123.77", "j1234.77", "j123.77.tmp", "j123.77.progress", "j12.77"):
        (tmp_path / name).touch()
    job = JobFile.find(COMMAND, tmp_path)
    assert job is not None
    assert job.path == tmp_path / "j123.77"


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["bash"],
        ["python3", "module.py", "j123"],
        ["python3", "async_wrapper.py", "../j123", "60"],
        ["python3", "async_wrapper.py", "x", "60"],
    ],
)
def test_another_parent_has_no_job_file(tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "j123.77").touch()
    assert JobFile.find(command, tmp_path) is None


def test_no_file_and_two_files_are_no_job_file(tmp_path: Path) -> None:
    assert JobFile.find(COMMAND, tmp_path) is None
    (tmp_path / "j123.77").touch()
    (tmp_path / "j123.78").touch()
    assert JobFile.find(COMMAND, tmp_path) is None


def test_outside_a_job_there_is_nobody_to_report_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ANSIBLE_ASYNC_DIR", raising=False)
    assert JobFile.of_this_process() is None
    monkeypatch.setenv("ANSIBLE_ASYNC_DIR", str(tmp_path))
    assert JobFile.of_this_process() is None
    monkeypatch.setenv("ANSIBLE_ASYNC_DIR", "~nobody-of-that-name/async")
    assert JobFile.of_this_process() is None


def test_a_reader_never_sees_half_a_report(tmp_path: Path) -> None:
    job = JobFile(tmp_path / "j1.2")
    job.write({"done": 0})
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            job.write({"done": 1, "note": "x" * 5000})

    writers = [threading.Thread(target=write) for _thread in range(3)]
    for writer in writers:
        writer.start()
    try:
        for _read in range(2000):
            state = json.loads(job.path.read_text())
            assert state["ansible_job_id"] == "j1.2"
            assert (state["started"], state["finished"], state["module_pid"]) == (True, False, os.getpid())
    finally:
        stop.set()
        for writer in writers:
            writer.join()


WRAPPER = """
import subprocess, sys
sys.exit(subprocess.run([sys.executable, "-c", sys.stdin.read()]).returncode)
"""

MODULE = """
import json, shutil, os
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress

class Module:
    warnings = []
    def warn(self, warning):
        self.warnings.append(warning)

progress = Progress.from_module(Module())
progress.begin("work", 100)
shutil.rmtree(os.environ["ANSIBLE_ASYNC_DIR"]) if {remove} else None
progress.begin("more", 100)
progress.begin("most", 100)
print(json.dumps(Module.warnings))
"""


def run_as_job(tmp_path: Path, remove: bool) -> tuple[Path, list[Any]]:
    """Run a module as async_wrapper does; return its job file and its warnings."""
    wrapper = tmp_path / "async_wrapper.py"
    wrapper.write_text(WRAPPER)
    folder = tmp_path / "async"
    folder.mkdir()
    (folder / "j42.1").write_text("{}")
    done = subprocess.run(
        [sys.executable, wrapper, "j42", "60", "module"],
        input=MODULE.format(remove=remove),
        env={**os.environ, "ANSIBLE_ASYNC_DIR": str(folder), "PYTHONPATH": str(COLLECTIONS)},
        capture_output=True,
        text=True,
        check=True,
    )
    warnings: list[Any] = json.loads(done.stdout)
    return folder / "j42.1", warnings


def test_a_module_finds_its_own_job_file(tmp_path: Path) -> None:
    path, warnings = run_as_job(tmp_path, remove=False)
    assert json.loads(path.read_text())["progress"]["operation"] == "most"
    assert warnings == []


def test_a_job_file_that_cannot_be_written_is_warned_of_once_and_the_work_goes_on(tmp_path: Path) -> None:
    _path, warnings = run_as_job(tmp_path, remove=True)
    assert len(warnings) == 1
    assert "Progress is no longer reported" in warnings[0]
