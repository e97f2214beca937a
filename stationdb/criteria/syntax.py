# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From text to nodes. What fields and values mean is not known here."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _
from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from .errors import CriteriaError

MAX_LENGTH = 4000
"""Characters."""
MAX_DEPTH = 25
"""Parentheses and nots inside each other."""

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_OPERATORS = re.compile(r"[=<>!~]+")
_OTHER_OPERATORS = {"==": "=", "===": "=", "!==": "!=", "<>": "!=", "=!": "!=", "=<": "<=", "=>": ">=", "=~": "~", "~=": "~"}


@dataclass(frozen=True)
class Word:
    """A word, or words that belong together, with its place in the text."""

    text: str
    position: int
    length: int
    quoted: bool = False
    parts: tuple[Word, ...] = ()
    """The words of a value that is not quoted."""

    def wrong(self, message: str, remedy: str = "") -> CriteriaError:
        """An error that points at it."""
        return CriteriaError(message, self.position, self.length, remedy)


@dataclass(frozen=True)
class Text:
    """Words to be found somewhere."""

    words: tuple[Word, ...]
    depth: int = 1


@dataclass(frozen=True)
class Comparison:
    """A field compared with a value; with several for the operators ``in`` and ``not in``, which stand between them in no text."""

    field: Word
    operator: str
    values: tuple[Word, ...]
    place: Word
    """Of the operator."""
    depth: int = 1


@dataclass(frozen=True)
class Call:
    """``group(a, b)``."""

    name: Word
    values: tuple[Word, ...]
    depth: int = 1


@dataclass(frozen=True)
class Filled:
    """``has FIELD``."""

    field: Word
    depth: int = 1


@dataclass(frozen=True)
class Software:
    """``software NAME``, perhaps with an operator and versions."""

    name: Word
    pattern: bool
    """Whether it was said that the name is a pattern (~)."""
    operator: str = ""
    values: tuple[Word, ...] = ()
    depth: int = 1


@dataclass(frozen=True)
class Not:
    """The opposite."""

    inner: Node
    depth: int


@dataclass(frozen=True)
class All:
    """Each of the parts."""

    parts: tuple[Node, ...]
    depth: int


@dataclass(frozen=True)
class Some:
    """At least one of the parts."""

    parts: tuple[Node, ...]
    depth: int


Node = Text | Comparison | Call | Filled | Software | Not | All | Some


def parse(text: str) -> Node:
    """The nodes of criteria that are not blank. CriteriaError for what is no such text."""
    check(text)
    try:
        node: Node = parser().parse(text)  # type: ignore[assignment]  # the transformer makes nodes
    except UnexpectedInput as error:
        raise _explained(text, error) from error
    return node


def check(text: str) -> None:
    """Refuse what is too long, too deep, or has quotes or parentheses that are not closed: these are found before anything is parsed."""
    if len(text) > MAX_LENGTH:
        message = _("Criteria have at most %(count)s characters; these have %(length)s.") % {"count": MAX_LENGTH, "length": len(text)}
        raise CriteriaError(message, MAX_LENGTH, len(text) - MAX_LENGTH)
    for position, character in enumerate(text):
        if unicodedata.category(character) in ("Cc", "Cs") and character not in "\t\n\r":
            raise CriteriaError(_("There is a control character here."), position, 1, _("Remove it."))
    opened: list[int] = []
    for position, character in _outside_quotes(text):
        if character in "\"'":
            raise CriteriaError(
                _("This quote is not closed."), position, 1, _("Close it, or put the whole text between the other kind of quotes.")
            )
        if character == "(":
            opened.append(position)
            if len(opened) > MAX_DEPTH:
                raise CriteriaError(_("There are too many parentheses inside each other."), position, 1, _("Write it with fewer."))
        elif not opened:
            raise CriteriaError(_("This parenthesis closes none."), position, 1, _("Remove it."))
        else:
            opened.pop()
    if opened:
        raise CriteriaError(_("This parenthesis is not closed."), opened[-1], 1, _("Close it."))


def _outside_quotes(text: str) -> Iterator[tuple[int, str]]:
    """Parentheses, and quotes that nothing closes."""
    position = 0
    while position < len(text):
        quoted = _QUOTED.match(text, position)
        if quoted:
            position = quoted.end()
            continue
        if text[position] in "\"'()":
            yield position, text[position]
        position += 1


