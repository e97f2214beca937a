# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hands a station its answers, and its files once, behind the boot server's web server.

``GET /install/<MAC with hyphens>/<file>``. Answers (preseed.cfg, user-data, …) are given as often as asked, while files.tar is there.
files.tar is given over HTTPS only, and once: then the answers go too, and taken.json says when and to whom. A caller whose MAC the
kernel knows must have the one that it asks for. The web server says who calls (X-Real-IP) and how (X-Forwarded-Proto).

    fleet_install.py FOLDER [HOST:PORT]

Without a port, systemd hands it a socket (sd_listen_fds(3)).
"""

from __future__ import annotations

import contextlib
import http.server
import ipaddress
import json
import os
import re
import shutil
import socket
import socketserver
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

ANSWERS = ("preseed.cfg", "user-data", "meta-data", "vendor-data")
HANDED = 3
"""The descriptor of systemd's socket."""
FILES, TAKEN = "files.tar", "taken.json"
_PATH = re.compile(r"/install/([0-9a-f]{2}(?:-[0-9a-f]{2}){5})/([a-z-]+(?:\.[a-z]+)?)")
_one_at_a_time = threading.Lock()


class Refused(Exception):
    """A request is not answered; status is HTTP's."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def neighbour(address: str) -> str:
    """The MAC address, with hyphens, that the kernel knows for an address of the network; empty when it knows none."""
    try:
        asked = str(ipaddress.ip_address(address))
        said = subprocess.run(["ip", "-json", "neighbour", "show", "to", asked], capture_output=True, check=True, timeout=10).stdout
        entries: list[dict[str, Any]] = json.loads(said or b"[]")
    except (ValueError, OSError, subprocess.SubprocessError):
        return ""
    return next((str(entry["lladdr"]).lower().replace(":", "-") for entry in entries if "lladdr" in entry), "")


def hand_out(folder: Path, path: str, caller: str, scheme: str) -> bytes:
    """The contents of what was asked for; raises Refused."""
    match = _PATH.fullmatch(path)
    if not match or match[2] not in (*ANSWERS, FILES):
        raise Refused(404, "no such file")
    mac, name = match.groups()
    known = neighbour(caller)
    if known and known != mac:
        raise Refused(403, f"{caller} is {known}")
    station = folder / mac
    if name != FILES:
        with _Reading(station):
            return (station / name).read_bytes()
    if scheme != "https":
        raise Refused(403, "only over HTTPS")
    with _one_at_a_time, _Reading(station):
        data = (station / FILES).read_bytes()
        _take_away(station, {"address": caller, "mac": known, "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())})
        return data


class _Reading(contextlib.AbstractContextManager[None]):
    """Say what is missing: never there, or handed out already."""

    def __init__(self, station: Path) -> None:
        self.station = station

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, FileNotFoundError):
            if (self.station / TAKEN).exists():
                raise Refused(410, "handed out already") from error
            raise Refused(404, "no such station") from error


def _take_away(station: Path, trace: dict[str, str]) -> None:
    """First the trace, then the secret: after a power cut in between, it is handed out no more than once and no trace is missing."""
    partial = station / f".{TAKEN}"
    partial.write_text(json.dumps(trace) + "\n")
    os.replace(partial, station / TAKEN)
    (station / FILES).unlink()
    for name in ANSWERS:
        (station / name).unlink(missing_ok=True)
    descriptor = os.open(station, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


class Handler(http.server.BaseHTTPRequestHandler):
    """One request."""

    server_version, sys_version = "fleet-install", ""
    timeout = 60
    folder = Path()

    def do_GET(self) -> None:
        """Answer it."""
        caller, scheme = self.headers.get("X-Real-IP", ""), self.headers.get("X-Forwarded-Proto", "")
        try:
            data, status = hand_out(self.folder, self.path, caller, scheme), 200
        except Refused as refusal:
            data, status = f"{refusal}\n".encode(), refusal.status
        except OSError as error:
            data, status = b"the boot server cannot read it\n", 500
            print(f"{self.path}: {error}", file=sys.stderr, flush=True)
        print(f"{caller or '-'} {scheme or '-'} {self.path[:100]!r} {status}", file=sys.stderr, flush=True)
        self.send_response(status)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(data)

    def address_string(self) -> str:
        return "-"

    def log_message(self, format: str, *args: object) -> None:  # do_GET says more
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """A server on the socket that systemd hands over, or on a port."""

    daemon_threads = True
    request_queue_size = 128  # a room may ask at once

    def __init__(self, folder: Path, address: str) -> None:
        Handler.folder = folder
        if address:
            host, _colon, port = address.rpartition(":")
            super().__init__((host, int(port)), Handler)
        else:
            self.address_family = socket.AF_UNIX  # the only kind that the unit allows
            super().__init__(("", 0), Handler, bind_and_activate=False)
            self.socket.close()
            self.socket = socket.socket(fileno=HANDED)

    def get_request(self) -> tuple[socket.socket, Any]:
        """What socketserver wants; a Unix socket has no address of who called."""
        connection, address = self.socket.accept()
        return connection, address or ("", 0)

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)  # not HTTPServer's, which looks the host's name up
        self.server_name, self.server_port = "fleet-install", 0


def main() -> None:
    """Serve until told to end."""
    folder, address = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else ""
    if not shutil.which("ip"):
        sys.exit("fleet_install.py: ip is missing; install iproute2")
    if not address and os.environ.get("LISTEN_FDS") != "1":
        sys.exit("fleet_install.py: systemd handed no socket over; name a port")
    Server(folder, address).serve_forever()


if __name__ == "__main__":
    main()
