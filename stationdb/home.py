# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder where an installation keeps what is not in the database: keys, spool, documents and, with SQLite, the database itself."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
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
    with contextlib.suppress(FileNotFoundError):
        return path.read_text(encoding="ascii").strip()
    # Whole before it has its name: another process that starts now must not read half a key, nor one after a power cut.
    descriptor, making = tempfile.mkstemp(prefix=f".{name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{make()}\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(making, path)
    finally:
        os.unlink(making)
    return path.read_text(encoding="ascii").strip()
