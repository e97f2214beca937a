# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in the Debian root of the imaging environment, and the name that follows from it.

The same root is booted by the stations of a virtual room as it is, in containers, and by real stations over a kernel of their own.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from .errors import BuildError

EPOCH = 1767225600
"""No file of a root is younger (seconds since 1970: the first of January 2026), so that building it twice gives the same bytes."""

PACKAGES = (
    # a system that is reached over SSH by Ansible
    *("systemd", "systemd-sysv", "dbus", "udev", "kmod", "procps", "util-linux", "openssh-server", "python3"),
    *("iproute2", "netbase", "curl", "openssl", "ca-certificates"),
    # partition tables and filesystems
    *("fdisk", "gdisk", "e2fsprogs", "xfsprogs", "btrfs-progs", "dosfstools", "mtools", "exfatprogs", "ntfs-3g"),
    # imaging, boot loaders and what starts them
    *("partclone", "fsarchiver", "zstd", "lvm2", "grub-common", "efibootmgr"),
    # what a machine is made of
    *("dmidecode", "ethtool", "pciutils", "smartmontools"),
    # the content store of a central host
    "nginx-light",
)

NODES = """\
#!/bin/sh
# Make the kernel read each disk's partition table, and make the nodes that udev, absent in a container, would have made.
for disk in /dev/loop*; do
    name=${disk#/dev/}
    [ -b "$disk" ] && [ -d "/sys/block/$name" ] || continue
    partx -u "$disk" 2>/dev/null
    for node in "$disk"p*; do
        rm -f "$node"
    done
    for partition in "/sys/block/$name/$name"p*; do
        [ -e "$partition/dev" ] && mknod "/dev/${partition##*/}" b $(tr : ' ' < "$partition/dev")
    done
done
exit 0
"""

UNIT = """\
[Unit]
Description=Nodes of the partitions on this station's disks
# A real station has udev.
ConditionVirtualization=container
# As early as udev would make them: an own system looks for its root filesystem by UUID.
DefaultDependencies=no
Before=systemd-remount-fs.service local-fs-pre.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/partition-nodes

[Install]
WantedBy=sysinit.target
"""

FILES = {
    "usr/local/sbin/partition-nodes": (0o755, NODES),
    "etc/systemd/system/partition-nodes.service": (0o644, UNIT),
    "etc/default/locale": (0o644, "LANG=C.UTF-8\n"),
}
"""Files put into the root: path -> (mode, text)."""

QUIET = (
    "nginx.service",
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "fstrim.timer",
    "lvm2-monitor.service",
    "lvm2-lvmpolld.socket",
    "blk-availability.service",
    "smartmontools.service",
)
"""Units that Debian enables and a station in the imaging environment does not want by itself."""

NEVER = (
    "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount",
    "console-getty.service",
    "getty@.service",
    "systemd-networkd.service",
    "networking.service",
    "systemd-resolved.service",
)
"""Units that would reach into the kernel of a container's host, wait for a console that is a log, or undo the addresses that it has."""


def _codename() -> str:
    """Return the release name of this host's Debian."""
    for line in Path("/etc/os-release").read_text(encoding="utf-8").splitlines():
        if line.startswith("VERSION_CODENAME="):
            return line.split("=", 1)[1].strip('"')
    raise BuildError("/etc/os-release names no VERSION_CODENAME", remedy="Use a Debian release as host")


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what is in the root."""

    suite: str = field(default_factory=_codename)
    architecture: str = field(default_factory=platform.machine)
    packages: tuple[str, ...] = PACKAGES

    @classmethod
    def with_packages(cls, more: Iterable[str]) -> Recipe:
        """The recipe of a root with further packages."""
        return cls(packages=(*PACKAGES, *(name for name in more if name not in PACKAGES)))

    def digest(self) -> str:
        """Return the twelve characters that name the root built by this recipe."""
        parts = [
            self.suite,
            self.architecture,
            self.packages,
            sorted(FILES.items()),
            QUIET,
            NEVER,
            command(self, Path("ROOT"), Path("PACKAGES")),
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]


def command(recipe: Recipe, target: Path, packages: Path) -> list[str]:
    """Return the mmdebstrap command line; its sources come on standard input."""
    left_out = [f"--dpkgopt=path-exclude=/usr/share/{part}/*" for part in ("doc", "man", "locale", "info")]
    return [
        *("env", f"SOURCE_DATE_EPOCH={EPOCH}"),
        "mmdebstrap",
        "--mode=root",
        "--variant=apt",
        f"--include={','.join(recipe.packages)}",
        '--aptopt=Apt::Install-Recommends "false"',
        *left_out,
        "--dpkgopt=force-unsafe-io",  # no flush for each of 10,000 files: a root that is not complete is built again anyway
        "--skip=download/empty",
        "--skip=essential/unlink",
        '--setup-hook=mkdir -p "$1"/var/cache/apt/archives',
        f"--setup-hook=sync-in {packages} /var/cache/apt/archives/",
        f"--customize-hook=sync-out /var/cache/apt/archives/ {packages}",
        '--customize-hook=rm -f "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/* "$1"/etc/ssh/ssh_host_*',
        recipe.suite,
        str(target),
        "-",
    ]
