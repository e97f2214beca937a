# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks on several stations at the same time, started by one action: for work that stations do together.

A play's strategy gives each station a worker of its own, but only as many at a time as ``forks`` and ``serial`` say. Stations that wait for
one another would then wait for ever. Here the action's own worker forks once more for each station, and ansible-core's TaskExecutor runs
the station's task there, with its own variables and connection. Threads would be lighter, but ansible-core is not safe to run in several.
"""

from __future__ import annotations

import functools
import signal
from collections.abc import Mapping
from multiprocessing.connection import Connection, wait
from typing import Any, Optional

from ansible._internal._task import TaskContext
from ansible.executor.task_executor import TaskExecutor
from ansible.executor.task_result import _RawTaskResult
from ansible.inventory.host import Host
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible.utils.multiprocessing import context as multiprocessing_context

from ansible_collections.fleet.core.plugins.plugin_utils.progress_action import TELL

display = Display()

_KEYWORDS = (
    *("diff", "become", "become_user", "become_method", "become_exe", "become_flags", "remote_user", "port", "connection"),
    *("environment", "no_log", "timeout"),
)
"""What a task may say of itself that goes for its members too; its block and play are theirs anyway."""


class StationTasks:
    """Tasks that one action runs on stations; a context manager that stops what still runs, on the stations as well."""

    def __init__(self, action: ActionBase, variables: Mapping[str, Any], *, asking: bool = False) -> None:
        """action: on whose behalf; variables: those of its task; asking: they change nothing; its when and check mode are not for them."""
        self._action = action
        self._asking = asking
        self._hostvars = variables["hostvars"]
        self._lead = Host(str(variables["inventory_hostname"]))
        self._running: dict[Connection, tuple[str, str, Any]] = {}

    def __enter__(self) -> StationTasks:
        return self

    def __exit__(self, *_error: object) -> None:
        for _module, _station, process in self._running.values():
            process.terminate()
        for _module, _station, process in self._running.values():
            process.join()

    def __len__(self) -> int:
        """How many have not been told of by next."""
        return len(self._running)

    def start(self, station: str, module: str, arguments: Mapping[str, Any], more: Mapping[str, Any]) -> None:
        """Begin a module on a station; its arguments may be templates, more are variables that only this task sees."""
        ours, theirs = multiprocessing_context.Pipe(duplex=False)
        process = multiprocessing_context.Process(target=self._run, args=(theirs, station, module, arguments, more))
        with display._lock:  # as ansible-core's own workers are forked
            process.start()
        theirs.close()
        self._running[ours] = (module, station, process)

    def stop(self, station: str, module: str) -> None:
        """End a task, on its station as well; next tells of it as of one that failed."""
        for running, name, process in self._running.values():
            if (running, name) == (module, station):
                process.terminate()

    def evaluate(self, station: str, value: Any, more: Mapping[str, Any]) -> Any:
        """What a value that may be a template is for a station; AnsibleError when it is nothing there."""
        variables = self._variables(station, self._action._task)
        return self._action._templar.copy_with_new_env(available_variables={**variables, **more}).template(value)

    def next(self, timeout: Optional[float] = None) -> Optional[tuple[str, str, dict[str, Any]]]:
        """Wait for a task to end; its module, its station and its result: failed, unreachable, msg and the module's own.

        None when there was none for timeout seconds.
        """
        ready = wait(list(self._running), timeout)
        if not ready:
            return None
        ended = next(pipe for pipe in self._running if pipe is ready[0])
        module, station, process = self._running.pop(ended)
        try:
            result: dict[str, Any] = ended.recv()
        except EOFError:
            result = {"failed": True, "changed": False, "msg": "The process of its task on the controller was killed"}
        process.join()
        ended.close()
        return module, station, result

    def _run(self, answer: Connection, station: str, module: str, arguments: Mapping[str, Any], more: Mapping[str, Any]) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _leave)
        try:
            result = self._execute(station, module, arguments, more)
        except Exception as error:  # whoever waits for this station shall learn why
            result = {"failed": True, "changed": False, "msg": f"{type(error).__name__}: {error}"}
        answer.send(result)

    def _execute(self, station: str, module: str, arguments: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
        own, manager, context = self._action._task, self._hostvars._variable_manager, self._action._play_context
        given = own.get_ds() or {}
        keywords = {name: given[name] for name in _KEYWORDS if name in given}  # as they were written: each station has its own variables
        specification = {**keywords, "name": own.name, module: dict(arguments), "vars": dict(own.vars)}
        specification["check_mode"] = own.check_mode and not self._asking
        task = (_Question if self._asking else Task)(block=own._parent, role=own._role).load_data(
            specification, variable_manager=manager, loader=own._loader
        )
        variables = {**self._variables(station, task), **more, TELL: functools.partial(self._tell, station)}
        passwords = {"conn_pass": context.password, "become_pass": context.become_pass}
        executor = TaskExecutor(
            self._hostvars._inventory.get_host(station),
            task,
            variables,
            PlayContext(own.get_play(), passwords, context.connection_lockfd),
            self._action._loader,
            self._action._shared_loader_obj,
            _NoNews(),
            manager,
        )
        with TaskContext(task):
            result: dict[str, Any] = executor.run()
        return result

    def _variables(self, station: str, task: Task) -> dict[str, Any]:
        """Those that a task has on a station."""
        host, manager = self._hostvars._inventory.get_host(station), self._hostvars._variable_manager
        variables: dict[str, Any] = manager.get_vars(play=self._action._task.get_play(), host=host, task=task)
        return variables

    def _tell(self, station: str, state: Mapping[str, Any]) -> None:
        """Re-emit a station's report as one of the task that the strategy knows."""
        if display._final_q is None or self._action._task.no_log:
            return
        report = {**state, "progress": {**state["progress"], "station": station}}
        told = _RawTaskResult(host=self._lead, task=self._action._task, return_data=report, task_fields=self._action._task.dump_attrs())
        display._final_q.send_callback("v2_runner_on_async_poll", told)


class _Question(Task):
    """Runs whatever the blocks around it say of the station that asks."""

    def _resolve_conditional(self, *_conditions: object, **_context: object) -> bool:
        return True


class _NoNews:
    """Where ansible-core's executor tells news of a member's task, as of each turn of a loop.

    The strategy does not know that task: looking for it would end the thread by which it hears of any, and the play would wait for ever.
    """

    def send_callback(self, *_news: object) -> None:
        pass


def _leave(_number: int, _frame: object) -> None:
    """Let the action stop its job on the station."""
    raise SystemExit(1)
