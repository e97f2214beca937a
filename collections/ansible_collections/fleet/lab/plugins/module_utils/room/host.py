# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this host must offer, and how a room's things are named on it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from ansible_collections.fleet.core.plugins.module_utils.command import available
from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError, InputError

PACKAGE_OF = {
    "systemd-nspawn": "systemd-container",
    "mmdebstrap": "mmdebstrap",
    "ip": "iproute2",
    "tc": "iproute2",
    "nft": "nftables",
    "nc.openbsd": "netcat-openbsd",
    "ssh-keygen": "openssh-client",
    "sfdisk": "fdisk",
    "losetup": "mount",
    "partx": "util-linux",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "mkfs.ext4": "e2fsprogs",
    "mkfs.vfat": "dosfstools",
    "mmd": "mtools",
}
"""Tools a room needs on its host, and the Debian packages that carry them."""

_UNSAFE = ":,\\\"'\n"
"""Characters that mean something else in an overlay's mount options or a bind specification."""


class HostError(FleetError):
    """The host cannot carry a room."""


def require() -> None:
    """Raise HostError unless this process is root and every tool is installed."""
    if os.geteuid() != 0:
        raise HostError(
            "A virtual room needs root: it makes network namespaces, loop devices and containers",
            remedy="Run the playbook as root (sudo)",
        )
    missing = sorted({package for tool, package in PACKAGE_OF.items() if not available(tool)})
    if missing:
        raise HostError("Tools of a virtual room are not installed on this host", remedy="apt-get install " + " ".join(missing))


def folder(path: str) -> Path:
    """Return a folder (the room's, the cache) as an absolute path; raise InputError when containers could not use it."""
    resolved = Path(os.path.realpath(path))
    unsafe = sorted(set(_UNSAFE) & set(str(resolved)))
    if unsafe:
        raise InputError(
            f"The folder {resolved} has characters that mounts cannot carry: {' '.join(unsafe)}", remedy="Choose another folder"
        )
    return resolved


def key(path: Path) -> str:
    """Return the eight characters by which this room's namespaces, machines and control groups are known on the host."""
    return hashlib.sha256(str(path).encode()).hexdigest()[:8]


def label(path: Path, station: str = "") -> str:
    """Return the host-wide unique name of the room, or of one of its stations."""
    return f"fleet-{key(path)}" + (f"-{station}" if station else "")
