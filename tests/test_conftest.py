# SPDX-License-Identifier: GPL-3.0-or-later
"""A test that hangs fails by itself, and temporary files lie in memory where there is room."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

HANGING = """
import subprocess, threading, time, tempfile, pytest

def test_of_a_program():
    subprocess.run(["sleep", "3600"])

def test_of_a_thread():
    thread = threading.Thread(target=time.sleep, args=(3600,), daemon=True)
    thread.start()
    thread.join()

@pytest.fixture
def stuck():
    yield
    time.sleep(3600)

def test_of_a_fixture(stuck):
    pass

def test_after_them():
    print("files lie in", tempfile.gettempdir())
"""


def inner(folder: Path, tests: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What pytest says of some tests in a folder that has this repository's conftest.py."""
    shutil.copy(ROOT / "conftest.py", folder)
    (folder / "test_inner.py").write_text(tests)
    clean = {name: value for name, value in os.environ.items() if name not in ("TMPDIR", "DJANGO_SETTINGS_MODULE")}
    argv = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:django", *arguments, folder]
    return subprocess.run(argv, cwd=folder, env={**clean, **environment}, capture_output=True, text=True, timeout=300, check=False)


def test_a_test_that_hangs_fails_where_it_was_and_the_next_one_runs(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\ntime_limit = 1\n")
    began = time.monotonic()
    said = inner(tmp_path, HANGING).stdout
    assert "2 failed, 2 passed, 1 error" in said
    assert said.count("it hangs: no end after 1 s") >= 3
    assert re.search(r"line \d+ in test_of_a_thread", said), "where each thread was is in the report"
    assert time.monotonic() - began < 120


def test_a_thread_that_hangs_does_not_keep_pytest_from_ending(tmp_path: Path) -> None:
    tests = "import threading, time\ndef test_it():\n    threading.Thread(target=time.sleep, args=(3600,)).start()\n"
    (tmp_path / "pytest.ini").write_text("[pytest]\ntime_limit = 1\n")
    done = inner(tmp_path, tests, "-o", "last_wait=1")
    assert "1 passed" in done.stdout
    assert done.returncode == 1 and "most recent call first" in done.stderr


def test_temporary_files_lie_where_tmpdir_says(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    said = inner(tmp_path, "def test_it(tmp_path): print(tmp_path)", "-s", TMPDIR=str(tmp_path / "elsewhere")).stdout
    assert f"temporary files: {tmp_path}/elsewhere" in said
    assert f"{tmp_path}/elsewhere/pytest-of-" in said


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
@pytest.mark.parametrize(("size", "fits"), [("64m", False), ("100g", True)])
def test_temporary_files_lie_in_memory_when_there_is_room(size: str, fits: bool) -> None:
    available = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemAvailable:"))
    if fits and int(available.split()[1]) < 8 << 20:
        pytest.skip("this machine has less than 8 GiB of memory to spare")
    script = 'mount -t tmpfs -o "size=$1" tmpfs /dev/shm && shift && exec "$@"'
    asked = [sys.executable, "-c", "import runpy; print(runpy.run_path('conftest.py')['fits_in_memory']())"]
    argv = ["unshare", "--mount", "sh", "-c", script, "sh", size, *asked]
    assert subprocess.run(argv, cwd=ROOT, check=True, capture_output=True, text=True).stdout == f"{fits}\n"


def test_what_takes_long_is_left_out_and_named(tmp_path: Path) -> None:
    shutil.copy(ROOT / "conftest.py", tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = whole: long\n")
    (tmp_path / "test_long.py").write_text(
        "import pytest\n\n@pytest.mark.whole\ndef test_long():\n    print('it ran')\n\ndef test_short():\n    pass\n"
    )
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rA", str(tmp_path)]
    printed = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path).stdout
    assert "make test-all runs it" in printed and "1 passed, 1 skipped" in printed and "it ran" not in printed
    printed = subprocess.run([*command, "--whole"], capture_output=True, text=True, check=False, cwd=tmp_path).stdout
    assert "2 passed" in printed and "it ran" in printed
