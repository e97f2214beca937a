# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may come next in the criteria box: fields, operators, values, connectives.

Looks at the last words only, so that it also helps in the middle of something that is not criteria yet.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _

from ..accounts.perimeter import Perimeter
from ..criteria.compiler import Compilation
from ..criteria.fields import CALLS, FIELDS, find
from .holdings import seen

MOST = 12
"""Options at once."""

TOKENS = re.compile(
    r"""(?P<quoted>"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?)|(?P<operator>!=|!~|<=|>=|[<>=~])|(?P<mark>[(),])|(?P<word>[^\s"'(),=<>!~]+)"""
)
CONNECTIVES = ("and", "or", "not")


@dataclass(frozen=True)
class Option:
    """A text that takes the place of what is written from start to the cursor; what it is."""

    start: int
    text: str
    shown: str
    what: str


@dataclass(frozen=True)
class Token:
    """A word of the text."""

    kind: str
    text: str
    start: int
    end: int


def completions(text: str, perimeter: Perimeter) -> list[Option]:
    """Options for the end of a text."""
    tokens = [Token(str(found.lastgroup), found[0], found.start(), found.end()) for found in TOKENS.finditer(text)]
    begun = tokens[-1] if tokens and tokens[-1].end == len(text) and tokens[-1].kind in ("word", "quoted") else None
    before = tokens[:-1] if begun else tokens
    beginning = begun.text if begun else ""
    start = begun.start if begun else len(text)
    last = before[-1] if before else None
    if last is None or last.text.lower() in CONNECTIVES or (last.text == "(" and not _names_a_call(before)):
        return _fields(beginning, start)
    if last.kind == "operator" or last.text.lower() == "in" or (last.text in "(," and last.kind == "mark"):
        return _values(before, beginning, start, perimeter)
    if last.kind == "word" and last.text.lower() == "software":
        names = seen(perimeter).filter(name__istartswith=beginning.strip("\"'")).order_by("name").values_list("name", flat=True)
        return _quoted(list(dict.fromkeys(names[: 4 * MOST]))[:MOST], start, _("software"))
    if last.kind == "word" and last.text.lower() == "has":
        return [Option(start, f"{name} ", name, _("field")) for name in ("report", *FIELDS) if name.startswith(beginning.lower())][:MOST]
    compared = (
        len(before) > 1 and (before[-2].kind == "operator" or before[-2].text.lower() in ("software", "has", "in"))
    ) or last.text == ")"
    field = None if compared else find(last.text)
    if field is not None and not beginning:
        return [Option(start, f"{operator} ", operator, _("operator")) for operator in field.operators]
    if compared and not beginning and len(before) > 1 and before[-2].text.lower() == "software":
        return [Option(start, f"{operator} ", operator, _("version")) for operator in ("<", "<=", "=", ">=", ">")] + _joined(start, "")
    return _joined(start, beginning)


def _names_a_call(before: list[Token]) -> bool:
    return len(before) > 1 and before[-2].text.lower() in CALLS


def _joined(start: int, beginning: str) -> list[Option]:
    return [Option(start, f"{word} ", word, _("connective")) for word in ("and", "or") if word.startswith(beginning.lower())]


def _fields(beginning: str, start: int) -> list[Option]:
    words = {name: _("field") for name in FIELDS} | {
        "software": _("installed software"),
        "has": _("has a value"),
        "not": _("connective"),
    }
    matching = [name for name in words if name.startswith(beginning.lower())]
    return [Option(start, f"{name} ", name, words[name]) for name in matching][: 3 * MOST]


def _values(before: list[Token], beginning: str, start: int, perimeter: Perimeter) -> list[Option]:
    """Values of the field that stands nearest before."""
    named = next((token for token in reversed(before) if token.kind == "word" and find(token.text) is not None), None)
    field = find(named.text) if named else None
    if field is None:
        return []
    scope = Compilation(perimeter, timezone.now(), ())
    return _quoted(field.suggestions(beginning.strip("\"'"), scope, MOST), start, field.name)


def _quoted(values: list[str], start: int, what: str) -> list[Option]:
    """Values as they must be written: in quotes unless they are one plain word."""
    options = []
    for value in values:
        plain = re.fullmatch(r"[^\s\"'(),=<>!~\\]+", value) and value.lower() not in (*CONNECTIVES, "in", "has", "software")
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        written = value if plain else f'"{escaped}"'
        options.append(Option(start, f"{written} ", value, what))
    return options
