# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts of programs: one per service, without a password, with a token and the rights that its scopes name."""

from __future__ import annotations

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from ..accounts.models import Assignment, Role, Token, User
from ..accounts.rights import Right
from ..errors import StationDBError

LEAST = timedelta(days=14)
"""A token that ends sooner is renewed, so that no run meets one that has just ended."""


def account(name: str) -> str:
    """The account of a service."""
    return f"service-{name}"


def is_valid(name: str, secret: str, scopes: list[str]) -> bool:
    """Whether a secret is this service's token, with these scopes, for some days to come."""
    token = Token.find(secret) if secret.startswith(Token.PREFIX) else None
    return bool(
        token
        and token.user.username == account(name)
        and sorted(token.scopes) == sorted(scopes)
        and token.expires > timezone.now() + min(LEAST, (token.expires - token.created) / 2)
    )


def issue(name: str, scopes: list[str], lifetime: timedelta) -> str:
    """Give a service exactly these rights for all sites, and a new token, which replaces the one it had; its secret.

    StationDBError for scopes that are no rights.
    """
    unknown = sorted(set(scopes) - set(Right.values))
    if unknown or not scopes:
        raise StationDBError(f"These are no rights: {', '.join(unknown) or 'none was given'}.", f"Use some of: {', '.join(Right.values)}.")
    with transaction.atomic():
        user, made = User.objects.get_or_create(username=account(name))
        if made:
            user.set_unusable_password()
            user.save()
        role, _made = Role.objects.update_or_create(name=account(name), defaults={"rights": sorted(scopes)})
        Assignment.objects.get_or_create(user=user, role=role, site=None)
        Token.objects.filter(user=user, name=name).delete()
        try:
            return Token.issue(user, name, sorted(scopes), lifetime)[1]
        except ValidationError as error:
            raise StationDBError(" ".join(error.messages), "Choose a shorter name.") from error
