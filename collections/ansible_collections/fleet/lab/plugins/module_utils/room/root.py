# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cached Debian root: what every station of a room boots as its imaging environment.

The root is named by a digest of its recipe, so a changed recipe is a new root; it is built beside its place and renamed into it,
so what has that name is complete. Packages are kept, so building again needs the network for the lists only.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import platform
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.fleet.core.plugins.module_utils.command import run
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress

from . import sources
from .host import HostError

PACKAGES = (
    # a system that is reached over SSH by Ansible
    *("systemd", "systemd-sysv", "dbus", "udev", "kmod", "procps", "util-linux", "openssh-server", "python3"),
    *("iproute2", "netbase", "curl", "openssl", "ca-certificates"),
    # partition tables and filesystems
    *("fdisk", "gdisk", "e2fsprogs", "xfsprogs", "btrfs-progs", "dosfstools", "mtools", "exfatprogs", "ntfs-3g"),
    # imaging
    *("partclone", "fsarchiver", "zstd"),
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
)
"""Units that Debian enables and a station of a room does not want by itself."""

NEVER = (
    "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount",
    "console-getty.service",
    "getty@.service",
    "systemd-networkd.service",
    "networking.service",
    "systemd-resolved.service",
)
"""Units that would reach into the host's kernel, wait for a console that is a log, or undo the addresses that the namespace has."""

_APT_CARRIED = ("Acquire::http::Proxy", "Acquire::https::Proxy", "Acquire::Check-Valid-Until", "Acquire::Check-Date", "Acquire::Retries")
"""What the host's apt needs to reach its sources, mmdebstrap's needs too; it reads no configuration of the host by itself."""


_ISOLATED = (
    *("setpriv", "--pdeathsig", "KILL", "--"),
    *("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "slave", "--"),
)
"""A build that is killed leaves no mount (its /dev/pts), which would keep what it made from being removed, and no process."""


def _codename() -> str:
    """Return the release name of this host's Debian."""
    for line in Path("/etc/os-release").read_text(encoding="utf-8").splitlines():
        if line.startswith("VERSION_CODENAME="):
            return line.split("=", 1)[1].strip('"')
    raise HostError("/etc/os-release names no VERSION_CODENAME", remedy="Use a Debian release as host")


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
            _command(self, Path("ROOT"), Path("PACKAGES")),
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]


def _command(recipe: Recipe, target: Path, packages: Path) -> list[str]:
    """Return the mmdebstrap command line; its sources come on standard input."""
    left_out = [f"--dpkgopt=path-exclude=/usr/share/{part}/*" for part in ("doc", "man", "locale", "info")]
    return [
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


class RootCache:
    """The folder with the roots built so far and the packages they were built from."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "lab"
        self.packages = self.folder / "packages"

    def path(self, recipe: Recipe) -> Path:
        """Return where the root of a recipe is, or will be."""
        return self.folder / f"root-{recipe.digest()}"

    def ensure(self, recipe: Recipe, progress: Progress) -> Path:
        """Return the root of a recipe, built now when it is not there yet (half a minute, longer with downloads)."""
        target = self.path(recipe)
        if target.is_dir():
            return target
        self.packages.mkdir(parents=True, exist_ok=True)
        with self._lock():
            if not target.is_dir():
                progress.begin("build the stations' Debian root", 0, "step")
                self._build(recipe, target)
        return target

    @contextmanager
    def _lock(self) -> Iterator[None]:
        with (self.folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _build(self, recipe: Recipe, target: Path) -> None:
        for abandoned in self.folder.glob("building-*"):  # ours alone, under the lock: of builds that were killed
            shutil.rmtree(abandoned)
        with tempfile.TemporaryDirectory(prefix="building-", dir=self.folder) as temporary:
            root = Path(temporary) / "root"
            command = _command(recipe, root, self.packages)
            command[1:1] = [f"--aptopt={line}" for line in _host_apt_options()]
            run(
                [*_ISOLATED, *command],
                stdin="\n".join(sources.debian(recipe.suite)) + "\n",
                remedy="Check the package sources and the network of this host",
            )
            _furnish(root)
            root.rename(target)


def _host_apt_options() -> list[str]:
    """Return the lines of the host's apt configuration that decide how its sources are reached."""
    printed = run(["apt-config", "dump", "Acquire"]).stdout.splitlines()
    return [line for line in printed if line.split(" ", 1)[0] in _APT_CARRIED]


def _furnish(root: Path) -> None:
    """Put our files into a new root and settle its units."""
    for name, (mode, text) in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
    systemctl = ["systemctl", f"--root={root}", "--quiet"]
    run([*systemctl, "disable", *QUIET])
    run([*systemctl, "mask", *NEVER])
    run([*systemctl, "enable", "partition-nodes.service"])
    run(["sync", "--file-system", str(root)])
