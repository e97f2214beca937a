# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users and roles: who manages whom is said in accounts.managing. Users are added, and roles changed, with users.edit for all sites."""

from __future__ import annotations

import functools
import secrets

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Prefetch, Q, QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_variables

from ...accounts.managing import (
    LastAdministrator,
    an_administrator_stays,
    assignments_within,
    may_give,
    outranks,
    roles_within,
    tokens_within,
    users_within,
)
from ...accounts.models import Assignment, Role, User
from ...accounts.rights import Right
from .. import sheet
from ..forms import AssignmentForm, RoleForm, UserForm
from ..paging import paged
from ..sheet import Column
from .access import Request, page

managing = functools.partial(page, Right.USERS)
administration = functools.partial(page, Right.USERS, everywhere=True)
POST = ("POST",)
BOTH = ("GET", "HEAD", "POST")

COLUMNS: list[Column[User]] = [
    Column(gettext_lazy("User name"), lambda user: user.username),
    Column(gettext_lazy("Name"), lambda user: user.get_full_name()),
    Column(gettext_lazy("E-mail"), lambda user: user.email),
    Column(gettext_lazy("Active"), lambda user: _("yes") if user.is_active else _("no")),
    Column(
        gettext_lazy("Roles"), lambda user: ", ".join(f"{each.role} ({each.site or _('all sites')})" for each in user.assignments.all())
    ),
    Column(gettext_lazy("Last sign-in"), lambda user: user.last_login),
]


@managing()
def users(request: Request) -> HttpResponse:
    """Who may sign in."""
    text = request.GET.get("q", "").strip().replace("\0", "")[:100]
    rows = _listed(request)
    if text:
        rows = rows.filter(
            Q(username__icontains=text) | Q(first_name__icontains=text) | Q(last_name__icontains=text) | Q(email__icontains=text)
        )
    listed = paged(rows, request.GET, {"name": "username", "seen": "last_login"})
    # How many have a role is told of the sites where the asker manages users only.
    number = Count("assignments", filter=Q(assignments__in=assignments_within(request.perimeter)))
    roles = roles_within(request.perimeter).annotate(number=number)
    return render(request, "console/users.html", {"list": listed, "text": text, "roles": roles})


@managing()
def users_csv(request: Request) -> HttpResponseBase:
    """The list as CSV."""
    rows = _listed(request).order_by("username")
    return sheet.csv_list("users", COLUMNS, rows)


@administration(methods=BOTH)
def user_add(request: Request) -> HttpResponse:
    """A new user, with a password to sign in once with."""
    form = UserForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        made = form.save(commit=False)
        return _with_password(request, made)
    return render(request, "console/edit.html", {"form": form, "title": _("New user"), "back": "console:users", "kind": "user"})


@managing(methods=BOTH)
def user(request: Request, pk: int) -> HttpResponse:
    """One user: who it is, the roles, the tokens."""
    it = get_object_or_404(users_within(request.perimeter), pk=pk)
    may_change = outranks(request.perimeter, it)
    if request.method == "POST" and not may_change:
        raise PermissionDenied
    form = UserForm(request.POST or None, instance=it) if request.method == "POST" else UserForm(instance=it)
    if request.method == "POST" and form.is_valid() and _saved(form):
        messages.success(request, _("%(name)s was saved.") % {"name": it.username})
        return redirect("console:user", pk=pk)
    context = {
        "it": it,
        "form": form,
        "may_change": may_change,
        "assign": AssignmentForm(request.perimeter),
        "assignments": assignments_within(request.perimeter).filter(user=it).select_related("role", "site"),
        "tokens": tokens_within(request.perimeter, it),
    }
    return render(request, "console/user.html", context)


@managing(methods=POST)
def user_password(request: Request, pk: int) -> HttpResponse:
    """A password to sign in once with, in place of the user's own."""
    it = _touchable(request, pk)
    if it.directory:  # which alone says whether they may sign in
        raise PermissionDenied
    return _with_password(request, it)


