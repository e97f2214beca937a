# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session as the controller sees it: a sender, its stations, and who of them is still expected."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Optional

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils.clone.control import session_id
from .session_member import SECRET
from .station_tasks import StationTasks

display = Display()

SEND, RECEIVE, RESTORE = (f"fleet.imaging.{name}" for name in ("multicast_send", "multicast_receive", "image_restore"))
COPY, FILE = "ansible.builtin.copy", "ansible.builtin.file"

FAREWELL = 30.0
"""Seconds that a sender has to end by itself once no station is at work any more."""

AGAIN = 5.0
"""Seconds until the sender is told once more how many to expect, when that failed: its folder is made only once it has begun."""


class CloneSession:
    """Tasks of one session; a context manager that ends what still runs."""

    def __init__(self, action: ActionBase, variables: Mapping[str, Any], secret: str) -> None:
        self._tasks = StationTasks(action, variables)
        self._secret = {SECRET: secret}
        self._id = session_id(bytes.fromhex(secret))
        self._sender = ""
        self._control: Any = None  # maybe a template: a copy of the text would not be trusted as one
        self._start: dict[str, Any] = {}
        self._expected = 0  # stations that the sender has to wait for
        self._known = 0  # how many the sender was told
        self._telling = 0  # how many it is being told at this moment; one at a time, so that the newest number is the last
        self._ended = False  # the sender
        self._receiving: set[str] = set()

    def __enter__(self) -> CloneSession:
        self._tasks.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._tasks.__exit__(*error)

    def send(self, sender: str, stations: Sequence[str], options: Mapping[str, Any]) -> None:
        """Start the sender, who expects the stations."""
        self._sender, self._expected, self._known = sender, len(stations), len(stations)
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
            ended = self._tasks.next(self._patience())
            if ended is None:
                if not self._receiving:
                    break  # the sender waits for stations that will not come
                self._expect(self._expected)
                continue
            module, name, result = ended
            failed = bool(result.get("failed") or result.get("unreachable"))
            if module == SEND:
                sender = result
                self._ended = True
            elif module in (RECEIVE, RESTORE):
                stations[name] = result
                self._receiving.discard(name)
                self._expect(self._expected - failed)
            elif module == COPY:
                self._told(failed, result)
        changed = any(each.get("changed") for each in stations.values())
        return {"changed": changed, "stations": stations, "sender": sender, "sender_name": self._sender}

    def _patience(self) -> Optional[float]:
        """Seconds to wait for the next task to end."""
        if not self._receiving:
            return FAREWELL
        return AGAIN if self._must_tell() else None

    def _must_tell(self) -> bool:
        waits = self._control and not self._ended and not self._start.get("count")
        return bool(waits) and not self._telling and self._known != self._expected > 0

    def _expect(self, stations: int) -> None:
        """A station that refused or cannot be reached is not waited for by the others."""
        self._expected = stations
        if self._must_tell():
            self._telling = stations
            document = json.dumps({"count": stations, "session": self._id})
            self._tasks.start(self._sender, COPY, {"content": document, "dest": self._control, "mode": "0600"}, {})

    def _told(self, failed: bool, result: Mapping[str, Any]) -> None:
        """The sender has been told, or will be once more."""
        if failed:
            display.vv(f"{self._sender} will be told once more to begin without the stations that refused: {result.get('msg')}")
        else:
            self._known = self._telling
        self._telling = 0
        if self._ended:  # it removed its file, maybe before this one came
            self._tasks.start(self._sender, FILE, {"path": self._control, "state": "absent"}, {})
        elif not failed:
            self._expect(self._expected)
