# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client of the station database's API: standard library, one connection kept alive, one clear error for each failure."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Optional

from ..errors import FleetError
from .access import TOKEN_REMEDY, Access

_PAUSES = (0.5, 1.0, 2.0)
"""Seconds before a safe request is tried again."""

_LARGEST = 64 << 20
"""Bytes of an answer that is read whole."""

_PIECE = 1 << 18
_PAGE = 1000
"""Rows in one answer."""

_SAFE = ("GET", "HEAD")
_BUSY = (502, 503, 504)


class ClientError(FleetError):
    """The station database was not asked, did not answer, or answered that it will not."""


class Unreachable(ClientError):
    """No answer, or not a whole one."""


class Untrusted(ClientError):
    """The server's certificate is not one we trust."""


class Unauthorized(ClientError):
    """The token is wrong, has expired, or its user is not active."""


class Refused(ClientError):
    """The server understood and refuses: a right is missing, or the input is wrong."""


class NotFound(Refused):
    """There is no such thing, or not in the sites that the token's user may see."""


class Conflict(Refused):
    """Somebody else changed it meanwhile, or a name is taken."""


@dataclass
class Answer:
    """Status, entity tag, and the body as JSON (None when there is none)."""

    status: int
    etag: str
    body: Any


class Client:
    """The API of one station database. A context manager, so that the connection is closed."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self._tls = access.tls() if access.secure else None
        self._connection: Optional[http.client.HTTPConnection] = None

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the next request opens one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def get(self, path: str, **query: Any) -> Any:
        """The body of an answer to GET. Query values that are None are left out; lists are repeated."""
        return self.request("GET", path, query=query).body

    def pages(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """The rows of a list, page after page."""
        offset, total = 0, 1
        while offset < total:
            said = self.get(path, **query, limit=_PAGE, offset=offset)
            try:
                rows, total = list(said["items"]), int(said["total"])
            except (KeyError, TypeError, ValueError) as error:
                raise self._stranger(path, "no list") from error
            if not rows:
                return
            yield from rows
            offset += len(rows)

    def post(self, path: str, body: Any, **query: Any) -> Any:
        """Send JSON; it is never sent twice."""
        return self.request("POST", path, body=body, query=query).body

    def patch(self, path: str, body: Any, etag: str = "") -> Any:
        """Change something, if it is still what etag names."""
        return self.request("PATCH", path, body=body, etag=etag).body

    def put(self, path: str, body: Any, etag: str = "") -> Any:
        """Replace something, if it is still what etag names."""
        return self.request("PUT", path, body=body, etag=etag).body

    def delete(self, path: str, etag: str = "") -> None:
        """Remove something, if it is still what etag names."""
        self.request("DELETE", path, etag=etag)

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Optional[Mapping[str, Any]] = None,
        etag: str = "",
        data: Optional[bytes] = None,
        content_type: str = "application/json",
    ) -> Answer:
        """One request and its answer, whole. Either body (as JSON) or data (as it is) is sent; etag becomes If-Match."""
        headers = {"Accept": "application/json", **({"If-Match": f'"{etag}"'} if etag else {})}
        if body is not None:
            data = json.dumps(body).encode()
        if data is not None:
            headers["Content-Type"] = content_type
        response = self._send(method, path, query or {}, headers, data)
        with self._reading(response):
            content = response.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            self.close()
            raise Unreachable(f"{self._where(path)} answered more than {_LARGEST >> 20} MiB", remedy="Ask for fewer with a filter")
        self._check(method, path, response, content)
        tag = response.headers.get("ETag", "").strip()
        return Answer(response.status, tag[2:].strip('"') if tag.startswith("W/") else tag.strip('"'), self._parsed(path, content))

    @contextmanager
    def lines(self, path: str, query: Mapping[str, Any], etag: str = "") -> Iterator[Optional[Iterator[bytes]]]:
        """The lines of a streamed answer; None when it is still what etag names."""
        headers = {"Accept": "application/x-ndjson", **({"If-None-Match": f'"{etag}"'} if etag else {})}
        response = self._send("GET", path, query, headers, None)
        try:
            if response.status == 304:
                yield None
                return
            if response.status != 200:
                with self._reading(response):
                    content = response.read(_LARGEST)
                self._check("GET", path, response, content)
            kind = response.headers.get_content_type()
            if kind != "application/x-ndjson":
                raise self._stranger(path, kind)
            yield self._lines(response)
        finally:
            self.close()

    def _lines(self, response: http.client.HTTPResponse) -> Iterator[bytes]:
        pending: list[bytes] = []
        with self._reading(response):
            while True:
                piece = response.read1(_PIECE)
                if not piece:
                    break
                first, *others = piece.split(b"\n")
                pending.append(first)
                if others:
                    yield b"".join(pending)
                    yield from others[:-1]
                    pending = [others[-1]]
        rest = b"".join(pending)
        if rest:
            yield rest

    def _send(
        self, method: str, path: str, query: Mapping[str, Any], headers: dict[str, str], data: Optional[bytes]
    ) -> http.client.HTTPResponse:
        """Send, and wait for the answer's head; safe requests again when nobody answers or the server is busy."""
        asked = {name: value for name, value in query.items() if value not in (None, [], "")}
        flat = {name: str(value).lower() if isinstance(value, bool) else value for name, value in asked.items()}
        target = self.access.path(path) + (f"?{urllib.parse.urlencode(flat, doseq=True)}" if flat else "")
        given = {"Authorization": f"Bearer {self.access.token}", "User-Agent": "fleet", "Connection": "keep-alive", **headers}
        if method not in _SAFE:
            self.close()  # a connection that the server has closed meanwhile would leave open whether it was done
        for pause in (*_PAUSES, None):
            try:
                response = self._once(method, target, given, data)
            except Unreachable:
                self.close()
                if pause is None or method not in _SAFE:
                    raise
            else:
                if pause is None or response.status not in _BUSY or method not in _SAFE:
                    return response
                self.close()
            time.sleep(pause)
        raise AssertionError("unreachable")

    def _once(self, method: str, target: str, headers: dict[str, str], data: Optional[bytes]) -> http.client.HTTPResponse:
        where = f"{self.access.host}:{self.access.port}"
        try:
            if self._connection is None:
                self._connection = self._connect()
            self._connection.request(method, target, data, headers)
            return self._connection.getresponse()
        except ssl.SSLCertVerificationError as error:
            raise Untrusted(
                f"The certificate of the station database at {where} is not trusted: {error.verify_message}",
                remedy="Let ca_file name the authority that issued it, and url the name it was issued for",
            ) from error
        except ssl.SSLError as error:
            raise Unreachable(f"{where} does not speak TLS as we do: {error.reason}", remedy="Check scheme and port of url") from error
        except socket.timeout as error:
            raise Unreachable(
                f"The station database at {where} did not answer within {self.access.timeout:g} s", remedy="See its log, or raise timeout"
            ) from error
        except socket.gaierror as error:
            raise Unreachable(f"There is no address of {self.access.host}: {error.strerror}", remedy="Check url and DNS") from error
        except (OSError, http.client.HTTPException) as error:
            reason = str(error) or type(error).__name__
            raise Unreachable(
                f"The station database at {where} cannot be reached: {reason}", remedy="Check url, and that it runs"
            ) from error

    def _connect(self) -> http.client.HTTPConnection:
        host, port, timeout = self.access.host, self.access.port, self.access.timeout
        if self._tls is not None:
            return http.client.HTTPSConnection(host, port, timeout=timeout, context=self._tls)
        return http.client.HTTPConnection(host, port, timeout=timeout)

    @contextmanager
    def _reading(self, response: http.client.HTTPResponse) -> Iterator[None]:
        try:
            yield
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise Unreachable(
                f"The answer of {self.access.url} broke off: {str(error) or type(error).__name__}",
                remedy="Run it again; see the server's log",
            ) from error
        if response.isclosed() and response.will_close:
            self.close()

    def _parsed(self, path: str, content: bytes) -> Any:
        if not content.strip():
            return None
        try:
            return json.loads(content)
        except ValueError as error:
            raise self._stranger(path, "no JSON") from error

    def _check(self, method: str, path: str, response: http.client.HTTPResponse, content: bytes) -> None:
        """Raise what the status says."""
        status = response.status
        if 200 <= status < 300:
            return
        if 300 <= status < 400:
            raise Refused(f"{self._where(path)} sends us to {response.headers.get('Location')}", remedy="Let url name the database itself")
        said = _said(content)
        if status == 401:
            raise Unauthorized(
                f"The station database at {self.access.url} does not accept the token: it is wrong, has expired, or its user is not active",
                remedy=TOKEN_REMEDY,
            )
        if status >= 500:
            raise Unreachable(
                f"{method} {self._where(path)} failed on the server ({status}) {said}".rstrip(), remedy="See the server's log"
            )
        kind = {404: NotFound, 409: Conflict, 412: Conflict}.get(status, Refused)
        raise kind(said or f"{method} {self._where(path)} was answered {status}", status=status)

    def _stranger(self, path: str, what: str) -> ClientError:
        return ClientError(f"{self._where(path)} is no station database: it answers {what}", remedy="Check url")

    def _where(self, path: str) -> str:
        return f"{self.access.url.rstrip('/')}{path}"


def _said(content: bytes) -> str:
    """What the server says is wrong, in one line."""
    try:
        said = json.loads(content)
    except ValueError:
        return ""
    return in_words(said)[:2000]


def in_words(said: Any) -> str:
    """An error of the API, or a list of them, as a sentence."""
    if isinstance(said, str):
        return said
    if isinstance(said, list):
        return "; ".join(filter(None, map(in_words, said)))
    if not isinstance(said, Mapping):
        return ""
    words = [str(said[name]) for name in ("message", "what", "msg", "remedy") if said.get(name)]
    where = said.get("where") or ".".join(str(each) for each in said.get("loc", ()))
    where = f"line {said['line']}, {where}" if said.get("line") and where else where or (f"line {said['line']}" if said.get("line") else "")
    more = [in_words(said[name]) for name in ("detail", "faults", "errors") if said.get(name)]
    text = " ".join(word if word.endswith((".", "!", "?")) else f"{word}." for word in [*words, *filter(None, more)])
    return f"{where}: {text}" if where else text
