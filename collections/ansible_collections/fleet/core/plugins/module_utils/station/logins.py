# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is logged in, and who was: the login records of glibc (utmp(5)), for the sections users and hardware."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from .root import Root
from .row import Row, plain
from .system import moment

_RECORD = struct.Struct("<hxxi32s4s32s256shhiii4i20x")
"""The same on every 64-bit architecture of Linux."""
_USER_PROCESS = 7
_TAIL = 2000
"""Records of wtmp that are looked at, from its end."""


@dataclass(frozen=True)
class Login:
    """A login: who, and when (UTC); empty where nobody ever did."""

    user: str = ""
    when: str = ""


def collect(root: Root) -> list[Row]:
    """Return the section users: each user who is logged in, once."""
    names = {login.user for login in _records(root.data("/run/utmp")) if _is_running(root, login)}
    if not names and root.has("loginctl"):
        names = _sessions(root.tool("loginctl", "list-sessions", "--output=json", ok=None))
    return [{"login": name} for name in sorted(names)]


def last_login(root: Root) -> Login:
    """Return the last login that was recorded."""
    data = root.data("/var/log/wtmp")
    recent = list(_records(data[-_TAIL * _RECORD.size :])) if len(data) % _RECORD.size == 0 else []
    return Login(recent[-1].user, moment(recent[-1].seconds)) if recent else Login()


@dataclass(frozen=True)
class _Record:
    user: str
    pid: int
    seconds: int


def _records(data: bytes) -> Iterator[_Record]:
    for start in range(0, len(data) - _RECORD.size + 1, _RECORD.size):
        kind, pid, _line, _id, user, _host, *rest = _RECORD.unpack_from(data, start)
        name = plain(user.partition(b"\0")[0].decode("utf-8", "replace"))
        if kind == _USER_PROCESS and name:
            yield _Record(name, pid, max(0, rest[3]))


def _is_running(root: Root, record: _Record) -> bool:
    """Whether a session still has its process: a crash leaves records behind."""
    return not root.live or os.path.exists(f"/proc/{record.pid}")


def _sessions(text: str) -> set[str]:
    try:
        sessions = json.loads(text or "[]")
    except ValueError:
        return set()
    # The greeter of a display manager is a session as well.
    return {str(each["user"]) for each in sessions if isinstance(each, dict) and int(each.get("uid", 0)) >= 1000}
