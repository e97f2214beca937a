# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs of the imaging environment: who the station is, its key's registration, and the page on the console."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.imaging.plugins.module_utils.environment.program import console, station

MAC = "52-54-00-77-00-01"
KEY = "ssh-ed25519 AAAA"


@pytest.mark.parametrize("text", ["01-52-54-00-77-00-01", "01:52:54:00:77:00:01", "52:54:00:77:00:01", "525400770001", "52-54-00-77-00-01"])
def test_a_mac_in_any_notation_is_the_boot_servers(text: str) -> None:
    assert station.plain_mac(text.upper()) == MAC


def test_the_service_is_at_the_boot_servers_address() -> None:
    assert station.service_of("http://10.77.0.1/") == "https://10.77.0.1"
    assert station.service_of("http://10.77.0.1:8080") == "https://10.77.0.1"
    assert station.service_of("http://[fd00::1]:80") == "https://[fd00::1]"


def test_the_last_of_an_argument_counts() -> None:
    assert station.arguments("quiet fleet.boot=http://a fleet.boot=http://b x=y=z") == {"fleet.boot": "http://b", "x": "y=z"}


def test_wired_cards_are_found(tmp_path: Path) -> None:
    for name, kind, more in (("eth0", "1", ["device"]), ("wlan0", "1", ["device", "wireless"]), ("lo", "772", []), ("br0", "1", [])):
        for folder in ("", *more):
            (tmp_path / name / folder).mkdir(exist_ok=True, parents=True)
        (tmp_path / name / "type").write_text(f"{kind}\n")
        (tmp_path / name / "address").write_text("52:54:00:77:00:01\n")
    assert station.cards(tmp_path) == {"eth0": MAC}


def test_a_key_is_made_once(tmp_path: Path) -> None:
    public, fingerprint = station.make_key(tmp_path / "run/key")
    assert public.startswith("ssh-ed25519 AAAA") and len(public.split()) == 2 and fingerprint.startswith("SHA256:")
    assert station.make_key(tmp_path / "run/key") == (public, fingerprint)


class Answers(BaseHTTPRequestHandler):
    """Says what the test wants, and keeps what it is told."""

    server: Any

    def do_GET(self) -> None:
        self.reply(*self.server.station)

    def do_POST(self) -> None:
        self.server.told.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
        self.reply(self.server.verdict, {"msg": "replayed"})

    def reply(self, status: int, said: object) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(said if isinstance(said, bytes) else json.dumps(said).encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Any]:
    """A boot service without TLS: certificates are tested where a machine boots."""
    service: Any = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    service.told, service.verdict = [], 201
    service.station = (200, {"name": "pc07", "token": "secret", "language": "fr"})
    thread = threading.Thread(target=service.serve_forever)
    thread.start()
    yield service
    service.shutdown()
    service.server_close()
    thread.join()


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x"]
    subprocess.run([*argv, "-keyout", "/dev/null", "-out", path], check=True, capture_output=True)
    return path


def introduce(server: Any, authority: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, station.Status, list[str]]:
    named: list[str] = []
    monkeypatch.setattr(station, "name_station", named.append)
    status = station.Status(tmp_path / "status.json")
    service = station.BootService(f"http://127.0.0.1:{server.server_address[1]}", authority)
    return station.introduce(service, MAC, KEY, status), status, named


def test_a_known_station_registers_its_key(server: Any, authority: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state, status, named = introduce(server, authority, tmp_path, monkeypatch)
    assert (state, named, server.told) == ("registered", ["pc07"], [(f"/station/{MAC}/host-key", {"token": "secret", "host_key": KEY})])
    assert status.values["language"] == "fr"
    assert "secret" not in status.path.read_text()


def test_a_station_that_nobody_expects_is_unknown(server: Any, authority: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.station = (404, {})
    assert introduce(server, authority, tmp_path, monkeypatch)[0] == "unknown"
    server.station = (200, {"name": "pc07", "token": None, "language": "en"})
    assert introduce(server, authority, tmp_path, monkeypatch)[0] == "unknown"
    assert server.told == []


def test_a_token_that_is_refused_is_no_registration(server: Any, authority: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.verdict = 403
    with pytest.raises(station.Refused, match="403 Forbidden: .*replayed"):
        introduce(server, authority, tmp_path, monkeypatch)


@pytest.mark.parametrize("answer", [(500, {}), (200, b"<html>")])
def test_a_boot_server_that_fails_is_asked_again(
    answer: tuple[int, object], server: Any, authority: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.station = answer
    with pytest.raises(OSError):
        introduce(server, authority, tmp_path, monkeypatch)


@pytest.mark.parametrize("name", ["", "../etc", "a b", "-x", "x" * 64, "a\nb", "pc;reboot"])
def test_what_is_no_name_changes_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(station.socket, "sethostname", lambda name: pytest.fail(f"named {name}"))
    station.name_station(name)


STATUS = {"name": "pc07", "address": "10.77.0.12", "fingerprint": "SHA256:abc", "state": "registered", "language": "fr"}


def test_the_page_shows_who_it_is_in_the_stations_language() -> None:
    shown = "\n".join(console.page(STATUS, None))
    assert "pc07" in shown and "10.77.0.12" in shown and "SHA256:abc" in shown and "Prêt" in shown
    assert "Ready" in "\n".join(console.page({**STATUS, "language": "en"}, None))


@pytest.mark.parametrize("status", [{}, {"state": "nonsense"}, {"name": 3, "message": ["x"]}])
def test_the_page_survives_whatever_it_reads(status: dict[str, Any]) -> None:
    assert console.page(status, {"operation": "x"})[0] == "Fleet imaging environment"


def test_every_text_is_in_both_languages() -> None:
    assert all(english and french for english, french in console.TEXTS.values())


def test_the_running_modules_progress_is_shown(tmp_path: Path) -> None:
    report = {"operation": "restore sda", "done": 1 << 30, "total": 4 << 30, "unit": "B", "rate": 104857600}
    (tmp_path / "j1.2").write_text(json.dumps({"started": True, "finished": False, "progress": report}))
    (tmp_path / "j0.1").write_text(json.dumps({"finished": True, "progress": {**report, "operation": "old"}}))
    found = console.running(tmp_path, tmp_path / "none", (tmp_path / "j1.2").stat().st_mtime)
    assert found == report
    assert console.progress_bar(report) == "restore sda  [##########..............................]  25 %  1.0 GiB / 4.0 GiB  100.0 MiB/s"
    assert console.running(tmp_path, tmp_path / "none", (tmp_path / "j1.2").stat().st_mtime + 60) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"progress": 3}', '{"progress": {}}'])
def test_a_damaged_report_is_none(text: str, tmp_path: Path) -> None:
    (tmp_path / "progress.json").write_text(text)
    assert console.running(tmp_path / "none", tmp_path / "progress.json", (tmp_path / "progress.json").stat().st_mtime) is None
