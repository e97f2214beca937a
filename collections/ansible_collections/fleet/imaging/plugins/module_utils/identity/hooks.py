# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the site adds: programs that run in the imaging environment for one station, in the order of their names."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError

_LIMIT = 600
"""Seconds that a hook may take."""

_SAID = 4000
"""Characters of its output that a message shows."""


class HookFailed(FleetError):
    """A hook of the site said no."""


@dataclass(frozen=True)
class Hook:
    """One program. digest: of the program and all it is told, so that it runs again when either changes."""

    path: Path
    digest: str

    @property
    def name(self) -> str:
        return self.path.name


def found(folder: Path, told: Mapping[str, str], values: Mapping[str, Any]) -> list[Hook]:
    """The hooks in a folder, by name: what is executable and neither hidden nor a backup (~)."""
    said = json.dumps([dict(told), dict(values)], sort_keys=True, default=str).encode()
    hooks = []
    for path in sorted(folder.iterdir()):
        if path.is_file() and os.access(path, os.X_OK) and not path.name.startswith(".") and not path.name.endswith("~"):
            hooks.append(Hook(path, hashlib.sha256(path.read_bytes() + b"\0" + said).hexdigest()))
    return hooks


def run(hook: Hook, told: Mapping[str, str], values: Mapping[str, Any]) -> str:
    """Run a hook with told as environment and values as JSON on its standard input; return what it printed. Raises HookFailed."""
    try:
        done = subprocess.run(
            [str(hook.path)],
            input=json.dumps(dict(values)).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**{key: value for key, value in os.environ.items() if not key.startswith("FLEET_")}, **told},
            cwd="/",
            timeout=_LIMIT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HookFailed(f"Hook {hook.name} for {told['FLEET_STATION']} could not be run: {error}", hook=hook.name) from error
    said = done.stdout.decode(errors="replace").strip()
    if done.returncode != 0:
        raise HookFailed(
            f"Hook {hook.name} for {told['FLEET_STATION']} ended with code {done.returncode}: {said[-_SAID:] or 'it said nothing'}",
            remedy="Correct the hook or what it found, and run it again: what was done stays done",
            hook=hook.name,
            rc=done.returncode,
            output=said[-_SAID:],
        )
    return said[-_SAID:]
