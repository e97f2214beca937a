# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users, and the roles they have at sites."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from ninja import Router
from ninja.responses import Status
from pydantic import BaseModel, Field

from ..accounts.managing import administers, an_administrator_stays, assignments_within, may_give, outranks, roles_within, users_within
from ..accounts.middleware import Request
from ..accounts.models import Assignment, Role, User
from ..accounts.rights import Right
from ..errors import Denied, Fault, Faulty, Missing
from . import sites
from .answers import changed, created, read, removed
from .auth import need_anywhere
from .etags import IfMatch, locked, must_match
from .paging import Limit, Offset, Page, page
from .types import Given, UserName

router = Router()

PASSWORD = "At least 12 characters, not a common one; to be changed at the first sign-in. Null: tokens or LDAP only."


class AssignmentGiven(Given):
    """A role at a site."""

    role: str = Field(examples=["editor"])
    site: str | None = Field(description="Short name of the site, and those below it; null: all sites.", examples=["paris"])


class AssignmentOut(BaseModel):
    """A role at a site."""

    role: str = Field(examples=["editor"])
    site: str | None = Field(description="The site, and those below it; null: all sites.", examples=["paris"])


Assignments = Annotated[list[AssignmentGiven], Field(max_length=1000)]


class UserFields(Given):
    """What can be said of a user besides the name."""

    first_name: str = Field("", max_length=150, examples=["Alice"])
    last_name: str = Field("", max_length=150, examples=["Martin"])
    email: str = Field("", max_length=254, examples=["alice@example.org"])
    is_active: bool = Field(True, description="Whether the user can sign in.")
    is_superuser: bool = Field(False, description="An administrator, who may do everything. Only administrators make others.")
    password: str | None = Field(None, max_length=1000, description=PASSWORD, examples=["correct horse battery staple"])
    assignments: Assignments = Field([], description="Roles at sites; the list replaces those of the sites for which you manage users.")


class UserNew(UserFields):
    """A user to add. Who manages users of some sites only gives a role at one of them."""

    username: str = Field(max_length=150, examples=["alice"])


class UserChange(UserFields):
    """What to change; what is left out stays."""


class UserOut(BaseModel):
    """A user."""

    username: str = Field(examples=["alice"])
    first_name: str
    last_name: str
    email: str
    is_active: bool
    is_superuser: bool = Field(description="An administrator, who may do everything.")
    assignments: list[AssignmentOut] = Field(description="Roles at sites for which you manage users, sorted.")


def find(request: Request, name: str) -> User:
    """A user whom the asker manages. Missing when there is none, or elsewhere."""
    user = locked(users_within(request.perimeter).filter(username=name)).first()
    if user is None:
        raise Missing("There is no such user.", "Look at /api/v1/users for those whom you manage.", "path.name")
    return user


def show(request: Request, users: Sequence[User]) -> list[dict[str, Any]]:
    """Users as they are answered."""
    given: dict[int, list[dict[str, Any]]] = {}
    for each in assignments_within(request.perimeter).filter(user__in=users).select_related("role", "site"):
        given.setdefault(each.user_id, []).append({"role": each.role.name, "site": each.site.slug if each.site else None})
    return [
        {name: getattr(user, name) for name in ("username", "first_name", "last_name", "email", "is_active", "is_superuser")}
        | {"assignments": sorted(given.get(user.pk, []), key=lambda each: (each["role"], each["site"] or ""))}
        for user in users
    ]


@router.get("/users", response=read(Page[UserOut]), summary="Users whom you manage")
def list_users(request: Request, limit: Limit = 100, offset: Offset = 0) -> dict[str, Any]:
    """In the order of their names: those who have a role at a site for which you have users.edit."""
    need_anywhere(request, Right.USERS, "manage users")
    return page(request, users_within(request.perimeter).order_by("username"), limit, offset, lambda found: show(request, found))


@router.post("/users", response=created(UserOut), summary="Add a user")
def add_user(request: Request, given: UserNew) -> Status[dict[str, Any]]:
    """Needs users.edit, and every right that is given."""
    need_anywhere(request, Right.USERS, "manage users")
    wanted = given.model_dump(exclude_unset=True)
    if not request.perimeter.everywhere(Right.USERS) and not wanted.get("assignments"):
        raise Faulty([Fault("A user without a role is one of all sites.", "body.assignments", "Give a role at a site of yours.")])
    user = User(username=given.username)
    user.set_unusable_password()
    write(request, user, wanted)
    return Status(201, show(request, [user])[0])


