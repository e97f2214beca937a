# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists in pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Query
from pydantic import BaseModel, Field

T = TypeVar("T")

Limit = Annotated[int, Query(description="Rows in a page.", ge=1, le=1000)]
Offset = Annotated[int, Query(description="Rows to pass over.", ge=0, le=10**9)]


class Page(BaseModel, Generic[T]):
    """Some of the rows, in a stable order."""

    items: list[T]
    total: int = Field(description="Rows in all pages.", examples=[1])
    limit: int = Field(examples=[100])
    offset: int = Field(examples=[0])
    next: str | None = Field(description="Where the next page is; null at the end.", examples=[None])


def page(
    request: HttpRequest, rows: QuerySet[Any] | Sequence[Any], limit: int, offset: int, show: Callable[[Sequence[Any]], list[Any]] = list
) -> dict[str, Any]:
    """A page of rows that have an order of their own; show turns those of the page into values."""
    total = rows.count() if isinstance(rows, QuerySet) else len(rows)
    following = offset + limit
    query = request.GET.copy()
    query["limit"], query["offset"] = str(limit), str(following)
    return {
        "items": show(list(rows[offset:following])),
        "total": total,
        "limit": limit,
        "offset": offset,
        "next": f"{request.path}?{query.urlencode()}" if following < total else None,
    }
