# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles: named sets of rights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from ninja import Router
from ninja.responses import Status
from pydantic import BaseModel, Field

from ..accounts.managing import an_administrator_stays, roles_within
from ..accounts.middleware import Request
from ..accounts.models import Role
from ..accounts.rights import Right
from ..errors import Denied, Missing
from .answers import changed, created, read, removed
from .auth import need, need_anywhere
from .etags import IfMatch, locked, must_match
from .paging import Limit, Offset, Page, page
from .types import NO_NUL, Given, RoleName

router = Router()

RightName = Literal[
    "stations.view",
    "stations.edit",
    "stations.secrets",
    "groups.edit",
    "sites.edit",
    "content.edit",
    "export",
    "reports.send",
    "users.edit",
]
Rights = Annotated[list[RightName], Field(max_length=50, examples=[["stations.view", "export"]])]


class RoleNew(Given):
    """A role to add."""

    name: str = Field(pattern=NO_NUL, examples=["editor"])
    rights: Rights = []


class RoleChange(Given):
    """What to change; what is left out stays."""

    name: str = Field("", pattern=NO_NUL, examples=["editor"])
    rights: Rights = []


class RoleOut(BaseModel):
    """A role."""

    name: str = Field(examples=["editor"])
    rights: list[str] = Field(description="Sorted.", examples=[["export", "stations.view"]])


def find(request: Request, name: str) -> Role:
    """A role. Missing when there is none."""
    role = locked(roles_within(request.perimeter).filter(name=name)).first()
    if role is None:
        raise Missing("There is no such role.", "Look at /api/v1/roles for those there are.", "path.name")
    return role


def show(roles: Sequence[Role]) -> list[dict[str, Any]]:
    """Roles as they are answered."""
    return [{"name": role.name, "rights": sorted(role.rights)} for role in roles]


def may_change(request: Request, rights: Sequence[str]) -> None:
    """A role is for all sites, so whoever changes one has users.edit and all its rights for all sites."""
    need(request, Right.USERS, None, "change roles")
    missing = [right for right in rights if not request.perimeter.everywhere(right)]
    if missing:
        raise Denied(f"You do not have these rights for all sites yourself: {', '.join(missing)}.", "Ask who has them.", "body.rights")


@router.get("/roles", response=read(Page[RoleOut]), summary="Roles")
def list_roles(request: Request, limit: Limit = 100, offset: Offset = 0) -> dict[str, Any]:
    """In the order of their names. They belong to no site: who manages users anywhere sees them."""
    need_anywhere(request, Right.USERS, "see roles")
    return page(request, roles_within(request.perimeter).order_by("name"), limit, offset, show)


@router.post("/roles", response=created(RoleOut), summary="Add a role")
def add_role(request: Request, given: RoleNew) -> Status[dict[str, Any]]:
    """Needs users.edit, and the rights of the role, for all sites."""
    may_change(request, given.rights)
    role = Role(name=given.name, rights=sorted(set(given.rights)))
    role.full_clean(exclude=["rights"])
    role.save()
    return Status(201, show([role])[0])


@router.get("/roles/{name}", response=read(RoleOut), summary="A role")
def get_role(request: Request, name: RoleName) -> dict[str, Any]:
    """With its rights."""
    need_anywhere(request, Right.USERS, "see roles")
    return show([find(request, name)])[0]


@router.patch("/roles/{name}", response=changed(RoleOut), summary="Change a role")
def change_role(request: Request, name: RoleName, given: RoleChange, if_match: IfMatch = None) -> dict[str, Any]:
    """Changes what everybody who has it may do. Needs users.edit, and the rights it has and gets, for all sites."""
    need_anywhere(request, Right.USERS, "see roles")
    role = find(request, name)
    may_change(request, [*role.rights, *given.rights])
    must_match(if_match, RoleOut, show([role])[0])
    wanted = given.model_dump(exclude_unset=True)
    role.name = wanted.get("name", role.name)
    role.rights = sorted(set(wanted.get("rights", role.rights)))
    role.full_clean(exclude=["rights"])
    with an_administrator_stays():
        role.save()
    return show([role])[0]


@router.delete("/roles/{name}", response=removed(), summary="Remove a role")
def remove_role(request: Request, name: RoleName, if_match: IfMatch = None) -> Status[None]:
    """From everybody who has it. Needs users.edit, and its rights, for all sites."""
    need_anywhere(request, Right.USERS, "see roles")
    role = find(request, name)
    may_change(request, role.rights)
    must_match(if_match, RoleOut, show([role])[0])
    with an_administrator_stays():
        role.delete()
    return Status(204, None)
