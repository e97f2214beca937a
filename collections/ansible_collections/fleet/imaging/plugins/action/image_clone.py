# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One multicast session over all stations of a play, as one unit whatever forks and serial say."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, Optional

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.fleet.imaging.plugins.plugin_utils.clone_session import CloneSession

TRANSPORTS = ("auto", "multicast", "unicast")


class ActionModule(ActionBase):
    """Runs fleet.imaging.multicast_send on the sender and fleet.imaging.multicast_receive on the stations."""

    BYPASS_HOST_LOOP = True
    _supports_check_mode = True
    _requires_connection = False
    _VALID_ARGS = frozenset(
        ("image", "version", "allowed_signers", "transport", "sender", "stations", "start", "control", "send", "receive", "session")
    )

    @classmethod
    def finalize_task_arg(cls, name: str, value: Any, templar: Any, context: Any) -> Any:
        """Leave the arguments of the modules to those who run them: each station has its own disk."""
        return value if name in ("send", "receive", "session") else super().finalize_task_arg(name, value, templar, context)

    def run(self, tmp: Optional[str] = None, task_vars: Optional[dict[str, Any]] = None) -> dict[str, Any]:
        """Return what became of each station; a station's failure is in its own result, never in that of the task."""
        variables = task_vars or {}
        result: dict[str, Any] = super().run(tmp, variables)
        arguments = self._task.args
        missing = [name for name in ("image", "version", "allowed_signers", "receive") if not arguments.get(name)]
        if missing:
            raise AnsibleActionFail(f"missing required arguments: {', '.join(missing)}")
        transport, sender = arguments.get("transport", "auto"), arguments.get("sender")
        if transport not in TRANSPORTS:
            raise AnsibleActionFail(f"transport must be one of {', '.join(TRANSPORTS)}, not {transport!r}")
        together = transport != "unicast" and not self._task.check_mode
        if together and sender not in variables["hostvars"]:
            raise AnsibleActionFail(f"sender must be the inventory name of the host that sends, not {sender!r}")
        stations = [name for name in arguments.get("stations") or variables["ansible_play_hosts"] if name != sender or not together]
        if not stations:
            raise AnsibleActionFail("there is no station to restore: the sender is the only host of the play")
        image = {name: arguments[name] for name in ("image", "version", "allowed_signers")}
        parts = {name: _mapping(arguments, name) for name in ("send", "receive", "session", "start")}
        with CloneSession(self, variables, secrets.token_hex(32)) as session:
            if together:
                control = {"control": arguments["control"]} if arguments.get("control") else {}
                session.send(str(sender), stations, {**image, **parts["session"], **parts["send"], **control, "start": parts["start"]})
            for station in stations:
                more = {**parts["session"], "transport": transport} if together else {}
                session.receive(station, {**image, **parts["receive"], **more}, together=together)
            result.update(session.follow())
        return result


def _mapping(arguments: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = arguments.get(name) or {}
    if not isinstance(value, Mapping):
        raise AnsibleActionFail(f"{name} must be a mapping of options, not {type(value).__name__}")
    return value
