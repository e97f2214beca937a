# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One connection to a content store, and to servers that are broken or hostile."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from ansible_collections.fleet.core.plugins.module_utils.content.connection import (
    Connection,
    Credential,
    Endpoint,
    RateLimit,
    StatusError,
    TransportError,
)
from ansible_collections.fleet.core.plugins.module_utils.errors import InputError
from ansible_collections.fleet.core.tests.unit.module_utils.content.hostile import ok, says, server

MIB = 1 << 20


def connection(url: str, **options: float) -> Connection:
    return Connection(Endpoint(url, timeout=options.pop("timeout", 60), **options))  # type: ignore[arg-type]


def test_several_documents_come_over_one_connection() -> None:
    with server(says(ok(b"body"), keep=True)) as there, connection(there.url) as client:
        assert [client.document(f"d{number}", 100) for number in range(3)] == [b"body"] * 3
        assert there.connections == 1 and there.requests[2].startswith(b"GET /content/d2 HTTP/1.1\r\nHost: 127.0.0.1:")


def test_a_kept_connection_that_was_closed_meanwhile_is_opened_again() -> None:
    with server(says(ok(b"body"))) as there, connection(there.url) as client:  # nginx: keepalive_timeout
        assert [client.document("d", 100) for _time in range(3)] == [b"body"] * 3
        assert there.connections == 3


def test_connection_close_is_obeyed() -> None:
    with server(says(ok(b"body", b"Connection: close\r\n"), keep=True)) as there, connection(there.url) as client:
        assert [client.document("d", 100) for _time in range(2)] == [b"body"] * 2
        assert there.connections == 2


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"", "closed within the header"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "closed within the header"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "no HTTP answer"),
        (b"HTTP/1.1 abc OK\r\n\r\n", "no HTTP answer"),
        (b"HTTP/1.1 200 OK\r\n\r\nbody", "has no length"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n", "has no length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nbody", "has no length"),
        ("HTTP/1.1 200 OK\r\nContent-Length: ²\r\n\r\nbo".encode("latin-1"), "has no length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\nbody", "has no length"),
        ("HTTP/1.1 ²³ OK\r\n\r\n".encode("latin-1"), "no HTTP answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nbody", "closed after 4 of 10 bytes"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000, "header of the answer does not end"),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", "answered 503"),
    ],
)
def test_an_answer_that_makes_no_sense_is_worth_another_attempt(answer: bytes, said: str) -> None:
    with server(says(answer)) as there, connection(there.url) as client, pytest.raises(TransportError, match=said):
        client.document("d", 100)


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\nContent-Length: 3\r\n\r\nbye", 302),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 900\r\n\r\n" + b"x" * 900, 404),
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 500000\r\n\r\n" + b"x" * 500_000, 403),
        (b"HTTP/1.1 206 Partial Content\r\nContent-Length: 2\r\n\r\nbo", 206),
        (ok(b"x" * 101), 413),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", 413),
    ],
)
def test_an_answer_that_is_no_is_told_with_its_status(answer: bytes, status: int) -> None:
    with server(says(answer, keep=True)) as there, connection(there.url) as client, pytest.raises(StatusError) as caught:
        client.document("d", 100)
    assert caught.value.status == status


