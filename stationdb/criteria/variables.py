# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The station's own variables as fields: ``variables.NAME``, ``variables.NAME.KEY``."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F, JSONField, Q, Value
from django.db.models.fields.json import KeyTransform, KeyTransformExact, KeyTransformIsNull

from . import values
from .kinds import EQUALITY, Field, Scope, any_of
from .syntax import Word

PREFIX = "variables."
NAME = re.compile(r"variables((?:\.[A-Za-z_][A-Za-z0-9_]{0,62}){1,5})")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,15})?")


@dataclass(frozen=True)
class VariableField(Field):
    """A variable. What looks like a number or like true or false is found as such and as a text."""

    path: tuple[str, ...]
    operators: tuple[str, ...] = field(default=EQUALITY, kw_only=True)

    @classmethod
    def of(cls, name: str) -> VariableField | None:
        """The field of this name, or None if no variable can be called so."""
        found = NAME.fullmatch(name)
        return cls(name, tuple(found[1][1:].split("."))) if found else None

    def condition(self, operator: str, word: Word, scope: Scope) -> Q:
        text = values.text(word)
        meant: list[Any] = [text]
        if _NUMBER.fullmatch(text) or text.lower() in ("true", "false"):
            meant.append(json.loads(text.lower()))
        return self.filled() & any_of(Q(KeyTransformExact(self._value(), Value(each, JSONField()))) for each in meant)

    def filled(self) -> Q:
        return Q(KeyTransformIsNull(self._value(), False))

    def _value(self) -> Any:
        inner: Any = F("variables")
        for key in self.path:
            inner = KeyTransform(key, inner)
        return inner