@cache
def parser() -> Lark:
    """The parser, made once: LALR, whose time is that of the text's length."""
    grammar = Path(__file__).with_name("language.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer="contextual", transformer=_Nodes(), maybe_placeholders=False)


@v_args(inline=True)
class _Nodes(Transformer[Any, Any]):
    """Methods have the names that the grammar gives."""

    def value(self, *tokens: Token) -> Word:
        return _word(*tokens)

    def comparison(self, field: Token, operator: Token, value: Word) -> Comparison:
        return Comparison(_word(field), str(operator), (value,), _word(operator))

    def one_of(self, field: Token, *values: Word) -> Comparison:
        return Comparison(_word(field), "in", values, _word(field))

    def none_of(self, field: Token, *values: Word) -> Comparison:
        return Comparison(_word(field), "not in", values, _word(field))

    def call(self, name: Token, *values: Word) -> Call:
        return Call(_word(name), values)

    def filled(self, field: Token) -> Filled:
        return Filled(_word(field))

    def software(self, *parts: Token) -> Software:
        return Software(_word(parts[-1]), _is_pattern(parts))

    def software_version(self, *parts: Any) -> Software:
        *program, operator, value = parts
        return Software(_word(program[-1]), _is_pattern(program), str(operator), (value,))

    def software_one_of(self, *parts: Any) -> Software:
        return self._software_in("in", parts)

    def software_none_of(self, *parts: Any) -> Software:
        return self._software_in("not in", parts)

    def _software_in(self, operator: str, parts: tuple[Any, ...]) -> Software:
        program = [part for part in parts if isinstance(part, Token)]
        return Software(_word(program[-1]), _is_pattern(program), operator, tuple(part for part in parts if isinstance(part, Word)))

    def text(self, *tokens: Token) -> Text:
        return Text(tuple(_word(token) for token in tokens))

    def negation(self, inner: Node) -> Not:
        return Not(inner, _deeper(inner))

    def both(self, *parts: Node) -> All:
        return All(parts, _deeper(*parts))

    def either(self, *parts: Node) -> Some:
        return Some(parts, _deeper(*parts))


def _word(*tokens: Token) -> Word:
    first, last = tokens[0], tokens[-1]
    position, end = first.start_pos or 0, last.end_pos or 0
    if first.type == "QUOTED":
        return Word(_ESCAPED.sub(r"\1", first[1:-1]), position, end - position, True)
    parts = tuple(Word(str(token), token.start_pos or 0, len(token)) for token in tokens) if len(tokens) > 1 else ()
    return Word(" ".join(tokens), position, end - position, False, parts)


def _is_pattern(parts: Any) -> bool:
    """Of an operator, if any, and a name."""
    if len(parts) == 1:
        return False
    operator = _word(parts[0])
    if operator.text not in ("=", "~"):
        raise operator.wrong(
            _("A software's name comes before this: software “name” < 2.0, not software < 2.0."),
        )
    return operator.text == "~"


def _deeper(*nodes: Node) -> int:
    depth = 1 + max(node.depth for node in nodes)
    if depth > 2 * MAX_DEPTH:
        raise CriteriaError(_("The criteria are too deep."), 0, 0, _("Write them with fewer parentheses and nots."))
    return depth


def _explained(text: str, error: UnexpectedInput) -> CriteriaError:
    """An error in words, for what the parser did not expect."""
    operator = _misspelt(text, error)
    if operator:
        return operator
    if isinstance(error, UnexpectedCharacters):
        position = error.pos_in_stream or 0
        return CriteriaError(_("“%(text)s” has no meaning here.") % {"text": text[position]}, position, 1)
    if not isinstance(error, UnexpectedToken):
        return CriteriaError(_("Something is missing at the end."), len(text), 0)
    token = error.token
    if token.type == "$END":
        end = len(text.rstrip())
        message, remedy = _missing(error.accepts)
        return CriteriaError(message % {"before": text.split()[-1]}, end, 0, remedy)
    word = _word(token)
    if "_AND" in error.accepts:
        remedy = _("Put quotes around a text with spaces.") if token.type in ("FIELD", "WORD", "QUOTED") else ""
        return word.wrong(_("“and” or “or” is missing before “%(text)s”.") % {"text": word.text}, remedy)
    before = text[: word.position].split()
    message, remedy = _missing(error.accepts) if before else (_("Criteria cannot begin with “%(text)s”."), "")
    return word.wrong(message % {"before": before[-1] if before else "", "text": word.text}, remedy)


def _misspelt(text: str, error: UnexpectedInput) -> CriteriaError | None:
    """An error for an operator of other languages, of which the parser takes the beginning for one of its own."""
    for found in _OPERATORS.finditer(text):
        meant = _OTHER_OPERATORS.get(found[0])
        if meant and found.start() < (error.pos_in_stream or 0) < found.end():
            message = _("“%(text)s” is no operator.") % {"text": found[0]}
            return CriteriaError(message, found.start(), len(found[0]), _("Write %(operator)s.") % {"operator": meant})
    return None


def _missing(accepts: set[str]) -> tuple[str, str]:
    """What is missing, and the remedy."""
    if "WORD" in accepts:
        return _("A value is missing after “%(before)s”."), ""
    if "FIELD" in accepts and "_NOT" not in accepts:
        if "QUOTED" in accepts:
            return _("The name of a software is missing after “%(before)s”."), _("Write it as software “libreoffice” < 24.2.")
        return _("A field is missing after “%(before)s”."), _("Write it as has serial.")
    if "FIELD" in accepts:
        return _("A condition is missing after “%(before)s”."), ""
    if "_IN" in accepts:
        return _("“in” is missing after “%(before)s”."), ""
    return _("Something is missing after “%(before)s”."), ""
