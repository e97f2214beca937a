# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action of a module that works for minutes: start it as a job, tell how far it is, return its result.

An action plugin of such a module is one line: ``class ActionModule(ProgressActionBase): pass``.

The job runs on the station by itself, so a lost connection only loses the news of it. Each poll reads the job file with one
command; ``async_status``, a module that has to be transferred and started, is run once, at the end, because it knows how a result
is carried over. Each report is re-emitted as ``v2_runner_on_async_poll``, which ansible-runner and AWX record as
``runner_on_async_poll`` with ``res.progress``.

Variables of the host or task, all in seconds:

* ``fleet_progress_poll``: time between two polls (2). It grows to ten times what a poll takes, so that many stations do not
  occupy the controller.
* ``fleet_progress_patience``: how long a station may be unreachable before the task is (300).
* ``fleet_progress_silence``: without news for so long, look whether the module's process still lives (30).
* ``fleet_progress_limit``: when the station kills the job (86400).
"""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Optional, TypeVar

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.executor.task_result import _RawTaskResult
from ansible.inventory.host import Host
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

TELL = "_fleet_tell"
"""The variable with whom a task's progress is told to instead: one that another action runs is no task that Ansible's strategy knows."""

DEFAULTS = {"poll": 2.0, "patience": 300.0, "silence": 30.0, "limit": 86400.0}
FIRST_POLLS = (0.2, 0.5, 1.0)
"""Seconds before the first polls: short work is not kept waiting."""
BOOKKEEPING = ("ansible_job_id", "started", "finished", "results_file", "module_pid", "progress")
"""Keys of a job's result that are not the module's."""
_STOP = """file={file}
for try in $(seq 100); do
    pid=$(sed -n 's/.*"module_pid": *\\([0-9][0-9]*\\).*/\\1/p' "$file")
    test -n "$pid" && kill "$pid" && break
    grep -qs '"finished": *1' "$file" && break
    sleep 0.1
