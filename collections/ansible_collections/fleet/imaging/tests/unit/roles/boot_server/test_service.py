# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The boot service as a process, asked over its socket as nginx and dnsmasq's script ask it."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.imaging.plugins.module_utils.netboot import change, menu, site
from ansible_collections.fleet.imaging.plugins.module_utils.netboot.change import Request

FILES = Path(__file__).parents[4] / "roles/boot_server/files"
MAC, NAME, OTHER = "52:54:00:77:00:01", "52-54-00-77-00-01", "52-54-00-77-00-02"
HERE, THERE, FAR = "10.77.0.11", "10.77.0.12", "10.99.0.1"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43
ARP = f"""IP address       HW type     Flags       HW address            Mask     Device
{HERE}       0x1         0x2         52:54:00:77:00:01     *        br0
{THERE}       0x1         0x2         52:54:00:77:00:02     *        br0
10.77.0.13       0x1         0x0         00:00:00:00:00:00     *        br0
"""
TIMEOUT = 120.0


def hashed(password: str) -> str:
    salt = bytes(range(64))
    return f"grub.pbkdf2.sha512.10000.{salt.hex().upper()}.{hashlib.pbkdf2_hmac('sha512', password.encode(), salt, 10000).hex().upper()}"


class Local(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=TIMEOUT)
        self.path = str(path)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(TIMEOUT)
        self.sock.connect(self.path)


@dataclass
class Server:
    site: site.Site
    socket: Path
    process: subprocess.Popen[bytes]

    def ask(
        self, method: str, path: str, *, address: str = HERE, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        connection = Local(self.socket)
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        connection.request(method, path, data, {**({"X-Real-IP": address} if address else {}), **(headers or {})})
        answer = connection.getresponse()
        found = answer.status, answer.read()
        connection.close()
        return found

    def entry(self, entry: str, mac: str = MAC, **more: Any) -> None:
        change.apply(self.site, Request(mac, "pc01", entry, **more), check=False)

    def token(self) -> str:
        status, body = self.ask("GET", f"/station/{NAME}")
        assert status == 200
        return str(json.loads(body)["token"])

    def files(self) -> list[str]:
        folders = (self.site.http / "stations", self.site.tftp / "stations")
        return sorted(path.name for folder in folders for path in folder.iterdir())

    def run(self, *argv: str) -> int:
        return subprocess.run(
            [sys.executable, "-m", "fleet_boot", *argv], env={"PYTHONPATH": str(FILES)}, timeout=TIMEOUT, check=False
        ).returncode


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    for folder in ("srv/http/stations", "srv/tftp/stations", "srv/tftp/grub", "state/stations", "state/host-keys", "state/maintenance"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "arp").write_text(ARP)
    path = tmp_path / "s"
    argv = [
        sys.executable,
        "-m",
        "fleet_boot",
        "serve",
        f"--root={tmp_path / 'srv'}",
        f"--state={tmp_path / 'state'}",
        f"--neighbours={tmp_path / 'arp'}",
    ]
    process = subprocess.Popen([*argv, f"--socket={path}"], env={"PYTHONPATH": str(FILES)}, stderr=(tmp_path / "log").open("wb"))
    try:
        deadline = time.monotonic() + TIMEOUT
        while True:
            try:
                Local(path).connect()
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < deadline, (tmp_path / "log").read_text()
                time.sleep(0.02)
        yield Server(site.Site("10.77.0.1", tmp_path / "srv", tmp_path / "state", user="", language="fr"), path, process)
    finally:
        process.kill()
        process.wait()


def test_once_is_once_over_http_for_both_loaders(server: Server) -> None:
    server.entry("disk")
    server.entry("imaging-once")
    status, script = server.ask("GET", f"/stations/{NAME}.ipxe")
    assert status == 200 and b"environment/vmlinuz" in script
    status, script = server.ask("GET", f"/stations/{NAME}.ipxe")
    assert status == 200 and b"environment" not in script and b"sanboot" in script
    assert "environment" not in (server.site.tftp / f"stations/{NAME}.cfg").read_text()


def test_once_is_once_over_tftp_for_both_loaders(server: Server) -> None:
    server.entry("imaging-once")
    path = f"{server.site.tftp}/stations/{NAME}.cfg"
    assert server.run("tftp", HERE, path, f"--socket={server.socket}") == 0
    assert server.files() == [], "before it was the menu, and that is no file"
    assert server.ask("GET", f"/stations/{NAME}.ipxe")[0] == 404


def test_an_installer_is_once_and_imaging_is_always(server: Server) -> None:
    system = change.System("installer/vmlinuz", "installer/initrd.gz")
    server.entry("installer", system=system)
    assert b"installer/vmlinuz" in server.ask("GET", f"/stations/{NAME}.ipxe")[1]
    assert server.ask("GET", f"/stations/{NAME}.ipxe")[0] == 404
    server.entry("imaging")
    for _time in range(3):
        assert b"environment/vmlinuz" in server.ask("GET", f"/stations/{NAME}.ipxe")[1]


def test_of_many_that_ask_at_once_one_gets_it(server: Server) -> None:
    for round_ in range(5):
        server.entry("imaging-once")
        with ThreadPoolExecutor(12) as pool:
            answers = list(pool.map(lambda _each: server.ask("GET", f"/stations/{NAME}.ipxe")[0], range(12)))
        assert sorted(answers) == [200, *[404] * 11], round_


def test_nobody_uses_up_the_entry_of_another(server: Server) -> None:
    server.entry("imaging-once")
    assert server.ask("GET", f"/stations/{NAME}.ipxe", address=THERE)[0] == 403
    assert server.run("tftp", THERE, f"/srv/stations/{NAME}.cfg", f"--socket={server.socket}") == 1
    assert server.ask("GET", f"/station/{NAME}", address=THERE)[0] == 403
    assert server.ask("GET", f"/stations/{NAME}.ipxe", address=FAR)[0] == 200, "behind a router the kernel knows no card"


def test_a_station_registers_its_host_key_exactly_once(server: Server) -> None:
    server.entry("imaging-once")
    server.ask("GET", f"/stations/{NAME}.ipxe")
    status, body = server.ask("GET", f"/station/{NAME}")
    said = json.loads(body)
    assert (status, said["name"], said["language"]) == (200, "pc01", "fr")
    kept = server.site.state / f"host-keys/{NAME}"
    for wrong in ("", "x", said["token"] + "x", said["token"][:-1], "é"):
        assert server.ask("POST", f"/station/{NAME}/host-key", body={"token": wrong, "host_key": KEY})[0] == 403
    assert not kept.exists()
    assert server.ask("POST", f"/station/{NAME}/host-key", body={"token": said["token"], "host_key": KEY + " root@pc01"})[0] == 201
    assert kept.read_text() == KEY + "\n"
    assert server.ask("POST", f"/station/{NAME}/host-key", body={"token": said["token"], "host_key": KEY[:-1] + "B"})[0] == 403
    assert server.ask("GET", f"/station/{NAME}")[0] == 404
    assert kept.read_text() == KEY + "\n"


def test_of_two_that_register_at_once_one_does(server: Server) -> None:
    server.entry("imaging")
    token = server.token()

    def register(letter: str) -> tuple[int, str]:
        key = KEY[:-1] + letter
        return server.ask("POST", f"/station/{NAME}/host-key", body={"token": token, "host_key": key})[0], key

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(register, "BCDEFGHI"))
    granted = [key for status, key in answers if status == 201]
    assert len(granted) == 1 and sorted(status for status, _key in answers) == [201, *[403] * 7]
    assert (server.site.state / f"host-keys/{NAME}").read_text() == granted[0] + "\n"


