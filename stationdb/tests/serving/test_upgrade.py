# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Newer versions that fail in the middle of their migrations, and ways back from one that did not fail."""

from __future__ import annotations

import re
import shutil
import sqlite3
import urllib.request
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from .conftest import Database
from .server import ROOT, served, shell, stationdb

MAKE = """
from stationdb.registry.models import Site, Station
from stationdb.accounts.first import create_first_administrator
create_first_administrator()
site = Site.objects.create(name="kept", slug="kept")
Station.objects.bulk_create(Station(name=f"pc{number}", site=site) for number in range(300))
"""
BIG = """
from django.db import migrations, models
import django.db.models.deletion


class Migration(migrations.Migration):
    dependencies = [("registry", "{last}")]
    operations = [
        migrations.AddField("station", "room", models.CharField(default="", max_length=9)),
        migrations.CreateModel("Desk", [
            ("id", models.BigAutoField(primary_key=True)),
            ("station", models.ForeignKey("registry.station", django.db.models.deletion.CASCADE)),
        ]),
    ]
"""
DATA = """
from django.db import migrations


def forward(apps, schema_editor):
    Station, Desk = apps.get_model("registry", "Station"), apps.get_model("registry", "Desk")
    for number, station in enumerate(Station.objects.order_by("pk")):
        station.comment = "changed"
        station.save()
        Desk.objects.create(station=station)
        {middle}


class Migration(migrations.Migration):
    dependencies = [("registry", "9001_big")]
    operations = [migrations.RunPython(forward), migrations.RemoveField("station", "comment")]
"""


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """Where a copy of the package is, with a version of its own."""
    code = tmp_path / "newer"
    shutil.copytree(ROOT / "stationdb", code / "stationdb", ignore=shutil.ignore_patterns("tests", "__pycache__"))
    return code


def migrations(code: Path, middle: str) -> None:
    """Give a version two migrations more: one that is good, and one with something in the middle."""
    folder = code / "stationdb/registry/migrations"
    for own in folder.glob("9*.py"):
        own.unlink()
    last = max(path.stem for path in folder.glob("0*.py"))
    (folder / "9001_big.py").write_text(BIG.format(last=last))
    (folder / "9002_data.py").write_text(DATA.format(middle=middle))


FAULTS = {
    "sqlite": ("if number == 150: raise ValueError('pc150 has no desk')", "ValueError: pc150 has no desk."),
    "postgresql": ("if number == 150: Desk.objects.create(station_id=None)", "IntegrityError: "),
}


def test_a_version_that_fails_changes_nothing_and_one_that_does_not_can_be_taken_back(
    database: Database, newer: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    assert stationdb(home, "migrate", "--verbosity", "0", **database).returncode == 0
    shell(home, MAKE, **database)
    middle, said = FAULTS["postgresql" if database else "sqlite"]
    migrations(newer, middle)
    with served(home, **database) as old:
        assert page(old.url) == 200
        before = whole(home, database)
        # What the role runs, while the old version serves; that one answers afterwards as it did.
        done = stationdb(home, "setup", "--json", code=newer, **database)
        assert done.returncode == 1
        assert_said(done.stderr, said)
        assert page(old.url) == 200
        assert whole(home, database) == before
        old.end()

    # The newer version started in the place of the old one names the backup that it made.
    done = stationdb(home, "serve", "--bind", "127.0.0.1:0", code=newer, **database)
    assert done.returncode == 1
    assert_said(done.stderr, said)
    made = re.search(r"as it was before this version: (\S+)$", done.stdout.strip())
    assert made
    assert f"stationdb restore {made[1]} --replace" in done.stderr
    assert whole(home, database) == before

    # One that succeeds; the old one does not start on what it made, says why, and is brought back by the backup.
    migrations(newer, "pass")
    with served(home, code=newer, **database) as upgraded:
        assert page(upgraded.url) == 200
        made = upgraded.await_line(r"as it was before this version: (\S+)$")
        assert whole(home, database) != before
        upgraded.end()
    refused = stationdb(home, "serve", "--bind", "127.0.0.1:0", **database)
    assert refused.returncode == 1
    assert "which does not know registry.9001_big, registry.9002_data" in refused.stderr
    done = stationdb(home, "restore", made[1], "--replace", **database)
    assert (done.returncode, done.stderr) == (0, "")
    assert whole(home, database) == before
    with served(home, **database) as old:
        assert page(old.url) == 200
        assert not any("backup" in line for line in old.lines)
        old.end()
    # And forward again: nothing of the newer version was left in the way.
    done = stationdb(home, "setup", "--json", code=newer, **database)
    assert (done.returncode, done.stderr) == (0, "")


def whole(home: Path, database: Database) -> list[list[tuple[str, ...]]]:
    """Tables and columns, migrations, and stations, read past our own code."""
    rows = ["SELECT app, name FROM django_migrations ORDER BY app, name", "SELECT * FROM registry_station ORDER BY id"]
    rows += ["SELECT username, password FROM accounts_user"]
    if database:
        columns = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2"
        with psycopg.connect(database["STATIONDB_DATABASE_URL"]) as server:
            return [server.execute(question).fetchall() for question in [columns, *rows]]
    columns = "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name"
    with closing(sqlite3.connect(home / "stationdb.sqlite3")) as file:
        assert file.execute("PRAGMA foreign_key_check").fetchall() == []
        return [file.execute(question).fetchall() for question in [columns, *rows]]


def test_without_room_for_a_backup_nothing_is_upgraded_unless_that_is_asked_for(newer: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert stationdb(home, "migrate", "--verbosity", "0").returncode == 0
    shell(home, MAKE)
    before = whole(home, {})
    migrations(newer, "pass")
    (home / "backups").symlink_to("/proc/self/fdinfo")  # a folder that takes no files
    done = stationdb(home, "serve", "--bind", "127.0.0.1:0", code=newer)
    assert done.returncode == 1
    assert "The database is not upgraded, because no backup of it can be made: The backup /" in done.stderr
    assert "--no-backup" in done.stderr
    assert whole(home, {}) == before
    with served(home, "--bind", "127.0.0.1:0", "--no-backup", code=newer) as upgraded:
        assert page(upgraded.url) == 200


def test_the_newest_backups_before_upgrades_are_kept(newer: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert stationdb(home, "migrate", "--verbosity", "0").returncode == 0
    shell(home, MAKE)
    (home / "backups").mkdir()
    for year in range(2001, 2009):
        (home / f"backups/before-upgrade-{year}0101T000000Z.tar.gz").touch()
    (home / "backups/mine.tar.gz").touch()
    migrations(newer, "raise ValueError('no')")
    assert stationdb(home, "serve", "--bind", "127.0.0.1:0", code=newer).returncode == 1
    kept = sorted(path.name for path in (home / "backups").iterdir())
    assert [name[15:19] for name in kept[:4]] == ["2005", "2006", "2007", "2008"]
    assert len(kept) == 6
    assert kept[-1] == "mine.tar.gz"


def assert_said(stderr: str, said: str) -> None:
    assert len(stderr.strip().splitlines()) == 1, stderr
    assert "could not be brought up to date, and is as it was before: registry.9002_data: " in stderr
    assert said in stderr


def page(url: str) -> int:
    with urllib.request.urlopen(f"{url}sign-in/", timeout=60) as answer:
        return int(answer.status)
