# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The section drives: filesystems that are mounted from a disk or a server."""

from __future__ import annotations

import os
import re

from .root import Root
from .row import Row

_OWN = re.compile(
    "ext[234]|xfs|btrfs|vfat|exfat|ntfs3?|fuseblk|f2fs|jfs|reiserfs|zfs|bcachefs|iso9660|udf|nfs4?|cifs|smb3|ceph|glusterfs|overlay"
)
"""Filesystems that hold somebody's data; images of snaps (squashfs), of containers and what lives in memory do not."""
_IMAGE_MOUNTS = ("/var/lib/docker/", "/var/lib/containers/", "/snap/", "/run/")


def collect(root: Root) -> list[Row]:
    """Return one row a filesystem: what is mounted several times counts once, where it was mounted first."""
    labels, uuids = _by(root, "label"), _by(root, "uuid")
    rows: list[Row] = []
    seen: set[str] = set()
    for line in root.need("/proc/mounts").splitlines():
        device, folder, kind = [_decode(field) for field in [*line.split(" "), "", "", ""][:3]]
        # An overlay's device is a word; every other one is a name of its own.
        inner = kind == "overlay" or device.startswith("/dev/loop")
        if not _OWN.fullmatch(kind) or (inner and folder != "/") or folder.startswith(_IMAGE_MOUNTS) or device in seen:
            continue
        seen.add(device)
        name = os.path.basename(device)
        row: Row = {
            "type": folder,
            "volumn": device,
            "filesystem": kind,
            "label": labels.get(name, ""),
            "serial": uuids.get(name, ""),
            "systemdrive": folder == "/",
            **_room(root, folder, kind),
        }
        rows.append(row)
    return rows


def _room(root: Root, folder: str, kind: str) -> Row:
    """Return total and free MiB; nothing for a server, which may hang, and in a captured tree."""
    if not root.live or kind in ("nfs", "nfs4", "cifs", "smb3", "ceph", "glusterfs"):
        return {}
    try:
        room = os.statvfs(folder)
    except OSError:
        return {}
    return {"total": room.f_blocks * room.f_frsize >> 20, "free": room.f_bavail * room.f_frsize >> 20}


def _by(root: Root, what: str) -> dict[str, str]:
    """Return labels or UUIDs by the name of the device, as udev links them."""
    folder = f"/dev/disk/by-{what}"
    return {root.target(f"{folder}/{name}"): _unescape(name) for name in root.names(folder)}


def _decode(text: str) -> str:
    """Undo the octal escapes of /proc/mounts."""
    raw = re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8) & 0xFF), text)
    return raw.encode("utf-8", "replace").decode("utf-8") if raw.isascii() else raw.encode("latin-1", "replace").decode("utf-8", "replace")


def _unescape(text: str) -> str:
    return re.sub(r"\\x([0-9a-f]{2})", lambda found: chr(int(found[1], 16)), text)
