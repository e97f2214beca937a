# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making a new empty filesystem like the one that a manifest describes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Callable

from ansible_collections.fleet.core.plugins.module_utils.command import run

from . import probe
from .base import Filesystem, FilesystemError
from .swap import SwapArea

MAKEABLE = ("ext2", "ext3", "ext4", "xfs", "btrfs", "vfat", "exfat", "ntfs", "swap")

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_SERIALS = {
    "vfat": re.compile(r"[0-9A-F]{4}-[0-9A-F]{4}"),
    "exfat": re.compile(r"[0-9A-F]{4}-[0-9A-F]{4}"),
    "ntfs": re.compile(r"[0-9A-F]{16}"),
}


def make_like(device: Path, meta: Mapping[str, Any]) -> Filesystem:
    """Make an empty filesystem of the type, UUID and label in meta (see Filesystem.as_meta), over the whole device.

    Whatever is on the device is lost. Raises FilesystemError when meta is malformed or of a type that cannot be made.
    """
    kind, uuid, label = (str(meta.get(key, "")) for key in ("type", "uuid", "label"))
    check_meta(kind, uuid, label)
    run(["wipefs", "--all", "--force", "--quiet", str(device)])
    if kind == "swap":
        SwapArea.create(device, uuid, label)
    else:
        _MAKERS[kind](kind, device, uuid, label)
    made = probe(device)
    if (made.type, made.label) != (kind, label) or (uuid and made.uuid.lower() != uuid.lower()):
        raise FilesystemError(f"{device} was formatted as {kind} {uuid} {label!r}, but it reads {made.type} {made.uuid} {made.label!r}")
    return made


def check_meta(kind: str, uuid: str, label: str) -> None:
    """Raise FilesystemError unless these can be given to a mkfs."""
    if kind not in MAKEABLE:
        raise FilesystemError(f"A filesystem of type {kind!r} cannot be made", remedy=f"Known are {', '.join(MAKEABLE)}")
    if uuid and not _SERIALS.get(kind, _UUID).fullmatch(uuid):
        raise FilesystemError(f"{uuid!r} is not an identifier of a {kind} filesystem")
    if not label.isprintable() or len(label) > 255 or label.startswith("-"):
        raise FilesystemError(f"{label!r} is not a label of a filesystem")


def _ext(kind: str, device: Path, uuid: str, label: str) -> None:
    run([f"mkfs.{kind}", "-q", "-F", *_option("-U", uuid), *_option("-L", label), str(device)])


def _xfs(kind: str, device: Path, uuid: str, label: str) -> None:
    run(["mkfs.xfs", "-q", "-f", *(["-m", f"uuid={uuid}"] if uuid else []), *_option("-L", label), str(device)])


def _btrfs(kind: str, device: Path, uuid: str, label: str) -> None:
    run(["mkfs.btrfs", "-q", "-f", *_option("-U", uuid), *_option("-L", label), str(device)])


def _vfat(kind: str, device: Path, uuid: str, label: str) -> None:
    run(["mkfs.vfat", *_option("-i", uuid.replace("-", "")), *_option("-n", label), str(device)])


def _exfat(kind: str, device: Path, uuid: str, label: str) -> None:
    run(["mkfs.exfat", *_option("-L", label), str(device)])
    if uuid:
        run(["tune.exfat", "-I", "0x" + uuid.replace("-", ""), str(device)])


def _ntfs(kind: str, device: Path, uuid: str, label: str) -> None:
    run(["mkntfs", "--fast", "--force", "--quiet", *_option("-L", label), str(device)])
    if uuid:
        run(["ntfslabel", f"--new-serial={uuid}", str(device)])


def _option(name: str, value: str) -> list[str]:
    return [name, value] if value else []


_MAKERS: Mapping[str, Callable[[str, Path, str, str], None]] = {
    "ext2": _ext,
    "ext3": _ext,
    "ext4": _ext,
    "xfs": _xfs,
    "btrfs": _btrfs,
    "vfat": _vfat,
    "exfat": _exfat,
    "ntfs": _ntfs,
}
