# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An own system on a station's disk, so that a room has a model worth capturing.

The disk gets a GPT with an EFI system partition (vfat), swap, and a root (ext4) which is last, so that a larger disk can grow it.
The system is a copy of the cached Debian root. It has no kernel and no boot loader: the room's firmware starts it in a container.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from ansible_collections.fleet.core.plugins.module_utils.command import run

TABLE = """\
label: gpt
size=64MiB, type=U, name=esp
size=32MiB, type=S, name=swap
type=L, name=root
"""

COPY = """\
set -e
mount -t ext4 "$1" "$2"
cp -a "$3/." "$2/"
cp -a "$4/." "$2/"
cat > "$2/etc/fstab"
umount "$2"
"""
"""Run in a mount namespace of its own, so that the mount cannot outlive it. Arguments: device, mount point, root, identity."""

FSTAB = """\
UUID={main} / ext4 defaults 0 1
UUID={esp} /boot/efi vfat umask=0077,noauto 0 0
UUID={swap} none swap sw 0 0
"""

WELCOME = "This station was installed by a virtual room of Fleet.\n"


def install(loop: str, root: Path, layer: Path) -> None:
    """Write a partition table and an own system with the identity in layer on a disk, erasing it (about three seconds)."""
    esp, swap, main = (f"{loop}p{number}" for number in (1, 2, 3))
    run(["sfdisk", "--quiet", "--wipe=always", "--wipe-partitions=always", loop], stdin=TABLE, ok=None)
    run(["partx", "--update", loop])
    run(["mkfs.vfat", "-F", "32", "-n", "ESP", esp])
    run(["mkswap", "--quiet", "--label", "swap", swap])
    # Lazy initialisation would go on writing to the disk long after the first boot.
    run(["mkfs.ext4", "-q", "-F", "-L", "root", "-E", "lazy_itable_init=0,lazy_journal_init=0", main])
    run(["mmd", "-i", esp, "::EFI"])
    with tempfile.TemporaryDirectory(prefix="fleet-room-") as temporary:
        welcome = Path(temporary) / "WELCOME.TXT"
        welcome.write_text(WELCOME, encoding="utf-8")
        run(["mcopy", "-i", esp, str(welcome), "::EFI/"])
    fstab = FSTAB.format(main=_uuid(main), esp=_uuid(esp), swap=_uuid(swap))
    mount = tempfile.mkdtemp(prefix="fleet-room-")
    try:
        run(["unshare", "--mount", "--propagation=slave", "sh", "-c", COPY, "sh", main, mount, str(root), str(layer)], stdin=fstab)
    finally:
        os.rmdir(mount)  # and nothing more: a system may be mounted there


def _uuid(device: str) -> str:
    return run(["blkid", "--probe", "--match-tag=UUID", "--output=value", device]).stdout.strip()
