# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What could come next while somebody writes criteria: fields, operators, and values that there are within the perimeter."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeVar, cast

from django.db.models import Model, OuterRef, QuerySet, Subquery
from django.db.models.functions import Upper
from django.utils import timezone
from lark import Token
from lark.exceptions import UnexpectedInput

from ..accounts.perimeter import Perimeter
from ..reports.models import Holding, Software, SoftwareVersion
from .compiler import Compilation
from .fields import FIELDS, REPORT, find
from .installed import OPERATORS, named
from .kinds import MomentField, SizeField
from .lookups import begins
from .syntax import MAX_LENGTH, Word, parser

LIMIT = 20
"""Options at once."""

M = TypeVar("M", bound=Model)

_WORD = re.compile(r"[^\s\"'(),=<>!~]*\Z")
_PLAIN = re.compile(r"(?!(?:and|or|not|in|has|software)\Z)[^\s\"'(),=<>!~]+", re.IGNORECASE)


@dataclass(frozen=True)
class Option:
    """Something that could stand there."""

    text: str
    kind: str
    """field, operator, value or word (and, or, not, has, software, a parenthesis)."""
    shown: str = ""
    """A value without the quotes it needs."""
    of: str = ""
    """The field that a value is of; software and version are such as well."""


@dataclass(frozen=True)
class Completion:
    """What to replace, from start to end (characters from 0), and by what."""

    start: int
    end: int
    options: tuple[Option, ...] = ()


def complete(text: str, position: int, perimeter: Perimeter) -> Completion:
    """What could come at the position, which what is written after it has no part in. Nothing where the text before it makes no sense."""
    text = text[: min(position, MAX_LENGTH)]
    quote = _open_quote(text)
    start = quote if quote is not None else _WORD.search(text).start()  # type: ignore[union-attr]  # matches the empty end
    typed = text[start:]
    try:
        state = parser().parse_interactive(text[:start])
        tokens = [token for token in state.exhaust_lexer() if isinstance(token, Token)]
        accepts: set[str] = state.accepts()  # type: ignore[no-untyped-call]  # lark's only method without types
    except (UnexpectedInput, ValueError):
        return Completion(start, len(text))
    return _Place(text, start, typed, tokens, accepts, Compilation(perimeter, timezone.now(), ())).completion()


