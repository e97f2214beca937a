# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Criteria: are they right, and how many stations meet them."""

from __future__ import annotations

from typing import Any

from ninja import Router
from pydantic import BaseModel, Field

from ..accounts.middleware import Request
from ..accounts.rights import Right
from ..criteria import CriteriaError
from ..criteria import compile as compile_criteria
from ..registry.models import Station
from .answers import changed
from .auth import need_anywhere
from .problems import ProblemPart
from .types import Given

router = Router()


class CriteriaGiven(Given):
    """Criteria to look at."""

    criteria: str = Field(max_length=10_000, examples=['ram < 8 GiB and software "libreoffice" < 24.2 and tag = ALPHA'])


class CriteriaAnswer(BaseModel):
    """Whether the criteria can be followed, and what they choose."""

    valid: bool = Field(examples=[True])
    count: int | None = Field(description="Stations of your perimeter that meet them; null when they are wrong.", examples=[12])
    error: ProblemPart | None = Field(description="What is wrong, with the position and the length of it.")


@router.post("/criteria", response=changed(CriteriaAnswer), summary="Look at criteria")
def check_criteria(request: Request, given: CriteriaGiven) -> dict[str, Any]:
    """Says whether they are right, and at which characters they are not; counts the stations of your perimeter. Changes nothing."""
    need_anywhere(request, Right.VIEW, "look at criteria")
    try:
        stations = Station.objects.within(request.perimeter).filter(compile_criteria(given.criteria, request.perimeter))
    except CriteriaError as error:
        return {"valid": False, "count": None, "error": error.faults[0].as_dict()}
    return {"valid": True, "count": stations.count(), "error": None}
