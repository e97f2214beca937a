# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module room_port, run as Ansible runs it, in a room where a station serves."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from typing import Any, Callable

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.fleet.lab.plugins.module_utils.room import port as ports
from ansible_collections.fleet.lab.plugins.modules import room_port
from tests.ports import free_port

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a virtual room needs root")
SERVICE = """python3 -c '
import socketserver
class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(self.rfile.read()[::-1])
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
Server(("0.0.0.0", 7777), Echo).serve_forever()
' </dev/null >/dev/null 2>&1 & sleep 0"""


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    """Run the module with parameters; return its result."""

    def call(*, check: bool = False, **parameters: Any) -> dict[str, Any]:
        with patch_module_args({**parameters, "_ansible_check_mode": check}), pytest.raises(SystemExit):
            room_port.main()
        result: dict[str, Any] = json.loads(capsys.readouterr().out)
        result.pop("invocation", None)
        return result

    return call


@pytest.fixture
def serving(classroom: Any, run: Any) -> Iterator[dict[str, Any]]:
    """What names a port on which a station sends back what it gets, the last byte first; nothing leads to it afterwards."""
    classroom.ssh("station1", "ss -Hltn sport = :7777 | grep -q . || { " + SERVICE + "; }")
    named = {"path": str(classroom.path), "station": "station1", "port": 7777}
    yield named
    run(**named, state="absent")


def ask(port: int, said: bytes) -> bytes:
    """What comes back, to its end; the service may have only just been started."""
    deadline = time.monotonic() + 60
    while True:
        with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
            try:
                connection.sendall(said)
                connection.shutdown(socket.SHUT_WR)
                answer = b"".join(iter(lambda: connection.recv(1 << 16), b""))
            except OSError:
                answer = b""
        if answer or time.monotonic() > deadline:
            return answer
        time.sleep(0.05)


def refused(port: int) -> bool:
    """Whether nothing listens on a port of this host."""
    with socket.socket() as other:
        return other.connect_ex(("127.0.0.1", port)) != 0


def test_a_port_of_a_station_is_reached_until_it_is_not_wanted_any_more(serving: Any, run: Any, classroom: Any) -> None:
    foreseen = run(check=True, **serving)
    assert foreseen["changed"] and ports.running(classroom.path) == []

    made = run(**serving)
    assert made["changed"] and made["local_port"] > 0
    said = os.urandom(3 << 20)  # more than any buffer on the way
    assert ask(made["local_port"], said) == said[::-1]

    # Asked for again, with any port or with the one it has, it stays.
    [process] = ports.running(classroom.path)
    assert run(**serving) == {"changed": False, "local_port": made["local_port"]}
    assert run(**serving, local_port=made["local_port"])["changed"] is False
    assert run(check=True, **serving)["changed"] is False
    assert ports.running(classroom.path) == [process]

    # Another port of this host takes its place.
    other = free_port()
    assert run(check=True, **serving, local_port=other)["changed"] and ports.running(classroom.path) == [process]
    assert run(**serving, local_port=other) == {**made, "local_port": other}
    assert ask(other, b"abc") == b"cba" and refused(made["local_port"])

    assert run(check=True, **serving, state="absent")["changed"] and ask(other, b"abc") == b"cba"
    assert run(**serving, state="absent")["changed"]
    assert ports.running(classroom.path) == [] and refused(other)
    assert run(**serving, state="absent")["changed"] is False


def test_each_port_of_each_station_has_its_own(serving: Any, run: Any, classroom: Any) -> None:
    first, ssh = run(**serving), {**serving, "port": 22}
    second = run(**ssh)
    assert first["local_port"] != second["local_port"]
    with socket.create_connection(("127.0.0.1", second["local_port"]), timeout=60) as connection:
        assert connection.recv(8) == b"SSH-2.0-"
    assert run(**ssh, state="absent")["changed"]
    assert [each.local for each in ports.running(classroom.path)] == [first["local_port"]]


def test_a_service_that_is_not_there_closes_the_connection_and_may_come_later(serving: Any, run: Any) -> None:
    nothing = {**serving, "port": 7}
    made = run(**nothing)
    with socket.create_connection(("127.0.0.1", made["local_port"]), timeout=60) as connection:
        assert connection.recv(1) == b""
    assert run(**nothing, state="absent")["changed"]


def test_a_port_that_is_taken_is_refused_and_what_was_there_stays(serving: Any, run: Any, classroom: Any) -> None:
    made = run(**serving)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        for check in (True, False):
            failed = run(check=check, **serving, local_port=taken)
            assert failed["failed"]
            assert failed["msg"] == f"Port {taken} of this host cannot be used: Address already in use. Choose another local_port"
    assert ask(made["local_port"], b"abc") == b"cba"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"port": 0}, "port 0 is no port. Use a number from 1 to 65535"),
        ({"port": 65536}, "port 65536 is no port."),
        ({"local_port": -1}, "local_port -1 is no port. Use a number from 0 to 65535"),
        ({"local_port": 70000}, "local_port 70000 is no port."),
        ({"station": "nobody"}, "nobody"),
        ({"path": "/nowhere/room"}, "There is no room in /nowhere/room"),
        ({"port": "http"}, "'port' is of type"),
    ],
)
def test_what_is_wrong_is_said(wrong: dict[str, Any], said: str, serving: Any, run: Any, classroom: Any) -> None:
    before = ports.running(classroom.path)
    for check in (True, False):
        failed = run(check=check, **{**serving, **wrong})
        assert failed["failed"] and said in failed["msg"]
    assert ports.running(classroom.path) == before


def test_absent_where_there_is_no_room_is_no_change(run: Any) -> None:
    assert run(path="/nowhere/room", station="pc", port=80, state="absent")["changed"] is False


def test_removing_the_room_ends_it(run: Any, make_room: Any) -> None:
    handle = make_room({"name": "pc1"})
    made = run(path=str(handle.path), station="pc1", port=22)
    assert not refused(made["local_port"])
    handle.room.remove()
    assert ports.running(handle.path) == [] and refused(made["local_port"]) and handle.traces() == []
