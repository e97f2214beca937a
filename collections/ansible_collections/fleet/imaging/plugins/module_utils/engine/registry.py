# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Engines by the name that a manifest and a playbook call them."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.fleet.core.plugins.module_utils.errors import InputError

from .blocks import BlocksEngine
from .driver import Engine
from .files import FilesEngine

_ENGINES: tuple[type[Engine], ...] = (BlocksEngine, FilesEngine)


def engine_named(name: str, work_dir: Path) -> Engine:
    """The engine of this name, holding what it must hold for a while in work_dir."""
    for engine in _ENGINES:
        if engine.name == name:
            return engine(work_dir)
    raise InputError(f"there is no engine {name!r:.40}", remedy=f"Known are {', '.join(engine.name for engine in _ENGINES)}")
