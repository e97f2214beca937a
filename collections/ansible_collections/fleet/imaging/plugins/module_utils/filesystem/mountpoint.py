# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders that filesystems are mounted on for a while. They are only ever removed empty: what is mounted there is somebody's system."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

from ansible_collections.fleet.core.plugins.module_utils.command import run
from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError, ToolError
from ansible_collections.fleet.core.plugins.module_utils.stop import Stop, shielded

_ATTEMPTS = 20
_PAUSE = 0.25
"""Seconds between attempts: a program that was killed a moment ago still holds its files."""


@contextlib.contextmanager
def mount_point(prefix: str) -> Iterator[Path]:
    """A new empty folder. Raises ToolError when something is left in it, or on it, at the end: it stays as it is then."""
    point = Path(tempfile.mkdtemp(prefix=prefix))
    with finally_do(lambda: _remove(point)):
        yield point


def unmount(point: Path) -> None:
    """Unmount what is mounted on a folder and below it, at the worst out of sight of everybody who does not use it already.

    Raises ToolError when something uses it for longer than a few seconds: the device is in use until that ends.
    """
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(_PAUSE)
        done = run(["umount", "--recursive", str(point)], ok=None)
        if done.rc == 0:
            return
    run(["umount", "--recursive", "--lazy", str(point)], ok=None)
    raise ToolError(f"What was mounted on {point} is still in use: {done.stderr.strip()}", remedy="End the programs that use it")


@contextlib.contextmanager
def finally_do(undo: Callable[[], None]) -> Iterator[None]:
    """Undo something on leaving. An error of what was done meanwhile stays the one that is raised, and says undo's as well."""
    try:
        yield
    except BaseException as error:
        try:
            with shielded():
                undo()
        except FleetError as another:
            if not isinstance(error, (FleetError, Stop)):
                raise
            error.amend(str(another))
        raise
    with shielded():
        undo()


def _remove(point: Path) -> None:
    try:
        os.rmdir(point)
    except OSError as error:
        raise ToolError(f"{point} is left behind: {error.strerror}", remedy="Look what is in it before you remove it") from error
