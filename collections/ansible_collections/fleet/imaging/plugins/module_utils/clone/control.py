# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a session begins, as a file on the sender that may be changed while it waits.

The file is JSON of an object with any of count, minimum, wait and give_up (interface.StartPolicy), and session when it was written for one
session only. What cannot be read changes nothing: somebody may be writing it.

It is the admin's. The controller says in another one beside it, absent_path, which stations lack nothing, refused or cannot be reached: an
object with session and absent, a list of names. Nobody is waited for who cannot come, whatever the admin wrote, and what the admin wrote
stays.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Optional

from ansible_collections.fleet.core.plugins.module_utils.errors import InputError

from ..multicast.interface import StartPolicy


def session_id(secret: bytes) -> str:
    """By which a control file names the session that it is for; it tells nothing of the session's secret."""
    return hashlib.sha256(b"fleet session control\0" + secret).hexdigest()[:16]


def absent_path(path: str) -> str:
    """Where it is said who will not come, beside a control file."""
    return f"{path}.absent"


class Control:
    """The start policy of one session; a context manager that makes its file and removes it."""

    def __init__(self, policy: StartPolicy, path: Optional[Path], session: str = "", stations: Collection[str] = ()) -> None:
        """session: its session_id. A file of the same one, which was written before the sender was there, stays.

        stations: those that are expected.
        """
        self._policy = policy
        self._path = path
        self._session = session
        self._stations = frozenset(stations)

    def __enter__(self) -> Control:
        if self._path:
            try:
                self._path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
                self._make(self._path)
            except OSError as error:
                with contextlib.suppress(OSError):
                    _draft(self._path).unlink()
                raise InputError(
                    f"The session's control file {self._path} cannot be made: {error.strerror}",
                    remedy="Make room there, or name another folder on the sender with control",
                ) from error
        return self

    def _make(self, path: Path) -> None:
        """Make the file without ever removing one that the controller writes at this moment."""
        draft = _draft(path)
        draft.unlink(missing_ok=True)
        with contextlib.suppress(FileNotFoundError):
            path.rename(draft)
        if not self._is_ours(draft):
            draft.unlink(missing_ok=True)
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
                json.dump({**{key: getattr(self._policy, key) for key in _KEYS}, "session": self._session}, file)
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()

    def _is_ours(self, path: Path) -> bool:
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return bool(self._session) and isinstance(document, Mapping) and document.get("session") == self._session

    def __exit__(self, *_error: object) -> None:
        if self._path:
            self._path.unlink(missing_ok=True)
            Path(absent_path(str(self._path))).unlink(missing_ok=True)

    def policy(self) -> StartPolicy:
        """What counts now; it never asks for more stations than can come."""
        if self._path:
            with contextlib.suppress(OSError, ValueError, InputError):
                self._policy = policy(json.loads(self._path.read_text(encoding="utf-8")), self._policy)
        able = len(self._stations) - len(self.absent())
        if able <= 0:
            return self._policy
        count, minimum = self._policy.count or able, self._policy.minimum
        return dataclasses.replace(self._policy, count=min(count, able), minimum=min(minimum, able))

    def absent(self) -> frozenset[str]:
        """Expected stations that will not come."""
        if not self._path:
            return frozenset()
        try:
            document = json.loads(Path(absent_path(str(self._path))).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return frozenset()
        if not isinstance(document, Mapping) or document.get("session") != self._session:
            return frozenset()
        names = document.get("absent")
        return self._stations.intersection(name for name in names if isinstance(name, str)) if isinstance(names, list) else frozenset()


def _draft(path: Path) -> Path:
    return path.with_name(path.name + ".draft")


_KEYS = ("count", "minimum", "wait", "give_up")


def policy(document: Any, before: StartPolicy) -> StartPolicy:
    """A policy with what the document says and the rest as before; InputError when it says something else."""
    if not isinstance(document, Mapping):
        raise InputError("a start policy is an object")
    values = {key: document.get(key, getattr(before, key)) for key in _KEYS}
    for key, value in values.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1 << 31:
            raise InputError(f"{key} is {value!r:.40}, not a number from 0 on")
    return StartPolicy(int(values["count"]), int(values["minimum"]), float(values["wait"]), float(values["give_up"]))
