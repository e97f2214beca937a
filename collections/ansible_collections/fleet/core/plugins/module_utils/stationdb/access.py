# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the station database is and with which token it is asked: checked before anything is sent."""

from __future__ import annotations

import ipaddress
import os
import ssl
import stat
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

from ..errors import InputError

TOKEN_REMEDY = (
    "Make one in the station database (stationdb token issue), and give it as FLEET_STATIONDB_TOKEN in the environment, or in a file of "
    "mode 0600 that token_file names"
)
_API = "/api/v1"


def argument_spec(env_fallback: Any) -> dict[str, Any]:
    """Arguments of every module that asks the station database (fragment fleet.core.stationdb); env_fallback is Ansible's function."""
    return {
        "url": {"type": "str", "required": True, "fallback": (env_fallback, ["FLEET_STATIONDB_URL"])},
        "token": {"type": "str", "no_log": True},
        "token_file": {"type": "path", "no_log": False},
        "ca_file": {"type": "path"},
        "validate_certs": {"type": "bool", "default": True},
        "timeout": {"type": "int", "default": 60},
    }


@dataclass(frozen=True)
class Access:
    """An address and a secret. The secret is sent over TLS only, except on this host's loopback."""

    url: str
    token: str = field(repr=False)
    ca_file: Optional[str] = None
    validate_certs: bool = True
    timeout: float = 60.0
    """Seconds without a byte after which the server is given up."""

    def __post_init__(self) -> None:
        try:
            parts = urllib.parse.urlsplit(self.url)
            host, _port = parts.hostname, parts.port
        except ValueError as error:
            raise InputError(f"The address {self.url!r} is wrong: {error}", remedy="Give one such as https://stations.example") from error
        if parts.scheme not in ("https", "http") or not host or parts.query or parts.fragment or parts.username:
            raise InputError(f"{self.url!r} is no address of a station database", remedy="Give one such as https://stations.example")
        if parts.scheme == "http" and not _loopback(host):
            raise InputError(f"{self.url} would send the token in clear", remedy="Use https; http is for this host's loopback only")
        if not self.token.isascii() or not self.token.isprintable() or not self.token or " " in self.token:
            raise InputError("The token is empty or has characters that no token has", remedy=TOKEN_REMEDY)

    @classmethod
    def of(
        cls,
        url: str,
        token: Optional[str],
        token_file: Optional[str],
        *,
        ca_file: Optional[str] = None,
        validate_certs: bool = True,
        timeout: float = 60.0,
    ) -> Access:
        """With the token as given, else of the file, else of the environment (FLEET_STATIONDB_TOKEN). InputError when there is none."""
        secret = token or (_read(Path(token_file)) if token_file else os.environ.get("FLEET_STATIONDB_TOKEN", ""))
        if not secret.strip():
            raise InputError("There is no token for the station database", remedy=TOKEN_REMEDY)
        return cls(url, secret.strip(), ca_file, validate_certs, timeout)

    @classmethod
    def of_module(cls, given: dict[str, Any]) -> Access:
        """From a module's parameters."""
        checks = {name: given[name] for name in ("ca_file", "validate_certs", "timeout")}
        return cls.of(given["url"], given["token"], given["token_file"], **checks)

    @property
    def secure(self) -> bool:
        """Whether TLS is spoken."""
        return urllib.parse.urlsplit(self.url).scheme == "https"

    @property
    def host(self) -> str:
        """The server's name or address."""
        return urllib.parse.urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """Its port."""
        return urllib.parse.urlsplit(self.url).port or (443 if self.secure else 80)

    def path(self, path: str) -> str:
        """The whole path of an operation of the API: ``/stations/`` becomes ``/api/v1/stations/``."""
        return f"{urllib.parse.urlsplit(self.url).path.rstrip('/')}{_API}{path}"

    def tls(self) -> ssl.SSLContext:
        """What checks the server's certificate; InputError for an authority that cannot be read."""
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise InputError(
                f"The certificate authority {self.ca_file} cannot be read: {error}", remedy="Let ca_file name a file of PEM certificates"
            ) from error
        if not self.validate_certs:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _read(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        if mode & (stat.S_IROTH | stat.S_IWOTH):
            raise InputError(f"The token in {path} can be read by every user of this host", remedy=f"Run chmod 600 {path}")
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The token file {path} cannot be read: {error}", remedy=TOKEN_REMEDY) from error
