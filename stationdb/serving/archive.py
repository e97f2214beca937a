# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A backup: one file with the database and the keys, from which an installation is brought back.

A tar, compressed: ``about.json`` (what made it, when, which engine, which migrations), ``database.sqlite3`` or ``database.dump`` (pg_dump's
custom format), ``keys/``. Without the keys, stations' secret values could not be read again, so the file is as secret as they are (0600).
The spool and raw documents are not in it: what waits there is still there, or was in the database already.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from .. import __version__, home
from ..errors import StationDBError
from . import database

FORMAT = 1
MEMBERS = {"sqlite": "database.sqlite3", "postgresql": "database.dump"}
KEPT = 5
"""Backups before upgrades that stay in the home."""
_EXPECTED = re.compile(r"about\.json|database\.(sqlite3|dump)|keys/[a-z]+\.key")


@dataclass(frozen=True)
class About:
    """What a backup is of: format, version of the code, time (ISO 8601), engine, and the migrations that were applied."""

    format: int
    version: str
    created: str
    engine: str
    migrations: list[str]


def write(target: Path) -> None:
    """Make a backup of the running database in a file, which appears when it is complete. StationDBError when that is not possible."""
    try:
        with tempfile.TemporaryDirectory(prefix=".stationdb-backup-", dir=target.parent) as temporary:
            work = Path(temporary)
            member = work / MEMBERS[connection.vendor]
            if connection.vendor == "sqlite":
                _dump_sqlite(member)
            else:
                _run("pg_dump", "--format=custom", "--no-owner", f"--file={member}")
            applied = sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations())
            about = About(FORMAT, __version__, datetime.now(UTC).isoformat(timespec="seconds"), connection.vendor, applied)
            (work / "about.json").write_text(json.dumps(asdict(about), indent=1), encoding="utf-8")
            packed = work / "packed"
            with tarfile.open(packed, "w:gz", compresslevel=3) as archive:
                archive.add(work / "about.json", "about.json")
                archive.add(member, member.name)
                for key in sorted(home.folder("keys").iterdir()):
                    archive.add(key, f"keys/{key.name}")
            packed.chmod(0o600)
            with packed.open("rb") as file:
                os.fsync(file.fileno())
            packed.rename(target)
    except OSError as error:
        raise StationDBError(f"The backup {target} cannot be written: {error.strerror}.", "Name a file in a folder with room.") from error


def before_upgrade() -> Path:
    """Make a backup in the home before the database is changed, keep the newest KEPT of those. StationDBError when there is none."""
    place = home.folder("backups")
    copy = place / f"before-upgrade-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.tar.gz"
    try:
        write(copy)
    except StationDBError as error:
        raise StationDBError(
            f"The database is not upgraded, because no backup of it can be made: {error}",
            "Or make one yourself, and start with --no-backup.",
        ) from error
    for old in sorted(place.glob("before-upgrade-*.tar.gz"), reverse=True)[KEPT:]:
        old.unlink(missing_ok=True)
    return copy


def read(source: Path, *, replace: bool) -> About:
    """Bring a backup back: the database and the keys become what they were. Nothing is changed when the file is not good.

    StationDBError when it is no backup, is of another engine, was made by a newer version, or when the database is in use and replace is
    not given. The caller holds the home's lock.
    """
    with _unpacked(source) as work:
        about = _about(work, source)
        if about.engine != connection.vendor:
            raise StationDBError(
                f"{source} is a backup of {about.engine}, and the database here is {database.where()}.",
                "Bring it back where STATIONDB_DATABASE_URL names the same kind of database.",
            )
        _refuse_newer(about, source)
        if not replace and _in_use():
            raise StationDBError(
                f"{database.where()} is in use: bringing {source} back would forget all that is in it.",
                "Make a backup of it, then add --replace.",
            )
        member = work / MEMBERS[about.engine]
        if about.engine == "sqlite":
            _check_sqlite(member, source)
            connection.close()
            _put_sqlite(member)
        else:
            connection.close()
            _put_postgresql(member)
        for key in sorted((work / "keys").glob("*")):
            _put_key(key)
    return about


@contextmanager
def _unpacked(source: Path) -> Iterator[Path]:
    """The members of a backup in a folder beside the home's data."""
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=home.home()) as temporary:
        try:
            (Path(temporary) / "keys").mkdir()
            with tarfile.open(source, "r:gz") as archive:
                for member in archive:
                    content = archive.extractfile(member) if member.isfile() and _EXPECTED.fullmatch(member.name) else None
                    if content is None:
                        raise ValueError(member.name)
                    with (Path(temporary) / member.name).open("xb") as file:
                        shutil.copyfileobj(content, file)
        except (OSError, EOFError, tarfile.TarError, ValueError, zlib.error) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is damaged, or no backup of ours"
            raise StationDBError(f"{source} cannot be read: {reason}.", "Name a file that stationdb backup made.") from error
        yield Path(temporary)


