# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that answers what a test says, byte by byte: what nginx never does, and what a broken or hostile one might."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Answer = Callable[[socket.socket, bytes], bool]
"""Takes the connection and the request's header; returns whether the connection stays open."""


@dataclass
class Hostile:
    """Its URL, and what it was asked."""

    url: str
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)


@contextlib.contextmanager
def server(answer: Answer) -> Iterator[Hostile]:
    """A server on a free port of loopback, gone when the context ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    hostile = Hostile(f"http://127.0.0.1:{listener.getsockname()[1]}/content")
    opened: list[socket.socket] = []

    def talk(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            while True:
                request = b""
                while b"\r\n\r\n" not in request:
                    piece = connection.recv(65536)
                    if not piece:
                        return
                    request += piece
                hostile.requests.append(request)
                if not answer(connection, request):
                    return

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _address = listener.accept()
                hostile.connections += 1
                opened.append(connection)
                threading.Thread(target=talk, args=(connection,), daemon=True).start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield hostile
    finally:
        listener.shutdown(socket.SHUT_RDWR)  # close() alone wakes nobody: the thread would answer whoever listens with this number next
        accepting.join()
        listener.close()
        for connection in opened:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def says(data: bytes, keep: bool = False) -> Answer:
    """Always the same bytes."""

    def answer(connection: socket.socket, _request: bytes) -> bool:
        connection.sendall(data)
        return keep

    return answer


def ok(body: bytes, headers: bytes = b"") -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n" % (len(body), headers) + body
