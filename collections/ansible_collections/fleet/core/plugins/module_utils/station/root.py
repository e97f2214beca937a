# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filesystem and the tools of the station that is described."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Callable, Optional, TypeVar, cast

from ..command import available, run
from ..errors import ToolError

LIMIT = 64 << 20
"""Bytes of a file that are read at most; a package database of 5,000 packages has 8 MiB."""

TOOL_TIMEOUT = 60.0
"""Seconds for one tool: a disk that answers no more must not hold the whole report."""

Tools = Callable[[Sequence[str]], str]
T = TypeVar("T")


class Root:
    """A station: the running one (path ``/``), or a captured tree, which has files but no tools unless some are given."""

    def __init__(self, path: Path = Path("/"), tools: Optional[Tools] = None) -> None:
        self.path = path
        self.live = path == Path("/")
        self._tools = tools
        self._kept: dict[str, object] = {}

    def once(self, make: Callable[[Root], T]) -> T:
        """Return what a function makes of this root, made the first time only: several sections stand on the same tables."""
        name = f"{make.__module__}.{make.__qualname__}"
        if name not in self._kept:
            self._kept[name] = make(self)
        return cast(T, self._kept[name])

    def at(self, name: str) -> Path:
        """Return where an absolute path of the station is found."""
        return self.path / name.lstrip("/")

    def data(self, name: str) -> bytes:
        """Return a file's bytes; none when it is missing or unreadable, as many attributes of /sys are."""
        try:
            with open(self.at(name), "rb") as file:
                return file.read(LIMIT)
        except OSError:
            return b""

    def text(self, name: str) -> str:
        """Return a file's text without white space around it; empty when it is missing or unreadable."""
        return self.data(name).decode("utf-8", "replace").strip()

    def need(self, name: str) -> str:
        """Return a file's text; ToolError when it cannot be read."""
        try:
            with open(self.at(name), "rb") as file:
                return file.read(LIMIT).decode("utf-8", "replace")
        except OSError as error:
            raise ToolError(f"cannot read {name}: {error.strerror}") from error

    def number(self, name: str, base: int = 10) -> Optional[int]:
        """Return a file's number; None when it is missing or none."""
        try:
            return int(self.text(name), base)
        except ValueError:
            return None

    def names(self, folder: str) -> list[str]:
        """Return what lies in a folder, sorted; nothing when it is missing."""
        try:
            return sorted(os.listdir(self.at(folder)))
        except OSError:
            return []

    def exists(self, name: str) -> bool:
        """Whether there is a file or folder."""
        return self.at(name).exists()

    def target(self, name: str) -> str:
        """Return the last part of what a symbolic link points at, such as a device's driver; empty when it is none."""
        try:
            return os.path.basename(os.readlink(self.at(name)))
        except OSError:
            return ""

    def has(self, tool: str) -> bool:
        """Whether a tool can be run."""
        return self._tools is not None or (self.live and available(tool))

    def tool(self, *argv: str, ok: Optional[Sequence[int]] = (0,)) -> str:
        """Return what a tool prints; ToolError when it is not here, fails or takes too long."""
        if self._tools is not None:
            return self._tools(argv)
        if not self.live:
            raise ToolError(f"{argv[0]} cannot be run in {self.path}")
        return run(argv, ok=ok, timeout=TOOL_TIMEOUT).stdout
