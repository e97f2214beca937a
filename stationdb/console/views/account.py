# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users decide for themselves: language, colours, password, tokens."""

from __future__ import annotations

from datetime import timedelta

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ...accounts.models import Assignment, Token
from ...accounts.rights import Right
from .access import Request, page

DAYS = (30, 90, 365)


class TokenForm(forms.Form):
    """What a new token may do, and for how long."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=100, help_text=gettext_lazy("What it is for, such as “AWX”."))
    days = forms.TypedChoiceField(label=gettext_lazy("Days until it expires"), coerce=int, choices=[(day, day) for day in DAYS], initial=90)
    scopes = forms.MultipleChoiceField(label=gettext_lazy("What it may do"), choices=Right.choices, widget=forms.CheckboxSelectMultiple)


@page(None)
def account(request: Request) -> HttpResponse:
    """The user, their rights and their tokens."""
    return _shown(request, _form(request))


@page(None, methods=("POST",))
def token_issue(request: Request) -> HttpResponse:
    """A new token: the one time that its secret is shown."""
    form = _form(request)
    if not form.is_valid():
        return _shown(request, form)
    try:
        _token, secret = Token.issue(
            request.user, form.cleaned_data["name"], form.cleaned_data["scopes"], timedelta(days=form.cleaned_data["days"])
        )
    except ValidationError as error:
        form.add_error(None, ValidationError(error.messages))
        return _shown(request, form)
    return _shown(request, _form(request, fresh=True), secret=secret, name=form.cleaned_data["name"])


@page(None, methods=("POST",))
def token_revoke(request: Request, pk: int) -> HttpResponse:
    """A token of one's own that opens nothing any more."""
    token = get_object_or_404(Token, user=request.user, pk=pk)
    token.delete()
    messages.success(request, _("The token “%(name)s” was revoked.") % {"name": token.name})
    return redirect("console:account")


def _form(request: Request, fresh: bool = False) -> TokenForm:
    form = TokenForm(None if fresh else request.POST or None)
    scopes = form.fields["scopes"]
    assert isinstance(scopes, forms.MultipleChoiceField)
    scopes.choices = [(right.value, right.label) for right in Right if request.perimeter.has(right)]
    return form


def _shown(request: Request, form: TokenForm, **more: str) -> HttpResponse:
    context = {
        "form": form,
        "tokens": [(token, [str(Right(scope).label) for scope in token.scopes]) for token in Token.objects.filter(user=request.user)],
        "assignments": Assignment.objects.filter(user=request.user).select_related("role", "site"),
        "rights": [right.label for right in Right if request.perimeter.has(right)],
        **more,
    }
    return render(request, "console/account.html", context, status=400 if form.errors else 200)
