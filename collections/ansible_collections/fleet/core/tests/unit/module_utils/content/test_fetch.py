# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Chunks from several sources: each verified, the next source when one fails, and a clear error when all do."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.core.plugins.module_utils.content.chunk import CHUNK_SIZE, chunk_path, digest
from ansible_collections.fleet.core.plugins.module_utils.content.fetch import Fetcher, FetchError, NotThere
from ansible_collections.fleet.core.plugins.module_utils.errors import InputError
from ansible_collections.fleet.core.plugins.module_utils.zstd import Compressor
from ansible_collections.fleet.core.tests.unit.module_utils.content.hostile import Answer, ok, says, server


@dataclass(frozen=True)
class Wanted:
    digest: bytes
    length: int


CONTENT = {
    digest(data): data
    for data in (random.Random(number).randbytes(size) for number, size in enumerate([440, 5000, CHUNK_SIZE, CHUNK_SIZE, 1]))
}
WANTED = [Wanted(name, len(data)) for name, data in CONTENT.items()]


def shelf(*, without: bytes = b"", broken: bytes = b"") -> Answer:
    """A sound store, but for a chunk that it lacks or has damaged."""

    def answer(connection: socket.socket, request: bytes) -> bool:
        path = request.split(b" ")[1].decode()
        for name, data in CONTENT.items():
            if path.endswith(str(chunk_path(name))) and name != without:
                frame = bytes(Compressor().compress(data if name != broken else b"x" + data[1:]))
                connection.sendall(ok(frame))
                return True
        connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        return True

    return answer


def fetch(*urls: str, wanted: Any = None, **options: Any) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    fetcher: Fetcher[Any] = Fetcher(urls, **{"timeout": 2.0, "attempts": 2, **options})
    fetcher.chunks(WANTED if wanted is None else wanted, lambda item, data: found.update({item.digest: bytes(data)}))
    return found


@pytest.mark.parametrize("order", [WANTED, WANTED[::-1]])
@pytest.mark.parametrize("connections", [1, 4])
def test_chunks_of_every_size_arrive_in_whatever_order(order: list[Wanted], connections: int) -> None:
    with server(shelf()) as there:
        assert fetch(there.url, wanted=order, connections=connections) == CONTENT
        assert there.connections <= connections


def test_nothing_is_wanted_then_nobody_is_asked() -> None:
    with server(shelf()) as there:
        assert fetch(there.url, wanted=[]) == {} and there.connections == 0


@pytest.mark.parametrize("lack", ["without", "broken"])
def test_what_the_relay_lacks_or_has_damaged_comes_from_the_centre(lack: str) -> None:
    with server(shelf(**{lack: WANTED[2].digest})) as relay, server(shelf()) as centre:
        assert fetch(relay.url, centre.url) == CONTENT
        assert len(centre.requests) == 1


def test_what_nobody_has_is_named_with_what_each_said() -> None:
    with server(shelf(without=WANTED[2].digest)) as relay, server(shelf(broken=WANTED[2].digest)) as centre:
        with pytest.raises(FetchError, match=f"{WANTED[2].digest.hex()}.*{relay.url}.*404.*{centre.url}.*hash to its name") as caught:
            fetch(relay.url, centre.url)
        assert set(caught.value.details["sources"]) == {relay.url, centre.url}


def test_what_every_source_lacks_is_not_there() -> None:
    with server(shelf()) as there, pytest.raises(NotThere):
        Fetcher([there.url], attempts=1).document("manifests/image/x/1.json", 100)


def frame_of(data: bytes) -> bytes:
    return bytes(Compressor().compress(data))


@pytest.mark.parametrize(
    "answer",
    [
        ok(frame_of(bytes(64 * CHUNK_SIZE))),  # a bomb
        ok(bytes(4 * CHUNK_SIZE)),  # more than a chunk can take
        ok(b""),  # an answer without a chunk
        ok(b"not zstd"),
        ok(frame_of(random.Random(2).randbytes(100))),
        ok(frame_of(CONTENT[WANTED[2].digest]) + b"trailing"),
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n" + frame_of(CONTENT[WANTED[2].digest]),
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50_000,
    ],
    ids=["bomb", "too large", "empty", "not zstd", "another chunk", "trailing", "redirect", "short", "cut", "endless header"],
)
def test_whatever_a_hostile_source_answers_the_chunk_comes_right_from_the_next(answer: bytes) -> None:
    with server(says(answer)) as hostile, server(shelf()) as centre:
        assert fetch(hostile.url, centre.url, wanted=[WANTED[2]]) == {WANTED[2].digest: CONTENT[WANTED[2].digest]}
        assert len(hostile.requests) <= 2


def test_a_source_that_hangs_is_left_alone_while_another_works() -> None:
    def hang(connection: socket.socket, _request: bytes) -> bool:
        time.sleep(5)
        return False

    taken = []

    def take(item: Wanted, _data: memoryview) -> None:
        taken.append(item.digest)
        time.sleep(0.1)

    with server(hang) as dead, server(shelf()) as centre:
        fetcher: Fetcher[Any] = Fetcher([dead.url, centre.url], timeout=0.3, connections=8)
        fetcher.chunks(WANTED * 24, take)
        assert len(taken) == len(WANTED) * 24
        assert len(dead.requests) <= 8 + 4  # each connection once, then one of them now and then


def test_a_source_that_restarts_is_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    opened = threading.Event()

    def later() -> None:
        time.sleep(0.6)
        with socket.create_server(("127.0.0.1", port)) as late:
            opened.set()
            connection, _address = late.accept()
            connection.recv(65536)
            connection.sendall(ok(b"body"))

    thread = threading.Thread(target=later)
    thread.start()
    try:
        assert Fetcher([f"http://127.0.0.1:{port}"], attempts=6, timeout=2.0).document("d", 100) == b"body"
    finally:
        thread.join()
    assert opened.is_set()


def test_an_error_of_who_takes_the_chunks_ends_the_fetch() -> None:
    class DiskFull(Exception):
        pass

    def refuse(_item: Any, _data: memoryview) -> None:
        raise DiskFull

    with server(shelf()) as there, pytest.raises(DiskFull):
        Fetcher([there.url]).chunks(WANTED, refuse)


def test_no_source_is_an_error() -> None:
    with pytest.raises(InputError, match="no content store is given"):
        Fetcher([])


def test_with_tls_the_sites_authority_is_believed_and_no_other(web: Any, make_sample: Any, tmp_path: Path) -> None:
    sample = make_sample()
    for name, frame in sample.frames().items():
        path = web.store.chunk_path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(frame)
        os.chmod(path, 0o644)
    wanted = [Wanted(name, len(data)) for name, data in sample.chunks.items()]
    assert fetch(web.url, wanted=wanted, ca_file=web.ca_file) == sample.chunks
    with pytest.raises(FetchError, match="its certificate is not trusted"):
        fetch(web.url, wanted=wanted)
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "1",
        "-subj",
        "/CN=other",
    ]
    subprocess.run([*command, "-keyout", tmp_path / "key", "-out", tmp_path / "other.pem"], check=True, capture_output=True)
    with pytest.raises(FetchError, match="its certificate is not trusted"):
        fetch(web.url, wanted=wanted, ca_file=tmp_path / "other.pem")
    (tmp_path / "empty.pem").touch()
    with pytest.raises(InputError, match="is not a certificate authority's certificate"):
        fetch(web.url, wanted=wanted, ca_file=tmp_path / "empty.pem")
