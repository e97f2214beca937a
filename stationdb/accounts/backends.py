# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a name and a password become a user: of this database, else of the directory; slowly for who guesses."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from . import ldap
from .models import User
from .slowing import attempt


class Slowed(PermissionDenied):
    """The password was not looked at: there were too many failures. Django asks no other backend then."""


class PasswordBackend(ModelBackend):
    """Passwords kept here, and those of a directory if one is set (accounts.ldap). Unknown names take as long as known ones."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **credentials: Any
    ) -> User | None:
        if not username or not password or not username.isprintable():
            return None  # nobody is called so, and PostgreSQL would not even look
        address = str(request.META.get("REMOTE_ADDR") or "") if request is not None else ""
        trial = attempt(username, address)
        if trial.refused:
            if request is not None:
                request.sign_in_wait = trial.wait  # type: ignore[attr-defined]  # for the form's message
            raise Slowed
        user = super().authenticate(request, username=username, password=password)
        if user is None:
            user = ldap.user_of(username, password)
        if not isinstance(user, User):
            return None
        trial.succeeded()
        return user
