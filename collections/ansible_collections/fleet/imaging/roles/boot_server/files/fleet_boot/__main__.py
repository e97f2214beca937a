# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands: ``serve`` and ``advertise`` (systemd), ``tftp`` (dnsmasq's script), ``probe`` and ``status`` (the role, and people)."""

from __future__ import annotations

import argparse
import http.client
import json
import socket
import sys
from pathlib import Path

from . import advertise, probe, server, status

SOCKET = "/run/fleet-boot.socket"


def main() -> int:
    """Run a command and return its exit code."""
    parser = argparse.ArgumentParser(prog="fleet-boot")
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="answer nginx and dnsmasq, at the socket that systemd hands over")
    serve.add_argument("--root", type=Path, default=Path("/srv/fleet-boot"))
    serve.add_argument("--state", type=Path, default=Path("/var/lib/fleet-boot"))
    serve.add_argument("--socket", type=Path, help="listen here instead")
    serve.add_argument("--neighbours", type=Path, default=Path("/proc/net/arp"))
    event = commands.add_parser("tftp", help="tell the service that a station has fetched a file over TFTP")
    event.add_argument("address")
    event.add_argument("path")
    event.add_argument("--socket", type=Path, default=Path(SOCKET))
    seek = commands.add_parser("probe", help="ask who answers DHCP on an interface, as JSON")
    seek.add_argument("interface")
    seek.add_argument("--seconds", type=float, default=8.0)
    router = commands.add_parser("advertise", help="answer router solicitations on an interface: there is no router")
    router.add_argument("interface")
    look = commands.add_parser("status", help="say how full the pool is, and who found no address")
    look.add_argument("--config", type=Path, default=Path("/etc/fleet/boot/dnsmasq.conf"))
    look.add_argument("--json", action="store_true")
    said = parser.parse_args()
    if said.command == "serve":
        return server.serve(said.root, said.state, said.neighbours, said.socket)
    if said.command == "advertise":
        return advertise.serve(said.interface)
    if said.command == "tftp":
        return tell(said.socket, said.address, said.path)
    if said.command == "probe":
        print(json.dumps([offer.as_dict() for offer in probe.offers(said.interface, said.seconds)]))
        return 0
    return status.show(said.config, as_json=said.json)


class _Local(http.client.HTTPConnection):
    """A connection to a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=20)
        self._path = str(path)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(20)
        self.sock.connect(self._path)


def tell(path: Path, address: str, file: str) -> int:
    """Tell the service of a file that went out over TFTP; 1 when it does not answer."""
    try:
        connection = _Local(path)
        connection.request("POST", "/tftp", json.dumps({"address": address, "path": file}).encode())
        return 0 if connection.getresponse().status < 300 else 1
    except OSError as error:
        print(f"fleet-boot: {path} does not answer: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
