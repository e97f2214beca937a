# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action of a module that takes part in a multicast session.

The session's secret is among the variables of this one task, and is given to the module only when that is sent to its host: it is in no
task's arguments, which callbacks may record, and in no fact.
"""

from __future__ import annotations

from typing import Any, Optional

from ansible_collections.fleet.core.plugins.plugin_utils.progress_action import ProgressActionBase

SECRET = "_fleet_session_secret"
"""Name of the variable."""


class SessionMemberBase(ProgressActionBase):
    """Gives the module its secret."""

    def _execute_module(
        self,
        module_name: Optional[str] = None,
        module_args: Optional[dict[str, Any]] = None,
        tmp: Any = None,
        task_vars: Optional[dict[str, Any]] = None,
        **more: Any,
    ) -> dict[str, Any]:
        if module_name is None and SECRET in (task_vars or {}):
            module_args = {**(module_args or self._task.args), "secret": (task_vars or {})[SECRET]}
        result: dict[str, Any] = super()._execute_module(module_name, module_args, tmp, task_vars, **more)
        return result
