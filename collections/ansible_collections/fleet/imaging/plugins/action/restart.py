# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs fleet.imaging.restart on Linux; on Windows, says the same by Windows' own commands."""

from __future__ import annotations

from typing import Any, Optional

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.fleet.imaging.plugins.module_utils.restart import bcd
from ansible_collections.fleet.imaging.plugins.module_utils.restart.choice import Choice
from ansible_collections.fleet.imaging.plugins.plugin_utils.running_system import powershell

_BOOT_ID = "(Get-CimInstance Win32_OperatingSystem).LastBootUpTime.ToFileTimeUtc()"
_SECONDS = 5
"""Until Windows begins to shut down."""


class ActionModule(ActionBase):
    """Afterwards the connection is given up: its other end is about to go."""

    _supports_check_mode = True

    def run(self, tmp: Optional[str] = None, task_vars: Optional[dict[str, Any]] = None) -> dict[str, Any]:
        """As RETURN of the module says."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        if getattr(self._connection._shell, "_IS_WINDOWS", False):
            result.update(self._windows(bool(self._task.args.get("network", False))))
        else:
            result.update(self._execute_module(task_vars=task_vars))
        if not result.get("failed") and not self._task.check_mode:
            self._connection.reset()
        return result

    def _windows(self, network: bool) -> dict[str, Any]:
        boot_id = self._say(_BOOT_ID).strip()
        choice = bcd.network(self._say("bcdedit /enum firmware", fails=True)) if network else Choice("", "")
        if not self._task.check_mode:
            if choice.number:
                self._say(f"bcdedit /set '{{fwbootmgr}}' bootsequence '{choice.number}'")
            self._say(f"shutdown.exe /r /t {_SECONDS}")
        return {"changed": True, "boot_id": boot_id, "boot_entry": choice.number, "note": choice.note}

    def _say(self, command: str, *, fails: bool = False) -> str:
        """What a command printed; fails: an error is as good as nothing, as of bcdedit on a BIOS."""
        done = self._low_level_execute_command(powershell(f"{command}\nexit $LASTEXITCODE" if not command.startswith("(") else command))
        if done["rc"] != 0 and not fails:
            raise AnsibleActionFail(f"{command} ended with code {done['rc']}: {done.get('stderr') or done.get('stdout')}")
        return str(done["stdout"]) if done["rc"] == 0 else ""
