# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says which system a station runs, or waits for one. It asks the station and its boot server; nothing of it runs anywhere else."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Optional

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.fleet.imaging.plugins.module_utils.netboot import site
from ansible_collections.fleet.imaging.plugins.plugin_utils.running_system import IMAGING, OWN, Answer, BootServerError, Search


class ActionModule(ActionBase):
    """One station; how many at a time is for forks to say."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: Optional[str] = None, task_vars: Optional[dict[str, Any]] = None) -> dict[str, Any]:
        """Return the system, or fail with what was seen instead."""
        variables = task_vars or {}
        result: dict[str, Any] = super().run(tmp, variables)
        _spec, asked = self.validate_argument_spec(
            argument_spec={
                "wanted": {"type": "str", "choices": ["any", IMAGING, OWN], "default": "any"},
                "until": {"type": "float", "default": 0},
                "boot_server": {"type": "str", "default": ""},
                "config": {"type": "str", "default": site.CONFIG},
                "macs": {"type": "list", "elements": "str", "default": []},
                "imaging": {"type": "dict", "default": {}},
                "own": {"type": "dict", "required": True},
                "own_host_keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
                "markers": {"type": "list", "elements": "str", "default": ["/etc/fleet/environment.json", "/run/fleet/status.json"]},
                "ended": {"type": "str", "default": ""},
            }
        )
        if asked["boot_server"] and asked["boot_server"] not in variables["hostvars"]:
            raise AnsibleActionFail(f"boot_server must be the inventory name of a host, not {asked['boot_server']!r}")
        station, wanted, started = str(variables["inventory_hostname"]), asked.pop("wanted"), time.time()
        until = asked.pop("until")
        own = {**asked.pop("own")}
        own["ansible_host"] = own.get("ansible_host") or station
        search = Search(action=self, variables=variables, station=station, own=own, **asked)
        try:
            answer = search.look() if wanted == "any" else search.wait(wanted, until)
        except BootServerError as error:
            raise AnsibleActionFail(str(error)) from error
        result.update(_told(answer, own), cards=search.registered(), seconds=round(time.time() - started, 1))
        if wanted not in ("any", answer.system):
            result.update(failed=True, msg=_failure(wanted, answer, search.registered()))
        return result


def _told(answer: Answer, own: Mapping[str, Any]) -> dict[str, Any]:
    """What the module's RETURN says. How the own system is reached may hold a password: only what differs is told."""
    variables = dict(answer.way.variables) if answer.way else {}
    connection = {name: value for name, value in variables.items() if name not in own or own[name] != value}
    told = {"system": answer.system, "boot_id": answer.boot_id, "environment": dict(answer.environment), "why": answer.why}
    return {**told, "connection": connection, "changed": False}


def _failure(wanted: str, answer: Answer, cards: list[dict[str, Any]]) -> str:
    """Why it does not run what it should, and what to do."""
    if answer.system == IMAGING:
        return (
            "The station came back into the imaging environment, not into its own system. See what is on its disk, whether its firmware's "
            "order has that disk, and what its boot server's menu starts"
        )
    if answer.system == OWN:
        return (
            "The station started its own system, not the imaging environment. Let its firmware's order begin with the network, and see "
            "that no other boot server answers there"
        )
    if wanted == OWN:
        return f"The station did not reach its own system in time: {answer.why}. Look at its screen"
    expired = next((card for card in cards if card["is_expired"] and not card["was_used"]), None)
    if expired:
        ended = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(expired["expires"]))
        return (
            f"The station did not reach the imaging environment in time: its token was good until {ended}, and nobody came with it before. "
            "Run this again, or let tokens live longer (netboot_token_lifetime)"
        )
    fetched = cards and not any(card["entry"].startswith("imaging") or card["was_used"] for card in cards)
    seen = "It fetched its boot entry all the same. " if fetched else ""
    return (
        f"The station did not reach the imaging environment in time: {answer.why}. {seen}"
        "Look at its screen and cable, at its firmware's order (the network first) and, when it was off, at its wake-on-LAN"
    )
