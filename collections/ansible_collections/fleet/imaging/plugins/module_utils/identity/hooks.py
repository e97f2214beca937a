# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the site adds: programs that run in the imaging environment for one station, in the order of their names."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.core.plugins.module_utils.stop import calling, check

_LIMIT = 600
"""Seconds that a hook may take."""

_SAID = 4000
"""Characters of its output that a message shows."""

_SECRET = 4
"""Characters that a value must have to be hidden: shorter ones occur in everything."""


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
    """Run a hook with told as environment and values as JSON on its standard input; return what it printed. Raises HookFailed.

    Values that it prints are hidden, except those that it is told in the environment, too, such as the station's name. What it started
    and left running is killed when it ends, or has taken too long: it would hold the system that is mounted.
    """
    environment = {**{key: value for key, value in os.environ.items() if not key.startswith("FLEET_")}, **told}
    # Files and no pipes: a program that a hook leaves running would keep a pipe open. In memory: the values are secret.
    with os.fdopen(os.memfd_create("values"), "w+b") as given, os.fdopen(os.memfd_create("output"), "w+b") as printed:
        given.write(json.dumps(dict(values)).encode())
        given.seek(0)
        try:
            rc = _wait([str(hook.path)], environment, given, printed)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise HookFailed(f"Hook {hook.name} for {told['FLEET_STATION']} could not be run: {error}", hook=hook.name) from error
        printed.seek(0)
        said = _hidden(printed.read().decode(errors="replace").strip(), set(_texts(values)) - set(told.values()))
    if rc != 0:
        raise HookFailed(
            f"Hook {hook.name} for {told['FLEET_STATION']} ended with code {rc}: {said[-_SAID:] or 'it said nothing'}",
            remedy="Correct the hook or what it found, and run it again: what was done stays done",
            hook=hook.name,
            rc=rc,
            output=said[-_SAID:],
        )
    return said[-_SAID:]


def _wait(argv: list[str], environment: Mapping[str, str], given: BinaryIO, printed: BinaryIO) -> int:
    """Run a program in a session of its own until it ends; its exit code. Nothing of its group is left."""
    with subprocess.Popen(
        argv, stdin=given, stdout=printed, stderr=subprocess.STDOUT, env=environment, cwd="/", start_new_session=True
    ) as process:

        def kill() -> None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

        try:
            with calling(kill):
                rc = process.wait(timeout=_LIMIT)
            check()
            return rc
        finally:
            kill()


def _texts(value: Any) -> Iterator[str]:
    """All strings in a value, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (Mapping, list)):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(each)


def _hidden(said: str, secrets: set[str]) -> str:
    """A text with asterisks instead of the secrets, the longest first: one may be a part of another."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SECRET:
            said = said.replace(secret, "********")
    return said
