# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a station shall become, as its inventory says; checked before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from ansible_collections.fleet.core.plugins.module_utils.errors import InputError
from ansible_collections.fleet.core.plugins.module_utils.lease.sighting import mac_address

from ..disk.identity import DiskIdentity
from . import words
from .domain import Domain
from .systems import SYSTEMS, System

PARTITIONING = ("atomic", "lvm")


@dataclass(frozen=True)
class Account:
    """A person's account besides root, who may become root. password_hash is secret; without one, nobody logs in with a password."""

    login: str
    full_name: str = ""
    password_hash: str = field(default="", repr=False)


@dataclass(frozen=True)
class Installation:
    """A station and what is installed on it.

    mac: with colons. boot_server: its address with the scheme http; files_server: with https, as its certificate names it. authority: PEM
    of who signed that certificate. packages: besides those of the desktop and the domain. proxy: for packages, or empty. updates: whether
    security and stable updates are taken. arguments: for the installer's kernel, besides those that it needs. medium: path of Ubuntu's on
    the boot server.
    """

    system: System
    hostname: str
    mac: str
    disk: DiskIdentity
    boot_server: str
    files_server: str
    authority: str
    desktop: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    domain: Domain = field(default_factory=Domain)
    locale: str = "en_US.UTF-8"
    keyboard: str = "us"
    time_zone: str = "Etc/UTC"
    partitioning: str = "atomic"
    mirror: str = ""
    proxy: str = ""
    updates: bool = True
    ssh_keys: tuple[str, ...] = ()
    root_password_hash: str = field(default="", repr=False)
    account: Optional[Account] = None
    arguments: tuple[str, ...] = ()
    medium: str = ""

    @classmethod
    def parse(cls, asked: Mapping[str, Any]) -> Installation:
        """From a module's parameters; raises InputError for what cannot be."""
        if asked["system"] not in SYSTEMS:
            raise InputError(f"system {asked['system']!r} is none of {', '.join(SYSTEMS)}")
        system = SYSTEMS[asked["system"]]
        disk = _disk(str(asked["disk_identity"]))
        boot_server = words.url(str(asked["boot_server"]), "boot_server", ("http",))
        host = words.url_parts(boot_server)[1].partition(":")[0]
        keys = tuple(words.ssh_key(str(each)) for each in asked.get("ssh_keys") or ())
        root = words.crypt_hash(str(asked["root_password_hash"]), "root_password_hash") if asked.get("root_password_hash") else ""
        account = _account(asked.get("account"))
        if not keys and not root and not (account and account.password_hash):
            raise InputError("Nobody could log in", remedy="Give ssh_keys, root_password_hash or an account with a password hash")
        partitioning = str(asked.get("partitioning") or "atomic")
        if partitioning not in PARTITIONING:
            raise InputError(f"partitioning {partitioning!r} is none of {', '.join(PARTITIONING)}")
        return cls(
            system=system,
            hostname=words.hostname(str(asked["hostname"])).lower(),
            mac=_mac(str(asked["mac"])),
            disk=disk,
            boot_server=boot_server,
            files_server=words.url(str(asked.get("files_server") or f"https://{host}"), "files_server", ("https",)),
            authority=words.certificate(str(asked["authority"]), "authority"),
            desktop=system.desktop(str(asked.get("desktop") or "none")),
            packages=tuple(words.word(str(each), words.PACKAGE, "package") for each in asked.get("packages") or ()),
            domain=Domain.parse(asked.get("domain")),
            locale=words.word(str(asked.get("locale") or "en_US.UTF-8"), words.LOCALE, "locale", "Write it as fr_FR.UTF-8"),
            keyboard=words.word(str(asked.get("keyboard") or "us"), words.KEYBOARD, "keyboard", "Write it as fr or fr(latin9)"),
            time_zone=words.word(str(asked.get("time_zone") or "Etc/UTC"), words.TIME_ZONE, "time_zone", "Write it as Europe/Paris"),
            partitioning=partitioning,
            mirror=words.url(str(asked.get("mirror") or system.mirror), "mirror"),
            proxy=words.url(str(asked["proxy"]), "proxy", ("http",)) if asked.get("proxy") else "",
            updates=bool(asked.get("updates", True)),
            ssh_keys=keys,
            root_password_hash=root,
            account=account,
            arguments=tuple(words.word(str(each), words.ARGUMENT, "argument") for each in asked.get("arguments") or ()),
            medium=words.word(str(asked["medium"]), words.PATH, "medium") if asked.get("medium") else "",
        )

    @property
    def folder(self) -> str:
        """The station's name in paths and addresses."""
        return folder_of(self.mac)

    @property
    def address(self) -> str:
        """Where the boot server serves the station's answers."""
        return f"{self.boot_server}/install/{self.folder}"

    @property
    def files_address(self) -> str:
        """Where it serves the station's files."""
        return f"{self.files_server}/install/{self.folder}/files.tar"

    @property
    def all_packages(self) -> tuple[str, ...]:
        """What every station needs to be Ansible's, what its domain needs, what was asked for; each once."""
        return tuple(dict.fromkeys(("openssh-server", "python3", "sudo", *self.domain.packages, *self.packages)))


def folder_of(mac: str) -> str:
    """A station's name in paths and addresses: its MAC with hyphens, whatever the notation. Raises InputError."""
    return _mac(mac).replace(":", "-")


def _mac(text: str) -> str:
    mac = mac_address(text)
    if not mac:
        raise InputError(f"mac {text!r} is not a network card's address", remedy="Write it as 52:54:00:12:34:56")
    return mac


def _disk(text: str) -> DiskIdentity:
    disk = DiskIdentity.parse(text)
    words.line(disk.serial, "Serial number")
    if not disk.serial and not disk.wwn:
        raise InputError(f"{text!r} is not the identity of one disk", remedy="A size alone may mean another disk: name serial:… or wwn:…")
    for what, value in (("serial", disk.serial), ("wwn", disk.wwn)):
        if not all((sign.isalnum() and sign.isascii()) or sign in " -_.:/#+" for sign in value):
            raise InputError(f"The disk's {what} {value!r} has signs that cannot be told to an installer", remedy="Name the disk otherwise")
    return disk


def _account(asked: Optional[Mapping[str, Any]]) -> Optional[Account]:
    if not asked:
        return None
    login = words.word(str(asked["login"]), words.LOGIN, "account.login", "Small letters, digits, hyphens")
    if login == "root":
        raise InputError("account.login root is not a person's account", remedy="Give root_password_hash")
    full_name = words.line(str(asked.get("full_name") or ""), "account.full_name")
    if ":" in full_name or "," in full_name:
        raise InputError(f"account.full_name {full_name!r} has a colon or a comma, which passwd(5) cannot hold")
    password = str(asked.get("password_hash") or "")
    return Account(login, full_name, words.crypt_hash(password, "account.password_hash") if password else "")
