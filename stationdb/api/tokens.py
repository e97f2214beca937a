# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens of users whom one manages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from ninja import Router
from ninja.responses import Status
from pydantic import BaseModel, Field

from ..accounts.managing import as_if_active, exceeds, outranks, tokens_within
from ..accounts.middleware import Request
from ..accounts.models import Token
from ..accounts.rights import Right
from ..errors import Denied, Fault, Faulty, Missing, Taken
from . import users
from .answers import created, read, removed
from .auth import need_anywhere
from .paging import Limit, Offset, Page, page
from .roles import Rights
from .types import NO_NUL, Given, TokenName, UserName

router = Router()


class TokenNew(Given):
    """A token to make."""

    name: str = Field(pattern=NO_NUL, min_length=1, max_length=100, examples=["ansible"])
    scopes: Rights = Field(description="Rights that it has, as far as its user has them.")
    days: int = Field(90, ge=1, le=1830, description="Days until it expires.")


class TokenOut(BaseModel):
    """A token, without its secret."""

    name: str = Field(examples=["ansible"])
    scopes: list[str] = Field(examples=[["stations.view"]])
    created: datetime
    expires: datetime
    last_used: datetime | None = Field(description="To the minute.")


class TokenMade(TokenOut):
    """A token with its secret."""

    secret: str = Field(description="Nobody can read it again.", examples=["fleet_…"])


def show(tokens: Sequence[Token]) -> list[dict[str, Any]]:
    """Tokens as they are answered."""
    return [
        {name: getattr(token, name) for name in ("name", "created", "expires", "last_used")} | {"scopes": sorted(token.scopes)}
        for token in tokens
    ]


@router.get("/users/{name}/tokens", response=read(Page[TokenOut]), summary="Tokens of a user")
def list_tokens(request: Request, name: UserName, limit: Limit = 100, offset: Offset = 0) -> dict[str, Any]:
    """In the order of their names; none of a user who has rights that you do not have."""
    need_anywhere(request, Right.USERS, "manage tokens")
    return page(request, tokens_within(request.perimeter, users.find(request, name)).order_by("name"), limit, offset, show)


@router.post("/users/{name}/tokens", response=created(TokenMade), summary="Make a token")
def add_token(request: Request, name: UserName, given: TokenNew) -> Status[dict[str, Any]]:
    """The answer holds its secret, once. Needs users.edit, and every right that it will have."""
    need_anywhere(request, Right.USERS, "manage tokens")
    user = users.find(request, name)
    if (user != request.user and not outranks(request.perimeter, user)) or exceeds(
        request.perimeter, as_if_active(user).limited(given.scopes)
    ):
        raise Denied("The token would have rights that you do not have.", "Ask who has them.", "body.scopes")
    lacking = sorted(scope for scope in set(given.scopes) if not as_if_active(user).has(scope))
    if lacking:
        # Else the token would become stronger the day the user does, long after anybody looked at it.
        what = f"The user does not have these rights: {', '.join(lacking)}."
        raise Faulty([Fault(what, "body.scopes", "Leave them out, or give the user a role that has them first.")])
    if tokens_within(request.perimeter, user).filter(name=given.name).exists():
        raise Taken("The user has a token of this name.", "Choose another, or remove that one first.", "body.name")
    token, secret = Token.issue(user, given.name, sorted(set(given.scopes)), timedelta(days=given.days))
    return Status(201, show([token])[0] | {"secret": secret})


@router.delete("/users/{name}/tokens/{token}", response=removed(), summary="Remove a token")
def remove_token(request: Request, name: UserName, token: TokenName) -> Status[None]:
    """It opens nothing from now on."""
    need_anywhere(request, Right.USERS, "manage tokens")
    found = tokens_within(request.perimeter, users.find(request, name)).filter(name=token).first()
    if found is None:
        raise Missing("There is no such token.", "Look at the user's tokens for those there are.", "path.token")
    found.delete()
    return Status(204, None)