def test_after_a_refusal_the_connection_can_be_used_again() -> None:
    answers = iter([b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone", ok(b"body")])

    def answer(peer: socket.socket, _request: bytes) -> bool:
        peer.sendall(next(answers))
        return True

    with server(answer) as there, connection(there.url) as client:
        with pytest.raises(StatusError):
            client.document("a", 100)
        assert client.document("b", 100) == b"body" and there.connections == 1


def test_a_body_longer_than_was_said_spoils_nothing_that_comes_after() -> None:
    body = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody and more than was said"
    with server(says(body, keep=True)) as there, connection(there.url) as client:
        assert [client.document("d", 100) for _time in range(2)] == [b"body"] * 2


@pytest.mark.parametrize("beginning", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome"])
def test_a_server_that_falls_silent_is_given_up(beginning: bytes) -> None:
    def answer(peer: socket.socket, _request: bytes) -> bool:
        peer.sendall(beginning)
        given_up.wait(100)
        return False

    given_up = threading.Event()
    started = time.monotonic()
    with server(answer) as there, connection(there.url, timeout=0.5) as client:
        with pytest.raises(TransportError):
            client.document("d", 100)
        given_up.set()
    assert time.monotonic() - started < 90


@pytest.mark.parametrize("beginning", [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"])
def test_a_server_that_sends_a_byte_now_and_then_is_given_up(beginning: bytes) -> None:
    def answer(peer: socket.socket, _request: bytes) -> bool:
        peer.sendall(beginning)
        while not given_up.wait(0.1):
            peer.sendall(b"x")
        return False

    given_up = threading.Event()
    with server(answer) as there, connection(there.url, timeout=0.5) as client:
        with pytest.raises(TransportError, match="does not end|came in"):
            client.document("d", 200_000)
        given_up.set()


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(TransportError, match="cannot be reached"):
        connection(f"http://127.0.0.1:{port}/content").document("d", 100)


def test_a_body_is_read_into_the_callers_buffer() -> None:
    with server(says(ok(bytes(range(256)) * 4096), keep=True)) as there, connection(there.url) as client:
        buffer = bytearray(MIB)
        assert bytes(client.get("c", buffer)) == bytes(range(256)) * 4096
        with pytest.raises(StatusError, match="more than 1000"):
            client.get("c", bytearray(1000))
        assert len(client.get("c", buffer)) == MIB


def test_the_rate_is_kept() -> None:
    with server(says(ok(bytes(200_000)), keep=True)) as there:
        client = Connection(Endpoint(there.url, limit=RateLimit(400_000)))
        started = time.monotonic()
        client.document("d", MIB)
        assert 0.4 < time.monotonic() - started < 60
        client.close()


def test_put_and_head_and_the_credential() -> None:
    received = []

    def answer(peer: socket.socket, request: bytes) -> bool:
        header, _separator, body = request.partition(b"\r\n\r\n")
        if header.startswith(b"PUT"):
            while len(body) < 300_000:
                body += peer.recv(65536)
            received.append(body)
        peer.sendall(
            b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"
            if header.startswith(b"PUT")
            else ok(b"")[:15] + b"\r\nContent-Length: 5\r\n\r\n"
        )
        return True

    with server(answer) as there:
        client = Connection(Endpoint(there.url, credential=Credential("job", "sécret")))
        client.put("upload/a", b"x" * 300_000)
        assert client.exists("upload/a") and client.exists("upload/a") and there.connections == 1
        assert received == [b"x" * 300_000]
        assert b"Authorization: Basic am9iOnPDqWNyZXQ=\r\n" in there.requests[0]
        assert "sécret" not in repr(Credential("job", "sécret"))
        client.close()


@pytest.mark.parametrize("url", ["ftp://centre/content", "centre/content", "", "https://", "file:///etc/passwd"])
def test_what_is_not_the_url_of_a_store_is_refused(url: str) -> None:
    with pytest.raises(InputError, match="is not the URL of a content store"):
        Endpoint(url)


@pytest.mark.parametrize(("days", "said"), [(365, "certificate is not yet valid"), (-365, "certificate has expired")])
def test_given_a_clock_that_is_a_year_off_then_the_error_tells_what_it_says(days: int, said: str, tmp_path: Path) -> None:
    """To a client whose clock is wrong, a good certificate is one of another year."""
    key, begin = ec.generate_private_key(ec.SECP256R1()), datetime.now(timezone.utc) + timedelta(days)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), begin, begin + timedelta(30))
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    certificate = builder.add_extension(names, critical=False).sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    (tmp_path / "ca.pem").write_bytes(certificate)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "server.pem").write_bytes(private + certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")

    def serve() -> None:
        plain, _address = listener.accept()
        with plain, contextlib.suppress(OSError):
            context.wrap_socket(plain, server_side=True).close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        url = f"https://localhost:{listener.getsockname()[1]}/content"
        with pytest.raises(StatusError, match=f"{said}; the clock of this host says {datetime.now(timezone.utc):%Y-%m-%d}"):
            Connection(Endpoint(url, ca_file=tmp_path / "ca.pem", timeout=60)).document("d", 100)
        thread.join(60)
