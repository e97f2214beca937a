# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP over a Unix socket, for nginx and for dnsmasq's script. nginx says who asks (X-Real-IP); nobody else reaches the socket."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import os
import re
import socket
import socketserver
import sys
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Optional

from . import neighbours, password
from .store import Refused, Store

LONGEST_BODY = 4096
PATIENCE = 15.0
"""Seconds for which a request may make no progress."""
TOGETHER = 64
"""Requests that are answered at once; others wait in the socket's queue."""
_CARD = r"(?P<card>[0-9a-f]{2}(?:-[0-9a-f]{2}){5})"
_GET = (
    (re.compile(rf"/stations/{_CARD}\.ipxe"), "script"),
    (re.compile(rf"/station/{_CARD}"), "station"),
    (re.compile(r"/maintenance/(?P<task>[A-Za-z0-9][A-Za-z0-9_.+-]{0,80})\.ipxe"), "maintenance"),
)
_POST = ((re.compile(rf"/station/{_CARD}/host-key"), "register"), (re.compile(r"/tftp"), "fetched"))
_TFTP = re.compile(rf"(?:.*/)?stations/{_CARD}\.cfg")


class Handler(BaseHTTPRequestHandler):
    """One request. Its log is standard error, which is the journal; a secret is never in it."""

    server: Service
    protocol_version = "HTTP/1.0"  # one request a connection: nobody keeps a place
    server_version = "fleet-boot"
    sys_version = ""
    timeout = PATIENCE
    _length = -1
    _body = b""

    def do_GET(self) -> None:
        """Answer what is read."""
        self._answer(_GET)

    def do_POST(self) -> None:
        """Answer what changes something."""
        self._answer(_POST)

    def _answer(self, routes: tuple[tuple[re.Pattern[str], str], ...]) -> None:
        # Read first, whatever is asked: who is refused must be able to hear it.
        length = self.headers.get("Content-Length", "0" if self.command == "GET" else "")
        self._length = int(length) if re.fullmatch(r"[0-9]{1,9}", length) else -1
        try:
            self._body = self.rfile.read(min(max(self._length, 0), LONGEST_BODY + 1))
            for pattern, name in routes:
                found = pattern.fullmatch(self.path)
                if found:
                    getattr(self, f"_{name}")(**found.groupdict())
                    return
            raise Refused(404, "nothing is there")
        except Refused as error:
            self._refuse(error)
        except TimeoutError:
            self.close_connection = True
        except OSError as error:
            print(f"fleet-boot: {error}", file=sys.stderr, flush=True)
            self._send(500, b"the boot server cannot read or write its state\n", "text/plain")

    def _script(self, card: str) -> None:
        self._require_card(card)
        self._send(200, self.server.store.fetch(card), "text/plain")

    def _station(self, card: str) -> None:
        self._require_card(card)
        self._send_json(200, self.server.store.station(card))

    def _register(self, card: str) -> None:
        self._require_card(card)
        said = self._json()
        token, host_key = said.get("token"), said.get("host_key")
        if not isinstance(token, str) or not isinstance(host_key, str):
            raise Refused(400, "token and host_key are missing")
        self.server.store.register(card, token, host_key)
        self._send_json(201, {"registered": True})

    def _maintenance(self, task: str) -> None:
        user, hashed = self.server.store.account()
        given = _credentials(self.headers.get("Authorization", ""))
        address = self._address()
        if not self.server.attempts.allowed(address):
            raise Refused(429, "too many wrong passwords")
        # The hash is computed for a wrong name as well: how long it takes tells nothing.
        right = bool(hashed) and given is not None and password.matches(hashed, given[1])
        if not right or given is None or not hmac.compare_digest(given[0].encode(), user.encode()):
            if given is not None:
                self.server.attempts.failed(address)
            raise Refused(401, "wrong name or password")
        self._send(200, self.server.store.maintenance(task), "text/plain")

    def _fetched(self) -> None:
        if self.headers.get("X-Real-IP"):
            raise Refused(404, "nothing is there")  # came through nginx
        said = self._json()
        found = _TFTP.fullmatch(str(said.get("path", "")))
        if found is None:
            raise Refused(404, "not a station's file")
        self._require_card(found["card"], str(said.get("address", "")))
        self._send_json(200, {"used_up": self.server.store.fetched(found["card"])})

    def _address(self) -> str:
        return self.headers.get("X-Real-IP", "")

    def _require_card(self, card: str, address: Optional[str] = None) -> None:
        """Refuse who is known to have another card: a station gets what is its own."""
        known = neighbours.card_of(self._address() if address is None else address, self.server.neighbours)
        if known is not None and known != card:
            raise Refused(403, f"asked for by the card {known}")

    def _json(self) -> dict[str, Any]:
        if self._length < 0:
            raise Refused(411, "no length is given")
        if self._length > LONGEST_BODY:
            raise Refused(413, f"longer than {LONGEST_BODY} bytes")
        try:
            said = json.loads(self._body)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict) or len(self._body) != self._length:
            raise Refused(400, "that is no JSON object")
        return said

    def _refuse(self, error: Refused) -> None:
        print(f"fleet-boot: {self.path[:120]!r} of {self._address() or 'dnsmasq'}: {error.status}, {error}", file=sys.stderr, flush=True)
        self._send(error.status, f"{error}\n".encode(), "text/plain")

    def _send_json(self, status: int, said: dict[str, Any]) -> None:
        self._send(status, json.dumps(said).encode() + b"\n", "application/json")

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="fleet"')
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        """What was granted is worth a line; what was refused has one already."""
        if str(getattr(code, "value", code))[0] == "2":
            print(
                f"fleet-boot: {self.path[:120]!r} of {self._address() or 'dnsmasq'}: {getattr(code, 'value', code)}",
                file=sys.stderr,
                flush=True,
            )

    def log_message(self, format: str, *args: Any) -> None:
        """Lines of the base class, without what a client could put into them."""
        print(f"fleet-boot: {ascii(format % args)[:300]}", file=sys.stderr, flush=True)

    def address_string(self) -> str:
        """A Unix socket's client has no address."""
        return self._address() if hasattr(self, "headers") else ""


