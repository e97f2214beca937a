# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sign-ins that failed, so that trying passwords becomes slow. In the database: several workers know the same."""

from __future__ import annotations

from django.db import models


class Attempts(models.Model):
    """Failures in a row of an account, of an address, or of an account from an address. What was typed is not readable from it."""

    key = models.CharField(max_length=64, unique=True)
    failures = models.PositiveIntegerField(default=0)
    last = models.DateTimeField(db_index=True)
    """When the last attempt was made."""
    until = models.DateTimeField(null=True)
    """No attempt is looked at before."""
    known = models.DateTimeField(null=True)
    """Of an account from an address: when it last signed in from there."""

    class Meta:
        """Internal."""

        verbose_name_plural = "attempts"

    def __str__(self) -> str:
        return f"{self.key[:8]}: {self.failures}"
