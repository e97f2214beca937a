# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``stationdb serve``, run as an admin runs it."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from .server import left_behind, served, stationdb


def get(url: str, context: ssl.SSLContext | None = None, **headers: str) -> tuple[int, http.client.HTTPMessage, str]:
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30, context=context) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def test_a_first_start_prints_the_address_and_a_password_and_a_second_one_only_the_address(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with served(home) as first:
        assert get(f"{first.url}api/v1/openapi.json")[0] == 200
        password = first.await_line(r"one-time password (\S+);")[1]
        assert len(password) >= 12
        assert oct(home.stat().st_mode & 0o777) == "0o700"
        assert oct((home / "stationdb.sqlite3").stat().st_mode & 0o777) == "0o600"
        seconds = first.end()
    assert seconds < 20, "Ctrl+C ends it without waiting for anything"
    assert left_behind(home) == []
    with served(home) as second:
        assert get(f"{second.url}api/v1/openapi.json")[0] == 200
        second.await_line("Ctrl")
        assert not any("password" in line for line in second.lines)
        code = "from stationdb.accounts.models import User; u = User.objects.get(); print(u.is_superuser, u.must_change_password)"
        told = stationdb(home, "shell", "--no-imports", "--command", f"{code}; print(u.check_password({password!r}))")
        assert told.stdout.split() == ["True", "True", "True"], told.stderr


def test_static_files_are_served(tmp_path: Path) -> None:
    with served(tmp_path / "home") as running:
        assert running.url
        (script,) = (tmp_path / "home/static/django_htmx").glob("htmx-2.min.js")
        assert get(f"{running.url}static/django_htmx/{script.name}")[2] == script.read_text()


def test_what_is_killed_starts_again_and_killing_the_supervisor_leaves_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with served(home) as running:
        url = running.url
        assert get(f"{url}api/v1/openapi.json")[0] == 200
        (site,) = {int(line.split()[0]) for line in left_behind(home) if "gunicorn" in line and parent(line) == running.process.pid}
        os.kill(site, signal.SIGKILL)
        running.await_line(r"The site ended \(killed by SIGKILL\); it starts again")
        assert get(f"{url}api/v1/openapi.json")[0] == 200
        running.process.kill()
        running.process.wait()
        deadline = time.monotonic() + 10
        while left_behind(home) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert left_behind(home) == []


def parent(line: str) -> int:
    return int(Path("/proc", line.split()[0], "stat").read_text().rpartition(")")[2].split()[1])


def test_two_servers_do_not_share_a_home(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with served(home) as running:
        assert running.url
        done = stationdb(home, "serve", "--bind", "127.0.0.1:0")
        assert (done.returncode, done.stdout) == (1, "")
        assert f"in use by another stationdb (process {running.process.pid})" in done.stderr


def test_a_port_in_use_is_one_sentence_and_changes_nothing(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = stationdb(tmp_path / "home", "serve", "--bind", f"127.0.0.1:{port}")
    assert done.returncode == 1
    assert one_sentence(done, f"127.0.0.1:{port} cannot be used: Address already in use.")
    assert not (tmp_path / "home/stationdb.sqlite3").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another account")
def test_a_home_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert one_sentence(stationdb(blocked / "home", "serve"), f"The folder {blocked}/home")
    assert one_sentence(stationdb(Path("/proc/home"), "help"), "The folder /proc/home")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql", "is no URL of a database"),
        ("mysql://root:hunter2@db/stations", "begins with mysql:, which is neither"),
        ("postgresql://user:hunter2@db:notaport/name", "is no URL of a database"),
        ("postgresql://user:hunter2@db", "names no database"),
        ("http://[::1/", "is no URL of a database"),
        ("postgresql://user:hunter2@127.0.0.1:1/stations", "PostgreSQL on 127.0.0.1:1, database stations does not serve"),
    ],
)
def test_a_broken_database_url_is_one_sentence_without_the_password(url: str, said: str, tmp_path: Path) -> None:
    done = stationdb(tmp_path / "home", "serve", "--bind", "127.0.0.1:0", STATIONDB_DATABASE_URL=url)
    assert one_sentence(done, said)
    assert "hunter2" not in done.stderr


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert stationdb(home, "migrate", "--verbosity", "0").returncode == 0
    code = "from django.db.migrations.recorder import MigrationRecorder as R; from django.db import connection as c"
    assert stationdb(home, "shell", "--no-imports", "-c", f"{code}; R(c).record_applied('registry', '9999_tomorrow')").returncode == 0
    assert one_sentence(stationdb(home, "serve", "--bind", "127.0.0.1:0"), "newer than 0.1.0, which does not know registry.9999_tomorrow")


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "stationdb.sqlite3").write_bytes(b"this is no database, " * 1000)
    assert one_sentence(stationdb(home, "serve", "--bind", "127.0.0.1:0"), "file is not a database")
    assert (home / "stationdb.sqlite3").read_bytes() == b"this is no database, " * 1000


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--bind", "0.0.0.0:0"], "plain HTTP shows passwords"),
        (["--bind", "0.0.0.0:0", "--certificate", "/nowhere.pem"], "/nowhere.pem cannot be read"),
        (["--bind", "0.0.0.0:0", "--key", "/nowhere.pem"], "--key has no --certificate"),
        (["--bind", "0.0.0.0:0", "--behind-proxy", "--certificate", "x"], "exclude each other"),
        (["--bind", "::1:8420"], "is no address"),
        (["--bind", "localhost:http"], "is no address"),
        (["--bind", "127.0.0.1:99999"], "is no address"),
        (["--bind", "192.0.2.7:0", "--behind-proxy"], "192.0.2.7:0 cannot be used"),
    ],
)
def test_an_address_that_is_wrong_or_unsafe_is_refused(arguments: list[str], said: str, tmp_path: Path) -> None:
    assert one_sentence(stationdb(tmp_path / "home", "serve", *arguments), said)


