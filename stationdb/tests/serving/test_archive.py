# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups, on SQLite and on PostgreSQL: what is brought back is what was there, secret values included."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from .conftest import Database
from .server import served, shell, stationdb

MAKE = """
from stationdb.registry.models import Site
from stationdb.accounts.first import create_first_administrator
from stationdb.home import value_keys
create_first_administrator()
Site.objects.create(name="{name}", slug="{name}")
print(value_keys()[0])
"""
LIST = 'from stationdb.registry.models import Site; print(",".join(Site.objects.order_by("name").values_list("name", flat=True)))'


def test_a_backup_brings_back_the_database_and_its_keys(database: Database, tmp_path: Path) -> None:
    home, file = tmp_path / "home", tmp_path / "backup.tar.gz"
    assert stationdb(home, "migrate", "--verbosity", "0", **database).returncode == 0
    key = shell(home, MAKE.format(name="before"), **database)
    done = stationdb(home, "backup", str(file), **database)
    assert done.returncode == 0, done.stderr
    assert oct(file.stat().st_mode & 0o777) == "0o600"
    shell(home, 'from stationdb.registry.models import Site; Site.objects.create(name="after", slug="after")', **database)
    assert shell(home, LIST, **database) == "after,before"

    refused = stationdb(home, "restore", str(file), **database)
    assert refused.returncode == 1
    assert "is in use" in refused.stderr
    assert "--replace" in refused.stderr
    assert shell(home, LIST, **database) == "after,before"

    other = tmp_path / "other"  # another host, with keys of its own
    replaced = stationdb(other, "restore", str(file), *(["--replace"] if database else []), **database)
    assert replaced.returncode == 0, replaced.stderr
    assert shell(other, LIST, **database) == "before"
    assert shell(other, "from stationdb.home import value_keys; print(value_keys()[0])", **database) == key


def test_a_running_site_is_backed_up_and_not_overwritten(tmp_path: Path) -> None:
    home, file = tmp_path / "home", tmp_path / "backup.tar.gz"
    with served(home) as running:
        assert running.url
        assert stationdb(home, "backup", str(file)).returncode == 0
        refused = stationdb(home, "restore", str(file), "--replace")
        assert refused.returncode == 1
        assert "in use by another stationdb" in refused.stderr


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """A home with a database in it, and a good backup of it."""
    folder = tmp_path_factory.mktemp("kept")
    home, file = folder / "home", folder / "backup.tar.gz"
    assert stationdb(home, "migrate", "--verbosity", "0").returncode == 0
    shell(home, MAKE.format(name="kept"))
    assert stationdb(home, "backup", str(file)).returncode == 0
    return home, file.read_bytes()


def bad(kind: str, good: bytes) -> bytes:
    """A file that is no backup."""
    if kind == "cut":
        return good[: len(good) // 2]
    if kind == "flipped":
        return good[:2000] + bytes(255 - byte for byte in good[2000:2100]) + good[2100:]
    if kind == "empty":
        return b""
    if kind == "text":
        return b"no backup"
    members = {
        "outside": {"../../outside": b"x"},
        "bare": {"about.json": b"{}"},
        "engine": {"about.json": b'{"format":1,"version":"1","created":"","engine":"oracle","migrations":[]}'},
        "newer": {
            "about.json": b'{"format":1,"version":"9","created":"","engine":"sqlite","migrations":["registry.9999_x"]}',
            "database.sqlite3": b"",
        },
        "database": {
            "about.json": b'{"format":1,"version":"0.1.0","created":"","engine":"sqlite","migrations":[]}',
            "database.sqlite3": b"no database" * 100,
        },
        "postgresql": {
            "about.json": b'{"format":1,"version":"0.1.0","created":"","engine":"postgresql","migrations":[]}',
            "database.dump": b"x",
        },
    }[kind]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "kind", ["cut", "flipped", "empty", "text", "outside", "bare", "engine", "newer", "database", "postgresql", "missing"]
)
def test_a_file_that_is_no_good_backup_changes_nothing(kind: str, kept: tuple[Path, bytes], tmp_path: Path) -> None:
    (home, good), file = kept, tmp_path / "backup.tar.gz"
    before = (home / "stationdb.sqlite3").read_bytes()
    if kind != "missing":
        file.write_bytes(bad(kind, good))
    done = stationdb(home, "restore", str(file), "--replace")
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert str(file) in done.stderr
    assert (home / "stationdb.sqlite3").read_bytes() == before
    assert os.listdir(tmp_path) == ([] if kind == "missing" else ["backup.tar.gz"])
    assert not list(home.glob(".restore-*"))


def test_a_backup_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert stationdb(home, "migrate", "--verbosity", "0").returncode == 0
    done = stationdb(home, "backup", str(tmp_path / "nowhere/file"))
    assert done.returncode == 1
    assert "cannot be written: No such file or directory." in done.stderr
    assert os.listdir(tmp_path) == ["home"]