def _about(work: Path, source: Path) -> About:
    try:
        about = About(**json.loads((work / "about.json").read_text(encoding="utf-8")))
        if about.format != FORMAT or about.engine not in MEMBERS or not (work / MEMBERS[about.engine]).is_file():
            raise ValueError
        return about
    except (OSError, ValueError, TypeError) as error:
        raise StationDBError(f"{source} is no backup of a station database.", "Name a file that stationdb backup made.") from error


def _refuse_newer(about: About, source: Path) -> None:
    known = database.known_migrations()
    apps = {name.split(".")[0] for name in known}
    newer = [name for name in about.migrations if name.split(".")[0] in apps and name not in known]
    if newer:
        raise StationDBError(
            f"{source} was made by version {about.version}, which is newer than {__version__}.", "Install that version, then bring it back."
        )


def _in_use() -> bool:
    """Whether there is anybody in the database; SQLite makes the file when it is first asked."""
    with connection.cursor() as cursor:
        if "accounts_user" not in connection.introspection.table_names(cursor):
            return False
        cursor.execute("SELECT 1 FROM accounts_user LIMIT 1")
        return cursor.fetchone() is not None


def _dump_sqlite(member: Path) -> None:
    """Copy page by page while others write (https://sqlite.org/backup.html)."""
    with closing(sqlite3.connect(connection.settings_dict["NAME"])) as source, closing(sqlite3.connect(member)) as copy:
        source.backup(copy, pages=4096, sleep=0.01)
    _check_sqlite(member, member)


def _check_sqlite(member: Path, source: Path) -> None:
    try:
        with closing(sqlite3.connect(member)) as copy:
            verdict = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        verdict = str(error)
    if verdict != "ok":
        raise StationDBError(f"The database in {source} is damaged: {verdict}.", "Use another backup.")


def _put_sqlite(member: Path) -> None:
    place = Path(connection.settings_dict["NAME"])
    incoming = place.with_name(f".{place.name}.incoming")
    shutil.copyfile(member, incoming)
    incoming.chmod(0o600)
    with incoming.open("rb") as file:
        os.fsync(file.fileno())
    # The log of the old database must never be applied to the new one.
    for suffix in ("-wal", "-shm"):
        place.with_name(place.name + suffix).unlink(missing_ok=True)
    incoming.replace(place)


_FORGET = """
DO $$ DECLARE one text; BEGIN
FOR one IN SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = current_schema() LOOP
    EXECUTE 'DROP TABLE IF EXISTS ' || one || ' CASCADE';
END LOOP; END $$;
"""


def _put_postgresql(member: Path) -> None:
    """In one transaction. What pg_restore --clean would leave goes as well: tables of a newer version, which hold on to others."""
    forget, script = member.with_name("forget.sql"), member.with_name("restore.sql")
    forget.write_text(_FORGET, encoding="ascii")
    _run("pg_restore", "--clean", "--if-exists", "--no-owner", f"--file={script}", str(member))
    member.unlink()
    quiet = ("--no-psqlrc", "--quiet", "--output=/dev/null", "--set=ON_ERROR_STOP=1")
    _run("psql", *quiet, "--single-transaction", f"--file={forget}", f"--file={script}")


def _put_key(key: Path) -> None:
    place = home.folder("keys") / key.name
    if not place.exists() or place.read_bytes() != key.read_bytes():
        incoming = place.with_name(f".{place.name}")
        shutil.copyfile(key, incoming)
        incoming.chmod(0o600)
        incoming.replace(place)


def _run(program: str, *arguments: str) -> None:
    """Run a program of PostgreSQL's client on our database; the password goes through the environment, never the command line."""
    settings = connection.settings_dict
    given = {"PGHOST": settings["HOST"], "PGPORT": settings["PORT"], "PGUSER": settings["USER"], "PGPASSWORD": settings["PASSWORD"]}
    environment = {
        **os.environ,
        **{name: str(value) for name, value in given.items() if value},
        "PGDATABASE": settings["NAME"],
        "LC_ALL": "C",
    }
    try:
        done = subprocess.run([program, *arguments], env=environment, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise StationDBError(f"{program} is not installed.", "apt-get install postgresql-client") from error
    if done.returncode != 0:
        said = " ".join(done.stderr.split())[-500:]
        raise StationDBError(f"{program} failed: {said}", "Nothing was changed; the message is PostgreSQL's own.")
