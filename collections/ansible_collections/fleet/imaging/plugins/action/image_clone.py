# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Multicast sessions over all stations of a play, one for each sender, as one unit whatever forks and serial say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Optional

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.fleet.imaging.plugins.plugin_utils.clone_run import CloneRun
from ansible_collections.fleet.imaging.plugins.plugin_utils.clone_session import SessionPlan

TRANSPORTS = ("auto", "multicast", "unicast")
THEIRS = ("send", "receive", "session", "replicate", "start")
"""Arguments whose templates are evaluated for those whom they are for: each station has its own disk, each site its own addresses."""


class ActionModule(ActionBase):
    """Runs fleet.imaging.multicast_send on the senders and fleet.imaging.multicast_receive on the stations."""

    BYPASS_HOST_LOOP = True
    _supports_check_mode = True
    _requires_connection = False
    _VALID_ARGS = frozenset(
        ("image", "version", "allowed_signers", "transport", "sender", "stations", "senders", "control", *THEIRS),
    )

    @classmethod
    def finalize_task_arg(cls, name: str, value: Any, templar: Any, context: Any) -> Any:
        """Leave the arguments of the modules to those who run them."""
        return value if name in THEIRS else super().finalize_task_arg(name, value, templar, context)

    def run(self, tmp: Optional[str] = None, task_vars: Optional[dict[str, Any]] = None) -> dict[str, Any]:
        """Return what became of each station; a station's failure is in its own result, never in that of the task."""
        variables = task_vars or {}
        result: dict[str, Any] = super().run(tmp, variables)
        arguments = self._task.args
        missing = [name for name in ("image", "version", "allowed_signers", "receive") if not arguments.get(name)]
        if missing:
            raise AnsibleActionFail(f"missing required arguments: {', '.join(missing)}")
        with CloneRun(self, variables, self._plans(variables)) as run:
            result.update(run.follow())
        return result

    def _plans(self, variables: Mapping[str, Any]) -> list[SessionPlan]:
        """What each session is to do; AnsibleActionFail when that contradicts itself."""
        arguments = self._task.args
        transport = arguments.get("transport", "auto")
        if transport not in TRANSPORTS:
            raise AnsibleActionFail(f"transport must be one of {', '.join(TRANSPORTS)}, not {transport!r}")
        together = transport != "unicast" and not self._task.check_mode
        image = {name: arguments[name] for name in ("image", "version", "allowed_signers")}
        both, send, receive, replicate = (_mapping(arguments, name) for name in ("session", "send", "receive", "replicate"))
        if together:
            receive = {**receive, **both, "transport": transport}
        filling = {
            **replicate,
            "manifests": [f"image/{image['image']}/{image['version']}"],
            "allowed_signers": image["allowed_signers"],
        }
        plans = []
        for sender, session in self._sessions(variables, together).items():
            control = str(session.get("control") or "")
            plan = SessionPlan(
                sender=sender,
                stations=tuple(session["stations"]),
                send={**image, **both, **send, **({"control": control} if control else {})},
                receive={**image, **receive},
                start=arguments.get("start") or {},
                together=together,
                replicate=filling if session.get("replicate") else None,
                control=control if together else "",
            )
            plans.append(plan)
        return plans

    def _sessions(self, variables: Mapping[str, Any], together: bool) -> dict[str, dict[str, Any]]:
        """By sender, its options of senders; with stations, of which no sender is one."""
        arguments = self._task.args
        senders = _mapping(arguments, "senders")
        if not senders:
            only = {"stations": arguments.get("stations") or variables["ansible_play_hosts"], "control": arguments.get("control")}
            senders = {arguments.get("sender") or "": only}
        elif any(arguments.get(name) for name in ("sender", "stations", "control")):
            raise AnsibleActionFail("senders says all that sender, stations and control say of one: give it alone")
        sessions: dict[str, dict[str, Any]] = {}
        for sender, said in senders.items():
            options = {**_options(said, f"senders.{sender}")}
            needed = together or options.get("replicate")
            if needed and sender not in variables["hostvars"]:
                raise AnsibleActionFail(f"sender must be the inventory name of the host that sends, not {sender!r}")
            options["stations"] = [name for name in options.get("stations") or () if not (together and name in senders)]
            if options["stations"]:
                sessions[str(sender)] = options
        if not sessions:
            raise AnsibleActionFail("there is no station to restore: the sender is the only host of the play")
        unknown = [name for each in sessions.values() for name in each["stations"] if name not in variables["hostvars"]]
        if unknown:
            raise AnsibleActionFail(f"stations must be inventory names, but there is no {', '.join(sorted(unknown))}")
        twice = [name for name, count in Counter(name for each in sessions.values() for name in each["stations"]).items() if count > 1]
        if twice:
            raise AnsibleActionFail(f"a station has one sender, but {', '.join(sorted(twice))} has several")
        return sessions


def _mapping(arguments: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return _options(arguments.get(name) or {}, name)


def _options(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise AnsibleActionFail(f"{name} must be a mapping of options, not {type(value).__name__}")
    return value
