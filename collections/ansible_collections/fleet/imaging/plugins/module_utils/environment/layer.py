# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes a real station's system of the Debian root that a virtual room boots as it is.

A kernel's modules come in, what only a container needs goes, and what a system in RAM has no use for is left out: documentation, package
management, perl. The root that it is made from is not touched.
"""

from __future__ import annotations

import inspect
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.fleet.core.plugins.module_utils.command import run

from . import drivers
from .program import console, station
from .recipe import EPOCH, NEVER

SSHD = """\
# The host key is made at each start, before sshd; only the site's keys sign in.
HostKey /run/fleet/ssh_host_ed25519_key
AuthorizedKeysFile /etc/fleet/authorized_keys
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
UseDNS no
"""

NETWORK = """\
[Match]
Type=ether

[Network]
DHCP=ipv4
LinkLocalAddressing=ipv6
# The boot server is reached over IPv4: nothing waits for a router's advertisement.
IPv6AcceptRA=no
KeepConfiguration=dhcp-on-stop

[DHCPv4]
# As the first stage and the firmware did, so that the lease stays the same.
ClientIdentifier=mac
"""

STATION_UNIT = """\
[Unit]
Description=Name and host key of this station
After=systemd-networkd.service
Wants=systemd-networkd.service
Before=ssh.service

[Service]
Type=oneshot
RemainAfterExit=yes
TimeoutStartSec=infinity
ExecStart=/usr/bin/python3 /usr/lib/fleet/station.py

[Install]
RequiredBy=ssh.service
WantedBy=multi-user.target
"""

CONSOLE_UNIT = """\
[Unit]
Description=What goes on, on the screen and the serial line
DefaultDependencies=no
After=systemd-tmpfiles-setup.service
Conflicts=shutdown.target
Before=shutdown.target

[Service]
ExecStart=/usr/bin/python3 /usr/lib/fleet/console.py
Restart=always
RestartSec=1

[Install]
WantedBy=multi-user.target
"""

FILES = {
    "etc/ssh/sshd_config.d/fleet.conf": (0o644, SSHD),
    "etc/systemd/network/80-fleet.network": (0o644, NETWORK),
    # A card that the first stage uses is up and cannot be renamed; udev would give up on it, and networkd with it.
    "etc/systemd/network/99-default.link": (0o644, ""),
    "etc/systemd/network/73-usb-net-by-mac.link": (0o644, ""),
    "etc/systemd/system/fleet-station.service": (0o644, STATION_UNIT),
    "etc/systemd/system/fleet-console.service": (0o644, CONSOLE_UNIT),
    "usr/lib/fleet/station.py": (0o644, inspect.getsource(station)),
    "usr/lib/fleet/console.py": (0o644, inspect.getsource(console)),
    # The console is the station's own: systemd speaks when something fails.
    "etc/systemd/system.conf.d/fleet.conf": (0o644, "[Manager]\nShowStatus=error\n"),
    "etc/hostname": (0o644, "fleet\n"),
    "etc/hosts": (0o644, "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n"),
    "etc/fstab": (0o644, "# The root is in RAM.\n"),
    "etc/machine-id": (0o644, ""),
    "etc/fleet/authorized_keys": (0o644, ""),
    # Nothing is to be brought up to date at the first start: there is no other.
    "etc/.updated": (0o644, ""),
    "var/.updated": (0o644, ""),
}
"""Files put into the station's root: path -> (mode, text)."""

ENABLED = ("systemd-networkd.service", "fleet-station.service", "fleet-console.service")

MASKED = (
    *("getty@tty1.service", "serial-getty@.service", "systemd-networkd-wait-online.service", "systemd-firstboot.service"),
    *("systemd-hwdb-update.service", "ldconfig.service", "systemd-journal-catalog-update.service", "systemd-machine-id-commit.service"),
    *("dm-event.socket", "systemd-pstore.service", "networking.service", "systemd-binfmt.service", "proc-sys-fs-binfmt_misc.automount"),
    *(
        "systemd-update-utmp.service",
        "systemd-update-utmp-runlevel.service",
        "systemd-journal-flush.service",
        "systemd-random-seed.service",
    ),
    *("dev-hugepages.mount", "dev-mqueue.mount", "sys-kernel-config.mount", "sys-fs-fuse-connections.mount"),
    *("systemd-random-seed.service", "systemd-tmpfiles-clean.timer", "modprobe@drm.service", "systemd-network-generator.service"),
)
"""Units that ask for a password nobody has, wait for what nobody needs, or keep what a system in RAM forgets."""

