# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hand-out service, as the boot server runs it: answers to whom they belong, files once."""

from __future__ import annotations

import contextlib
import http.client
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import pytest

from ansible_collections.fleet.imaging.plugins.module_utils.installer import bundle, programs
from tests.ports import free_port

PROGRAM = Path(__file__).parents[3] / "roles/unattended/files/fleet_install.py"
MAC = "52-54-00-77-00-01"

Ask = Callable[..., tuple[int, bytes]]


class Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket, as nginx speaks it."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=60)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(str(self.path))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    station = tmp_path / "install" / MAC
    station.mkdir(parents=True)
    (station / "preseed.cfg").write_text("d-i answers")
    (station / "files.tar").write_bytes(b"secret" * 1000)
    (tmp_path / "secret").write_text("not to be served")
    return tmp_path / "install"


@pytest.fixture
def service(folder: Path, tmp_path: Path) -> Iterator[Path]:
    """The service's socket."""
    place = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as listening:  # as systemd makes it
        listening.bind(str(place))
        listening.listen(128)
        place.chmod(0o666)
        argv = ["bash", "-c", f'exec env LISTEN_FDS=1 "$@" 3<&{listening.fileno()}', "sh", sys.executable, PROGRAM, folder]
        process = subprocess.Popen(argv, pass_fds=[listening.fileno()])
    try:
        yield place
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def ask(service: Path) -> Ask:
    """Call it with a path, and as which address and over what: status and body."""

    def call(path: str, address: str = "192.0.2.7", scheme: str = "https") -> tuple[int, bytes]:
        connection = Connection(service)
        connection.request("GET", path, headers={"X-Real-IP": address, "X-Forwarded-Proto": scheme})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, body

    return call


def test_answers_are_given_again_and_files_once(ask: Ask, folder: Path) -> None:
    for _time in range(2):
        assert ask(f"/install/{MAC}/preseed.cfg", scheme="http") == (200, b"d-i answers")
    assert ask(f"/install/{MAC}/files.tar") == (200, b"secret" * 1000)
    assert [path.name for path in (folder / MAC).iterdir()] == ["taken.json"]
    assert json.loads((folder / MAC / "taken.json").read_text())["address"] == "192.0.2.7"
    assert ask(f"/install/{MAC}/files.tar") == (410, b"handed out already\n")
    assert ask(f"/install/{MAC}/preseed.cfg")[0] == 410


def test_files_go_over_https_only(ask: Ask, folder: Path) -> None:
    assert ask(f"/install/{MAC}/files.tar", scheme="http") == (403, b"only over HTTPS\n")
    assert (folder / MAC / "files.tar").exists()
    assert ask(f"/install/{MAC}/files.tar")[0] == 200


def test_of_many_who_ask_at_once_one_gets_them(ask: Ask) -> None:
    with ThreadPoolExecutor(12) as pool:
        statuses = sorted(status for status, _body in pool.map(lambda _number: ask(f"/install/{MAC}/files.tar"), range(12)))
    assert statuses == [200] + [410] * 11


@pytest.mark.parametrize(
    "path",
    [
        "/install/../secret",
        f"/install/{MAC}/../../secret",
        f"/install/{MAC}/..%2f..%2fsecret",
        f"/install/{MAC}/taken.json",
        "/install/52-54-00-77-00-02/preseed.cfg",
        f"/install/{MAC.upper()}/x",
        "/install/52:54:00:77:00:01/preseed.cfg",
        f"/install/{MAC}/",
    ],
)
def test_nothing_else_is_there(ask: Ask, path: str) -> None:
    status, body = ask(path)
    assert status == 404
    assert b"served" not in body


NGINX = """\
user root; pid {0}/nginx.pid; error_log {0}/nginx.err; daemon off; events {{}}
http {{
  client_body_temp_path {0}/t1; proxy_temp_path {0}/t2; fastcgi_temp_path {0}/t3; uwsgi_temp_path {0}/t4; scgi_temp_path {0}/t5;
  server {{ listen 127.0.0.1:{1}; {3} }}
  server {{ listen 127.0.0.1:{2} ssl; ssl_certificate {0}/cert.pem; ssl_certificate_key {0}/key.pem; {3} }}
}}
"""


