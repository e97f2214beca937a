# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All sessions of one run side by side: none waits for another, and what fails in one is its own affair."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from ansible.plugins.action import ActionBase

from .clone_session import RECEIVE, RESTORE, CloneSession, SessionPlan
from .station_tasks import StationTasks


class CloneRun:
    """Sessions and their tasks; a context manager that ends what still runs."""

    def __init__(self, action: ActionBase, variables: Mapping[str, Any], plans: Sequence[SessionPlan]) -> None:
        """plans: no two of the same sender, no station in two of them."""
        self._tasks = StationTasks(action, variables)
        self._sessions = [CloneSession(plan, self._tasks) for plan in plans]
        self._of_sender = {session.plan.sender: session for session in self._sessions}
        self._of_station = {station: session for session in self._sessions for station in session.plan.stations}

    def __enter__(self) -> CloneRun:
        self._tasks.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._tasks.__exit__(*error)

    def follow(self) -> dict[str, Any]:
        """Hold them all; what became of each station and of each sender."""
        for session in self._sessions:
            session.begin()
        while self._tasks:
            waiting = [(session.deadline, number) for number, session in enumerate(self._sessions) if session.deadline is not None]
            deadline, number = min(waiting, default=(None, 0))
            ended = self._tasks.next(None if deadline is None else max(deadline - time.monotonic(), 0.0))
            if ended is None:
                self._sessions[number].due()
                continue
            module, name, result = ended
            owners = self._of_station if module in (RECEIVE, RESTORE) else self._of_sender
            owners[name].ended(module, name, result)
        return self._result()

    def _result(self) -> dict[str, Any]:
        stations = {name: result for session in self._sessions for name, result in session.stations.items()}
        senders = {session.plan.sender: session.result() for session in self._sessions if session.plan.sender}
        only = self._sessions[0] if len(self._sessions) == 1 else None
        return {
            "changed": any(each.get("changed") for each in stations.values()),
            "stations": stations,
            "senders": senders,
            "sender": only.sent if only else {},
            "sender_name": only.plan.sender if only and only.plan.together else "",
        }
