# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON taken strictly: what a database or another program could not keep is refused before anything looks at it."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

DEPTH = 40
"""Levels of a document; Python's own limit is about a thousand, a database's differs."""


class JSONError(ValueError):
    """A text that is no JSON, or JSON that cannot be stored; remedy says what to do."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


def loads(data: str | bytes) -> Any:
    """The value, as RFC 8259 has it: UTF-8, no name twice, no NaN, numbers and characters that can be stored. JSONError otherwise."""
    try:
        text = data if isinstance(data, str) else data.decode("utf-8")
        value = json.loads(text, object_pairs_hook=_once, parse_constant=_constant, parse_float=_float, parse_int=_int)
    except UnicodeDecodeError as error:
        raise JSONError("It is not UTF-8.", f"Encode it as UTF-8; byte {error.start} is not.") from error
    except json.JSONDecodeError as error:
        raise JSONError(f"It is not JSON: {error.msg}, line {error.lineno}, column {error.colno}.", "Correct it there.") from error
    except RecursionError as error:
        raise JSONError("It is nested too deep.", f"Use at most {DEPTH} levels.") from error
    check(value)
    return value


def check(value: Any, depth: int = 0) -> None:
    """JSONError for what a value holds that cannot be stored."""
    if depth > DEPTH:
        raise JSONError("It is nested too deep.", f"Use at most {DEPTH} levels.")
    if isinstance(value, str):
        if not storable(value):
            raise JSONError("A text contains a character that cannot be stored (NUL, or half a surrogate pair).", "Remove the character.")
    elif isinstance(value, dict):
        for key, each in value.items():
            check(key, depth + 1)
            check(each, depth + 1)
    elif isinstance(value, list):
        for each in value:
            check(each, depth + 1)


def storable(text: str) -> bool:
    """Whether every database can store the text: PostgreSQL has no NUL, and UTF-8 no halves of surrogate pairs."""
    return "\0" not in text and (text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise JSONError("An object has a name twice.", "Leave one of them out.")
    return found


def _constant(name: str) -> NoReturn:
    raise JSONError(f"{name} is not JSON.", "Use a number or null.")


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise JSONError("A number is too large.", "Use a number below 1e308.")
    return value


def _int(text: str) -> int:
    if len(text) > 30:
        raise JSONError("A number is too large.", "Write it as a text.")
    return int(text)