def test_a_token_expires(server: Server) -> None:
    server.entry("imaging")
    token = server.token()
    path = server.site.state / f"stations/{NAME}.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "expires": int(time.time()) - 1}))
    assert server.ask("GET", f"/station/{NAME}")[0] == 404
    assert server.ask("POST", f"/station/{NAME}/host-key", body={"token": token, "host_key": KEY})[0] == 403
    assert not (server.site.state / f"host-keys/{NAME}").exists()


def test_another_stations_token_is_none(server: Server) -> None:
    server.entry("imaging")
    change.apply(server.site, Request(OTHER, "pc02", "imaging"), check=False)
    token = server.token()
    assert server.ask("POST", f"/station/{OTHER}/host-key", address=THERE, body={"token": token, "host_key": KEY})[0] == 403
    assert server.ask("POST", f"/station/{NAME}/host-key", address=THERE, body={"token": token, "host_key": KEY})[0] == 403
    assert list((server.site.state / "host-keys").iterdir()) == []


@pytest.mark.parametrize(
    "host_key",
    [
        "",
        "ssh-ed25519",
        "ssh-rsa AAAA",
        KEY[:-1],
        KEY + "\nssh-ed25519 evil",
        KEY + "A",
        f'command="x" {KEY}',
        KEY + " " + "x" * 2000,
        7,
        None,
    ],
)
def test_what_is_no_host_key_is_not_kept_and_the_token_stays(server: Server, host_key: object) -> None:
    server.entry("imaging")
    token = server.token()
    assert server.ask("POST", f"/station/{NAME}/host-key", body={"token": token, "host_key": host_key})[0] == 400
    assert server.token() == token and list((server.site.state / "host-keys").iterdir()) == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/station/../state/menu.json"),
        ("GET", f"/station/{NAME}/../../x"),
        ("GET", "/stations/..%2f..%2fx.ipxe"),
        ("GET", f"/stations/{NAME}.cfg"),
        ("GET", f"/stations/{NAME.upper()}.ipxe"),
        ("GET", "/stations/52:54:00:77:00:01.ipxe"),
        ("GET", "/maintenance/../menu.ipxe"),
        ("GET", "/station/" + "a" * 5000),
        ("POST", f"/station/{NAME}"),
        ("POST", "/stations/x"),
    ],
)
def test_what_is_not_there_is_not_found(server: Server, method: str, path: str) -> None:
    assert server.ask(method, path, body={})[0] == 404


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"x" * 5000, {}, 413),
        (b"", {"Content-Length": "999999999999"}, 411),
        (b"", {"Content-Length": "-1"}, 411),
        (b"{", {}, 400),
        (b"[]", {}, 400),
        (b"[" * 4000, {}, 400),
        (b"\xff\xfe", {}, 400),
        (b'{"token": {}, "host_key": []}', {}, 400),
    ],
)
def test_a_body_that_cannot_be_is_refused(server: Server, body: bytes, headers: dict[str, str], status: int) -> None:
    server.entry("imaging")
    assert server.ask("POST", f"/station/{NAME}/host-key", body=body, headers=headers)[0] == status


