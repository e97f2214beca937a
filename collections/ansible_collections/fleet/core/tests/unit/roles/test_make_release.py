# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What station_database makes on the control node: a version to install, with real wheels and the real pip, without a network."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).parents[3] / "roles/station_database/files/make_release.py"


def wheel(folder: Path, name: str, version: str, *needs: str, code: str = "x = 1\n") -> Path:
    """A wheel of one module, with a program."""
    folder.mkdir(parents=True, exist_ok=True)
    path, info = folder / f"{name}-{version}-py3-none-any.whl", f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n" + "".join(f"Requires-Dist: {need}\n" for need in needs)
    files = {
        f"{name}.py": code,
        f"{info}/METADATA": metadata,
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{name} = {name}:main\n",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in files.items():
            archive.writestr(zipfile.ZipInfo(member, (2026, 1, 1, 0, 0, 0)), text)
        archive.writestr(f"{info}/RECORD", "".join(f"{member},,\n" for member in [*files, f"{info}/RECORD"]))
    return path


@pytest.fixture
def wheelhouse(tmp_path: Path) -> Path:
    """One that was filled for what the package of these tests needs."""
    folder = tmp_path / "wheelhouse"
    wheel(folder, "needed", "2.0", "deeper")
    wheel(folder, "deeper", "1.0")
    (folder / "filled-for").write_text("needed>=2")
    return folder


def run(package: Path | str, wheelhouse: Path | str, output: Path, *more: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, PROGRAM, f"--package={package}", f"--wheelhouse={wheelhouse}", f"--output={output}", *more]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=300)


def make(package: Path | str, wheelhouse: Path | str, output: Path, *more: str) -> dict[str, Any]:
    done = run(package, wheelhouse, output, *more)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_what_a_package_needs_is_installed_and_compiled_once(wheelhouse: Path, tmp_path: Path) -> None:
    package, output = wheel(tmp_path, "package", "1.0", "needed>=2", 'other; extra == "more"'), tmp_path / "output"
    made = make(package, wheelhouse, output)
    assert Path(made["wheel"]).read_bytes() == package.read_bytes()
    assert made["requirement"] == package.name
    assert made["installed"] is True
    with tarfile.open(made["packages"]) as archive:
        members = {member.name: member for member in archive}
    assert {"./needed.py", "./deeper.py"} <= members.keys()
    assert any(name.startswith("./__pycache__/needed.") for name in members), "the host need not compile it"
    assert not any(name.startswith(("./package", "./bin")) for name in members)
    assert {(member.uid, member.gid) for member in members.values()} == {(0, 0)}
    assert {member.mode for member in members.values()} <= {0o644, 0o755}

    before = Path(made["packages"]).stat().st_mtime_ns
    assert make(package, wheelhouse, output, f"--python=3.{sys.version_info[1]} {sysconfig.get_platform()}") == made
    assert Path(made["packages"]).stat().st_mtime_ns == before

    # Another version of the package is another version to install, which needs the same.
    newer = make(wheel(tmp_path / "newer", "package", "1.0", "needed>=2", code="x = 2\n"), wheelhouse, output)
    assert newer["digest"] != made["digest"]
    assert newer["packages"] == made["packages"]
    # Another wheel in the wheelhouse is another archive, and the one before is gone.
    wheel(wheelhouse, "deeper", "1.0", code="x = 3\n")
    other = make(package, wheelhouse, output)
    assert other["digest"] != made["digest"]
    assert sorted(path.name for path in output.iterdir()) == [Path(other["packages"]).name, "wheels"]


def test_a_requirement_and_a_wheelhouse_give_everything_in_one_archive(wheelhouse: Path, tmp_path: Path) -> None:
    made = make("needed>=2", wheelhouse, tmp_path / "output")
    assert (made["wheel"], made["requirement"]) == (None, "needed>=2")
    with tarfile.open(made["packages"]) as archive:
        assert "./needed.py" in archive.getnames()


def test_for_a_host_with_another_python_the_wheels_go_as_the_admin_put_them(tmp_path: Path) -> None:
    package, other = wheel(tmp_path, "package", "1.0", "needed>=2"), "--python=3.13 linux-aarch64"
    done = run(package, tmp_path / "empty", tmp_path / "output", other)
    assert done.returncode == 1
    assert "the host has Python 3.13 linux-aarch64" in done.stderr
    wheel(tmp_path / "theirs", "needed", "2.0")  # and no note of what it was filled for: it is never filled anew
    made = make(package, tmp_path / "theirs", tmp_path / "output", other)
    assert made["installed"] is False
    with tarfile.open(made["packages"]) as archive:
        assert archive.getnames() == ["needed-2.0-py3-none-any.whl"]
    assert [path.name for path in (tmp_path / "theirs").iterdir()] == ["needed-2.0-py3-none-any.whl"]


def test_without_a_wheelhouse_the_host_fetches_what_it_needs(tmp_path: Path) -> None:
    package = wheel(tmp_path, "package", "1.0", "needed>=2")
    assert make(package, "", tmp_path / "output")["packages"] is None
    assert make("package==1.0", "", tmp_path / "output")["requirement"] == "package==1.0"


@pytest.mark.parametrize(
    ("package", "said"),
    [
        ("/nowhere/package.whl", "There is no wheel /nowhere/package.whl"),
        ("/nowhere/source", "/nowhere/source holds no source of this project"),
    ],
)
def test_what_is_no_package_is_one_sentence(package: str, said: str, tmp_path: Path) -> None:
    done = run(package, "", tmp_path / "output")
    assert done.returncode == 1
    assert done.stderr.startswith(said), done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_wheelhouse_that_lacks_something_says_what(wheelhouse: Path, tmp_path: Path) -> None:
    (wheelhouse / "deeper-1.0-py3-none-any.whl").unlink()
    done = run(wheel(tmp_path, "package", "1.0", "needed>=2"), wheelhouse, tmp_path / "output")
    assert done.returncode == 1
    assert "No matching distribution found for deeper" in done.stderr
    assert not list((tmp_path / "output").glob("packages-*"))