@dataclass(frozen=True)
class _Place:
    text: str
    start: int
    typed: str
    tokens: list[Token]
    """Before what is typed."""
    accepts: set[str]
    scope: Compilation

    def completion(self) -> Completion:
        last = self.tokens[-1].type if self.tokens else ""
        if last == "_HAS":
            return self._choose([Option(name, "field") for name in (*FIELDS, REPORT)])
        if last == "_SOFTWARE" or (last == "OPERATOR" and len(self.tokens) > 1 and self.tokens[-2].type == "_SOFTWARE"):
            return Completion(self.start, len(self.text), tuple(_value(name, "software") for name in self._software()))
        if "WORD" in self.accepts:
            found = self._values()
            if found.options or "_AND" not in self.accepts:
                return found
        return self._choose([*self._operators(last), *self._connections(), *self._beginnings(last)])

    def _choose(self, options: list[Option]) -> Completion:
        typed = self.typed.lower()
        return Completion(self.start, len(self.text), tuple(each for each in options if each.text.startswith(typed) and each.text != typed))

    def _operators(self, last: str) -> list[Option]:
        if "OPERATOR" not in self.accepts or last not in ("FIELD", "QUOTED"):
            return []
        if len(self.tokens) > 1 and self.tokens[-2].type in ("_SOFTWARE", "OPERATOR"):
            return [Option(each, "operator") for each in OPERATORS]
        field = find(self.tokens[-1])
        return [Option(each, "operator") for each in field.operators] if field else []

    def _connections(self) -> list[Option]:
        words = [word for name, word in (("_AND", "and"), ("_OR", "or"), ("RPAR", ")")) if name in self.accepts]
        if words and self.tokens[-1].type == "FIELD" and find(self.tokens[-1]):
            words = []  # a field stands there, whose operator is missing
        return [Option(word, "word") for word in words] + ([Option("in", "operator")] if self.accepts == {"_IN"} else [])

    def _beginnings(self, last: str) -> list[Option]:
        if "FIELD" not in self.accepts or last in ("FIELD", "QUOTED"):
            return []
        words = [Option(word, "word") for word in ("not", "has", "software", "(") if self.typed or word != "("]
        return [*(Option(name, "field") for name in FIELDS), *words]

    def _values(self) -> Completion:
        """Of the field that stands before the value that is being written, which may have words already."""
        tokens = list(self.tokens)
        start = self.start
        while tokens and tokens[-1].type == "WORD":
            start = tokens.pop().start_pos or 0
        while tokens and tokens[-1].type in ("WORD", "QUOTED", "COMMA", "LPAR", "_IN", "_NOT", "OPERATOR"):
            if tokens[-1].type == "QUOTED" and len(tokens) > 1 and tokens[-2].type in ("_SOFTWARE", "OPERATOR"):
                break
            tokens.pop()
        beginning = self.text[start:].lstrip("\"'")
        if len(tokens) > 1 and any(token.type == "_SOFTWARE" for token in tokens[-3:]) and tokens[-1].type in ("FIELD", "QUOTED"):
            values, of = self._versions(tokens[-1].strip("\"'"), beginning), "version"
        else:
            field = find(tokens[-1]) if tokens and tokens[-1].type == "FIELD" else None
            if field is None:
                return Completion(self.start, len(self.text))
            values, of = field.suggestions(beginning, self.scope, LIMIT), field.name
            if isinstance(field, (SizeField, MomentField)):
                return Completion(start, len(self.text), tuple(Option(value, "value", value, of) for value in values))
        if start != self.start:
            return Completion(self.start, len(self.text))
        return Completion(start, len(self.text), tuple(_value(value, of) for value in values))

    def _software(self) -> list[str]:
        """Names that begin so, of what stations of the perimeter have."""
        held = Holding.objects.within(self.scope.perimeter).filter(software_version__software=OuterRef("pk"))
        found = _that_have(Software.objects.filter(begins("name", self.typed.lstrip("\"'"))), held)
        names = found.order_by(Upper("name"), "name").values_list("name", flat=True)[: 4 * LIMIT]
        return list(dict.fromkeys(names))[:LIMIT]

    def _versions(self, name: str, beginning: str) -> list[str]:
        """Newest first."""
        held = Holding.objects.within(self.scope.perimeter).filter(software_version=OuterRef("pk"))
        software = Software.objects.filter(named(Word(name, 0, 0)))
        found = _that_have(SoftwareVersion.objects.filter(begins("version", beginning), software__in=software).exclude(version=""), held)
        return list(dict.fromkeys(found.order_by("-version_key").values_list("version", flat=True)[: 4 * LIMIT]))[:LIMIT]


def _that_have(rows: QuerySet[M], held: QuerySet[Holding]) -> QuerySet[M]:
    """The rows behind which somebody is found, by a query for each row.

    EXISTS would say the same, but PostgreSQL may turn it around and read all holdings of the fleet first: it does while nobody has
    counted (ANALYZE) a table that has just been filled.
    """
    found = rows.alias(holder=Subquery(held.order_by().values("station_id")[:1])).filter(holder__isnull=False)
    return cast("QuerySet[M]", found)


def _open_quote(text: str) -> int | None:
    """Where a quote begins that nothing closes."""
    opened, position = None, 0
    while position < len(text):
        character = text[position]
        if opened is None:
            opened = position if character in "\"'" else None
        elif character == "\\":
            position += 1
        elif character == text[opened]:
            opened = None
        position += 1
    return opened


def _value(value: str, of: str) -> Option:
    """A value as it can stand in criteria."""
    quoted = '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return Option(value if _PLAIN.fullmatch(value) else quoted, "value", value, of)
