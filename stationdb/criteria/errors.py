# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with criteria, and where."""

from __future__ import annotations

from ..errors import Fault, Faulty


class CriteriaError(Faulty):
    """Criteria that nobody can follow. Position counts characters from 0, length those that are wrong (0 at the end of the text)."""

    def __init__(self, message: str, position: int, length: int, remedy: str = "") -> None:
        super().__init__([Fault(message, "criteria", remedy, position=position, length=length)])
        self.message = message
        self.remedy = remedy
        self.position = position
        self.length = length

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".rstrip()

    def __reduce__(self) -> tuple[type[CriteriaError], tuple[str, int, int, str]]:
        return CriteriaError, (self.message, self.position, self.length, self.remedy)


def pointed(text: str, error: CriteriaError, width: int = 100) -> str:
    """For terminals: the line of the criteria, a caret under what is wrong, and the message. Long lines are cut to about width."""
    start = text.rfind("\n", 0, error.position) + 1
    line = text[start:].split("\n", 1)[0].replace("\t", " ")
    column = error.position - start
    left = max(0, min(column - width // 2, len(line) - width))
    shown = line[left : left + width]
    before, after = "…" if left else "", "…" if left + width < len(line) else ""
    column += len(before) - left
    carets = "^" * max(1, min(error.length, len(before) + len(shown) - column))
    return f"{before}{shown}{after}\n{' ' * column}{carets}\n{error}"
