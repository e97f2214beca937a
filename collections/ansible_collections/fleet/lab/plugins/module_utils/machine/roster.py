# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machines of a virtual room: each has a folder in the room's, which is all that is known of it."""

from __future__ import annotations

import functools
from pathlib import Path

from . import process
from .machine import FILE, Machine

MACHINES = "machines"


def folder(room: Path, name: str) -> Path:
    """Return the folder of a machine of a room."""
    return room / MACHINES / name


def machines(room: Path) -> list[Machine]:
    """Return the machines of a room by name; raise MachineError when a description is damaged."""
    return [Machine.load(each.parent) for each in sorted((room / MACHINES).glob(f"*/{FILE}"))]


def end(room: Path) -> None:
    """End everything that runs for the machines of a room, without reading what is known of them."""
    for each in (room / MACHINES).glob("*"):
        process.end(functools.partial(process.of, each), f"machine {each.name}")
