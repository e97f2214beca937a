# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one Linux system on a disk: found, and mounted with the filesystems that belong to it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.fleet.core.plugins.module_utils.command import run
from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError, InputError, ToolError

from ..disk.device import Disk
from ..disk.table import NoTable, PartitionTable
from ..filesystem.mounted import privately, read_only
from ..filesystem.mountpoint import finally_do, mount_point, unmount
from . import fstab, lvm
from .tree import Tree, TreeError
from .volume import POSIX, InstalledError, NoSystem, Volume, named, partitions

__all__ = ["Installation", "System", "privately"]

SUBVOLUMES = ("", "@", "@rootfs", "root")
"""Where distributions put the root into a btrfs: its default, openSUSE's and Ubuntu's, Debian's, Fedora's."""

_OWN = ("boot", "usr", "var")
"""What else of a system is mounted: programs and settings that must match the root. The ESP is not: see esp.py."""


@dataclass(frozen=True)
class Installation:
    """A root filesystem: where, in which subvolume of a btrfs, and what the system calls itself."""

    volume: Volume
    subvolume: str
    name: str

    def describe(self) -> str:
        """The installation in a few words for messages."""
        place = f"{self.volume.describe()}{', subvolume ' + self.subvolume if self.subvolume else ''}"
        return f"{place}: {self.name}"


@dataclass(frozen=True)
class System:
    """An installed system, mounted. mounts: what is mounted where, by path without a leading slash; the root is the empty one."""

    disk: Disk
    table: PartitionTable
    installation: Installation
    volumes: tuple[Volume, ...]
    tree: Tree
    mounts: dict[str, Installation]
    notes: tuple[str, ...]

    @property
    def has_windows(self) -> bool:
        return any(volume.type == "ntfs" for volume in self.volumes)

    def home_of(self, path: str) -> tuple[Installation, str]:
        """The filesystem that a path of the system is on, and the path within that filesystem (subvolume included)."""
        canonical = self.tree.resolve(path)
        where = max((point for point in self.mounts if not point or f"{canonical}/".startswith(f"{point}/")), key=len)
        home = self.mounts[where]
        inside = canonical[len(where) :].strip("/")
        return home, "/".join(filter(None, [home.subvolume, inside]))


@contextlib.contextmanager
def opened(disk: Disk, root: str = "", *, writable: bool) -> Iterator[System]:
    """The system on a disk. root names the root filesystem when there are several: a partition's number, a UUID or group/volume.

    Only inside privately(). Without writable not a byte of the disk changes. Raises DiskInUse, InstalledError, ToolError.
    """
    disk.refuse_if_in_use()
    if writable and disk.read_only:
        raise InputError(f"{disk.describe()} is read-only. Nothing was changed", remedy="Remove its write protection")
    try:
        table = PartitionTable.from_disk(disk)
    except NoTable as error:
        raise NoSystem(f"There is no system on {disk.describe()}: it has no partition table", remedy="Restore it first") from error
    found = partitions(disk, table)
    notes = []
    if lvm.members(found) and not lvm.usable():
        notes.append("The disk has LVM, whose volumes were not looked into: this kernel has no device mapper")
    with lvm.activated(found) as logical, mount_point("fleet-system-") as point:
        volumes = (*found, *logical)
        installation = _choose(disk, _installations(volumes, point, notes), root, notes)
        with contextlib.ExitStack() as stack:
            stack.enter_context(_mounted(installation, point, writable))
            tree = Tree(point)
            mounts = {"": installation}
            for where, other in _belonging(tree, volumes, installation, notes):
                stack.enter_context(_mounted(other, point / where, writable))
                mounts[where] = other
            yield System(disk, table, installation, volumes, tree, mounts, tuple(notes))


def _installations(volumes: tuple[Volume, ...], folder: Path, notes: list[str]) -> list[Installation]:
    found = []
    for volume in volumes:
        if volume.type not in POSIX:
            continue
        for subvolume in SUBVOLUMES if volume.type == "btrfs" else ("",):
            candidate = Installation(volume, subvolume, "")
            try:
                with _mounted(candidate, folder, writable=False):
                    name = _name(Tree(folder))
            except (TreeError, ToolError) as error:
                if not subvolume:
                    notes.append(f"{volume.describe()} was not looked into: {error}")
                continue
            if name:
                found.append(Installation(volume, subvolume, name))
                break
    return found


