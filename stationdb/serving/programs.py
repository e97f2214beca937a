# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs beside what: the site, and the worker that takes reports in."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..errors import StationDBError
from .address import Address, names_in
from .supervisor import Program

Way = Literal["plain", "tls", "proxy"]


@dataclass(frozen=True)
class Door:
    """How the site is reached: plain HTTP on loopback, TLS with a certificate, or plain HTTP from a proxy that does TLS."""

    address: Address
    way: Way
    certificate: Path | None = None
    key: Path | None = None

    @classmethod
    def choose(cls, address: Address, *, certificate: Path | None, key: Path | None, behind_proxy: bool) -> Door:
        """StationDBError for what would send passwords in the clear over a network, and for half a certificate."""
        if behind_proxy and (certificate or key):
            raise StationDBError(
                "--behind-proxy and --certificate exclude each other.", "The proxy has the certificate: leave it out here."
            )
        if key and not certificate:
            raise StationDBError("--key has no --certificate.", "Name both; or the certificate alone, when its file holds the key as well.")
        if certificate:
            names_in(certificate)
            if key:
                _readable(key)
            return cls(address, "tls", certificate, key or certificate)
        if behind_proxy:
            return cls(address, "proxy")
        if not address.loopback:
            raise StationDBError(
                f"{address} can be reached over the network, where plain HTTP shows passwords to whoever listens.",
                "Add --certificate FILE --key FILE, or --behind-proxy when a proxy before it does TLS, or bind 127.0.0.1.",
            )
        return cls(address, "plain")

    @property
    def names(self) -> list[str]:
        """The names under which it answers besides those that it always has."""
        host = self.address.host
        own = [f"[{host}]" if ":" in host else host] if host not in ("0.0.0.0", "::") else []
        return own + (names_in(self.certificate) if self.certificate else [])

    def url(self, port: int) -> str:
        """What to type into a browser."""
        named = next((name for name in reversed(self.names) if not name.startswith(".")), "127.0.0.1")
        if self.way == "tls" and self.certificate:
            named = next((name for name in names_in(self.certificate) if not name.startswith(".")), named)
        return f"{'https' if self.way == 'tls' else 'http'}://{named}:{port}/"


def site(door: Door, descriptor: int, hosts: list[str]) -> Program:
    """Gunicorn on a listening socket; hosts are further names of the site."""
    argv = [sys.executable, "-m", "gunicorn", "--config", "python:stationdb.serving.gunicorn_conf", "--bind", f"fd://{descriptor}"]
    if door.certificate and door.key:
        argv += ["--certfile", str(door.certificate), "--keyfile", str(door.key)]
    environment = {
        "STATIONDB_HOSTS": " ".join(dict.fromkeys([*hosts, *door.names])),
        "STATIONDB_INSECURE": "1" if door.way == "plain" else "",
        "STATIONDB_BEHIND_PROXY": "1" if door.way == "proxy" else "",
    }
    return Program("The site", [*argv, "stationdb.wsgi"], environment, [descriptor])


def worker() -> Program:
    """What takes reports from the spool into the database."""
    return Program("The worker", [sys.executable, "-m", "stationdb", "worker"])


def _readable(path: Path) -> None:
    try:
        path.read_bytes()
    except OSError as error:
        raise StationDBError(f"The key {path} cannot be read: {error.strerror}.", "Name a PEM file that this user may read.") from error
