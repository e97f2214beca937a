# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP/1.1 to a content store: one connection, kept alive, responses of a known length read straight into the caller's buffer.

http.client reads a body into memory of its own and parses every header as e-mail; this reads the three headers it needs and the body
into the caller's memory, page-aligned for the disk. Record 0017 has the figures. TLS is Python's, with the system's or the site's
certificate authority. Syntax: RFC 9112.
"""

from __future__ import annotations

import base64
import re
import socket
import ssl
import struct
import threading
import time
import urllib.parse
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Union

from ..errors import FleetError, InputError
from ..stop import pause
from ..zstd import Buffer

_HEADER_LIMIT = 1 << 16
_PIECE = 1 << 16

_DATES = (9, 10)
"""OpenSSL's words for a certificate that is not valid yet, or not any more (x509_vfy.h): often a station's clock is wrong."""

_NUMBER = re.compile(r"[0-9]{1,20}")
"""What int() surely takes: isdigit() also accepts ² and ³, and int() refuses very many digits."""

_SLOWEST = 1 << 10
"""Bytes a second; a source that stays below for as long as the time-out is as good as gone."""


class TransportError(FleetError):
    """The other side could not be reached, went away, timed out or answered 5xx: trying again may help."""


class StatusError(FleetError):
    """The other side answered, and the answer is no."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class RateLimit:
    """A token bucket that any number of connections share."""

    def __init__(self, rate: float) -> None:
        """rate is in bytes a second; 0 means no limit."""
        self.rate = rate
        self._lock = threading.Lock()
        self._free_at = 0.0

    def take(self, amount: int) -> None:
        """Account for amount bytes; sleeps as long as they should have taken."""
        if not self.rate:
            return
        with self._lock:
            now = time.monotonic()
            self._free_at = max(self._free_at, now) + amount / self.rate
            wait = self._free_at - now
        pause(wait)


@dataclass(frozen=True)
class Credential:
    """A user and a password of HTTP basic authentication (RFC 7617)."""

    user: str
    password: str

    def __repr__(self) -> str:
        return f"Credential({self.user!r})"


class Endpoint:
    """A base URL, and what it takes to talk to it."""

    def __init__(
        self,
        url: str,
        *,
        ca_file: Optional[Path] = None,
        credential: Optional[Credential] = None,
        timeout: float = 30.0,
        limit: Optional[RateLimit] = None,
    ) -> None:
        """timeout is in seconds without a byte. InputError when the URL is not http or https."""
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InputError(f"{url!r} is not the URL of a content store", remedy="Give http:// or https://, a host, and a path")
        self.url = url.rstrip("/")
        self.host, self.path = parts.hostname, parts.path.rstrip("/")
        try:
            self.port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError as error:
            raise InputError(f"{url!r} is not the URL of a content store: {error}", remedy="Give a port from 1 to 65535") from error
        self.timeout = timeout
        self.limit = limit or RateLimit(0)
        self.tls: Optional[ssl.SSLContext] = None
        if parts.scheme == "https":
            try:
                self.tls = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
            except (OSError, ssl.SSLError) as error:
                raise InputError(f"{ca_file} is not a certificate authority's certificate: {error}") from error
            self.tls.minimum_version = ssl.TLSVersion.TLSv1_2
        lines = [f"Host: {parts.netloc.rpartition('@')[2]}", "User-Agent: fleet", "Accept-Encoding: identity"]
        if credential:
            pair = base64.b64encode(f"{credential.user}:{credential.password}".encode()).decode()
            lines.append(f"Authorization: Basic {pair}")
        self.header = "".join(f"{line}\r\n" for line in lines)

    def connect(self) -> socket.socket:
        """A connected socket, with TLS when the URL says so."""
        try:
            plain = socket.create_connection((self.host, self.port), self.timeout)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.tls:
                return self.tls.wrap_socket(plain, server_hostname=self.host)
            # A kernel time-out on a blocking socket lets one recv wait for a whole chunk (MSG_WAITALL).
            plain.settimeout(None)
            period = struct.pack("ll", int(self.timeout), int(self.timeout % 1 * 1e6))
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, period)
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, period)
            return plain
        except ssl.SSLCertVerificationError as error:
            clock = (
                f"; the clock of this host says {time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC" if error.verify_code in _DATES else ""
            )
            raise StatusError(f"{self.url}: its certificate is not trusted: {error.verify_message}{clock}", 495) from error
        except OSError as error:
            raise TransportError(f"{self.url} cannot be reached: {error}") from error


@dataclass(frozen=True)
class _Head:
    status: int
    length: int
    keep: bool
    start: bytes
    """Bytes of the body that came with the header."""
    connection: socket.socket
    """Where the rest of the body comes from."""


