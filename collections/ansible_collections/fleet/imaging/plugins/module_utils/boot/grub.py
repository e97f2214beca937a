# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GRUB's core image, made by grub-mkimage from the modules of the installed system.

A core and the modules that it loads later must be of one version, so they come from one folder: the installed system's, or where it has
none, the imaging environment's. The result depends on nothing else than the modules and the settings: made twice, it is the same, and can
be compared with what is on the disk.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from ansible_collections.fleet.core.plugins.module_utils.command import run

from ..installed.system import System
from ..installed.tree import Tree
from ..installed.volume import InstalledError

BIOS, EFI = "i386-pc", "x86_64-efi"
FOLDERS = ("boot/grub", "boot/grub2")
_KEPT = (".mod", ".lst", ".img")
_LIMIT = 120
"""Seconds."""

_MODULES = {"ext2": "ext2", "ext3": "ext2", "ext4": "ext2", "xfs": "xfs", "btrfs": "btrfs"}


@dataclass(frozen=True)
class Platform:
    """GRUB for one kind of firmware: its modules by name, from the tree or from this host (is_own)."""

    name: str
    modules: Mapping[str, bytes]
    is_own: bool

    @classmethod
    def of(cls, tree: Tree, name: str) -> Optional[Platform]:
        """The system's own GRUB, else this host's; None when there is neither. Files are copied: links and FIFOs among them do no harm."""
        own = tree.files(f"usr/lib/grub/{name}")
        if any(path.endswith("/kernel.img") for path in own):
            found = {path.rpartition("/")[2]: tree.read(path) or b"" for path in own if path.endswith(_KEPT)}
            return cls(name, found, True)
        here = Path("/usr/lib/grub") / name
        if not (here / "kernel.img").is_file():
            return None
        return cls(name, {path.name: path.read_bytes() for path in sorted(here.iterdir()) if path.suffix in _KEPT}, False)

    def core(self, prefix: str, config: str, modules: Sequence[str]) -> bytes:
        """A core image that does what config says, then goes on below prefix. Raises ToolError."""
        with tempfile.TemporaryDirectory(prefix="fleet-grub-") as folder:
            for name, contents in self.modules.items():
                (Path(folder) / name).write_bytes(contents)
            out = Path(folder) / "core"
            argv = ["grub-mkimage", "--format", self.name, "--directory", folder, "--prefix", prefix, "--output", str(out)]
            if config:
                (Path(folder) / "load.cfg").write_text(config, encoding="utf-8")
                argv += ["--config", str(Path(folder) / "load.cfg")]
            run([*argv, *modules], timeout=_LIMIT, remedy="The imaging environment needs the package grub-common")
            return out.read_bytes()

    def stage(self, tree: Tree, home: str) -> None:
        """Put the modules where the core loads them from."""
        for name, contents in self.modules.items():
            if name.endswith((".mod", ".lst")):
                tree.write(f"{home}/{self.name}/{name}", contents)


@dataclass(frozen=True)
class Home:
    """GRUB's folder in a system: path in the tree, the filesystem it is on, and the path in that as GRUB sees it."""

    path: str
    uuid: str
    prefix: str
    modules: tuple[str, ...]

    @classmethod
    def of(cls, system: System) -> Optional[Home]:
        """Where the system's GRUB lives; None when it has none."""
        path = next((each for each in FOLDERS if system.tree.is_folder(each)), "")
        if not path:
            return None
        volume, inside = system.home_of(path)
        if volume.volume.type not in _MODULES:
            raise InstalledError(f"GRUB's folder /{path} is on {volume.volume.describe()}, which GRUB was not taught to read")
        modules = [_MODULES[volume.volume.type], "part_gpt", "part_msdos", "search_fs_uuid"]
        modules += [] if volume.volume.number else ["lvm"]
        return cls(path, volume.volume.uuid, "/" + inside, tuple(modules))

    @property
    def search(self) -> str:
        """Commands that find this folder on whatever disk it is (as grub-install writes them)."""
        return f"search.fs_uuid {self.uuid} root\nset prefix=($root)'{self.prefix}'\n"
