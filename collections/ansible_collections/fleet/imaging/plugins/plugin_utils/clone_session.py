# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session as the controller sees it: a sender, its stations, and who of them is still expected.

It goes through these steps, each begun by the end of a task: the sender gets what it lacks of the image, the sender and its stations are
started together, the stations end one by one, the sender ends. A session without a sender has only stations, each by itself.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from ansible.errors import AnsibleError
from ansible.utils.display import Display

from ..module_utils.clone.control import absent_path, session_id
from .session_member import SECRET
from .station_tasks import StationTasks

display = Display()

REPLICATE = "fleet.core.content_replicate"
SEND, RECEIVE, RESTORE = (f"fleet.imaging.{name}" for name in ("multicast_send", "multicast_receive", "image_restore"))
COPY, FILE = "ansible.builtin.copy", "ansible.builtin.file"

SENDER = "fleet_session_sender"
"""The variable by which templates in options find the sender of their session."""

FAREWELL = 30.0
"""Seconds that a sender has to end by itself once no station is at work any more, unless none of them lacked anything."""

AGAIN = 5.0
"""Seconds until the sender is told once more who will not come, when that failed: its folder is made only once it has begun."""


@dataclass(frozen=True)
class SessionPlan:
    """What a session is to do. Options may be templates; each is evaluated for the host that gets it."""

    sender: str
    """Inventory name; empty when nobody sends and nobody has to be filled."""
    stations: tuple[str, ...]
    receive: Mapping[str, Any]
    """Options of multicast_receive, or of image_restore when the stations are not together."""
    send: Mapping[str, Any] = field(default_factory=dict)
    start: Any = field(default_factory=dict)
    """When it begins; a template is evaluated for the first of the stations: it is the room that decides."""
    together: bool = True
    """Whether there is a session at all; else each station fetches for itself."""
    replicate: Optional[Mapping[str, Any]] = None
    """Options of content_replicate, for a sender that may lack some of the image."""
    control: str = ""
    """Path of the control file on the sender."""


