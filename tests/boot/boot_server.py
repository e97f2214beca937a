# SPDX-License-Identifier: GPL-3.0-or-later
"""What a boot server is to a station, on this host's loopback: files over HTTP, and a boot service over HTTPS that takes a host key once.

The service is a stand-in with the requests of the real one, kept in memory.
"""

from __future__ import annotations

import contextlib
import json
import ssl
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.ports import free_port

HOST = "10.0.2.2"
"""This host's loopback, as QEMU's user network shows it to a machine."""


class Files(SimpleHTTPRequestHandler):
    """A folder over HTTP."""

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Service(BaseHTTPRequestHandler):
    """GET /station/MAC and POST /station/MAC/host-key."""

    server: BootService

    def do_GET(self) -> None:
        station = self.server.stations.get(self.path.removeprefix("/station/"))
        self.answer(404 if station is None else 200, station)

    def do_POST(self) -> None:
        mac = self.path.removeprefix("/station/").removesuffix("/host-key")
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        station = self.server.stations.get(mac, {})
        right = station.get("token") and said["token"] == station["token"] and mac not in self.server.host_keys
        if right:
            self.server.host_keys[mac] = said["host_key"]
        else:
            self.server.refused.append(mac)
        self.answer(201 if right else 403, {})

    def answer(self, status: int, said: Any) -> None:
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


class BootService(ThreadingHTTPServer):
    """The service with what it knows: stations and registered keys by MAC, and who was refused."""

    daemon_threads = True

    def __init__(self, port: int, certificate: Path, key: Path) -> None:
        super().__init__(("127.0.0.1", port), Service)
        self.stations: dict[str, dict[str, Any]] = {}
        self.host_keys: dict[str, str] = {}
        self.refused: list[str] = []
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)
        self.socket = context.wrap_socket(self.socket, server_side=True)


@contextlib.contextmanager
def serving(server: ThreadingHTTPServer) -> Iterator[int]:
    """Serve until the end; gives the port."""
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def files(folder: Path) -> Iterator[str]:
    """Serve a folder; gives its address for a machine."""
    server = ThreadingHTTPServer(("127.0.0.1", free_port()), partial(Files, directory=str(folder)))
    with serving(server) as port:
        yield f"http://{HOST}:{port}"


def certificate(folder: Path) -> tuple[Path, Path]:
    """Make the boot server's certificate, which is its own authority; return its path and its key's."""
    path, key = folder / "ca.pem", folder / "ca.key"
    argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    argv += ["-subj", "/CN=boot", "-addext", f"subjectAltName=IP:{HOST},IP:127.0.0.1", "-keyout", str(key), "-out", str(path)]
    subprocess.run(argv, check=True, capture_output=True)
    return path, key
