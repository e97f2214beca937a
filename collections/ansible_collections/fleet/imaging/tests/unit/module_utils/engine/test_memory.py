# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""However large the disk, a capture and a restore take little memory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from ansible_collections.fleet.imaging.plugins.module_utils.filesystem import probe
from ansible_collections.fleet.imaging.tests.unit.bench import LINUX, Bench
from ansible_collections.fleet.imaging.tests.unit.conftest import command

GIB = 1 << 30
LIMIT = 100 << 20
"""Bytes."""

SCRIPT = """
import re, sys
from pathlib import Path
from ansible_collections.fleet.core.plugins.module_utils.content.store import ChunkStore
from ansible_collections.fleet.imaging.plugins.module_utils.disk.device import Disk
from ansible_collections.fleet.imaging.tests.unit.bench import Bench, WebServer
verb, folder, port, disk = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
web = WebServer(folder / "web", folder / "store", port)
bench = Bench(folder, ChunkStore(folder / "store"), web, folder / "signing_key", (folder / "allowed").read_text())
getattr(bench, verb)(Disk.open(disk))
# Not ru_maxrss, which a process inherits from the one that started it (getrusage(2)).
print(int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text()).group(1)) * 1024)
"""


def peak(verb: str, bench: Bench, disk: Path) -> int:
    argv = [sys.executable, "-c", SCRIPT, verb, str(bench.folder), str(bench.web.port), str(disk)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_given_a_disk_of_many_gigabytes_then_capture_and_restore_stay_below_100_mib(bench: Bench, loop_disk: Any, mounted: Any) -> None:
    (bench.folder / "allowed").write_text(bench.allowed)
    disk = loop_disk(24 * GIB, f"label: gpt\ntype={LINUX}\n")
    command("mkfs.ext4", "-q", "-F", "-J", "size=32", disk.partition(1).path)
    with mounted(disk.partition(1).path, "ext4") as folder:
        for number in range(20):
            with (folder / f"file{number}").open("wb") as file:
                for part in range(40):
                    file.seek(part * 3_000_000)
                    file.write(os.urandom(100_000))
    target = loop_disk(24 * GIB)

    assert peak("capture", bench, disk.path) < LIMIT
    assert peak("restore", bench, target.path) < LIMIT

    assert bench.manifest().used > 100 << 20
    probe(target.partition(1).path).check()
