# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who asks, and what they may do."""

from __future__ import annotations

from datetime import datetime

from ninja import Router
from pydantic import BaseModel, Field

from ..accounts.middleware import Request
from ..registry.models import Site
from .answers import read

router = Router()


class Me(BaseModel):
    """Who asks."""

    user: str = Field(examples=["alice"])
    token: str | None = Field(description="The name of the token that was used.", examples=["ansible"])
    expires: datetime | None = Field(description="When the token ends.")
    rights: dict[str, list[str] | None] = Field(
        description="For each right the sites for which you have it; null is every site.", examples=[{"stations.view": ["paris"]}]
    )


@router.get("/me", response=read(Me), summary="Who you are and what you may do")
def me(request: Request) -> dict[str, object]:
    """Use it to check a token before you rely on it."""
    perimeter = request.perimeter
    slugs = dict(Site.objects.within(perimeter).values_list("id", "slug"))
    return {
        "user": request.user.get_username(),
        "token": request.token.name if request.token else None,
        "expires": request.token.expires if request.token else None,
        "rights": {
            right: None if ids is None else sorted(slugs[each] for each in ids if each in slugs) for right, ids in perimeter.sites.items()
        },
    }
