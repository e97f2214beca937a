# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``pip install .`` gives: a command that works away from the clone, with everything that it shows and nothing of the tests."""

from __future__ import annotations

import os
import site
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from .server import ROOT, environment_of


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the package installed; the dependencies are this one's, so that no network is needed."""
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", str(folder))
    (packages,) = folder.glob("lib/python3*/site-packages")
    (packages / "dependencies.pth").write_text("".join(f"{path}\n" for path in site.getsitepackages()))
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--python", str(folder / "bin/python"), "install"]
    run(*pip, "--no-deps", "--no-build-isolation", "--force-reinstall", str(ROOT))
    return folder


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_package_has_what_the_site_shows_and_no_tests(environment: Path) -> None:
    (package,) = environment.glob("lib/python3*/site-packages/stationdb")
    names = {str(path.relative_to(package)) for path in package.rglob("*") if path.is_file()}
    shown = {str(path.relative_to(ROOT / "stationdb")) for path in (ROOT / "stationdb").rglob("*") if path.is_file()}
    for suffix in (".html", ".css", ".js", ".svg", ".xsd", ".mo", ".lark"):
        expected = {name for name in shown if name.endswith(suffix) and not name.startswith("tests/")}
        assert expected, suffix
        assert expected <= names, suffix
    assert not any(name.startswith("tests/") for name in names)


def test_it_serves_from_another_folder(environment: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [str(environment / "bin/stationdb"), "serve", "--bind", "127.0.0.1:0"],
        cwd=tmp_path,
        env={name: value for name, value in environment_of(tmp_path / "home").items() if name != "PYTHONPATH"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        url = line.split()[-1]
        assert url.startswith("http://127.0.0.1:"), line
        with urllib.request.urlopen(url, timeout=60) as answer:
            assert "<form" in answer.read().decode()
        programs = {path.read_bytes().split(b"\0")[0].decode() for path in children(process.pid)}
        assert programs == {str(environment / "bin/python")} | ({str(environment / "bin/python3")} & programs)
    finally:
        process.terminate()
        process.wait(20)


def children(pid: int) -> list[Path]:
    """The command lines of a process's children."""
    time.sleep(0.1)
    ids = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [Path("/proc", child, "cmdline") for child in ids if os.path.exists(f"/proc/{child}/cmdline")]