def test_who_says_nothing_or_goes_away_stops_nobody(server: Server) -> None:
    server.entry("imaging")
    silent = [Local(server.socket) for _each in range(20)]
    for connection in silent:
        connection.connect()
        connection.sock.sendall(f"POST /station/{NAME}/host-key HTTP/1.0\r\nContent-Length: 100\r\n\r\n{{".encode())
    gone = Local(server.socket)
    gone.connect()
    gone.sock.sendall(b"GET /sta")
    gone.close()
    assert server.token()
    for connection in silent:
        connection.close()
    assert server.process.poll() is None


def test_only_dnsmasqs_script_tells_of_tftp(server: Server) -> None:
    server.entry("imaging-once")
    said = {"address": HERE, "path": f"/x/stations/{NAME}.cfg"}
    assert server.ask("POST", "/tftp", body=said)[0] == 404, "this came through nginx"
    assert server.ask("POST", "/tftp", address="", body={"address": HERE, "path": "/x/grub/grub.cfg"})[0] == 404
    assert len(server.files()) == 2
    assert server.ask("POST", "/tftp", address="", body=said) == (200, b'{"used_up": true}\n')
    assert server.ask("POST", "/tftp", address="", body=said) == (200, b'{"used_up": false}\n')


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def test_maintenance_entries_are_for_who_has_the_password(server: Server) -> None:
    assert server.ask("GET", "/maintenance/restore.ipxe", headers=basic("", ""))[0] == 401, "there is no menu with a password"
    menu.apply(server.site, menu.Menu(user="maint", password=hashed("a b:c é")), check=False)
    status, script = server.ask("GET", "/maintenance/restore.ipxe", headers=basic("maint", "a b:c é"))
    assert status == 200 and b"fleet.task=restore" in script
    assert server.ask("GET", "/maintenance/restore.ipxe")[0] == 401
    for wrong in (
        basic("maint", "a b:c"),
        basic("admin", "a b:c é"),
        basic("maint", ""),
        {"Authorization": "Basic ???"},
        {"Authorization": "Bearer x"},
    ):
        assert server.ask("GET", "/maintenance/restore.ipxe", headers=wrong)[0] == 401
    assert server.ask("GET", "/maintenance/format.ipxe", headers=basic("maint", "a b:c é"))[0] == 404


def test_passwords_cannot_be_tried_for_ever(server: Server) -> None:
    menu.apply(server.site, menu.Menu(password=hashed("right")), check=False)
    answers = [server.ask("GET", "/maintenance/clone.ipxe", headers=basic("admin", f"wrong{number}"))[0] for number in range(12)]
    assert answers == [401] * 10 + [429] * 2
    assert server.ask("GET", "/maintenance/clone.ipxe", headers=basic("admin", "right"))[0] == 429
    assert server.ask("GET", "/maintenance/clone.ipxe", address=THERE, headers=basic("admin", "right"))[0] == 200


def test_no_secret_is_in_its_log(server: Server, tmp_path: Path) -> None:
    menu.apply(server.site, menu.Menu(password=hashed("right")), check=False)
    server.entry("imaging")
    token = server.token()
    server.ask("POST", f"/station/{NAME}/host-key", body={"token": token, "host_key": KEY})
    server.ask("GET", "/maintenance/clone.ipxe", headers=basic("admin", "right"))
    server.ask("GET", "/maintenance/clone.ipxe", headers=basic("admin", "wr0ng"))
    server.ask("GET", "/x\x1b[31m".replace("\x1b", "%1b"))
    server.process.terminate()
    server.process.wait(TIMEOUT)
    log = (tmp_path / "log").read_text()
    assert NAME in log and token not in log and "right" not in log and "wr0ng" not in log and "\x1b" not in log


def test_a_state_that_cannot_be_locked_hands_out_nothing(server: Server) -> None:
    server.entry("imaging-once")
    (server.site.state / "lock").unlink()
    (server.site.state / "lock").mkdir()
    assert server.ask("GET", f"/stations/{NAME}.ipxe")[0] == 500
    assert len(server.files()) == 2
