# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An own system on a station's disk, so that a room has a model worth capturing.

The disk gets a GPT with an EFI system partition (vfat), swap, and a root (ext4) which is last, so that a larger disk can grow it.
The system is a copy of the cached Debian root. Usually it has no kernel and no boot loader: the room's firmware starts it in a container.
With a kernel among its packages it gets GRUB's menu, a partition for GRUB under a BIOS, and an address by DHCP where it is no container:
once a boot loader was put before it (fleet.imaging.boot_repair), a machine starts it as well.
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

BIOS_BOOT = "4: start=34, size=2014, type=21686148-6449-6E6F-744E-656564454649, name=bios\n"
"""In the room before the first partition, so that the numbers of the others stay what they are."""

COPY = """\
set -e
mount -t ext4 "$1" "$2"
cp -a "$3/." "$2/"
cp -a "$4/." "$2/"
cat > "$2/etc/fstab"
if [ -d "$5" ]; then
    cp -a "$5/." "$2/"
    rm -f "$2/etc/systemd/system/systemd-networkd.service"
    systemctl --root="$2" --quiet enable systemd-networkd
fi
umount "$2"
"""
"""Run in a mount namespace of its own, so that the mount cannot outlive it. Arguments: device, mount point, root, identity, files of a
system that machines start (no folder: there are none)."""

FSTAB = """\
UUID={main} / ext4 defaults 0 1
UUID={esp} /boot/efi vfat umask=0077,noauto 0 0
UUID={swap} none swap sw 0 0
"""

MENU = """\
set timeout=0
terminal_output console
search --no-floppy --fs-uuid --set=root {main}
linux /boot/{kernel} root=UUID={main} ro console=tty0 console=ttyS0
initrd /boot/{initrd}
boot
"""

NETWORK = """\
[Match]
Name=en* eth*

[Network]
DHCP=ipv4

[DHCPv4]
ClientIdentifier=mac
"""

NOT_IN_A_CONTAINER = """\
# A container of the room has its address from the room.
[Unit]
ConditionVirtualization=!container
"""

WELCOME = "This station was installed by a virtual room of Fleet.\n"


def install(loop: str, root: Path, layer: Path) -> None:
    """Write a partition table and an own system with the identity in layer on a disk, erasing it (about three seconds)."""
    esp, swap, main = (f"{loop}p{number}" for number in (1, 2, 3))
    kernel = next(iter(sorted(root.glob("boot/vmlinuz-*"), reverse=True)), None)
    run(
        ["sfdisk", "--quiet", "--wipe=always", "--wipe-partitions=always", loop],
        stdin=TABLE.replace("label: gpt\n", "label: gpt\nfirst-lba: 34\n") + BIOS_BOOT if kernel else TABLE,
        ok=None,
    )
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
    files = tempfile.TemporaryDirectory(prefix="fleet-room-")
    try:
        bootable = Path(files.name) / "files"
        if kernel:
            _make_bootable(bootable, kernel.name, _uuid(main))
        arguments = [main, mount, str(root), str(layer), str(bootable)]
        run(["unshare", "--mount", "--propagation=slave", "sh", "-c", COPY, "sh", *arguments], stdin=fstab)
    finally:
        files.cleanup()
        os.rmdir(mount)  # and nothing more: a system may be mounted there


def _make_bootable(folder: Path, kernel: str, main: str) -> None:
    """Write the files that a system needs to be started by a machine, and to be reached then."""
    files = {
        "boot/grub/grub.cfg": MENU.format(main=main, kernel=kernel, initrd=kernel.replace("vmlinuz", "initrd.img")),
        "etc/systemd/network/80-wired.network": NETWORK,
        "etc/systemd/system/systemd-networkd.service.d/container.conf": NOT_IN_A_CONTAINER,
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _uuid(device: str) -> str:
    return run(["blkid", "--probe", "--match-tag=UUID", "--output=value", device]).stdout.strip()
