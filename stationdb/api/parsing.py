# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bodies in JSON, taken strictly: what a database or another program could not keep is refused before anything looks at it."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from django.http import HttpRequest
from ninja.parser import Parser

from ..errors import Fault, Faulty

DEPTH = 40
"""Levels of a document; Python's own limit is about a thousand, a database's differs."""


class StrictParser(Parser):
    """JSON as RFC 8259 has it: UTF-8, no name twice, no NaN, numbers and characters that can be stored."""

    def parse_body(self, request: HttpRequest) -> Any:
        try:
            data = json.loads(
                request.body.decode("utf-8"), object_pairs_hook=_once, parse_constant=_constant, parse_float=_float, parse_int=_int
            )
        except UnicodeDecodeError as error:
            refuse("The body is not UTF-8.", f"Encode it as UTF-8; byte {error.start} is not.", error)
        except json.JSONDecodeError as error:
            refuse(f"The body is not JSON: {error.msg}, line {error.lineno}, column {error.colno}.", "Correct it there.", error)
        except RecursionError as error:
            refuse("The body is nested too deep.", f"Use at most {DEPTH} levels.", error)
        check(data)
        return data


def refuse(what: str, remedy: str, cause: Exception | None = None) -> NoReturn:
    """Faulty, about the body."""
    raise Faulty([Fault(what, "body", remedy)]) from cause


def check(value: Any, depth: int = 0) -> None:
    """Refuse what PostgreSQL cannot store in text: the character NUL, halves of surrogate pairs."""
    if depth > DEPTH:
        refuse("The body is nested too deep.", f"Use at most {DEPTH} levels.")
    if isinstance(value, str):
        if not storable(value):
            refuse("A text contains a character that cannot be stored (NUL, or half a surrogate pair).", "Remove the character.")
    elif isinstance(value, dict):
        for key, each in value.items():
            check(key, depth + 1)
            check(each, depth + 1)
    elif isinstance(value, list):
        for each in value:
            check(each, depth + 1)


def storable(text: str) -> bool:
    """Whether every database can store the text."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text) if not text.isascii() else "\0" not in text


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        refuse("An object has a name twice.", "Leave one of them out.")
    return found


def _constant(name: str) -> NoReturn:
    refuse(f"{name} is not JSON.", "Use a number or null.")


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        refuse("A number is too large.", "Use a number below 1e308.")
    return value


def _int(text: str) -> int:
    if len(text) > 30:
        refuse("A number is too large.", "Write it as a text.")
    return int(text)
