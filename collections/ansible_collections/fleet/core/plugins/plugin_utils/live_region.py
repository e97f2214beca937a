# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines at the bottom of a terminal that are redrawn in place, below text that scrolls.

The cursor rests on an empty line above the region. Whoever prints without asking us (a warning of Ansible itself) therefore prints
on that line and the region scrolls on; it is put right at the next drawing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TextIO

ERASE_BELOW = "\x1b[J"


class LiveRegion:
    """The lines that are shown now; none at first."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shown = False

    def draw(self, lines: Sequence[str]) -> None:
        """Show these lines instead of the ones before. Each must be narrower than the terminal."""
        if not lines:
            self.erase()
            return
        up = f"\x1b[{len(lines)}A"
        self._stream.write(f"\r{ERASE_BELOW}\n" + "\n".join(lines) + f"\r{up}")
        self._stream.flush()
        self._shown = True

    def erase(self) -> None:
        """Take the lines away; the next text is written where the region began."""
        if self._shown:
            self._stream.write(f"\r{ERASE_BELOW}")
            self._stream.flush()
            self._shown = False


class RegionAwareDisplay:
    """Ansible's display, that takes the region away before it prints."""

    def __init__(self, display: Any, region: LiveRegion) -> None:
        self._display = display
        self._region = region

    def __getattr__(self, name: str) -> Any:
        return getattr(self._display, name)

    def display(self, *args: Any, **kwargs: Any) -> None:
        """Print a line."""
        self._region.erase()
        self._display.display(*args, **kwargs)

    def banner(self, *args: Any, **kwargs: Any) -> None:
        """Print a heading."""
        self._region.erase()
        self._display.banner(*args, **kwargs)
