# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs fleet.imaging.multicast_receive as a job and reports its progress; one of many in a session of fleet.imaging.image_clone."""

from __future__ import annotations

from ansible_collections.fleet.imaging.plugins.plugin_utils.session_member import SessionMemberBase


class ActionModule(SessionMemberBase):
    """Nothing of its own: the base class finds the module by the task's name."""
