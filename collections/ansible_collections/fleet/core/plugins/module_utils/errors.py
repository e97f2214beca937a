# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors an admin can act on.

Everything in module_utils raises a subclass of FleetError; only ``main()`` of a module turns one into ``fail_json``.
"""

from __future__ import annotations

from typing import Any


class FleetError(Exception):
    """Something was refused or failed.

    The message says what and where; ``remedy`` says what to do next; ``details`` become keys of the module's failure.
    """

    def __init__(self, message: str, *, remedy: str = "", **details: Any) -> None:
        super().__init__(message if not remedy else f"{message.rstrip('.')}. {remedy}")
        self.remedy = remedy
        self.details: dict[str, Any] = details

    def amend(self, addition: str, **details: Any) -> None:
        """Say what else is so now: for one who passes the error on and knows what it left behind."""
        self.args = (f"{str(self).rstrip('.')}. {addition}" if addition else str(self),)
        self.details.update(details)


class InputError(FleetError):
    """An argument, a name or a document is not acceptable as given."""


class ToolError(FleetError):
    """An external tool is missing, failed, or printed what we do not understand."""
