# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The firmware of one station: what a PC's firmware, boot server and local disk do together, as a loop around systemd-nspawn.

This file is a program and stands alone: it is copied into the room's folder and runs there as the first process of its own
process and mount namespaces, long after the module that started it has gone. Whatever kills it takes along every process and every
mount of the station.

    firmware.py STATION_FOLDER

The folder holds station.json (see Description), ``boot`` (the boot entry, read at every start), ``identity/`` (laid over the
imaging environment's root), and takes ``upper/`` and ``work/`` (what the environment writes; forgotten at every start unless
persistent) and ``root/`` (the mount point). A reboot ends nspawn with code 133, a power-off with 0.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

REBOOT = 133
"""systemd-nspawn's exit code when the container asks for a reboot and --keep-unit is given."""

FILESYSTEMS = {"ext4": "rw", "xfs": "rw,nouuid", "btrfs": "rw"}
"""Filesystems an own system's root may have, with mount options: clones share their UUID, which XFS refuses by default."""

CONSOLE = ("systemd.show_status=1", "systemd.journald.forward_to_console=1", "systemd.journald.max_level_console=warning")
"""The command line of the station's systemd: its console tells what starts, what fails, and every warning."""


@dataclass(frozen=True)
class Description:
    """station.json: hostname, machine (unique on the host), netns (name), root and hosts (paths), disk ("" or /dev/loopN), persistent."""

    hostname: str
    machine: str
    netns: str
    root: str
    hosts: str
    disk: str
    persistent: bool


class BootError(Exception):
    """The station cannot start what its boot entry says."""


def tool(*argv: str) -> str:
    """Run a tool and return what it printed; raise BootError with its complaint when it fails."""
    done = subprocess.run(argv, capture_output=True, check=False, text=True)
    if done.returncode != 0:
        raise BootError(f"{' '.join(argv)}: {done.stderr.strip()}")
    return done.stdout


@contextmanager
def mounted(mount_point: Path, *mount: str) -> Iterator[Path]:
    """Have something mounted for a while; insist on unmounting, for what is written next must not meet a mounted filesystem."""
    mount_point.mkdir(exist_ok=True)
    tool("mount", *mount, str(mount_point))
    try:
        yield mount_point
    finally:
        for _attempt in range(50):
            if subprocess.run(["umount", str(mount_point)], stderr=subprocess.DEVNULL, check=False).returncode == 0:
                break
            time.sleep(0.1)
        else:
            raise BootError(f"{mount_point} cannot be unmounted")


@contextmanager
def imaging_environment(folder: Path, station: Description) -> Iterator[Path]:
    """The environment's root: the cached root, under the station's identity, under what it writes."""
    upper, work = folder / "upper", folder / "work"
    shutil.rmtree(work, ignore_errors=True)
    if not station.persistent:
        shutil.rmtree(upper, ignore_errors=True)
    upper.mkdir(exist_ok=True)
    work.mkdir()
    layers = f"lowerdir={folder / 'identity'}:{station.root},upperdir={upper},workdir={work}"
    with mounted(folder / "root", "-t", "overlay", "-o", layers, station.machine) as root:
        yield root


@contextmanager
def own_system(folder: Path, station: Description) -> Iterator[Path]:
    """The first filesystem on the station's disk that holds an operating system."""
    subprocess.run(["partx", "--update", station.disk], stderr=subprocess.DEVNULL, check=False)
    name = Path(station.disk).name
    for partition in sorted(Path("/sys/block", name).glob(f"{name}p*"), key=lambda path: int(path.name[len(name) + 1 :])):
        device = f"/dev/{partition.name}"
        probe = ["blkid", "--probe", "--match-tag=TYPE", "--output=value", device]
        kind = subprocess.run(probe, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False, text=True).stdout.strip()
        if kind in FILESYSTEMS:
            with mounted(folder / "root", "-t", kind, "-o", FILESYSTEMS[kind], device) as root:
                if (root / "etc/os-release").exists() or (root / "usr/lib/os-release").exists():
                    yield root
                    return
    raise BootError(f"no operating system on {station.disk or 'a station without a disk'}")


def container(root: Path, station: Description) -> list[str]:
    """Return the command that boots the system in root; it must neither register on the host nor change the system's files."""
    command = [
        "systemd-nspawn",
        "--quiet",
        "--boot",
        f"--directory={root}",
        f"--machine={station.machine}",
        f"--hostname={station.hostname}",
    ]
    command += ["--register=no", "--keep-unit", f"--network-namespace-path=/run/netns/{station.netns}", "--console=read-only"]
    command += ["--link-journal=no", "--timezone=off", "--resolv-conf=off", f"--bind-ro={station.hosts}:/etc/hosts"]
    # Disks are written with direct and raw access, partitions are mounted, and their nodes are made by hand.
    # Its network is the room's alone: a boot server in it answers DHCP.
    command += ["--capability=CAP_SYS_RAWIO,CAP_SYS_ADMIN,CAP_MKNOD,CAP_NET_ADMIN"]
    command += ["--bind=/dev/fuse"] if Path("/dev/fuse").exists() else []  # for ntfs-3g
    command += ["--setenv=TERM=dumb", "--setenv=SYSTEMD_COLORS=0"]
    command += [f"--bind={station.disk}"] if station.disk else []
    return [*command, *CONSOLE]


def start(folder: Path, station: Description) -> int:
    """Start what the boot entry says, once; return nspawn's exit code when it has ended."""
    entry = (folder / "boot").read_text(encoding="utf-8").strip()
    say(f"boot entry: {entry}")
    if entry == "imaging-once":
        (folder / "boot").write_text("disk\n", encoding="utf-8")
    environment = own_system if entry == "disk" else imaging_environment
    with environment(folder, station) as root:
        return subprocess.run(container(root, station), stdin=subprocess.DEVNULL, check=False).returncode


def say(message: str) -> None:
    """Print on the station's console, which is a log file."""
    sys.stdout.write(f"firmware: {message}\n")
    sys.stdout.flush()


def main(argv: Sequence[str]) -> int:
    """Be the firmware until the station is switched off."""
    folder = Path(argv[1])
    station = Description(**json.loads((folder / "station.json").read_text(encoding="utf-8")))
    try:
        # nspawn leaves folders there; on a filesystem of our own they vanish with us.
        tool("mkdir", "-p", "/run/systemd/nspawn")
        tool("mount", "-t", "tmpfs", station.machine, "/run/systemd/nspawn")
        code = REBOOT
        while code == REBOOT:
            code = start(folder, station)
    except (BootError, OSError) as error:
        say(str(error))
        code = 1
    say(f"off, code {code}")
    return code


if __name__ == "__main__":
    raise SystemExit(main(sys.argv))