def one_sentence(done: subprocess.CompletedProcess[str], said: str) -> bool:
    assert done.returncode == 1, done
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert done.stderr.startswith("stationdb: ")
    assert said in done.stderr, done.stderr
    return True


def test_with_a_certificate_it_serves_tls_under_the_certificates_names(tmp_path: Path) -> None:
    certificate, key = tmp_path / "site.pem", tmp_path / "site.key"
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=x",
                "-keyout",
                key,
                "-out",
                certificate,
            ),
            *("-addext", "subjectAltName=DNS:localhost,DNS:stations.example,IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.create_default_context(cafile=str(certificate))
    with served(tmp_path / "home", "--bind", "127.0.0.1:0", "--certificate", str(certificate), "--key", str(key)) as running:
        assert running.url.startswith("https://localhost:")
        assert get(f"{running.url}api/v1/openapi.json", context)[0] == 200
        assert get(f"{running.url}api/v1/openapi.json", context, Host="stations.example")[0] == 200
        assert get(f"{running.url}api/v1/openapi.json", context, Host="evil.example")[0] == 400
        assert running.end() < 20


def test_behind_a_proxy_the_proxy_says_who_asks_and_how() -> None:
    from stationdb.serving.forwarded import Forwarded

    seen: list[str] = []

    def application(environ: dict[str, str], start: object) -> list[bytes]:
        seen.append(environ["REMOTE_ADDR"])
        return []

    for header in ("203.0.113.9", "198.51.100.1, 203.0.113.9", "2001:db8::1", "'; DROP TABLE", ""):
        Forwarded(application)({"REMOTE_ADDR": "unknown", "HTTP_X_FORWARDED_FOR": header}, lambda: None)  # type: ignore[arg-type]
    assert seen == ["203.0.113.9", "203.0.113.9", "2001:db8::1", "unknown", "unknown"]