def _name(tree: Tree) -> str:
    """What a system calls itself; empty when there is none below this root."""
    if not tree.is_folder("etc") or not (tree.is_folder("usr") or tree.is_folder("var")):
        return ""
    for path in ("etc/os-release", "usr/lib/os-release"):
        said = re.search(r'^PRETTY_NAME="?([^"\n]{1,100})', tree.text(path), re.MULTILINE)
        if said:
            return said.group(1)
        if tree.is_file(path):
            return "unknown Linux"
    return "unknown Linux" if tree.is_file("etc/fstab") else ""


def _choose(disk: Disk, found: list[Installation], root: str, notes: list[str]) -> Installation:
    said = "; ".join(each.describe() for each in found)
    if root:
        chosen = [each for each in found if root in (each.volume.name, each.volume.uuid)]
        if len(chosen) != 1:
            raise InstalledError(
                f"root {root!r} is no root filesystem on {disk.describe()}; there is {said or 'none'}. Nothing was changed",
                remedy="Give the number of a partition, the UUID of its filesystem, or group/volume",
            )
        return chosen[0]
    if not found:
        raise NoSystem(
            f"There is no Linux system on {disk.describe()}{': ' + '; '.join(notes) if notes else ''}. Nothing was changed",
            remedy="Restore it first; for a disk that holds Windows only, leave this step out",
        )
    if len(found) > 1:
        raise InstalledError(
            f"There are {len(found)} Linux systems on {disk.describe()}: {said}. Nothing was changed",
            remedy="Say which is meant with root: the number of its partition, for example",
        )
    return found[0]


def _belonging(tree: Tree, volumes: tuple[Volume, ...], installation: Installation, notes: list[str]) -> Iterator[tuple[str, Installation]]:
    """What the system's own table of filesystems mounts below its root, as far as it is on this disk."""
    for mount in fstab.parse(tree.text("etc/fstab")):
        if mount.where not in _OWN or mount.where != tree.resolve(mount.where) or not tree.is_folder(mount.where):
            continue
        volume = named(volumes, mount)
        if volume is None or volume.type not in POSIX:
            if mount.is_needed:
                notes.append(f"/{mount.where} ({mount.spec}) is not on this disk, or several there are it; it was left alone")
            continue
        subvolume = next((option[7:].strip("/") for option in mount.options if option.startswith("subvol=")), "")
        if (volume.name, subvolume) != (installation.volume.name, installation.subvolume):
            yield mount.where, Installation(volume, subvolume, "")


@contextlib.contextmanager
def _mounted(what: Installation, point: Path, writable: bool) -> Iterator[None]:
    kind = what.volume.type
    if writable:
        _settle(what.volume)
    options = [("rw" + (",nouuid" if kind == "xfs" else "")) if writable else read_only(kind), "nodev", "nosuid"]
    options += [f"subvol=/{what.subvolume}"] if what.subvolume else []
    if kind == "btrfs":  # the kernel remembers devices that are gone, and takes them for this one when they have its UUID
        run(["btrfs", "device", "scan", "--forget"], ok=None)
    run(["mount", "-t", kind, "-o", ",".join(options), str(what.volume.device), str(point)])
    with finally_do(lambda: unmount(point)):
        if kind == "btrfs":
            _require_own(what.volume, point)
        yield


def _require_own(volume: Volume, point: Path) -> None:
    """A btrfs is mounted by its UUID: with a second disk that has the same, it may be that one's."""
    source = run(["findmnt", "--noheadings", "--nofsroot", "--output", "SOURCE", "--mountpoint", str(point)]).stdout.strip()
    if source != str(volume.device):
        raise InstalledError(
            f"{volume.describe()} cannot be told from {source}, which has the same UUID. Nothing was changed",
            remedy="Take the other disk out, or erase it",
        )


def _settle(volume: Volume) -> None:
    """Make the filesystem fit to be written: a cut may have left changes in its journal, which mounting it for reading does not replay."""
    state = volume.filesystem.own_state()
    if state.clean:
        return
    if state.reason != "dirty":
        raise InstalledError(f"{volume.describe()} cannot be worked on: {state.detail}. Nothing was changed", remedy=state.remedy)
    if volume.type.startswith("ext"):
        try:
            run(["e2fsck", "-p", str(volume.device)], ok=(0, 1))
        except FleetError as error:
            raise InstalledError(
                f"{volume.describe()} is damaged, and e2fsck -p does not mend it: {error}. Nothing was changed",
                remedy="Restore the station again",
            ) from error
