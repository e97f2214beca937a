# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages of lists that may be long: each begins after the last row of the one before, so that page 2,000 costs what page 1 does."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import models
from django.db.models import F, Q
from django.http import QueryDict

M = TypeVar("M", bound=models.Model)

SIZE = 50
"""Rows of a page."""

COUNTED = 10_000
"""Rows that are counted; beyond, a list says "more than"."""


@dataclass(frozen=True)
class Page(Generic[M]):
    """Some rows of a list, and where the pages beside it begin."""

    rows: list[M]
    earlier: str
    """The query of the page before; empty on the first."""
    later: str
    first: str
    """The query of the first page."""
    sort: str


def paged(rows: models.QuerySet[M], query: QueryDict, sorts: dict[str, str], *, size: int = SIZE, default: str = "name") -> Page[M]:
    """The page that a query asks for with ``sort`` (a key of sorts, with a hyphen for descending), ``after`` and ``before``.

    Sorts maps keys to the fields that rows are ordered by; the primary key decides between equals. What is empty comes last. A sort or a
    place that is not understood is the first page of the default.
    """
    sort = query.get("sort", default)
    if sort.lstrip("-") not in sorts:
        sort = default
    field, descending = sorts[sort.lstrip("-")], sort.startswith("-")
    backwards = "before" in query and "after" not in query
    place = _read(query.get("before" if backwards else "after", ""), rows.model, field)
    if place is not None:
        rows = rows.filter(_beyond(rows.model, field, place, descending, backwards))
    downwards = descending != backwards
    if downwards and not backwards and _nullable(rows.model, field):
        # An index has its empty values first when it is read downwards, so they are asked for after the others.
        found = list(rows.filter(**{f"{field}__isnull": False}).order_by(F(field).desc(), "-pk")[: size + 1])
        if len(found) <= size:
            found += rows.filter(**{f"{field}__isnull": True}).order_by("-pk")[: size + 1 - len(found)]
    else:
        nulls = {"nulls_first" if backwards else "nulls_last": True} if _nullable(rows.model, field) else {}
        order = F(field).desc(**nulls) if downwards else F(field).asc(**nulls)
        found = list(rows.order_by(order, "-pk" if downwards else "pk")[: size + 1])
    more, found = len(found) > size, found[:size]
    if backwards:
        found.reverse()
    has_earlier = more if backwards else place is not None
    has_later = (place is not None) if backwards else more

    def beside(**change: str) -> str:
        made = query.copy()
        for name in ("after", "before"):
            made.pop(name, None)
        for name, value in change.items():
            made[name] = value
        return made.urlencode()

    return Page(
        rows=found,
        earlier=beside(before=_write(found[0], field)) if has_earlier and found else "",
        later=beside(after=_write(found[-1], field)) if has_later and found else "",
        first=beside(),
        sort=sort,
    )


def counted(rows: models.QuerySet[Any], page: Page[Any] | None = None) -> tuple[int, bool]:
    """How many rows there are, at most COUNTED, and whether there are more; a page that has them all needs no further query."""
    if page is not None and not page.earlier and not page.later:
        return len(page.rows), False
    number = rows.order_by()[: COUNTED + 1].count()
    return min(number, COUNTED), number > COUNTED


def _beyond(model: type[models.Model], field: str, place: tuple[Any, Any], descending: bool, backwards: bool) -> Q:
    value, pk = place
    step = "lt" if descending != backwards else "gt"
    if value is None:
        same = Q(**{f"{field}__isnull": True, f"pk__{step}": pk})
        return same | Q(**{f"{field}__isnull": False}) if backwards else same
    # The first condition follows from the second, and lets an index begin there.
    beyond = Q(**{f"{field}__{step}e": value}) & (Q(**{f"{field}__{step}": value}) | Q(**{field: value, f"pk__{step}": pk}))
    return beyond | Q(**{f"{field}__isnull": True}) if _nullable(model, field) and not backwards else beyond


def _nullable(model: type[models.Model], path: str) -> bool:
    return bool(getattr(_field(model, path), "null", False))


def _field(model: type[models.Model], path: str) -> Any:
    field: Any = None
    for name in path.split("__"):
        try:
            field = model._meta.get_field(name)
        except FieldDoesNotExist:  # an annotation
            return None
        if field.related_model:
            model = field.related_model
    return field


def _write(row: models.Model, path: str) -> str:
    value: Any = row
    for name in path.split("__"):
        value = getattr(value, name)
    if isinstance(value, datetime):
        value = value.isoformat()
    return base64.urlsafe_b64encode(json.dumps([value, row.pk]).encode()).decode().rstrip("=")


def _read(text: str, model: type[models.Model], path: str) -> tuple[Any, Any] | None:
    try:
        value, pk = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        field, identity = _field(model, path), model._meta.pk
        convert: Callable[[Any], Any] = field.to_python if field is not None else lambda each: each
        if isinstance(value, (list, dict)) or (isinstance(value, str) and "\0" in value):
            return None
        place = convert(value), identity.to_python(pk) if identity is not None else pk
        return None if place[1] is None or place[1] != pk or abs(int(pk)) >= 1 << 63 else place
    except (ValueError, TypeError, ValidationError, binascii.Error, OverflowError):
        return None