class CloneSession:
    """One session among those of a run (clone_run)."""

    def __init__(self, plan: SessionPlan, tasks: StationTasks) -> None:
        secret = secrets.token_hex(32)
        self.plan = plan
        self._tasks = tasks
        self._id = session_id(bytes.fromhex(secret))
        self._more = {SECRET: secret, SENDER: plan.sender}
        self._waiting_for: set[str] = set()
        """Stations that are at work."""
        self._absent: set[str] = set()
        """Stations that need not be waited for: they lacked nothing, refused, or cannot be reached."""
        self._known: set[str] = set()
        """Those of them that the sender was told of."""
        self._telling: Optional[set[str]] = None
        """Those that it is being told of at this moment; one at a time, so that the newest news is the last."""
        self._sending = self._dismissed = False
        self._idle = True
        """Whether no station had any use for the sender until now."""
        self._farewell: Optional[float] = None
        self._again = 0.0
        self.stations: dict[str, Any] = {}
        """What became of each."""
        self.replicated: dict[str, Any] = {}
        self.sent: dict[str, Any] = {}
        self.reason = ""
        """Why the sender failed."""

    # The steps ------------------------------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Start the first tasks."""
        if self.plan.replicate is None:
            self._open()
        else:
            self._start(self.plan.sender, REPLICATE, self.plan.replicate)

    def ended(self, module: str, name: str, result: dict[str, Any]) -> None:
        """One of its tasks has ended; go on with what that allows."""
        failed = bool(result.get("failed") or result.get("unreachable"))
        if module == REPLICATE:
            self._filled(failed, result)
        elif module == SEND:
            self._sent(failed, result)
        elif module in (RECEIVE, RESTORE):
            self.stations[name] = result if not failed or not self.reason else {**result, "msg": self._blamed(result)}
            self._waiting_for.discard(name)
            session = result.get("session") or {}
            took_part = bool(session.get("chunks"))
            self._idle = self._idle and bool(session.get("complete")) and not took_part
            self._farewell = None if self._waiting_for else time.monotonic() + (0.0 if self._idle else FAREWELL)
            if not took_part:
                self._absent.add(name)
            self._tell()
        elif module == COPY:
            self._told(failed, result)

    def _filled(self, failed: bool, result: dict[str, Any]) -> None:
        """The sender has the image, or never will."""
        self.replicated = result
        if failed:
            self._refuse(f"it has not got the image: {result.get('msg') or 'it cannot be reached'}")
        else:
            self._open()

    def _refuse(self, reason: str) -> None:
        """Without its sender no station of it is touched."""
        self.reason = reason
        refusal = f"Not begun, because its sender {self.plan.sender} failed: {reason}. Nothing was changed on this station"
        self.stations = {name: {"changed": False, "failed": True, "msg": refusal} for name in self.plan.stations}

    def _open(self) -> None:
        if self.plan.together:
            try:
                start = self._tasks.evaluate(self.plan.stations[0], self.plan.start, self._more)
            except AnsibleError as error:
                self._refuse(f"when its session begins is not known: {error}")
                return
            self._sending = True
            self._start(self.plan.sender, SEND, {**self.plan.send, "start": start, "stations": list(self.plan.stations)})
        for station in self.plan.stations:
            self._waiting_for.add(station)
            if self.plan.together:
                self._start(station, RECEIVE, {**self.plan.receive, "station": station})
            else:
                self._start(station, RESTORE, self.plan.receive)

    def _sent(self, failed: bool, result: dict[str, Any]) -> None:
        self._sending = False
        if not self._dismissed:
            self.sent = result
            self.reason = str(result.get("msg") or "it cannot be reached") if failed else ""

    def _blamed(self, result: Mapping[str, Any]) -> str:
        """Why a station failed after its sender had."""
        return f"{result.get('msg') or 'it cannot be reached'} (its sender {self.plan.sender} failed: {self.reason})"

    def _start(self, host: str, module: str, options: Mapping[str, Any]) -> None:
        self._tasks.start(host, module, options, self._more)

    # What the sender is told ----------------------------------------------------------------------------------------------------------

    def _tell(self) -> None:
        """A station that lacked nothing, refused or cannot be reached is not waited for by the others."""
        if self._must_tell():
            self._telling = set(self._absent)
            document = json.dumps({"session": self._id, "absent": sorted(self._absent)})
            self._start(self.plan.sender, COPY, {"content": document, "dest": absent_path(self.plan.control), "mode": "0600"})

    def _must_tell(self) -> bool:
        waits = bool(self.plan.control) and self._sending and bool(self._waiting_for)
        return waits and self._telling is None and self._known != self._absent

    def _told(self, failed: bool, result: Mapping[str, Any]) -> None:
        """The sender has been told, or will be once more."""
        if failed:
            display.vv(f"{self.plan.sender} will be told once more to begin without those that will not come: {result.get('msg')}")
        else:
            self._known = self._telling or set()
        self._telling, self._again = None, time.monotonic() + AGAIN
        if not self._sending:  # it removed its file, maybe before this one came
            self._start(self.plan.sender, FILE, {"path": absent_path(self.plan.control), "state": "absent"})
        elif not failed:
            self._tell()

    # Time -----------------------------------------------------------------------------------------------------------------------------

    @property
    def deadline(self) -> Optional[float]:
        """When (time.monotonic) something has to be done although none of its tasks has ended; None for never."""
        if self._sending and not self._waiting_for:
            return self._farewell
        return self._again if self._must_tell() else None

    def due(self) -> None:
        """Its deadline has come."""
        if self._waiting_for:
            self._tell()
        else:  # the sender waits for stations that will not come
            self._dismissed, self._farewell = True, None
            self._tasks.stop(self.plan.sender, SEND)

    # The end --------------------------------------------------------------------------------------------------------------------------

    def result(self) -> dict[str, Any]:
        """What became of the sender; what became of the stations is in stations."""
        return {
            "stations": list(self.plan.stations),
            "replicated": self.replicated,
            "sent": self.sent,
            "failed": bool(self.reason),
            "msg": self.reason,
        }
