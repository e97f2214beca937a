# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ETags: what was read has a mark; who changes it can say which they read, and is told when it is no longer that (RFC 9110, 13.1)."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, TypeVar

from django.db import transaction
from django.db.models import Model, QuerySet
from ninja import Header
from ninja.responses import NinjaJSONEncoder
from pydantic import BaseModel

from ..errors import Outdated

M = TypeVar("M", bound=Model)

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        description="The ETag of what you read: the change is refused with 412 when it is something else by now.",
        max_length=2000,
    ),
]


def etag_of(data: Any) -> str:
    """The mark of an answer's data, of what was read by whoever asks."""
    text = json.dumps(data, cls=NinjaJSONEncoder, sort_keys=True)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def matches(header: str, etag: str) -> bool:
    """Whether one of the marks of an If-Match or If-None-Match header is this one. A mark weakened on the way (``W/``) is the same here."""
    return any(each.strip() in ("*", etag) or each.strip() == f"W/{etag}" for each in header.split(","))


def must_match(header: str | None, shape: type[BaseModel], data: Any) -> None:
    """Outdated unless the header is absent or names what the data is now."""
    if header is not None and not matches(header, etag_of(shape.model_validate(data).model_dump())):
        raise Outdated("Somebody changed it since you read it.", "Read it again, then decide.", "If-Match")


def locked(rows: QuerySet[M]) -> QuerySet[M]:
    """Rows that nobody else changes until this transaction ends. Operations that only read have none, and lock nothing."""
    return rows.select_for_update(of=("self",)) if transaction.get_connection().in_atomic_block else rows