class Service(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """The boot service at its socket."""

    daemon_threads = True
    request_queue_size = 512

    def __init__(self, root: Path, state: Path, arp: Path, listening: socket.socket) -> None:
        self.store = Store(root, state)
        self.neighbours = arp
        self.attempts = password.Attempts()
        self._places = threading.BoundedSemaphore(TOGETHER)
        super().__init__(listening.getsockname(), Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening

    def process_request(self, request: Any, client_address: Any) -> None:
        """Wait for a place, then answer in a thread."""
        self._places.acquire()
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._places.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, and give the place back whatever happens."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no fault of ours."""
        error = sys.exc_info()[1]
        if not isinstance(error, (ConnectionError, TimeoutError)):
            print(f"fleet-boot: {type(error).__name__}: {error}", file=sys.stderr, flush=True)


def serve(root: Path, state: Path, arp: Path, path: Optional[Path]) -> int:
    """Serve for ever, at the socket that systemd hands over (sd_listen_fds(3)) or at a path."""
    if path is not None:
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listening.bind(str(path))
        listening.listen(512)
    elif os.environ.get("LISTEN_PID") == str(os.getpid()) and os.environ.get("LISTEN_FDS") == "1":
        listening = socket.socket(fileno=3)
    else:
        print("fleet-boot: systemd hands over no socket; name one with --socket", file=sys.stderr)
        return 2
    with Service(root, state, arp, listening) as service:
        service.serve_forever()
    return 0


def _credentials(header: str) -> Optional[tuple[str, str]]:
    """Name and password of HTTP's basic authentication; None for anything else."""
    kind, _space, value = header.partition(" ")
    if kind.lower() != "basic" or len(value) > 2000:
        return None
    try:
        user, colon, given = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (user, given) if colon else None
