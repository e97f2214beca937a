# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A terminal as far as Ansible and the bars use one: lines that wrap and scroll, cursor up, erase below (ECMA-48)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

TOKEN = re.compile(r"\x1b\[([0-9;]*)([A-Za-z])|([\r\n])|([^\x1b\r\n])")


@dataclass
class Terminal:
    lines: int
    columns: int
    gone: list[str] = field(default_factory=list)
    screen: list[str] = field(default_factory=lambda: [""])
    row: int = 0
    column: int = 0

    @classmethod
    def after(cls, text: str, lines: int, columns: int) -> Terminal:
        """Return a terminal that has received this text."""
        terminal = cls(lines, columns)
        for number, command, control, character in TOKEN.findall(text):
            if command:
                terminal._command(command, int(number) if number.isdigit() else 1)
            elif control == "\r":
                terminal.column = 0
            elif control == "\n":
                terminal._down()
            else:
                terminal._put(character)
        return terminal

    def text(self) -> str:
        """Return what is on the screen."""
        return "\n".join(line.rstrip() for line in self.screen)

    def history(self) -> str:
        """Return what has scrolled away and what is on the screen."""
        return "\n".join([*self.gone, self.text()])

    def _command(self, command: str, number: int) -> None:
        if command == "A":
            self.row = max(self.row - number, 0)
        elif command == "J":
            self.screen[self.row] = self.screen[self.row][: self.column]
            del self.screen[self.row + 1 :]

    def _down(self) -> None:
        self.row += 1
        if self.row == len(self.screen):
            self.screen.append("")
        if len(self.screen) > self.lines:
            self.gone.append(self.screen.pop(0).rstrip())
            self.row -= 1

    def _put(self, character: str) -> None:
        if self.column == self.columns:
            self.column = 0
            self._down()
        line = self.screen[self.row].ljust(self.column + 1)
        self.screen[self.row] = line[: self.column] + character + line[self.column + 1 :]
        self.column += 1
