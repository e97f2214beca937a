# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the site answers: an address and a port of this host, bound before anything is started."""

from __future__ import annotations

import errno
import ipaddress
import socket
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from ..errors import StationDBError

BACKLOG = 1024


@dataclass(frozen=True)
class Address:
    """A host (name or address) and a port; port 0 takes one that is free."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read ``127.0.0.1:8420``, ``[::1]:8420`` or ``8420``; StationDBError for anything else."""
        host, _colon, port = text.rpartition(":")
        bare = host.removeprefix("[").removesuffix("]")
        if not port.isascii() or not port.isdigit() or int(port) > 65535 or (":" in bare and bare == host):
            raise StationDBError(f"{text!r} is no address.", "Write it as 127.0.0.1:8420 or [::1]:8420.")
        return cls(bare or "127.0.0.1", int(port))

    @property
    def loopback(self) -> bool:
        """Whether only this host can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def listen(self) -> socket.socket:
        """Bind and listen. Who connects from then on waits for the first worker instead of being refused."""
        try:
            family, kind, protocol, _name, place = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)[0]
            listener = socket.socket(family, kind, protocol)
            try:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind(place)
                listener.listen(BACKLOG)
            except OSError:
                listener.close()
                raise
            return listener
        except OSError as error:
            raise StationDBError(f"{self} cannot be used: {error.strerror}.", _remedy(error, self)) from error

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _remedy(error: OSError, address: Address) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"End what listens there (ss -ltnp 'sport = {address.port}' names it), or choose another port with --bind."
    if error.errno == errno.EACCES:
        return "Ports below 1024 belong to root: choose a higher one, and put nginx before it."
    return "Name an address that this host has (ip address lists them)."


def names_in(certificate: Path) -> list[str]:
    """The host names and addresses that a certificate (PEM) is for; StationDBError when it is none."""
    try:
        first = x509.load_pem_x509_certificates(certificate.read_bytes())[0]
        names = first.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no certificate in PEM"
        raise StationDBError(f"The certificate {certificate} cannot be read: {reason}.", "Name a PEM file with --certificate.") from error
    hosts = [str(name) for name in names.get_values_for_type(x509.DNSName)]
    addresses = names.get_values_for_type(x509.IPAddress)
    return [
        *(name.replace("*.", ".", 1) for name in hosts),
        *(f"[{address}]" if address.version == 6 else str(address) for address in addresses),
    ]
