# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs fleet.imaging.image_restore as a job and reports its progress; one of many in fleet.imaging.image_clone by unicast."""

from __future__ import annotations

from ansible_collections.fleet.core.plugins.plugin_utils.progress_action import ProgressActionBase


class ActionModule(ProgressActionBase):
    """Nothing of its own: the base class finds the module by the task's name."""