@router.get("/users/{name}", response=read(UserOut), summary="A user")
def get_user(request: Request, name: UserName) -> dict[str, Any]:
    """With the roles at your sites."""
    need_anywhere(request, Right.USERS, "manage users")
    return show(request, [find(request, name)])[0]


@router.patch("/users/{name}", response=changed(UserOut), summary="Change a user")
def change_user(request: Request, name: UserName, given: UserChange, if_match: IfMatch = None) -> dict[str, Any]:
    """Only what is given changes. The account itself is changed by who has every right that the user has."""
    need_anywhere(request, Right.USERS, "manage users")
    user = find(request, name)
    before = show(request, [user])[0]
    must_match(if_match, UserOut, before)
    wanted = given.model_dump(exclude_unset=True)
    account = {key: value for key, value in wanted.items() if key != "assignments" and before.get(key, ...) != value}
    if account and not outranks(request.perimeter, user):
        raise Denied("This user has rights that you do not have.", "Ask who has them.", "path.name")
    with an_administrator_stays():
        write(request, user, {**account, **({"assignments": wanted["assignments"]} if "assignments" in wanted else {})})
    return show(request, [user])[0]


@router.delete("/users/{name}", response=removed(), summary="Remove a user")
def remove_user(request: Request, name: UserName, if_match: IfMatch = None) -> Status[None]:
    """With their tokens. Yourself you cannot remove."""
    need_anywhere(request, Right.USERS, "manage users")
    user = find(request, name)
    must_match(if_match, UserOut, show(request, [user])[0])
    if user == request.user or not outranks(request.perimeter, user):
        raise Denied("You cannot remove yourself, or who has rights that you do not have.", "Ask who has them.", "path.name")
    with an_administrator_stays():
        user.delete()
    return Status(204, None)


def write(request: Request, user: User, wanted: Mapping[str, Any]) -> None:
    """Save what is wanted of a user. Denied for rights that the asker does not have."""
    if wanted.get("is_superuser") and not administers(request.perimeter):
        raise Denied("Only administrators make administrators.", "Give a role instead.", "body.is_superuser")
    if wanted.get("is_superuser") is False and user.is_superuser and user == request.user:
        raise Denied("You cannot take this away from yourself.", "Ask another administrator.", "body.is_superuser")
    for name in ("first_name", "last_name", "email", "is_active", "is_superuser"):
        if name in wanted:
            setattr(user, name, wanted[name])
    if "password" in wanted:
        write_password(user, wanted["password"])
    user.full_clean(exclude=["password"])
    user.save()
    if "assignments" in wanted:
        write_assignments(request, user, wanted["assignments"])


def write_password(user: User, password: str | None) -> None:
    """Set it, to be changed at the next sign-in; or let nobody sign in with one."""
    if password is None:
        user.set_unusable_password()
        return
    if user.directory:
        raise Denied("This user signs in through the directory.", "Change the password there.", "body.password")
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Faulty([Fault(text, "body.password", "Choose another.") for text in error.messages]) from error
    user.set_password(password)
    user.must_change_password = True


def write_assignments(request: Request, user: User, wanted: Sequence[Mapping[str, Any]]) -> None:
    """Make the user's roles at the asker's sites what is wanted. Denied for a role with rights that the asker does not have there."""
    there = {(each.role_id, each.site_id): each for each in assignments_within(request.perimeter).filter(user=user).select_related("role")}
    after: dict[tuple[int, int | None], Role] = {}
    for index, each in enumerate(wanted):
        role = roles_within(request.perimeter).filter(name=each["role"]).first()
        if role is None:
            raise Missing("There is no such role.", "Look at /api/v1/roles for those there are.", f"body.assignments[{index}].role")
        site = sites.find(request.perimeter, each["site"], where=f"body.assignments[{index}].site") if each["site"] else None
        after[role.pk, site.pk if site else None] = role
    changing = {key: each.role for key, each in there.items() if key not in after} | {key: after[key] for key in after if key not in there}
    for (_role, site_id), role in changing.items():
        if not may_give(request.perimeter, role, site_id):
            raise Denied(f"The role {role} has rights that you do not have there.", "Ask who has them.", "body.assignments")
    for key in there:
        if key not in after:
            there[key].delete()
    for role_id, site_id in after:
        if (role_id, site_id) not in there:
            Assignment(user=user, role_id=role_id, site_id=site_id).save()
