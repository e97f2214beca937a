# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who signs in."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _


class User(AbstractUser):
    """A person, or a program with tokens. A superuser may do everything everywhere; others what their roles give."""

    class Theme(models.TextChoices):
        """Light or dark."""

        AUTO = "auto", _("as the system")
        LIGHT = "light", _("light")
        DARK = "dark", _("dark")

    language = models.CharField(_("language"), max_length=5, blank=True, choices=[("en", "English"), ("fr", "Français")])
    theme = models.CharField(_("colours"), max_length=5, choices=Theme.choices, default=Theme.AUTO)
    must_change_password = models.BooleanField(_("must change the password at the next sign-in"), default=False)
    directory = models.CharField(_("entry in the directory"), max_length=255, blank=True, editable=False)
    """Distinguished name of who signs in through LDAP; blank for who has an account here only."""

    class Meta:
        """Order by name."""

        ordering = ("username",)
        verbose_name = _("user")
        verbose_name_plural = _("users")
