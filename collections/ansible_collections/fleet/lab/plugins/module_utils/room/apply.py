# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module ``room`` does: from its parameters to its result."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Optional

from ansible_collections.fleet.core.plugins.module_utils.progress import Progress

from . import host
from .room import Request, Room
from .state import State


def apply(parameters: Mapping[str, Any], progress: Progress, *, check: bool) -> dict[str, Any]:
    """Create or remove the room that the parameters describe, or only tell what would change; return the module's result."""
    room = Room(parameters["path"])
    if parameters["state"] == "absent":
        return _absent(room, check)
    request = Request(
        parameters["name"],
        parameters["subnet"],
        parameters["stations"],
        parameters["central"],
        parameters["timeout"],
        tuple(sorted(set(parameters["central_packages"]))),
        tuple(sorted(set(parameters["system_packages"]))),
    )
    plan = room.plan(request)
    result: dict[str, Any] = {"changed": plan.changed, "diff": {"before": _asked(plan.before), "after": _asked(plan.after)}}
    if not check:
        state = room.create(request, host.folder(parameters["cache"]), progress)
        result["room"] = room.describe(state)
    return result


def _absent(room: Room, check: bool) -> dict[str, Any]:
    exists = room.exists()
    if exists and not check:
        room.remove()
    return {"changed": exists, "diff": {"before": f"{room.path}\n" if exists else "", "after": ""}}


def _asked(state: Optional[State]) -> str:
    """Return what a diff shows: the stations as they were asked for, without what differs in every room."""
    if state is None or not state.complete:
        return ""
    stations = [{name: value for name, value in station.as_json().items() if name not in ("loop", "mac")} for station in state.stations]
    return json.dumps({"name": state.name, "subnet": state.subnet, "stations": stations}, indent=2) + "\n"
