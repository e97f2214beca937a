# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The form to sign in with."""

from __future__ import annotations

import math
from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.utils.translation import ngettext


class SignInForm(AuthenticationForm):
    """Django's, which also says how long to wait after too many failures."""

    def get_invalid_login_error(self) -> ValidationError:
        wait: Any = getattr(self.request, "sign_in_wait", None)
        if wait is None:
            return super().get_invalid_login_error()
        seconds = math.ceil(wait.total_seconds())
        return ValidationError(
            ngettext(
                "There were too many failures. Try again in %(count)s second.",
                "There were too many failures. Try again in %(count)s seconds.",
                seconds,
            )
            % {"count": seconds},
            code="slowed",
        )
