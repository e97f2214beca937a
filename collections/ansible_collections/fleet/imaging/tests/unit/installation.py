# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks with a system installed on them, for tests: real filesystems with the files of a small Debian, but without its programs."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.fleet.imaging.plugins.module_utils.disk.device import Disk
from ansible_collections.fleet.imaging.plugins.module_utils.filesystem import probe
from ansible_collections.fleet.imaging.tests.unit.conftest import command

MIB = 1 << 20
MODEL_MAC = "52:54:00:aa:bb:cc"
STATION_MAC = "52:54:00:11:22:33"
SIZES = {"ext4": 64, "xfs": 300, "btrfs": 128}

GPT = """\
label: gpt
size=1M, type=21686148-6449-6E6F-744E-656564454649
size=40M, type=U, name=esp
size=8M, type=S
size={root}M, type=L, name=root
"""
DOS = "label: dos\nstart=2048, size={root}M, type=83, bootable\nsize=8M, type=82\n"

OS_RELEASE = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nID=debian\n'
HOSTS = """\
127.0.0.1\tlocalhost
127.0.1.1\tmodel.example.org model
# the licence server
10.0.0.9\tlicences.example.org licences
10.0.0.7 model
10.0.0.8 model-room12 supermodel
::1\tlocalhost ip6-localhost ip6-loopback
"""
KEYFILE = f"""\
[connection]
id=Wired
type=ethernet

[ethernet]
mac-address={MODEL_MAC.upper()}
cloned-mac-address={MODEL_MAC}

[ipv4]
method=auto
"""
GRUB_CFG = """\
search --no-floppy --fs-uuid --set=root {root}
menuentry 'Debian' {{
    search --no-floppy --fs-uuid --set=root {root}
    linux /boot/vmlinuz-6.1.0 root=UUID={root} ro quiet resume=UUID={swap}
    initrd /boot/initrd.img-6.1.0
}}
menuentry 'Other' {{
    search --no-floppy --fs-uuid --set=root 11111111-2222-3333-4444-555555555555
    linux /vmlinuz root=UUID=11111111-2222-3333-4444-555555555555
}}
"""


@dataclass
class Installed:
    """A disk with a system. files: path to text, to be put there besides the usual ones."""

    disk: Disk
    kind: str
    mounted: Any
    root: int = 4
    swap: int = 3
    esp: int = 2
    subvolume: str = ""
    model_keys: dict[str, str] = field(default_factory=dict)

    @property
    def device(self) -> Path:
        return self.disk.partition(self.root).path

    @property
    def identity(self) -> str:
        return f"size:{self.disk.size}"

    def uuid(self, number: int) -> str:
        return probe(self.disk.partition(number).path).uuid

    @contextmanager
    def files(self, options: str = "") -> Iterator[Path]:
        """The system's files, for as long as the context lasts."""
        subvolume = f"subvol=/{self.subvolume}" if self.subvolume else ""
        with self.mounted(self.device, self.kind, ",".join(filter(None, [options, subvolume]))) as folder:
            yield folder

    def text(self, path: str) -> str:
        with self.files("ro") as folder:
            return (folder / path).read_text()

    def change(self, files: dict[str, str]) -> None:
        with self.files() as folder:
            put(folder, files)

    def on_esp(self, path: str, data: bytes) -> None:
        """Put a file on the EFI system partition."""
        device, parts = self.disk.partition(self.esp).path, path.split("/")[:-1]
        for depth in range(len(parts)):
            folder = "::" + "/".join(parts[: depth + 1])
            subprocess.run(["mmd", "-D", "s", "-i", device, folder], check=False, capture_output=True)
        subprocess.run(["mcopy", "-o", "-i", device, "-", f"::{path}"], input=data, check=True)

    def from_esp(self, path: str) -> bytes:
        """A file of the EFI system partition."""
        return subprocess.run(["mtype", "-i", self.disk.partition(self.esp).path, f"::{path}"], check=True, capture_output=True).stdout

    def bytes(self) -> bytes:
        """All that is on the disk."""
        subprocess.run(["blockdev", "--flushbufs", str(self.disk.path)], check=True)
        for part in self.disk.partitions():
            subprocess.run(["blockdev", "--flushbufs", str(part.path)], check=True)
        backing = Path((Path("/sys/block") / self.disk.kernel_name / "loop/backing_file").read_text().strip())
        return backing.read_bytes()


def put(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def install(loop_disk: Any, mounted: Any, kind: str = "ext4", script: str = GPT, subvolume: str = "", **numbers: int) -> Installed:
    """A disk with a partition table, and the model's system on it."""
    size = SIZES[kind]
    disk = loop_disk((size + 64) * MIB, script.format(root=size))
    system = Installed(disk, kind, mounted, subvolume=subvolume, **numbers)
    make = {"ext4": ("mkfs.ext4", "-q", "-F"), "xfs": ("mkfs.xfs", "-q", "-f"), "btrfs": ("mkfs.btrfs", "-q", "-f")}[kind]
    command(*make, system.device)
    command("mkswap", "-q", disk.partition(system.swap).path)
    if "type=U" in script:
        command("mkfs.vfat", "-n", "ESP", disk.partition(system.esp).path)
    if subvolume:
        with mounted(system.device, kind) as top:
            command("btrfs", "subvolume", "create", top / subvolume)
    with system.files() as folder:
        put(folder, usual(system, "type=U" in script))
        (folder / "etc/hostname").write_text("model\n")
        for name in ("dev", "proc", "sys", "run", "tmp", "usr/bin", "boot/grub"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / "var/lib/dbus").mkdir(parents=True)
        os.symlink("/etc/machine-id", folder / "var/lib/dbus/machine-id")
        for name in ("ecdsa", "ed25519"):  # an RSA key takes seconds; one test has one
            key = folder / f"etc/ssh/ssh_host_{name}_key"
            command("ssh-keygen", "-q", "-t", name, "-N", "", "-f", key)
            system.model_keys[name] = key.with_suffix(".pub").read_text()
    return system


def usual(system: Installed, has_esp: bool) -> dict[str, str]:
    """The files of a small Debian that an identity is about."""
    root, swap = system.uuid(system.root), system.uuid(system.swap)
    fstab = f"# static\nUUID={root}\t/  {system.kind}\tdefaults 0 1\nUUID={swap} none swap sw 0 0\n"
    if has_esp:
        fstab += f"UUID={system.uuid(system.esp)} /boot/efi vfat umask=0077 0 1\n"
    return {
        "etc/os-release": OS_RELEASE,
        "etc/hosts": HOSTS,
        "etc/machine-id": "0123456789abcdef0123456789abcdef\n",
        "etc/fstab": fstab,
        "etc/ssh/sshd_config": "",
        "etc/NetworkManager/system-connections/Wired.nmconnection": KEYFILE,
        "etc/initramfs-tools/conf.d/resume": f"RESUME=UUID={swap}\n",
        "boot/grub/grub.cfg": GRUB_CFG.format(root=root, swap=swap),
        "usr/sbin/NetworkManager": "",
        "usr/sbin/sshd": "",
        "var/lib/dhcp/dhclient.eth0.leases": "lease {}\n",
        "var/lib/systemd/random-seed": "x" * 32,
        "home/somebody/notes": f"model is written here, and {root} too\n",
    }


Install = Callable[..., Installed]
