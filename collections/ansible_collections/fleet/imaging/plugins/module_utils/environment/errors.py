# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps a host from building the imaging environment."""

from __future__ import annotations

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError


class BuildError(FleetError):
    """The host cannot build the imaging environment."""
