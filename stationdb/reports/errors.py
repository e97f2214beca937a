# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be wrong with a report."""

from __future__ import annotations

from ..errors import StationDBError


class ReportError(StationDBError):
    """A document is refused for good: it is bad, and would be bad again."""


class NotNow(StationDBError):
    """A document cannot be taken now, as when the disk is full; the sender keeps it and tries again."""


class TooMuch(NotNow):
    """A document cannot be taken now, since too many of its sender wait already."""
