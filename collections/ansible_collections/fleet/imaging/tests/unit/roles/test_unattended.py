# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hand-out service, as the boot server runs it: answers to whom they belong, files once."""

from __future__ import annotations

import http.client
import importlib.util
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import pytest

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
def ask(folder: Path, tmp_path: Path) -> Iterator[Ask]:
    """Call it with a path, and as which address and over what: status and body."""
    place = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as listening:  # as systemd makes it
        listening.bind(str(place))
        listening.listen(128)
        argv = ["bash", "-c", f'exec env LISTEN_FDS=1 "$@" 3<&{listening.fileno()}', "sh", sys.executable, PROGRAM, folder]
        process = subprocess.Popen(argv, pass_fds=[listening.fileno()])
    try:

        def call(path: str, address: str = "192.0.2.7", scheme: str = "https") -> tuple[int, bytes]:
            connection = Connection(place)
            connection.request("GET", path, headers={"X-Real-IP": address, "X-Forwarded-Proto": scheme})
            answer = connection.getresponse()
            body = answer.read()
            connection.close()
            return answer.status, body

        yield call
    finally:
        process.terminate()
        process.wait()


def test_answers_are_given_again_and_files_once(ask: Ask, folder: Path) -> None:
    for _ in range(2):
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
