# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists as files: the columns of a list, and the list as CSV or PDF."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.http import HttpResponse, StreamingHttpResponse
from django.utils import timezone

from ..registry.table import harmless
from .pdf import list_document

T = TypeVar("T")

PDF_ROWS = 5000
"""Rows of a list that are printed; CSV has all."""


@dataclass(frozen=True)
class Column(Generic[T]):
    """A column of a list: its title, what it says of a row, and its share of a page's width."""

    title: Any
    value: Callable[[T], Any]
    width: float = 1.0


def filename(name: str, suffix: str) -> str:
    """A harmless file name with the day in it, whatever the name holds."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:80] or "list"
    return f"{plain}-{timezone.localdate():%Y-%m-%d}.{suffix}"


def lines(columns: Sequence[Column[T]], rows: Iterable[T]) -> Iterator[str]:
    """Lines of CSV, the titles first; cells are quoted, and none is a formula."""
    write: Callable[[Iterable[str]], str] = csv.writer(_Lines(), quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow
    yield "\ufeff" + write([str(column.title) for column in columns])
    for row in rows:
        yield write([harmless(text(column.value(row))) for column in columns])


def csv_response(name: str, content: Iterable[str]) -> StreamingHttpResponse:
    """Lines as a download."""
    response = StreamingHttpResponse(content, content_type="text/csv; charset=utf-8")
    return _download(response, filename(name, "csv"))


def csv_list(name: str, columns: Sequence[Column[T]], rows: Iterable[T]) -> StreamingHttpResponse:
    """A list as CSV."""
    return csv_response(name, lines(columns, rows))


def pdf_list(name: str, title: str, subtitle: str, columns: Sequence[Column[T]], rows: Iterable[T], total: int) -> HttpResponse:
    """A list as PDF, as far as PDF_ROWS; total is what the whole list has."""
    body = [[text(column.value(row)) for column in columns] for row in rows]
    document = list_document(title, subtitle, [str(column.title) for column in columns], [column.width for column in columns], body, total)
    return pdf_response(name, document)


def pdf_response(name: str, document: bytes) -> HttpResponse:
    """A PDF as a download."""
    response = HttpResponse(document, content_type="application/pdf")
    return _download(response, filename(name, "pdf"))


R = TypeVar("R", HttpResponse, StreamingHttpResponse)


def _download(response: R, name: str) -> R:
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def text(value: object) -> str:
    """A cell: nothing for None, ISO 8601 for moments."""
    return "" if value is None else value.isoformat(timespec="seconds") if hasattr(value, "isoformat") else str(value)


class _Lines:
    """A file for csv.writer that hands each line back."""

    def write(self, line: str) -> str:
        return line