@pytest.fixture
def web(service: Path, tmp_path: Path) -> Iterator[tuple[int, int]]:
    """Ports of HTTP and HTTPS of a real nginx with what the role adds to its configuration."""
    certificate = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=boot"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run(["openssl", *certificate, *names], cwd=tmp_path, check=True, capture_output=True)
    text = (PROGRAM.parents[1] / "templates/nginx.conf.j2").read_text().replace("{{ ansible_managed }}", "test")
    text = text.replace("/run/fleet-install.socket", str(service)).replace("/var/log/nginx/fleet-boot.log", str(tmp_path / "access.log"))
    ports = free_port(), free_port()
    (tmp_path / "nginx.conf").write_text(NGINX.format(tmp_path, *ports, text))
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin") or "nginx"
    process = subprocess.Popen([nginx, "-c", tmp_path / "nginx.conf"], stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError):
                for port in ports:
                    socket.create_connection(("127.0.0.1", port), 60).close()
                break
            assert process.poll() is None and time.monotonic() < deadline, (tmp_path / "nginx.err").read_text()
            time.sleep(0.05)
        yield ports
    finally:
        process.terminate()
        process.wait()


def test_through_the_boot_servers_web_server(web: tuple[int, int], folder: Path, tmp_path: Path) -> None:
    """What a caller says of itself counts for nothing; the station's program gets its files with the authority that it was given."""

    def curl(*argv: str) -> str:
        return subprocess.run(["curl", "-s", "-w", "%{http_code}", *argv], capture_output=True, text=True, check=False).stdout

    plain, secure = f"http://127.0.0.1:{web[0]}/install/{MAC}", f"https://127.0.0.1:{web[1]}/install/{MAC}"
    assert curl(f"{plain}/preseed.cfg") == "d-i answers200"
    assert curl("-H", "X-Forwarded-Proto: https", f"{plain}/files.tar") == "only over HTTPS\n403"
    assert curl("-X", "POST", f"{plain}/preseed.cfg").endswith("403")
    assert curl(f"{plain}/..%2f..%2fsecret").endswith("404")
    assert (folder / MAC / "files.tar").exists()
    (tmp_path / "root").mkdir()
    (folder / MAC / "files.tar").write_bytes(bundle.pack([bundle.Member("root/.ssh/authorized_keys", "key\n", 0o600)]))
    station = ["sh", "-c", programs.FILES, "files", f"{secure}/files.tar", tmp_path / "cert.pem", tmp_path / "root"]
    environment = {**os.environ, "FLEET_ROOT": str(tmp_path)}
    (tmp_path / "tmp").mkdir()
    subprocess.run([*station[:5], "/etc/ssl/certs/ca-certificates.crt", station[6]], env=environment, check=False, capture_output=True)
    assert (folder / MAC / "files.tar").exists()  # a server that another authority signed is not asked for anything
    subprocess.run(station, env=environment, check=True)
    assert (tmp_path / "root/root/.ssh/authorized_keys").read_text() == "key\n"
    assert json.loads((folder / MAC / "taken.json").read_text())["address"] == "127.0.0.1"
    assert subprocess.run(station, env=environment, check=False, capture_output=True).returncode != 0
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.fixture
def program() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fleet_install", PROGRAM)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_neighbour_gets_its_own_only(folder: Path, program: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "neighbour", lambda _address: "52-54-00-77-00-02")
    with pytest.raises(program.Refused, match="192.0.2.7 is 52-54-00-77-00-02"):
        program.hand_out(folder, f"/install/{MAC}/files.tar", "192.0.2.7", "https")
    assert (folder / MAC / "files.tar").exists()
    monkeypatch.setattr(program, "neighbour", lambda _address: MAC)
    assert program.hand_out(folder, f"/install/{MAC}/files.tar", "192.0.2.7", "https").startswith(b"secret")


def test_an_address_that_is_none_is_nobodys(program: ModuleType) -> None:
    assert program.neighbour("") == program.neighbour("--help") == program.neighbour("127.0.0.1") == ""


def test_the_kernel_is_asked_who_a_neighbour_is() -> None:
    name = f"install-{os.getpid()}"
    run = ["ip", "-netns", name]
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        subprocess.run([*run, "link", "add", "room", "type", "bridge"], check=True)
        subprocess.run([*run, "address", "add", "198.51.100.1/24", "dev", "room"], check=True)
        subprocess.run([*run, "link", "set", "room", "up"], check=True)
        subprocess.run([*run, "neighbour", "add", "198.51.100.7", "lladdr", "52:54:00:77:00:0A", "dev", "room"], check=True)
        question = "import sys; sys.path.insert(0, sys.argv[1]); import fleet_install; print(fleet_install.neighbour('198.51.100.7'))"
        argv = ["ip", "netns", "exec", name, sys.executable, "-c", question, PROGRAM.parent]
        said = subprocess.run(argv, capture_output=True, text=True, check=True)
        assert said.stdout == "52-54-00-77-00-0a\n"
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=True)
