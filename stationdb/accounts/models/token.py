# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What programs sign in with."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .roles import known_rights

if TYPE_CHECKING:
    from .user import User


class Token(models.Model):
    """A secret shown once; its SHA-256 is kept. It can do what its user can, as far as its scopes (rights) go, until it expires."""

    PREFIX = "fleet_"

    user = models.ForeignKey("accounts.User", models.CASCADE, related_name="tokens", verbose_name=_("user"))
    name = models.CharField(_("name"), max_length=100)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(_("scopes"), default=list, validators=[known_rights])
    created = models.DateTimeField(_("created"), auto_now_add=True)
    expires = models.DateTimeField(_("expires"))
    last_used = models.DateTimeField(_("last used"), null=True, editable=False)

    class Meta:
        """A user's tokens have different names."""

        ordering = ("user", "name")
        verbose_name = _("token")
        verbose_name_plural = _("tokens")
        constraints = [models.UniqueConstraint(fields=("user", "name"), name="token_name_once")]

    def __str__(self) -> str:
        return f"{self.user}: {self.name}"

    @classmethod
    def issue(cls, user: User, name: str, scopes: list[str], lifetime: timedelta) -> tuple[Token, str]:
        """A new token and its secret, which nobody can read again. ValidationError for scopes that are no rights."""
        secret = cls.PREFIX + secrets.token_urlsafe(32)
        token = cls(user=user, name=name, scopes=scopes, digest=cls.digest_of(secret), expires=timezone.now() + lifetime)
        token.full_clean()
        token.save()
        return token, secret

    @classmethod
    def find(cls, secret: str) -> Token | None:
        """The token of a secret, unless it has expired or its user is not active."""
        return (
            cls.objects.select_related("user")
            .filter(digest=cls.digest_of(secret), expires__gt=timezone.now(), user__is_active=True)
            .first()
        )

    @staticmethod
    def digest_of(secret: str) -> str:
        """What is kept of a secret; it has 256 random bits, so that a plain hash suffices."""
        return hashlib.sha256(secret.encode()).hexdigest()
