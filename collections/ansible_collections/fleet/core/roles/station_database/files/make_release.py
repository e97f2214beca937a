# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run on the control node: make what a host needs to have this version, and name it by what is in it.

    make_release.py --package FOLDER|WHEEL|REQUIREMENT --wheelhouse FOLDER|"" --output FOLDER [--python "3.11 linux-x86_64"]

Prints JSON: ``digest`` (twelve characters that are the same for the same content), ``wheel`` (path of the package itself, or null),
``requirement`` (what to tell pip to install), ``packages`` (an archive of everything that the package needs; null without a wheelhouse)
and ``installed`` (whether that archive has it installed and compiled, or has the wheels as they are).

The wheelhouse is filled by ``pip download`` when the dependencies of the package are not those it was filled for. They are installed
here, once, and not on every host at every upgrade. For a host whose Python or platform is another than this one's (``--python``), the
wheelhouse is what the admin has put into it, and the host installs from it.
"""

from __future__ import annotations

import argparse
import compileall
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import zipfile
from pathlib import Path

PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet"]
STAMP = "filled-for"
PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]} {sysconfig.get_platform()}"


def pip(*arguments: str) -> None:
    """Run pip; end with its complaint when it fails."""
    done = subprocess.run([*PIP, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"pip {arguments[0]} failed: {done.stdout.strip()[-2000:]}")


def wheel_of(package: str, work: Path) -> Path | None:
    """The wheel of a folder of source (made now) or of a file; None for what comes from an index."""
    place = Path(package)
    if package.endswith(".whl"):
        if not place.is_file():
            sys.exit(f"There is no wheel {package}: correct station_database_package")
        return place
    if not (place / "pyproject.toml").is_file():
        if os.sep in package and "://" not in package and " @ " not in package:
            sys.exit(f"{package} holds no source of this project: set station_database_package to a wheel, or to what pip installs")
        return None
    # The build's own dependency is there in a clone after `make setup`; elsewhere pip fetches it.
    isolation = ["--no-build-isolation"] if importlib.util.find_spec("hatchling") else []
    pip("wheel", "--no-deps", *isolation, "--wheel-dir", str(work), package)
    (wheel,) = work.glob("*.whl")
    return wheel


def needs(requirement: str, wheel: Path | None) -> list[str]:
    """What pip installs besides the wheel; the requirement itself when there is none."""
    if not wheel:
        return [requirement]
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        lines = archive.read(metadata).decode().splitlines()
    return [line.partition(": ")[2] for line in lines if line.startswith("Requires-Dist:") and "extra ==" not in line]


def fill(wheelhouse: Path, wanted: list[str]) -> None:
    """Fill the wheelhouse unless it was filled for the same dependencies."""
    wheelhouse.mkdir(parents=True, exist_ok=True)
    stamp = wheelhouse / STAMP
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == "\n".join(wanted):
        return
    with tempfile.TemporaryDirectory(prefix=".filling-", dir=wheelhouse) as temporary:
        pip("download", "--prefer-binary", "--dest", temporary, *wanted)
        for old in wheelhouse.glob("*.whl"):
            old.unlink()
        for new in Path(temporary).iterdir():
            new.rename(wheelhouse / new.name)
    stamp.write_text("\n".join(wanted), encoding="utf-8")


def pack(wheelhouse: Path, wanted: list[str], output: Path, work: Path) -> Path:
    """An archive of the folder site-packages with all that is wanted, made unless there is one of the same wheels."""
    digests = "".join(f"{path.name} {digest_of(path)}\n" for path in sorted(wheelhouse.glob("*.whl")))
    name = hashlib.sha256(f"{wanted}\n{digests}{PYTHON}".encode()).hexdigest()[:12]
    archive = output / f"packages-{name}.tar.gz"
    if not archive.exists():
        tree = work / "site-packages"
        pip("install", "--no-index", f"--find-links={wheelhouse}", "--no-compile", f"--target={tree}", *wanted)
        shutil.rmtree(tree / "bin", ignore_errors=True)  # programs that begin with the name of this Python
        compileall.compile_dir(tree, quiet=2, workers=0)  # what does not compile is for other versions of Python
        with tarfile.open(work / "archive", "w:gz", compresslevel=1) as tar:
            tar.add(tree, ".", filter=of_root)
        for old in output.glob("packages-*.tar.gz"):
            old.unlink()
        shutil.move(work / "archive", archive)
    return archive


def collect(wheelhouse: Path, python: str, output: Path, work: Path) -> Path:
    """An archive of the wheels as they are, for a Python that is not ours."""
    wheels = sorted(wheelhouse.glob("*.whl"))
    if not wheels:
        sys.exit(
            f"{wheelhouse} has no wheels, and the host has Python {python}, this control node {PYTHON}: fill it with pip download "
            "--only-binary=:all: --platform … --python-version …, or unset station_database_wheelhouse"
        )
    digests = "".join(f"{path.name} {digest_of(path)}\n" for path in wheels)
    archive = output / f"wheels-{hashlib.sha256(digests.encode()).hexdigest()[:12]}.tar.gz"
    if not archive.exists():
        with tarfile.open(work / "archive", "w:gz", compresslevel=1) as tar:
            for path in wheels:
                tar.add(path, path.name, filter=of_root)
        shutil.move(work / "archive", archive)
    return archive


def of_root(info: tarfile.TarInfo) -> tarfile.TarInfo:
    """It belongs to root on the host, whoever made it here."""
    info.uid = info.gid = 0
    info.uname = info.gname = "root"
    info.mode = 0o755 if info.isdir() or info.mode & 0o100 else 0o644
    return info


def digest_of(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    """Do it."""
    parser = argparse.ArgumentParser()
    for name in ("package", "wheelhouse", "output"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--python", default=PYTHON)
    options = parser.parse_args()
    output = Path(options.output)
    output.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".making-", dir=output) as temporary:
        work = Path(temporary)
        made = wheel_of(options.package, work)
        wheel, packages = None, None
        if made:
            wheel = output / "wheels" / made.name
            wheel.parent.mkdir(exist_ok=True)
            shutil.copyfile(made, work / "wheel")
            shutil.move(work / "wheel", wheel)
        if options.wheelhouse and options.python != PYTHON:
            packages = collect(Path(options.wheelhouse), options.python, output, work)
        elif options.wheelhouse:
            wanted = needs(options.package, wheel)
            fill(Path(options.wheelhouse), wanted)
            packages = pack(Path(options.wheelhouse), wanted, output, work)
    parts = [options.package if not wheel else f"{wheel.name} {digest_of(wheel)}", packages.name if packages else ""]
    print(
        json.dumps(
            {
                "digest": hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12],
                "wheel": str(wheel) if wheel else None,
                "requirement": wheel.name if wheel else options.package,
                "packages": str(packages) if packages else None,
                "installed": options.python == PYTHON,
            }
        )
    )


if __name__ == "__main__":
    main()
