# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filesystems: what is on a device, in which state, which bytes matter, and how to resize it.

``probe`` (here) finds the driver of a device; ``base`` is what every driver offers; one file per type. ``usedmap`` asks partclone for used
blocks, ``mounted`` runs what needs a mount, ``make`` makes a new empty filesystem like another, ``span`` lets one be shrunk onto a smaller
partition.
"""

from __future__ import annotations

import re
from pathlib import Path

from ansible_collections.fleet.core.plugins.module_utils.command import run
from ansible_collections.fleet.core.plugins.module_utils.errors import ToolError

from .base import AmbiguousFilesystem, Filesystem, FilesystemError, GrowUnsupported, NotClean, ShrinkUnsupported, Signature, State, read_at
from .btrfs import Btrfs
from .exfat import ExFat
from .ext import Ext
from .fat import Fat
from .ntfs import Ntfs
from .raw import Raw, Refused
from .swap import SwapArea
from .xfs import Xfs

__all__ = [
    "AmbiguousFilesystem",
    "Filesystem",
    "FilesystemError",
    "GrowUnsupported",
    "NotClean",
    "ShrinkUnsupported",
    "Signature",
    "State",
    "SwapArea",
    "probe",
]

_DRIVERS: dict[str, type[Filesystem]] = {
    "ext2": Ext,
    "ext3": Ext,
    "ext4": Ext,
    "xfs": Xfs,
    "btrfs": Btrfs,
    "vfat": Fat,
    "exfat": ExFat,
    "ntfs": Ntfs,
    "swap": SwapArea,
    "swsuspend": SwapArea,
}

_BITLOCKER = State(
    False,
    "encrypted",
    "it is a BitLocker volume",
    "In Windows run manage-bde -off on the volume, wait until it is decrypted, and shut down with shutdown /s /t 0",
)
_LUKS = State(False, "encrypted", "it is a LUKS volume", "Decrypt the model (cryptsetup reencrypt --decrypt)")
_ENCRYPTED = State(False, "encrypted", "it is an encrypted volume", "Decrypt the model")
_RAID = State(False, "unsupported", "it is a member of a RAID", "Capture a model with plain disks")


def probe(device: Path) -> Filesystem:
    """The driver of what is on a partition or in a file. Raises AmbiguousFilesystem when the device carries several signatures."""
    signature = read_signature(device)
    if signature.type == "BitLocker" or read_at(device, 3, 8) == b"-FVE-FS-":
        return Refused(device, signature if signature.type else Signature(type="BitLocker", usage="crypto"), _BITLOCKER)
    if signature.type == "crypto_LUKS":
        return Refused(device, signature, _LUKS)
    if signature.usage == "crypto":
        return Refused(device, signature, _ENCRYPTED)
    if signature.usage == "raid" and signature.type != "LVM2_member":
        return Refused(device, signature, _RAID)
    return _DRIVERS.get(signature.type, Raw)(device, signature)


def read_signature(device: Path) -> Signature:
    """What blkid finds by reading the device itself, never its cache."""
    done = run(["blkid", "--probe", "--output", "udev", str(device)], ok=None)
    if done.rc == 8 or "ID_FS_AMBIVALENT" in done.stdout:
        said = " ".join((done.stdout + done.stderr).split())
        raise AmbiguousFilesystem(
            f"{device} carries the signatures of several filesystems: {said}",
            remedy=f"List them with wipefs {device} and erase those that are left over from earlier with wipefs --offset",
        )
    if done.rc not in (0, 2):
        raise ToolError(f"blkid --probe {device} ended with code {done.rc}: {done.stderr.strip()}")
    found = dict(line.partition("=")[::2] for line in done.stdout.splitlines())
    return Signature(
        type=found.get("ID_FS_TYPE", ""),
        usage=found.get("ID_FS_USAGE", ""),
        uuid=_decoded(found.get("ID_FS_UUID_ENC", "")),
        label=_decoded(found.get("ID_FS_LABEL_ENC", "")),
        version=found.get("ID_FS_VERSION", ""),
    )


def _decoded(text: str) -> str:
    return re.sub(r"\\x([0-9a-f]{2})", lambda match: chr(int(match.group(1), 16)), text)
