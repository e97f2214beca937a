# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A disk of this host and its partitions, as they are now."""

from __future__ import annotations

import fcntl
import os
import stat
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Union

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError

from . import nodes, usage
from .identity import DiskIdentity, read_label

__all__ = ["Disk", "DiskIdentity", "DiskInUse", "NoSuchDisk", "Partition", "WrongDisk", "device_size"]

SECTOR_OF_SYSFS = 512
"""sysfs counts in these whatever the disk's own sector size is (Documentation/ABI/stable/sysfs-block)."""

_NOT_DISKS = ("ram", "zram", "dm-", "md", "sr", "fd", "mtdblock")
_BLKSSZGET, _BLKPBSZGET, _BLKROGET = 0x1268, 0x127B, 0x125E


class NoSuchDisk(FleetError):
    """No disk of this host is the one that was named."""


class WrongDisk(FleetError):
    """A disk is not the one that was named: nothing may be written to it."""


class DiskInUse(FleetError):
    """A disk or partition is mounted or otherwise held."""


@dataclass(frozen=True)
class Partition:
    """A partition that the kernel knows. Sizes in bytes."""

    number: int
    path: Path
    start: int
    size: int

    def in_use(self) -> list[str]:
        """Why the partition must not be touched, in words; empty when nobody uses it."""
        return usage.reasons(self.path)


