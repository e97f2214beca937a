# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signing in and out, the password, and what also works before: language and theme."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from ...accounts.forms import SignInForm
from ...accounts.models import User
from .access import Request, page

YEAR = 365 * 24 * 3600


class SignIn(LoginView):
    """The one page for who is not signed in."""

    template_name = "console/login.html"
    redirect_authenticated_user = True
    authentication_form = SignInForm


class SignOut(LogoutView):
    """By POST only."""

    next_page = "console:login"


@sensitive_post_parameters()
@page(None, methods=("GET", "HEAD", "POST"))
def password(request: Request) -> HttpResponse:
    """A new password; the only page for who has a one-time password."""
    form = PasswordChangeForm(request.user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = form.save()
        if user.must_change_password:
            user.must_change_password = False
            user.save(update_fields=["must_change_password"])
        update_session_auth_hash(request, user)
        messages.success(request, _("Your password was changed."))
        return redirect("console:dashboard")
    return render(request, "console/password.html", {"form": form, "forced": request.user.must_change_password})


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Change the language, of the user or of this browser."""
    chosen = request.POST.get("language", "")
    response = redirect(_back(request))
    if chosen in dict(settings.LANGUAGES):
        if isinstance(request.user, User):
            request.user.language = chosen
            request.user.save(update_fields=["language"])
        translation.activate(chosen)
        response.set_cookie(settings.LANGUAGE_COOKIE_NAME, chosen, max_age=YEAR, secure=settings.SECURE, httponly=True, samesite="Lax")
    return response


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Change the colours, of the user or of this browser."""
    chosen = request.POST.get("theme", "")
    response = redirect(_back(request))
    if chosen in User.Theme.values:
        if isinstance(request.user, User):
            request.user.theme = chosen
            request.user.save(update_fields=["theme"])
        response.set_cookie("theme", chosen, max_age=YEAR, secure=settings.SECURE, httponly=True, samesite="Lax")
    return response


def _back(request: HttpRequest) -> str:
    wanted = request.POST.get("next", "")
    return wanted if wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, None) else "/"
