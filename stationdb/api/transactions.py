# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One transaction for each change, which is tried again when the database gave another one the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.db import OperationalError, connection, transaction

T = TypeVar("T")

TRIES = 5
AGAIN = ("40P01", "40001")
"""SQLSTATE of PostgreSQL (appendix A of its manual): a deadlock was found, or transactions cannot have come one after the other."""
BUSY = (*AGAIN, "55P03")
"""The same, and a lock that was not to be had in time."""


def done_once(change: Callable[[], T]) -> T:
    """What a change returns that is done as a whole or not at all. It is called again when another change stood in its way."""
    if connection.in_atomic_block:  # what is around it would have to begin again as well
        with transaction.atomic():
            return change()
    for _try in range(TRIES - 1):
        try:
            with transaction.atomic():
                return change()
        except OperationalError as error:
            if state_of(error) not in AGAIN:
                raise
    with transaction.atomic():
        return change()


def is_busy(error: OperationalError) -> bool:
    """Whether the same change can be done in a moment."""
    return state_of(error) in BUSY or str(error).startswith("database is locked")  # SQLite's words


def state_of(error: OperationalError) -> str:
    """The SQLSTATE of an error of PostgreSQL; blank for others."""
    return str(getattr(error.__cause__, "sqlstate", None) or "")
