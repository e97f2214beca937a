# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The partition made longer: bytes land where they belong, and nothing of it stays behind, whatever happens."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.imaging.plugins.module_utils.filesystem.span import span
from ansible_collections.fleet.imaging.tests.unit.filesystems import MIB

COLLECTIONS = str(Path(__file__).parents[7])


def mounts_below(folder: Path) -> list[str]:
    return [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if f" {folder}" in line]


def test_given_writes_everywhere_then_what_is_below_the_boundary_is_on_the_target_and_all_reads_back(
    loop_device: Any, tmp_path: Path
) -> None:
    rng = random.Random(1)
    device, size = loop_device(5 * MIB + 512), 9 * MIB + 4096
    expected = bytearray(size)
    with span(device, size, tmp_path) as whole:
        assert whole.stat().st_size == size
        with whole.open("r+b", buffering=0) as file:
            for _attempt in range(60):
                offset = rng.randrange(size)
                data = rng.randbytes(min(rng.choice([1, 511, 4096, 100_000, 3 * MIB]), size - offset))
                assert os.pwrite(file.fileno(), data, offset) == len(data)
                expected[offset : offset + len(data)] = data
            os.fsync(file.fileno())
        os.system(f"cat {whole} > /dev/null")
        assert whole.read_bytes() == expected
    assert device.read_bytes() == expected[: 5 * MIB + 512]
    assert mounts_below(tmp_path) == [] and list(tmp_path.glob("fleet-span-*")) == []


def test_given_a_write_behind_its_end_then_there_is_no_space(loop_device: Any, tmp_path: Path) -> None:
    with span(loop_device(MIB), 2 * MIB, tmp_path) as whole, whole.open("r+b", buffering=0) as file, pytest.raises(OSError):
        os.pwrite(file.fileno(), b"x" * 4096, 2 * MIB)


def test_given_an_error_inside_then_it_comes_out_and_everything_is_gone(loop_device: Any, tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), span(loop_device(MIB), 2 * MIB, tmp_path) as whole:
        whole.read_bytes()
        raise ZeroDivisionError
    assert mounts_below(tmp_path) == [] and list(tmp_path.glob("fleet-span-*")) == []


def test_given_the_restoring_process_is_killed_then_the_server_ends_and_unmounts(loop_device: Any, tmp_path: Path) -> None:
    device = loop_device(MIB)
    program = (
        "import sys, time; from pathlib import Path;"
        "from ansible_collections.fleet.imaging.plugins.module_utils.filesystem.span import span\n"
        "with span(Path(sys.argv[1]), 2 << 20, Path(sys.argv[2])) as whole:\n"
        "    whole.stat(); print('ready', flush=True); time.sleep(600)"
    )
    argv = [sys.executable, "-c", program, str(device), str(tmp_path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": COLLECTIONS}) as process:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        assert mounts_below(tmp_path)
        process.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 60
    while mounts_below(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert mounts_below(tmp_path) == []
