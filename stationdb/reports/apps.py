# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The app."""

from django.apps import AppConfig


class ReportsConfig(AppConfig):
    """What stations say of themselves."""

    name = "stationdb.reports"
    label = "reports"

    def ready(self) -> None:
        """Hear of stations that are removed."""
        from . import signals  # noqa: F401  # registers itself
