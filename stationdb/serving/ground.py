# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an installation stands on, looked at before Django loads its settings, so that what is wrong is one sentence and no traceback."""

from __future__ import annotations

import os
import tempfile
from urllib.parse import urlsplit

import dj_database_url

from .. import home
from ..errors import StationDBError

SCHEMES = ("sqlite", "postgresql", "postgres")
REMEDY = (
    "Write it as postgresql://USER:PASSWORD@HOST:PORT/DATABASE (other signs than letters and digits as %XX), or unset it to use SQLite."
)


def check() -> None:
    """StationDBError when the home cannot be written, or when STATIONDB_DATABASE_URL names no database that we know."""
    check_home()
    check_url(os.environ.get("STATIONDB_DATABASE_URL", ""))


def check_home() -> None:
    """Make the home unless it is there, and try to write in it."""
    path = home.home()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise StationDBError(
            f"The folder {path}, where the station database keeps its data, cannot be written: {error.strerror}.",
            "Give it to this user, or name another folder in STATIONDB_HOME.",
        ) from error


def check_url(url: str) -> None:
    """Raise StationDBError unless the URL is empty, or understood; the message never shows the URL, which may hold a password."""
    if not url:
        return
    try:
        parts = urlsplit(url)
        scheme, name = parts.scheme, dj_database_url.parse(url).get("NAME", "")
    except Exception as error:  # dj-database-url raises what its parts raise
        raise StationDBError("STATIONDB_DATABASE_URL is no URL of a database.", REMEDY) from error
    if scheme not in SCHEMES:
        raise StationDBError(f"STATIONDB_DATABASE_URL begins with {scheme}:, which is neither PostgreSQL nor SQLite.", REMEDY)
    if not name or (scheme != "sqlite" and "/" in name):
        raise StationDBError("STATIONDB_DATABASE_URL names no database.", REMEDY)
