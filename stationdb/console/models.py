# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users keep for themselves."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from ..registry.fields import PLAIN_TEXT


class SavedFilter(models.Model):
    """A list of stations that a user comes back to: the query of its address, under a name."""

    user = models.ForeignKey("accounts.User", models.CASCADE, related_name="filters", verbose_name=_("user"))
    name = models.CharField(_("name"), max_length=60, validators=[PLAIN_TEXT])
    query = models.CharField(_("filter"), max_length=2000, blank=True)

    class Meta:
        """A user's filters have different names."""

        ordering = ("name",)
        verbose_name = _("saved filter")
        verbose_name_plural = _("saved filters")
        constraints = [models.UniqueConstraint(fields=("user", "name"), name="saved_filter_once")]

    def __str__(self) -> str:
        return self.name
