# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run on the control node: make one archive of everything that pip needs on a host, and name it by what is in it.

    make_release.py --package FOLDER|WHEEL|REQUIREMENT --wheelhouse FOLDER|"" --output FOLDER

Prints JSON: ``digest`` (twelve characters that are the same for the same content), ``archive`` (path of a tar), ``requirement`` (what to
tell pip to install). The wheelhouse is filled by ``pip download`` when the dependencies of the package are not those it was filled for.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet"]
STAMP = "filled-for"


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


def fill(wheelhouse: Path, requirement: str, wheel: Path | None) -> None:
    """Fill the wheelhouse unless it was filled for the same dependencies."""
    wanted = requirement
    if wheel:
        with zipfile.ZipFile(wheel) as archive:
            (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
            lines = archive.read(metadata).decode().splitlines()
        wanted = "\n".join(line for line in lines if line.startswith("Requires-Dist:") and "extra ==" not in line)
    wheelhouse.mkdir(parents=True, exist_ok=True)
    stamp = wheelhouse / STAMP
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return
    with tempfile.TemporaryDirectory(prefix=".filling-", dir=wheelhouse) as temporary:
        pip("download", "--prefer-binary", "--dest", temporary, str(wheel) if wheel else requirement)
        for old in wheelhouse.glob("*.whl"):
            old.unlink()
        for new in Path(temporary).iterdir():
            if wheel is None or new.name != wheel.name:
                new.rename(wheelhouse / new.name)
    stamp.write_text(wanted, encoding="utf-8")


def main() -> None:
    """Do it."""
    parser = argparse.ArgumentParser()
    for name in ("package", "wheelhouse", "output"):
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()
    output = Path(options.output)
    output.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".making-", dir=output) as temporary:
        work = Path(temporary)
        wheel = wheel_of(options.package, work)
        wheels = [wheel] if wheel else []
        if options.wheelhouse:
            fill(Path(options.wheelhouse), options.package, wheel)
            wheels += sorted(Path(options.wheelhouse).glob("*.whl"))
        requirement = f"wheels/{wheel.name}" if wheel else options.package
        digests = "".join(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n" for path in wheels)
        digest = hashlib.sha256(f"{requirement}\n{digests}".encode()).hexdigest()[:12]
        archive = output / f"{digest}.tar"
        if not archive.exists():
            for old in output.glob("*.tar"):
                old.unlink()
            with tarfile.open(work / "archive", "w") as tar:
                for path in wheels:
                    tar.add(path, path.name)
            shutil.move(work / "archive", archive)
    print(json.dumps({"digest": digest, "archive": str(archive), "requirement": requirement}))


if __name__ == "__main__":
    main()