@dataclass(frozen=True)
class Disk:
    """A whole disk. Sizes in bytes; sector_size is the logical one, which partition tables count in."""

    path: Path
    kernel_name: str
    size: int
    sector_size: int
    physical_sector_size: int
    read_only: bool
    serial: str
    wwn: str
    model: str

    @classmethod
    def open(cls, name: Union[str, Path]) -> Disk:
        """The disk at a path (/dev/sda, /dev/disk/by-id/…) or with an identity (``serial:…``).

        Raises NoSuchDisk when there is none or the name means several, InputError when it is neither a path nor an identity.
        """
        text = str(name)
        if text.startswith("/"):
            return cls._at(Path(text))
        wanted = DiskIdentity.parse(text)
        found = [disk for disk in cls.all() if wanted.accepts(disk.identity)]
        if len(found) == 1:
            return found[0]
        if found:
            raise NoSuchDisk(
                f"{len(found)} disks of this host are {wanted}: {', '.join(str(disk.path) for disk in found)}",
                remedy="Name the disk by its serial or WWN, or add the size",
            )
        there = "; ".join(disk.describe() for disk in cls.all()) or "none"
        raise NoSuchDisk(
            f"No disk of this host is {wanted}; disks here: {there}. Nothing was changed",
            remedy="Compare with what fleet.imaging.disk_info says of this station, then correct the identity",
        )

    @classmethod
    def all(cls) -> list[Disk]:
        """Every disk that has a usable node in /dev. Containers see the host's other disks in sysfs only: these do not count."""
        disks = []
        for name in sorted(entry.name for entry in Path("/sys/block").iterdir()):
            if name.startswith(_NOT_DISKS):
                continue
            try:
                if (Path("/sys/block") / name / "size").read_text().strip() == "0":
                    continue
                path = nodes.node_path(name)
                if nodes.is_node_of(path, nodes.device_number(name)):
                    disks.append(cls._at(path))
            except (OSError, FleetError):
                continue  # a node that cannot be opened (no medium, not allowed in this container) is not a disk of this host
        return disks

    @classmethod
    def _at(cls, path: Path) -> Disk:
        path = path.resolve()
        try:
            status = path.stat()
        except OSError as error:
            raise NoSuchDisk(f"There is no disk {path}: {error.strerror}") from error
        if not stat.S_ISBLK(status.st_mode):
            raise NoSuchDisk(f"{path} is not a block device")
        number = f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}"
        sysfs = Path("/sys/dev/block") / number
        if not sysfs.is_dir():
            raise NoSuchDisk(f"The kernel knows no device {number} ({path})")
        sysfs = sysfs.resolve()
        if (sysfs / "partition").is_file():
            raise NoSuchDisk(f"{path} is a partition, not a disk", remedy=f"Name the disk: {nodes.node_path(sysfs.parent.name)}")
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise NoSuchDisk(f"{path} cannot be opened: {error.strerror}") from error
        try:
            size = os.lseek(descriptor, 0, os.SEEK_END)
            logical, physical, read_only = (_ioctl(descriptor, request) for request in (_BLKSSZGET, _BLKPBSZGET, _BLKROGET))
        finally:
            os.close(descriptor)
        label = read_label(sysfs, Path("/run/udev/data") / f"b{number}")
        return cls(path, sysfs.name, size, logical, physical, bool(read_only), label.serial, label.wwn, label.model)

    @property
    def identity(self) -> DiskIdentity:
        """All that identifies this disk."""
        return DiskIdentity(self.serial, self.wwn, self.size)

    def describe(self) -> str:
        """The disk in a few words for messages."""
        return f"{self.path} ({self.identity}{', ' + self.model if self.model else ''})"

    def require(self, identity: Union[str, DiskIdentity]) -> None:
        """Raise WrongDisk unless this disk is the one that the identity means."""
        wanted = DiskIdentity.parse(identity) if isinstance(identity, str) else identity
        if not wanted.accepts(self.identity):
            raise WrongDisk(
                f"{self.path} is not the disk that was named: asked for {wanted}, found {self.identity}. Nothing was changed",
                remedy="Compare with what fleet.imaging.disk_info says of this station, then correct the identity",
                asked=str(wanted),
                found=str(self.identity),
            )

    def refresh(self) -> None:
        """Make the kernel and /dev know the partitions that are on the disk."""
        nodes.reread(self.path, self.kernel_name)

    def partitions(self) -> list[Partition]:
        """The partitions, by number. Reads the table again when the kernel knows none, and makes the nodes that are missing."""
        return [self._partition(name) for name in self._partition_names()]

    def _partition_names(self) -> list[str]:
        names = nodes.partition_names(self.kernel_name)
        if not names:
            self.refresh()
            names = nodes.partition_names(self.kernel_name)
        if not all(nodes.is_node_of(nodes.node_path(name), nodes.device_number(name)) for name in names):
            nodes.settle(self.kernel_name)
        return names

    def partition(self, number: int) -> Partition:
        """The partition of this number, with a usable node; raises NoSuchDisk when there is none.

        A file or a link that lies where the node should be would take what is written, and verify it, while the disk stays as it was.
        """
        for name in self._partition_names():
            partition = self._partition(name)
            if partition.number != number:
                continue
            if not nodes.is_node_of(partition.path, nodes.device_number(name)):
                raise NoSuchDisk(
                    f"{partition.path} is not the device of partition {number} of {self.path}",
                    remedy=f"Remove what lies at {partition.path}, or reboot the station, and repeat",
                )
            return partition
        raise NoSuchDisk(f"{self.path} has no partition {number}")

    def _partition(self, name: str) -> Partition:
        folder = nodes.SYS_BLOCK / name
        number, start, size = (int((folder / key).read_text()) for key in ("partition", "start", "size"))
        return Partition(number, nodes.node_path(name), start * SECTOR_OF_SYSFS, size * SECTOR_OF_SYSFS)

    def in_use(self) -> list[str]:
        """Why the disk must not be touched, in words (each mount, swap, holder); empty when nobody uses it."""
        found = [reason for partition in self.partitions() for reason in partition.in_use()]
        if not found:  # a claimed partition also claims its disk, which would say the same again
            found = usage.reasons(self.path)
        return found

    def refuse_if_in_use(self) -> None:
        """Raise DiskInUse when anything on the disk is mounted or held."""
        found = self.in_use()
        if found:
            raise DiskInUse(
                f"{self.describe()} is in use: {'; '.join(found)}. Nothing was changed",
                remedy="Boot the station into the imaging environment, or unmount what is named; if a capture or restore was interrupted"
                " here, it may still be at work: wait until it ends",
                reasons=found,
            )


def device_size(path: Path) -> int:
    """Size in bytes of a block device or file: fstat says 0 for a device, the end of the file says the truth."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.lseek(descriptor, 0, os.SEEK_END)
    finally:
        os.close(descriptor)


def _ioctl(descriptor: int, request: int) -> int:
    answer = fcntl.ioctl(descriptor, request, b"\0" * 4)
    return int(struct.unpack("i", answer)[0])