class Connection:
    """One connection to an endpoint, opened when needed and again after it was closed. Not for several threads at once."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._socket: Optional[socket.socket] = None

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Forget the connection; the next request opens another."""
        if self._socket:
            self._socket.close()
            self._socket = None

    def get(self, path: str, buffer: bytearray) -> memoryview:
        """The body of GET, read into buffer (StatusError when it is larger); valid as long as the buffer is untouched."""
        head = self._get(path, len(buffer))
        view = memoryview(buffer)[: head.length]
        self._body(head, view)
        return view

    def document(self, path: str, limit: int) -> bytes:
        """The body of GET as bytes, at most limit of them."""
        head = self._get(path, limit)
        body = bytearray(head.length)
        self._body(head, memoryview(body))
        return bytes(body)

    def _get(self, path: str, limit: int) -> _Head:
        """The header of an answer whose body, of at most limit bytes, is to be read."""
        head = self._exchange("GET", path)
        if head.status != 200:
            self._body(head, memoryview(bytearray(min(head.length, _HEADER_LIMIT))))
            if head.length > _HEADER_LIMIT:
                self.close()
            raise self._refusal("GET", path, head)
        if head.length > limit:
            self.close()
            raise StatusError(f"{self._where(path)} has {head.length} bytes, more than {limit}", 413)
        return head

    def exists(self, path: str) -> bool:
        """Whether HEAD finds something there."""
        head = self._exchange("HEAD", path)
        if not head.keep:
            self.close()
        if head.status in (200, 404):
            return head.status == 200
        raise self._refusal("HEAD", path, head)

    def put(self, path: str, body: Buffer) -> None:
        """PUT a body; StatusError when it is not taken."""
        head = self._exchange("PUT", path, body)
        self._body(head, memoryview(bytearray(min(head.length, _HEADER_LIMIT))))
        if head.length > _HEADER_LIMIT:
            self.close()
        if head.status not in (200, 201, 204):
            raise self._refusal("PUT", path, head)

    def _exchange(self, method: str, path: str, body: Optional[Buffer] = None) -> _Head:
        """Send a request and read the answer's header; once more when a kept connection turns out to be closed."""
        for fresh in (self._socket is None, True):
            try:
                if self._socket is None:
                    self._socket = self.endpoint.connect()
                return self._once(self._socket, method, path, body)
            except (OSError, TransportError) as error:
                self.close()
                if fresh:
                    raise error if isinstance(error, TransportError) else TransportError(f"{self._where(path)}: {error}") from error
        raise AssertionError("unreachable")

    def _once(self, connection: socket.socket, method: str, path: str, body: Optional[Buffer]) -> _Head:
        target = urllib.parse.quote(f"{self.endpoint.path}/{path}")
        size = "" if body is None else f"Content-Length: {len(body)}\r\n"
        connection.sendall(f"{method} {target} HTTP/1.1\r\n{self.endpoint.header}{size}\r\n".encode())
        if body is not None:
            view = memoryview(body)
            for start in range(0, len(view), _PIECE if self.endpoint.limit.rate else len(view) or 1):
                piece = view[start : start + _PIECE] if self.endpoint.limit.rate else view
                self.endpoint.limit.take(len(piece))
                connection.sendall(piece)
        deadline = time.monotonic() + self.endpoint.timeout
        received = connection.recv(_HEADER_LIMIT)
        while b"\r\n\r\n" not in received:
            more = connection.recv(_HEADER_LIMIT)
            if not more:
                raise TransportError(f"{self._where(path)}: the connection was closed within the header")
            received += more
            if len(received) > _HEADER_LIMIT or time.monotonic() > deadline:
                raise TransportError(f"{self._where(path)}: the header of the answer does not end")
        header, _separator, beginning = received.partition(b"\r\n\r\n")
        return self._parse(method, path, header, beginning, connection)

    def _parse(self, method: str, path: str, header: bytes, start: bytes, connection: socket.socket) -> _Head:
        lines = header.decode("latin-1").split("\r\n")
        words = lines[0].split(" ", 2)
        if len(words) < 2 or not words[0].startswith("HTTP/1.") or not _NUMBER.fullmatch(words[1]):
            raise TransportError(f"{self._where(path)}: {lines[0]!r:.80} is no HTTP answer")
        status = int(words[1])
        fields = {name.strip().lower(): value.strip() for name, _colon, value in (line.partition(":") for line in lines[1:])}
        bodiless = method == "HEAD" or status == 204
        length = fields.get("content-length", "0" if bodiless else "")
        if not _NUMBER.fullmatch(length):
            self.close()
            raise TransportError(f"{self._where(path)}: the answer has no length")
        keep = fields.get("connection", "").lower() != "close" and words[0] == "HTTP/1.1"
        return _Head(status, 0 if bodiless else int(length), keep, start, connection)

    def _body(self, head: _Head, view: memoryview) -> None:
        """Fill view with the body; TransportError when it ends early."""
        connection, limit = head.connection, self.endpoint.limit
        done = min(len(head.start), len(view))
        view[:done] = head.start[:done]
        limit.take(done)
        plain, waited = self.endpoint.tls is None, 0.0
        try:
            while done < len(view):
                before = time.monotonic()
                wanted = len(view) - done
                if limit.rate:
                    wanted = min(wanted, _PIECE)
                if plain:
                    count = connection.recv_into(view[done:], wanted, socket.MSG_WAITALL)
                else:
                    count = connection.recv_into(view[done:], wanted)
                if not count:
                    raise TransportError(f"{self.endpoint.url}: the connection was closed after {done} of {len(view)} bytes")
                done += count
                waited += time.monotonic() - before
                if waited > self.endpoint.timeout and done < min(len(view), waited * _SLOWEST):
                    raise TransportError(f"{self.endpoint.url}: {done} of {len(view)} bytes came in {waited:.0f} s")
                limit.take(count)
        except (OSError, TransportError) as error:
            self.close()
            raise error if isinstance(error, TransportError) else TransportError(f"{self.endpoint.url}: {error}") from error
        if not head.keep:
            self.close()

    def _where(self, path: str) -> str:
        return f"{self.endpoint.url}/{path}"

    def _refusal(self, method: str, path: str, head: _Head) -> Union[TransportError, StatusError]:
        message = f"{method} {self._where(path)} was answered {head.status}"
        return TransportError(message) if head.status >= 500 and head.status != 507 else StatusError(message, head.status)
