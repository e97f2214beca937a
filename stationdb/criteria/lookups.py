# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Conditions on texts that mean the same in every database.

Case does not count for ASCII letters: that is what SQLite's LIKE and UPPER do, and what PostgreSQL's do in the collation C. There it is
also several times faster than in a language's collation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Q
from django.db.models.expressions import Combinable
from django.db.models.functions import Lower
from django.db.models.lookups import Exact, IRegex, Lookup
from django.db.models.sql.compiler import SQLCompiler

if TYPE_CHECKING:
    _Lookup = Lookup[Any]
else:
    _Lookup = Lookup

Sql = tuple[str, Any]
_ASCII_UPPER = {small: small - 32 for small in range(ord("a"), ord("z") + 1)}


class _Folding(_Lookup):
    """Left: a text. Right: capitals."""

    prepare_rhs = False
    operation = ""

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, folded: str = "UPPER({})") -> Sql:
        left, left_values = self.process_lhs(compiler, connection)
        right, right_values = self.process_rhs(compiler, connection)
        return f"{folded.format(left)} {self.operation.format(right)}", (*left_values, *right_values)

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Sql:
        return self.as_sql(compiler, connection, 'UPPER({} COLLATE "C")')


class _Same(_Folding):
    operation = "= {}"


class _Like(_Folding):
    operation = r"LIKE {} ESCAPE '\'"

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Sql:
        return self.as_sql(compiler, connection, "{}")


class _LikeExactly(_Like):
    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Sql:
        return self.as_sql(compiler, connection, "{}")


def same(column: str | Combinable, text: str) -> Q:
    """The column is this text."""
    return Q(_Same(_text(column), text.translate(_ASCII_UPPER)))


def contains(column: str | Combinable, text: str) -> Q:
    """The column has this text in it."""
    return Q(_Like(_text(column), f"%{_escaped(text)}%"))


def begins(column: str | Combinable, text: str) -> Q:
    """The column begins with this text."""
    return Q(_Like(_text(column), f"{_escaped(text)}%"))


def spelled(column: str | Combinable, pattern: str) -> Q:
    """The column, in which each text has one spelling, is like this pattern of SQL."""
    return Q(_LikeExactly(_text(column), pattern))


def like_regex(column: str | Combinable, pattern: str) -> Q:
    """The column is like a regular expression of few signs, which mean the same in every database; case does not count."""
    return Q(IRegex(_text(column), pattern))


def searched(text: str) -> Q:
    """Stations that have this text in what is searched for words without a field."""
    return spelled("searched", f"%{_escaped(text)}%")


def matches(column: str | Combinable, pattern: str) -> Q:
    """The column is like the pattern, where * stands for any characters and ? for one; a pattern with neither is contained in it."""
    if not is_glob(pattern):
        return contains(column, pattern)
    return Q(_Like(_text(column), _escaped(pattern).replace("*", "%").replace("?", "_")))


def is_glob(pattern: str) -> bool:
    """Whether a pattern has * or ?."""
    return "*" in pattern or "?" in pattern


def same_name(text: str) -> Q:
    """The station's name is this one: found by the index that keeps names unique."""
    return Q(Exact(Lower("name"), text.lower()))


def nobody() -> Q:
    """No station."""
    return Q(pk__in=())


def _text(column: str | Combinable) -> Any:
    return F(column) if isinstance(column, str) else column


def _escaped(text: str) -> str:
    for special in ("\\", "%", "_"):
        text = text.replace(special, f"\\{special}")
    return text.translate(_ASCII_UPPER)
