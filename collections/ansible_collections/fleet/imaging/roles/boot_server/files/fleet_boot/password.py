# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The menu's password: a hash as grub-mkpasswd-pbkdf2 prints it, and how often one may try."""

from __future__ import annotations

import hashlib
import hmac
import threading
import time
from collections import deque

LONGEST = 256
"""Characters of a password that are looked at; a longer one is wrong."""


def matches(hashed: str, password: str) -> bool:
    """Whether a password has this hash (``grub.pbkdf2.sha512.ROUNDS.SALT.HASH``); False for a hash that is none."""
    parts = hashed.split(".")
    try:
        kind, rounds, salt, wanted = parts[:3], int(parts[3]), bytes.fromhex(parts[4]), bytes.fromhex(parts[5])
    except (IndexError, ValueError):
        return False
    if kind != ["grub", "pbkdf2", "sha512"] or len(parts) != 6 or not wanted or not 0 < rounds < 10_000_000 or len(password) > LONGEST:
        return False
    made = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, rounds, len(wanted))
    return hmac.compare_digest(made, wanted)


class Attempts:
    """At most so many wrong passwords a minute from one address, and ten times as many from all together."""

    def __init__(self, limit: int = 10) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._wrong: deque[tuple[float, str]] = deque()

    def allowed(self, address: str) -> bool:
        """Whether this address may try now."""
        with self._lock:
            since = time.monotonic() - 60
            while self._wrong and self._wrong[0][0] < since:
                self._wrong.popleft()
            return len(self._wrong) < 10 * self._limit and sum(each == address for _when, each in self._wrong) < self._limit

    def failed(self, address: str) -> None:
        """Count a wrong password."""
        with self._lock:
            self._wrong.append((time.monotonic(), address))
