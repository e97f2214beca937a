# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a boot server is told of its site: /etc/fleet/boot/boot.json, written by the role boot_server."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.fleet.core.plugins.module_utils.errors import InputError

from . import names

CONFIG = "/etc/fleet/boot/boot.json"
_REMEDY = "Run playbooks/boot_server.yml for this host, or name the boot server's own file with config"


@dataclass(frozen=True)
class Site:
    """Where this boot server's files are, and under which address stations reach it."""

    address: str
    """IPv4, as in 10.77.0.1: neither loader should need a name server."""
    root: Path = Path("/srv/fleet-boot")
    state: Path = Path("/var/lib/fleet-boot")
    user: str = "fleet-boot"
    """Who the boot service is, and owns what it has to change."""
    language: str = "en"
    arguments: tuple[str, ...] = ()
    """For each kernel, such as console=ttyS0."""

    @property
    def url(self) -> str:
        """Where HTTP is."""
        return f"http://{self.address}"

    @property
    def http(self) -> Path:
        """The root of HTTP."""
        return self.root / "http"

    @property
    def tftp(self) -> Path:
        """The root of TFTP."""
        return self.root / "tftp"


def load(path: Path) -> Site:
    """The site that a file describes; InputError when it does not."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(said, dict):
            raise InputError(f"{path} does not describe a boot server", remedy=_REMEDY)
        return from_dict(said)
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}. This host is no boot server", remedy=_REMEDY) from error


def from_dict(said: dict[str, Any]) -> Site:
    """A site; InputError names what is wrong with it."""
    try:
        address = str(ipaddress.IPv4Address(str(said["address"])))
    except (KeyError, ValueError) as error:
        raise InputError(f"A boot server needs an IPv4 address: {error}", remedy=_REMEDY) from error
    language = str(said.get("language", "en"))
    if language not in ("en", "fr"):
        raise InputError(f"{names.shown(language)} is no language of the menus", remedy="It is en or fr")
    defaults = Site(address)
    return Site(
        address,
        Path(str(said.get("root", defaults.root))),
        Path(str(said.get("state", defaults.state))),
        str(said.get("user", defaults.user)),
        language,
        tuple(names.argument(str(each)) for each in said.get("arguments", ())),
    )
