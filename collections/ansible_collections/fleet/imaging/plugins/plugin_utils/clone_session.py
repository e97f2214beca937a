# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session as the controller sees it: a sender, its stations, and who of them is still expected."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from .session_member import SECRET
from .station_tasks import StationTasks

display = Display()

SEND, RECEIVE, RESTORE = (f"fleet.imaging.{name}" for name in ("multicast_send", "multicast_receive", "image_restore"))
COPY = "ansible.builtin.copy"

FAREWELL = 30.0
"""Seconds that a sender has to end by itself once no station is at work any more."""


class CloneSession:
    """Tasks of one session; a context manager that ends what still runs."""

    def __init__(self, action: ActionBase, variables: Mapping[str, Any], secret: str) -> None:
        self._tasks = StationTasks(action, variables)
        self._secret = {SECRET: secret}
        self._sender = ""
        self._control: Any = None  # maybe a template: a copy of the text would not be trusted as one
        self._start: dict[str, Any] = {}
        self._expected = 0
        self._receiving: set[str] = set()

    def __enter__(self) -> CloneSession:
        self._tasks.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._tasks.__exit__(*error)

    def send(self, sender: str, stations: Sequence[str], options: Mapping[str, Any]) -> None:
        """Start the sender, who expects the stations."""
        self._sender, self._expected = sender, len(stations)
        self._control, self._start = options.get("control"), dict(options["start"])
        self._tasks.start(sender, SEND, {**options, "stations": list(stations)}, self._secret)

    def receive(self, station: str, options: Mapping[str, Any], *, together: bool) -> None:
        """Start a station, with the others or by itself."""
        self._receiving.add(station)
        if together:
            self._tasks.start(station, RECEIVE, {**options, "station": station}, self._secret)
        else:
            self._tasks.start(station, RESTORE, options, {})

    def follow(self) -> dict[str, Any]:
        """Wait for all of them; what became of each station and of the sender."""
        stations: dict[str, Any] = {}
        sender: dict[str, Any] = {}
        while self._tasks:
            ended = self._tasks.next(None if self._receiving else FAREWELL)
            if ended is None:
                break  # the sender waits for stations that will not come
            module, name, result = ended
            if module == SEND:
                sender = result
            elif module in (RECEIVE, RESTORE):
                stations[name] = result
                self._receiving.discard(name)
                if (result.get("failed") or result.get("unreachable")) and not sender:
                    self._expect_fewer()
            elif result.get("failed") or result.get("unreachable"):
                display.warning(f"{name} could not be told to begin without the stations that refused: {result.get('msg')}")
        changed = any(each.get("changed") for each in stations.values())
        return {"changed": changed, "stations": stations, "sender": sender, "sender_name": self._sender}

    def _expect_fewer(self) -> None:
        """A station that refused or cannot be reached is not waited for by the others."""
        self._expected -= 1
        if self._control and self._expected > 0 and not self._start.get("count"):
            document = json.dumps({"count": self._expected})
            self._tasks.start(self._sender, COPY, {"content": document, "dest": self._control, "mode": "0600"}, {})
