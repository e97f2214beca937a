# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a station should be, as its inventory says; checked before anything is looked at."""

from __future__ import annotations

import ipaddress
import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

from ansible_collections.fleet.core.plugins.module_utils.errors import InputError

UNIQUE = ("filesystems", "swap", "lvm", "partitions")

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE)
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
_INTERFACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,14}")
_SPACE = uuid.UUID("6b2f0f0e-6f2a-4d53-9a8e-2d9d5f0c3b57")
"""Namespace of everything derived from a station's seed (RFC 4122, 4.3)."""


@dataclass(frozen=True)
class StaticAddress:
    """An address that the station has without asking anybody."""

    address: str
    gateway: str = ""
    dns: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    interface: str = ""

    @property
    def is_ipv6(self) -> bool:
        return ":" in self.address


@dataclass(frozen=True)
class ValueFile:
    """A file with this station's own values, such as a licence key. contents are secret."""

    path: str
    contents: bytes = field(repr=False)
    mode: int = 0o600
    owner: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Request:
    """What the station should be. Empty: stays as the model has it.

    seed: what its machine-id and identifiers are derived from. mac: of its network card, lower case.
    """

    hostname: str
    domain: str = ""
    seed: str = ""
    mac: str = ""
    static: Optional[StaticAddress] = None
    files: tuple[ValueFile, ...] = ()
    unique: tuple[str, ...] = ()
    volume_group: str = ""
    ssh_host_keys: bool = True
    hooks: Optional[Path] = None
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, asked: Mapping[str, Any]) -> Request:
        """From a module's parameters; raises InputError for what cannot be."""
        hostname, domain = str(asked["hostname"]), str(asked.get("domain") or "")
        if not _LABEL.fullmatch(hostname) or hostname.isdigit():
            raise InputError(f"hostname {hostname!r} is not a host name", remedy="Letters, digits and hyphens, up to 63, without a domain")
        if domain and (len(domain) > 190 or not all(_LABEL.fullmatch(label) for label in domain.split("."))):
            raise InputError(f"domain {domain!r} is not a domain")
        mac = str(asked.get("mac") or "").lower().replace("-", ":")
        if mac and not _MAC.fullmatch(mac):
            raise InputError(f"mac {mac!r} is not a MAC address", remedy="Write it as 52:54:00:12:34:56")
        group = str(asked.get("volume_group") or "")
        if group and (not re.fullmatch(r"[A-Za-z0-9+_.][A-Za-z0-9+_.-]{0,126}", group) or group in (".", "..")):
            raise InputError(f"volume_group {group!r} is not the name of a volume group")
        hooks = Path(asked["hooks"]) if asked.get("hooks") else None
        if hooks and not hooks.is_dir():
            raise InputError(f"There is no folder {hooks} with hooks on this host")
        return cls(
            hostname=hostname,
            domain=domain,
            seed=str(asked.get("seed") or hostname),
            mac=mac,
            static=_static(asked.get("network")),
            files=tuple(_value_file(each) for each in asked.get("files") or ()),
            unique=tuple(asked.get("unique") or ()),
            volume_group=group,
            ssh_host_keys=bool(asked.get("ssh_host_keys", True)),
            hooks=hooks,
            values=_values(str(asked.get("values") or "{}")),
        )

    def derived(self, what: str) -> uuid.UUID:
        """The UUID that this station always has for something: the same at every run, another for every station."""
        return uuid.uuid5(_SPACE, f"{self.seed}\n{what}")


def _values(text: str) -> dict[str, Any]:
    try:
        values = json.loads(text)
    except ValueError as error:
        raise InputError(f"values is not JSON: {error}") from error
    if not isinstance(values, dict):
        raise InputError("values is not a JSON object")
    return values


def _static(asked: Optional[Mapping[str, Any]]) -> Optional[StaticAddress]:
    if not asked or not asked.get("address"):
        return None
    try:
        address = ipaddress.ip_interface(str(asked["address"]))
        servers: Sequence[str] = [str(ipaddress.ip_address(each)) for each in asked.get("dns") or ()]
        gateway = str(ipaddress.ip_address(str(asked["gateway"]))) if asked.get("gateway") else ""
    except ValueError as error:
        raise InputError(f"network: {error}", remedy="Write an address as 10.0.0.5/24, gateway and dns as addresses") from error
    if "/" not in str(asked["address"]):
        raise InputError(f"network.address {asked['address']!r} lacks the length of its prefix", remedy="Write it as 10.0.0.5/24")
    if gateway and ipaddress.ip_address(gateway) not in address.network:
        raise InputError(f"network.gateway {gateway} is not in {address.network}")
    interface = str(asked.get("interface") or "")
    if interface and not _INTERFACE.fullmatch(interface):
        raise InputError(f"network.interface {interface!r} is not the name of an interface")
    search = tuple(str(each) for each in asked.get("search") or ())
    if not all(_LABEL.fullmatch(label) for name in search for label in name.split(".")):
        raise InputError(f"network.search {', '.join(search)!r} holds what is no domain")
    return StaticAddress(str(address), gateway, tuple(servers), search, interface)


def _value_file(asked: Mapping[str, Any]) -> ValueFile:
    path, mode = str(asked["path"]), str(asked.get("mode") or "0600")
    if not path.startswith("/") or ".." in path.split("/") or path.endswith("/"):
        raise InputError(f"files: {path!r} is not the absolute path of a file")
    if not re.fullmatch(r"0?[0-7]{3}", mode):
        raise InputError(f"files: {path} has the mode {mode!r}", remedy="Write it in quotes, as '0600'")
    owner = (int(asked.get("uid") or 0), int(asked.get("gid") or 0))
    return ValueFile(path, str(asked["content"]).encode(), int(mode, 8), owner)
