# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The database under the settings: whether it answers, whether this code knows all that is in it, and bringing it up to date."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management import call_command
from django.db import DatabaseError, DataError, IntegrityError, NotSupportedError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from .. import __version__
from ..errors import StationDBError


def where() -> str:
    """The database in words, without its password."""
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"SQLite in {settings['NAME']}"
    place = settings["HOST"] or "the local socket"
    return f"PostgreSQL on {place}{':' + str(settings['PORT']) if settings['PORT'] else ''}, database {settings['NAME']}"


def check() -> bool:
    """Whether the database was in use before. StationDBError when it does not answer, or was made by a newer version of this code."""
    try:
        connection.ensure_connection()
        loader = MigrationLoader(connection)
    except (DatabaseError, NotSupportedError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        remedy = (
            "Move this file away if it is no database of ours, or bring a backup back with: stationdb restore FILE"
            if connection.vendor == "sqlite"
            else "Start PostgreSQL, or look at host, database, user and password in STATIONDB_DATABASE_URL."
        )
        raise StationDBError(f"{where()} does not serve: {reason.rstrip('.')}.", remedy) from error
    known = {app for app, _name in loader.disk_migrations or {}}
    newer = sorted(f"{app}.{name}" for app, name in set(loader.applied_migrations) - set(loader.disk_migrations) if app in known)
    if newer:
        raise StationDBError(
            f"{where()} was made by a version newer than {__version__}, which does not know {', '.join(newer[:3])}.",
            "Install that version again, or bring a backup made by this one back with: stationdb restore FILE --replace",
        )
    return bool(loader.applied_migrations)


def known_migrations() -> set[str]:
    """The migrations that this code brings, as app.name."""
    return {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations or {}}


def pending() -> list[str]:
    """The migrations that this code wants and the database has not."""
    executor = MigrationExecutor(connection)
    return [f"{migration.app_label}.{migration.name}" for migration, _back in executor.migration_plan(executor.loader.graph.leaf_nodes())]


def bring_up_to_date() -> None:
    """Apply what is pending: all of it, or nothing. StationDBError names the migration that failed; the database is as it was."""
    said = io.StringIO()
    try:
        with _whole():
            call_command("migrate", interactive=False, verbosity=1, no_color=True, stdout=said)
    except Exception as raised:  # a migration is code, which raises what it likes
        # SQLite's schema editor looks at constraints even then, which hides what came first.
        first = raised.__context__ if isinstance(raised, transaction.TransactionManagementError) else None
        error = first if isinstance(first, Exception) else raised
        begun = re.findall(r"Applying (\S+?)\.\.\.", said.getvalue())
        reason = " ".join(str(error).split()) or "no reason given"
        raise StationDBError(
            f"{where()} could not be brought up to date, and is as it was before: "
            f"{f'{begun[-1]}: ' if begun else ''}{type(error).__name__}: {reason.rstrip('.')}.",
            "Go on with the version that served it; this one has a fault."
            if isinstance(error, IntegrityError | DataError) or not isinstance(error, DatabaseError)
            else "Give the database's user the right to change tables, and room on the disk; then start again.",
        ) from raised


@contextmanager
def _whole() -> Iterator[None]:
    """One transaction around all migrations, so that no half of a version is ever left behind.

    SQLite remakes tables only while it does not look at foreign keys, which cannot be said within a transaction: it is said before, and
    Django looks at them after each migration. PostgreSQL changes no table that has constraints still to be looked at: it looks at once.
    """
    connection.ensure_connection()
    try:
        if connection.vendor == "sqlite":
            connection.disable_constraint_checking()
        with transaction.atomic():
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            yield
    finally:
        connection.close()