LEFT_OUT = (
    *("boot/*", "var/cache/*", "var/lib/apt/*", "var/log/*", "var/backups/*", "etc/machine-id", "etc/resolv.conf", "run/*", "tmp/*"),
    *(f"usr/share/{name}" for name in ("doc", "man", "locale", "info", "zsh", "bash-completion", "bug", "lintian", "common-licenses")),
    # package management: nothing is installed in RAM; dpkg's status stays, for lists
    *("usr/bin/apt*", "usr/lib/apt", "var/lib/dpkg/info", "usr/lib/x86_64-linux-gnu/libapt-*"),
    # perl, which Debian needs to install packages; the check of names for XFS and its 30 MiB of Unicode
    *("usr/bin/perl*", "usr/share/perl*", "usr/lib/*-linux-gnu/perl*", "usr/lib/*-linux-gnu/libperl*"),
    # tables of character sets, but for those that file names of FAT and NTFS have: mtools reads no EFI system partition without 850
    "usr/lib/*-linux-gnu/gconv/[!gIU]*.so",
    "usr/lib/*-linux-gnu/gconv/I[!B]*.so",
    "usr/lib/*-linux-gnu/gconv/IBM[!48]*.so",
    *("usr/sbin/xfs_scrub", "usr/lib/*-linux-gnu/libicu*"),
    # descriptions of devices, which change nothing of how they work; the web server of a room's central host
    *("usr/lib/udev/hwdb*", "etc/udev/hwdb*", "usr/sbin/nginx", "usr/lib/nginx"),
    *("usr/share/keyrings", "usr/share/grub"),
)
"""Patterns of what the station's root lacks."""


def make(root: Path, target: Path, modules: Path, firmware: list[Path]) -> None:
    """Make the station's root in target. modules: a kernel's /lib/modules/RELEASE; firmware: folders that have lib/firmware."""
    run(["cp", "--archive", "--no-target-directory", str(root), str(target)])
    for pattern in LEFT_OUT:
        for path in target.glob(pattern):
            _remove(path)
    _unmask(target)
    _install_modules(modules, target)
    for folder in firmware:
        for found in (folder / "lib/firmware", folder / "usr/lib/firmware"):
            if found.is_dir():
                shutil.copytree(found, target / "usr/lib/firmware", symlinks=True, dirs_exist_ok=True)
    for name, (mode, text) in FILES.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
    systemctl = ["systemctl", f"--root={target}", "--quiet"]
    run([*systemctl, "mask", *MASKED])
    run([*systemctl, "enable", *ENABLED])
    settle(target)


def settle(target: Path) -> None:
    """Let nothing in a folder be younger than EPOCH, so that the same contents make the same image."""
    for path in (target, *_all(target)):
        if path.lstat().st_mtime > EPOCH:
            os.utime(path, (EPOCH, EPOCH), follow_symlinks=False)


def _all(folder: Path) -> Iterator[Path]:
    for above, folders, files in os.walk(folder):
        for name in (*folders, *files):
            yield Path(above, name)


def _unmask(target: Path) -> None:
    """Undo what keeps a container from reaching into its host."""
    for unit in set(NEVER) - set(MASKED) - {"sys-kernel-debug.mount", "sys-kernel-tracing.mount"}:
        mask = target / "etc/systemd/system" / unit
        if mask.is_symlink() and os.readlink(mask) == "/dev/null":
            mask.unlink()


def _install_modules(modules: Path, target: Path) -> None:
    place = target / "usr/lib/modules" / modules.name
    shutil.copytree(modules, place)
    for name in drivers.LEFT_OUT:
        _remove(place / "kernel" / name)
    run(["chroot", str(target), "depmod", modules.name])


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
