# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder where an installation keeps what is not in the database: keys, spool, documents and, with SQLite, the database itself."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from cryptography.fernet import Fernet


def home() -> Path:
    """``STATIONDB_HOME``; else /var/lib/stationdb for root, or the user's own data folder (XDG Base Directory)."""
    given = os.environ.get("STATIONDB_HOME")
    if given:
        return Path(given)
    if os.geteuid() == 0:
        return Path("/var/lib/stationdb")
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "stationdb"


def folder(name: str) -> Path:
    """A folder of the home that only its owner can enter; made when it is missing."""
    path = home() / name
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def secret_key() -> str:
    """What signs sessions; made on first use."""
    return _key("secret.key", lambda: secrets.token_urlsafe(50))


def value_keys() -> list[str]:
    """What encrypts stations' secret values: the first encrypts, each decrypts. Made on first use; losing the file loses the values."""
    return _key("values.key", lambda: Fernet.generate_key().decode()).split()


def _key(name: str, make: Callable[[], str]) -> str:
    path = folder("keys") / name
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"{make()}\n")
        file.flush()
        os.fsync(file.fileno())
    return path.read_text(encoding="ascii").strip()
