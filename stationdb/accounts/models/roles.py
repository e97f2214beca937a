# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users may do, and where."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from ..rights import Right


def known_rights(rights: object) -> None:
    """Refuse anything but a list of rights."""
    if not isinstance(rights, list) or not set(map(str, rights)) <= set(Right.values):
        raise ValidationError(_("Rights are a list of these: %(known)s") % {"known": ", ".join(Right.values)})


class Role(models.Model):
    """A named set of rights."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    rights = models.JSONField(_("rights"), default=list, validators=[known_rights])

    class Meta:
        """Order by name."""

        ordering = ("name",)
        verbose_name = _("role")
        verbose_name_plural = _("roles")

    def __str__(self) -> str:
        return self.name


class Assignment(models.Model):
    """A user has a role for a site and the sites below it, or for all sites when site is null."""

    user = models.ForeignKey("accounts.User", models.CASCADE, related_name="assignments", verbose_name=_("user"))
    role = models.ForeignKey(Role, models.CASCADE, related_name="assignments", verbose_name=_("role"))
    site = models.ForeignKey("registry.Site", models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("site"))

    class Meta:
        """Once each."""

        verbose_name = _("assignment")
        constraints = [models.UniqueConstraint(fields=("user", "role", "site"), nulls_distinct=False, name="assignment_once")]

    def __str__(self) -> str:
        return f"{self.user}: {self.role} ({self.site or _('all sites')})"
