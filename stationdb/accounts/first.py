# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first administrator of a new installation."""

from __future__ import annotations

import secrets

from django.db import transaction

from .models import User

NAME = "admin"


def create_first_administrator() -> str | None:
    """Make the user ``admin`` when there is no user at all; its one-time password, or None when there is somebody already.

    The password must be changed at the first sign-in; nobody can read it again.
    """
    with transaction.atomic():
        if User.objects.exists():
            return None
        password = secrets.token_urlsafe(12)
        User.objects.create_superuser(NAME, password=password, must_change_password=True)
        return password
