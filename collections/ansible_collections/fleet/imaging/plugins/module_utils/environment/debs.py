# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian packages that are carried along without being installed: kernel, firmware, boot loaders, the first stage's tools.

apt finds, downloads and checks them, with lists and a state of its own: what the host has installed neither matters nor changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from ansible_collections.fleet.core.plugins.module_utils.command import run
from ansible_collections.fleet.core.plugins.module_utils.errors import ToolError

from ..digest import sha256
from . import sources
from .errors import BuildError
from .root import host_apt_options

_URI = re.compile(r"^'(?P<uri>[^']+)' (?P<file>\S+) (?P<size>\d+) SHA256:(?P<sha256>[0-9a-f]{64})$", re.MULTILINE)
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Deb:
    """A downloaded package, checked by apt against Debian's signature."""

    name: str
    version: str
    path: Path

    def extract(self, folder: Path) -> None:
        """Put its files into a folder; nothing of it is run."""
        folder.mkdir(parents=True, exist_ok=True)
        run(["dpkg-deb", "--extract", str(self.path), str(folder)])


class Debs:
    """The packages of one Debian release, kept in a folder."""

    def __init__(self, folder: Path, suite: str, architecture: str) -> None:
        self.folder = folder
        state = folder / "apt"
        self._empty = state / "status"
        self._list = state / "sources.list"
        settings = {
            "Dir::State": state,
            "Dir::State::Lists": state / "lists",
            "Dir::State::Status": self._empty,
            "Dir::Cache": state / "cache",
            "Dir::Etc::SourceList": self._list,
            "Dir::Etc::SourceParts": "/dev/null",
            "Dir::Etc::Preferences": "/dev/null",
            "Dir::Etc::PreferencesParts": "/dev/null",
            "APT::Architecture": _ARCHITECTURES.get(architecture, architecture),
            "APT::Architectures": _ARCHITECTURES.get(architecture, architecture),
            "APT::Sandbox::User": "root",
            "Acquire::Languages": "none",
            "APT::Update::Error-Mode": "any",
        }
        self.suite = suite
        self._options = [f"--option={name}={value}" for name, value in settings.items()]

    def update(self) -> None:
        """Get the lists of packages from the host's Debian sources; raise ToolError when one cannot be reached or is not signed."""
        for folder in (self._empty.parent / "lists" / "partial", self._empty.parent / "cache" / "archives" / "partial"):
            folder.mkdir(parents=True, exist_ok=True)
        self._empty.touch()
        self._list.write_text("\n".join(sources.debian(self.suite)) + "\n", encoding="utf-8")
        self._options = [*self._options, *(f"--option={line.rstrip(';')}" for line in _unquoted(host_apt_options()))]
        run(["apt-get", *self._options, "--quiet", "update"], remedy="Check the package sources and the network of this host")

    def fetch(self, names: Iterable[str]) -> dict[str, Deb]:
        """Return the packages, downloaded now where they are not here yet; raise BuildError for one that the sources do not have."""
        wanted = list(dict.fromkeys(names))
        try:
            printed = run(["apt-get", *self._options, "--quiet", "--print-uris", "download", *wanted]).stdout
        except ToolError as error:
            missing = re.search(r"Unable to locate package (\S+)", str(error))
            if missing is None:
                raise
            raise BuildError(
                f"The Debian sources of this host have no package {missing.group(1)} in {self.suite}",
                remedy="Firmware is in the component non-free-firmware: add it to the host's sources, or leave the package out",
            ) from error
        found = list(_URI.finditer(printed))
        late = [each for each in found if not _whole(self.folder / each["file"], each["sha256"])]
        if late:
            packages = [each["file"].split("_")[0] for each in late]
            run(["env", f"--chdir={self.folder}", "apt-get", *self._options, "--quiet", "download", *packages])
        result = {}
        for each in found:
            path = self.folder / each["file"]
            if not _whole(path, each["sha256"]):
                raise BuildError(f"{path} is not what Debian's lists say", remedy="Remove it and build again")
            name, version = each["file"].split("_")[:2]
            result[name] = Deb(name, unquote(version), path)
        return {name: result[name] for name in wanted}

    def dependency(self, name: str, start: str) -> str:
        """Return the package that a meta package depends on, whose name begins with start: the kernel of linux-image-amd64."""
        shown = run(["apt-cache", *self._options, "--no-all-versions", "show", name], ok=None).stdout
        depends = re.search(r"^Depends: (.*)$", shown, re.MULTILINE)
        for each in depends.group(1).split(",") if depends else ():
            package = each.strip().split(" ")[0]
            if package.startswith(start):
                return package
        raise BuildError(
            f"The Debian sources of this host have no kernel by the name {name} in {self.suite}", remedy="Use linux-image-amd64"
        )


def _unquoted(lines: Iterable[str]) -> Iterable[str]:
    """Lines of apt's configuration (``Name "value";``) as its option --option wants them."""
    for line in lines:
        name, _space, value = line.partition(" ")
        yield f"{name}={value.rstrip(';').strip(chr(34))}"


def _whole(path: Path, wanted: str) -> bool:
    return path.is_file() and sha256(path) == wanted