@managing(methods=POST)
def assign(request: Request, pk: int) -> HttpResponse:
    """One more role."""
    it = get_object_or_404(users_within(request.perimeter), pk=pk)
    form = AssignmentForm(request.perimeter, request.POST)
    if form.is_valid():
        site = form.cleaned_data["site"]
        if not may_give(request.perimeter, form.cleaned_data["role"], site.pk if site else None):
            raise PermissionDenied
        Assignment.objects.get_or_create(user=it, **form.cleaned_data)
        messages.success(request, _("The role was given."))
    else:
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
    return redirect("console:user", pk=pk)


@managing(methods=POST)
def unassign(request: Request, pk: int, assignment: int) -> HttpResponse:
    """One role less."""
    it = get_object_or_404(users_within(request.perimeter), pk=pk)
    given = get_object_or_404(assignments_within(request.perimeter).select_related("role"), user=it, pk=assignment)
    if not may_give(request.perimeter, given.role, given.site_id):
        raise PermissionDenied
    try:
        with an_administrator_stays():
            given.delete()
    except LastAdministrator as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The role was taken away."))
    return redirect("console:user", pk=pk)


@managing(methods=POST)
def revoke(request: Request, pk: int, token: int) -> HttpResponse:
    """A user's token that opens nothing any more."""
    get_object_or_404(tokens_within(request.perimeter, _touchable(request, pk)), pk=token).delete()
    messages.success(request, _("The token was revoked."))
    return redirect("console:user", pk=pk)


@administration(methods=BOTH)
def role_add(request: Request) -> HttpResponse:
    """A new role."""
    return _role(request, None)


@administration(methods=BOTH)
def role(request: Request, pk: int) -> HttpResponse:
    """Change a role."""
    return _role(request, get_object_or_404(Role, pk=pk))


@administration(methods=POST)
def role_remove(request: Request, pk: int) -> HttpResponse:
    """Remove a role that nobody has."""
    it = get_object_or_404(Role, pk=pk)
    if it.assignments.exists():
        messages.error(request, _("The role is not removed while somebody has it."))
        return redirect("console:role", pk=pk)
    it.delete()
    messages.success(request, _("%(name)s was removed.") % {"name": it.name})
    return redirect("console:users")


def _role(request: Request, it: Role | None) -> HttpResponse:
    before = list(it.rights) if it else []
    form = RoleForm(request.POST or None, instance=it) if request.method == "POST" else RoleForm(instance=it)
    if request.method == "POST" and form.is_valid():
        if not all(request.perimeter.everywhere(right) for right in set(form.cleaned_data["rights"]) ^ set(before)):
            raise PermissionDenied
        if _saved(form):
            messages.success(request, _("%(name)s was saved.") % {"name": form.instance.name})
            return redirect("console:users")
    context = {"form": form, "title": it.name if it else _("New role"), "back": "console:users", "kind": "role", "it": it}
    return render(request, "console/edit.html", context, status=400 if form.errors else 200)


def _saved(form: UserForm | RoleForm) -> bool:
    """Save a form, unless it would leave nobody who may do everything: then it says so."""
    try:
        with an_administrator_stays():
            form.save()
    except LastAdministrator as error:
        form.add_error(None, str(error))
        return False
    return True


def _listed(request: Request) -> QuerySet[User]:
    """The users that the asker manages, with their roles at the asker's sites."""
    given = assignments_within(request.perimeter).select_related("role", "site")
    return users_within(request.perimeter).prefetch_related(Prefetch("assignments", given))


def _touchable(request: Request, pk: int) -> User:
    """A user whose account may be changed: who can do nothing that the asker cannot."""
    it = get_object_or_404(users_within(request.perimeter), pk=pk)
    if not outranks(request.perimeter, it):
        raise PermissionDenied
    return it


@sensitive_variables()
def _with_password(request: Request, it: User) -> HttpResponse:
    password = secrets.token_urlsafe(12)
    it.set_password(password)
    it.must_change_password = True
    it.save()
    return render(request, "console/one_time.html", {"it": it, "password": password})
