# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs fleet.core.content_publish on the store's host; publishing takes long and reports its progress."""

from __future__ import annotations

from typing import Any, Optional

from ansible_collections.fleet.core.plugins.plugin_utils.progress_action import ProgressActionBase


class ActionModule(ProgressActionBase):
    """Only state=published becomes a job: opening is quick, and its token has no business in a job's file."""

    def run(self, tmp: Optional[str] = None, task_vars: Optional[dict[str, Any]] = None) -> dict[str, Any]:
        """Return the module's own result."""
        if self._task.args.get("state") == "published":
            return super().run(tmp, task_vars)
        result: dict[str, Any] = super(ProgressActionBase, self).run(tmp, task_vars)
        result.update(self._execute_module(task_vars=task_vars, wrap_async=bool(self._task.async_val)))
        return result
