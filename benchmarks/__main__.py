# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run one benchmark: benchmarks/run NAME [--quick] [--rows ROW,...]."""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import signal
import sys
import time

from . import capture, console, delta, inventory, multicast, netboot, reports, restore
from .bench import Bench, BenchError

BENCHMARKS = {
    "capture": capture,
    "console": console,
    "restore": restore,
    "delta": delta,
    "inventory": inventory,
    "multicast": multicast,
    "netboot": netboot,
    "reports": reports,
}

ON_DISKS = ("capture", "restore", "delta", "multicast", "netboot")
"""Benchmarks that need the tools below, loop devices and mounts."""

IN_NETWORKS = {"udp-sender": "udpcast", "ip": "iproute2", "tc": "iproute2", "nft": "nftables"}
"""Tool and Debian package that benchmarks of networks need, root besides."""

ON_MACHINES = {
    "qemu-system-x86_64": "qemu-system-x86",
    "dnsmasq": "dnsmasq-base",
    "mksquashfs": "squashfs-tools",
    "mmdebstrap": "mmdebstrap",
    "mmd": "mtools",
    "nc": "netcat-openbsd",
}
"""The same of the benchmark of netboot."""

PACKAGES = {
    "partclone.ext4": "partclone",
    "fsarchiver": "fsarchiver",
    "casync": "casync",
    "rsync": "rsync",
    "zstd": "zstd",
    "curl": "curl",
    "nginx": "nginx-light",
    "sfdisk": "fdisk",
    "mkfs.ext4": "e2fsprogs",
    "ssh-keygen": "openssh-client",
    "tar": "tar",
}
"""Debian's package of each tool."""


def main() -> int:
    """Check what is needed, run the benchmark, print its report; the exit code."""
    parser = argparse.ArgumentParser(prog="benchmarks/run", description=__doc__)
    parser.add_argument("name", choices=sorted(BENCHMARKS), metavar="NAME", help=", ".join(sorted(BENCHMARKS)))
    parser.add_argument("--quick", action="store_true", help="smaller or fewer; ends within 10 minutes on 2 cores")
    parser.add_argument("--rows", default="", metavar="ROW,...", help="multicast: only rows whose names begin so (line, gso, late, ...)")
    options = parser.parse_args()
    rows = tuple(row for row in options.rows.split(",") if row)
    if rows and options.name != "multicast":
        parser.error(f"{options.name} has no rows to choose from")
    missing = sorted({package for tool, package in PACKAGES.items() if not shutil.which(tool)})
    if missing and options.name in ON_DISKS:
        return _refuse(f"missing Debian packages: apt-get install {' '.join(missing)}")
    missing = sorted({package for tool, package in IN_NETWORKS.items() if not shutil.which(tool)})
    if missing and options.name == "multicast":
        return _refuse(f"missing Debian packages: apt-get install {' '.join(missing)}")
    missing = sorted({package for tool, package in ON_MACHINES.items() if not shutil.which(tool)})
    if missing and options.name == "netboot":
        return _refuse(f"missing Debian packages: apt-get install {' '.join(missing)}")
    if importlib.util.find_spec("ansible") is None:
        return _refuse("ansible-core is missing, which our modules are started with: run make setup")
    if os.geteuid() != 0 and options.name in ON_DISKS:
        return _refuse("loop devices, mounts and network namespaces need root: run it with sudo")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, frame: sys.exit(128 + number))
    started = time.monotonic()
    try:
        with Bench(options.name, quick=options.quick, rows=rows) as bench:
            report = BENCHMARKS[options.name].run(bench)
    except BenchError as error:
        return _refuse(str(error))
    except KeyboardInterrupt:
        return _refuse("interrupted")
    report.figures["seconds_total"] = round(time.monotonic() - started)
    report.print()
    return 0


def _refuse(reason: str) -> int:
    print(f"benchmarks/run: {reason}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
