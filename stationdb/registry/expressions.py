# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Expressions of SQL that mean the same in every database."""

from __future__ import annotations

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import CharField, Func, TextField
from django.db.models.sql.compiler import SQLCompiler

Sql = tuple[str, Any]


class AddressText(Func):
    """An IP address as text: PostgreSQL has a type of its own for them."""

    arity = 1
    output_field = CharField()
    template = "%(expressions)s"

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Sql:
        return self.as_sql(compiler, connection, template="HOST(%(expressions)s)", **context)


class CapitalLines(Func):
    """Texts as the lines of one, with ASCII letters in capitals: one column to search instead of many."""

    output_field = TextField()
    template = "UPPER(%(expressions)s)"
    arg_joiner = " || CHAR(10) || "

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Sql:
        template = 'UPPER((%(expressions)s) COLLATE "C")'
        return self.as_sql(compiler, connection, template=template, arg_joiner=" || CHR(10) || ", **context)