done
for try in $(seq 300); do grep -qs module_pid "$file" || break; sleep 0.1; done
rm -f "$file"
"""
"""See ProgressActionBase._cancel."""

Answer = TypeVar("Answer")

display = Display()


class ProgressActionBase(ActionBase):
    """Runs the module of the same name as a job and reports its progress."""

    _supports_async = True
    _supports_check_mode = True

    def run(self, tmp: Optional[str] = None, task_vars: Optional[dict[str, Any]] = None) -> dict[str, Any]:
        """Return the module's own result."""
        variables = task_vars or {}
        result: dict[str, Any] = super().run(tmp, variables)
        if self._task.async_val or self._task.check_mode:
            # With async, the admin polls; in check mode nothing takes long.
            result.update(self._execute_module(task_vars=variables, wrap_async=bool(self._task.async_val)))
        else:
            result.update(self._run_job(variables))
        return result

    def _run_job(self, variables: dict[str, Any]) -> dict[str, Any]:
        started = self._start(variables)
        if "results_file" not in started:
            return started
        job = _Job(started["results_file"])
        try:
            self._follow(job, variables)
            return self._collect(job, variables)
        except AnsibleConnectionFailure:
            raise  # the job goes on, and ends by itself
        except BaseException:  # the task's timeout, an interrupt: nobody waits for the job any more
            self._cancel(job)
            raise

    def _start(self, variables: dict[str, Any]) -> dict[str, Any]:
        self._task.async_val = int(_seconds("limit", variables))
        try:
            started: dict[str, Any] = self._execute_module(task_vars=variables, wrap_async=True)
        finally:
            self._task.async_val = 0
        return started

    def _follow(self, job: _Job, variables: dict[str, Any]) -> None:
        """Re-emit reports until the job has ended, or its file or process is gone."""
        pauses, reported, heard = list(FIRST_POLLS), None, time.monotonic()
        while True:
            began = time.monotonic()
            state = self._patiently(lambda: self._read(job), variables)
            now = time.monotonic()
            if "started" not in state or state.get("finished"):
                return
            job.pid = int(state.get("module_pid", 0))
            if state.get("progress") != reported:
                reported, heard = state["progress"], now
                self._emit(state, variables)
            elif now - heard > _seconds("silence", variables):
                if job.pid and not self._patiently(lambda: self._lives(job), variables):
                    return
                heard = now
            usual = max(_seconds("poll", variables), 10 * (now - began))
            time.sleep(min(pauses.pop(0), usual) if pauses else usual)

    def _read(self, job: _Job) -> dict[str, Any]:
        """Return the content of the job file; empty when there is no such file."""
        answer = self._low_level_execute_command(f"cat {shlex.quote(job.file)}")
        if answer["rc"] != 0:
            return {}
        try:
            state = json.loads(answer["stdout"])
        except ValueError:
            return {"started": True}  # a login shell's noise around it: there will be no progress, but there will be a result
        return state if isinstance(state, dict) else {}

    def _lives(self, job: _Job) -> bool:
        return bool(self._low_level_execute_command(f"test -e /proc/{job.pid}")["rc"] == 0)

    def _collect(self, job: _Job, variables: dict[str, Any]) -> dict[str, Any]:
        """Return the module's result and remove the job file."""
        folder, _slash, name = job.file.rpartition("/")
        arguments = {"jid": name, "_async_dir": folder, "mode": "status"}
        result: dict[str, Any] = self._patiently(
            lambda: self._execute_module(module_name="ansible.legacy.async_status", module_args=arguments, task_vars=variables), variables
        )
        self._remove(job)
        if result.get("msg") == "could not find job":
            return _lost("the job file is gone, because the station was restarted or the file was removed")
        if not result.get("finished"):
            return _lost("its process is gone, because it was killed or the station was restarted")
        return {key: value for key, value in result.items() if key not in BOOKKEEPING}

    def _patiently(self, ask: Callable[[], Answer], variables: dict[str, Any]) -> Answer:
        """Return ask(); while the station cannot be reached, ask again for as long as the patience lasts."""
        deadline = time.monotonic() + _seconds("patience", variables)
        while True:
            try:
                return ask()
            except AnsibleConnectionFailure as error:
                if time.monotonic() >= deadline:
                    raise
                display.vv(f"no answer, the job goes on: {error}", host=_host_name(variables))
            time.sleep(_seconds("poll", variables))
            try:
                self._connection.reset()
            except (AttributeError, AnsibleError) as error:
                display.vvv(f"connection not reset: {error}", host=_host_name(variables))

    def _emit(self, state: dict[str, Any], variables: dict[str, Any]) -> None:
        if TELL in variables:
            variables[TELL](state)
            return
        queue = getattr(display, "_final_q", None)
        if queue is None:
            if not self._task.no_log:
                display.display(f"[{_host_name(variables)}] {json.dumps(state['progress'])}")
            return
        report = {key: state[key] for key in ("started", "finished", "ansible_job_id", "progress") if key in state}
        told = _RawTaskResult(host=Host(_host_name(variables)), task=self._task, return_data=report, task_fields=self._task.dump_attrs())
        queue.send_callback("v2_runner_on_async_poll", told)

    def _cancel(self, job: _Job) -> None:
        """Stop the module, let it end tidily and async_wrapper write that down (at most 30 s), and remove the job file.

        A module that has only just been started has 10 s to say which process it is.
        """
        try:
            self._low_level_execute_command(_STOP.format(file=shlex.quote(job.file)))
        except AnsibleError as error:
            display.vv(f"{job.file} was not stopped: {error}")

    def _remove(self, job: _Job) -> None:
        try:
            self._low_level_execute_command(f"rm -f {shlex.quote(job.file)}")
        except AnsibleConnectionFailure as error:
            display.vv(f"{job.file} stays on the station: {error}")


@dataclass
class _Job:
    """A job on the station: its file, and the process of the module once a report has told it."""

    file: str
    pid: int = 0


def _seconds(name: str, variables: Mapping[str, Any]) -> float:
    value = variables.get(f"fleet_progress_{name}", DEFAULTS[name])
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise AnsibleError(f"fleet_progress_{name} must be a number of seconds, not {value!r}") from error


def _host_name(variables: Mapping[str, Any]) -> str:
    return str(variables.get("inventory_hostname", "localhost"))


def _lost(reason: str) -> dict[str, Any]:
    return {"failed": True, "msg": f"The work stopped before its end; {reason}. Run the task again: it goes on with what is missing"}
