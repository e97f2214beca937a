# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Putting these collectors onto a station, from wherever they run now: a checkout, or the archive in which Ansible sends a module."""

from __future__ import annotations

import contextlib
import os
import pkgutil
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Optional

from .. import command, errors, stop
from ..errors import FleetError
from . import agent

PACKAGE = "fleet_report"
MAIN = f'''"""What the timers of the role fleet.core.reporting run: python3 -I FOLDER gather, or push."""

import sys

from {PACKAGE}.station.agent import run

code, lines = run(sys.argv[1:])
for line in lines:
    print(line, file=sys.stderr if code else sys.stdout)
raise SystemExit(code)
'''


class InstallError(FleetError):
    """The collectors cannot be written."""


@dataclass(frozen=True)
class Plan:
    """What has to be done in a folder."""

    folder: Path
    write: dict[str, str]
    """Texts by path in the folder."""
    remove: list[str]

    @property
    def changed(self) -> bool:
        """Whether anything has to be done."""
        return bool(self.write or self.remove)

    @classmethod
    def build(cls, folder: Path, present: bool = True) -> Plan:
        """Compare what is in the folder with what belongs there."""
        wanted = sources() if present else {}
        found = {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir() or path.is_symlink()}
        found = {name for name in found if "__pycache__" not in name.split("/")}
        return cls(folder, {name: text for name, text in wanted.items() if _read(folder / name) != text}, sorted(found - set(wanted)))

    def run(self) -> None:
        """Write and remove. InstallError when the folder cannot be written."""
        try:
            for name in self.remove:
                os.unlink(self.folder / name)
            for name, text in self.write.items():
                _write(self.folder / name, text)
            _prune(self.folder)
        except OSError as error:
            raise InstallError(f"cannot write {error.filename}: {error.strerror}", remedy="Become root, and free some space") from error


def sources() -> dict[str, str]:
    """Return what belongs on a station: the text of each file by its path."""
    package = agent.__name__.rpartition(".")[0]
    names = [f"{package}.{module.name}" for module in pkgutil.iter_modules(_folders(package)) if module.name != "install"]
    files = {f"{PACKAGE}/station/{name.rpartition('.')[2]}.py": _source(name) for name in names}
    files |= {f"{PACKAGE}/{_last(module)}.py": _source(module.__name__) for module in (command, errors, stop)}
    return {"__main__.py": MAIN, f"{PACKAGE}/__init__.py": "", f"{PACKAGE}/station/__init__.py": _source(package), **files}


def _folders(package: str) -> list[str]:
    spec = find_spec(package)
    if spec is None or spec.submodule_search_locations is None:
        raise InstallError(f"{package} is not a package here")
    return list(spec.submodule_search_locations)


def _source(name: str) -> str:
    spec = find_spec(name)
    # Files and archives have loaders that give the text; nothing else carries a module of Ansible.
    text: Optional[str] = spec.loader.get_source(name) if spec and spec.loader and hasattr(spec.loader, "get_source") else None
    if text is None:
        raise InstallError(f"the text of {name} is not readable here")
    return text


def _last(module: ModuleType) -> str:
    return module.__name__.rpartition(".")[2]


def _read(path: Path) -> Optional[str]:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(text, encoding="utf-8")
    temporary.chmod(0o644)
    os.replace(temporary, path)


def _prune(folder: Path) -> None:
    """Remove folders in which nothing is left."""
    for path in sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True):
        with contextlib.suppress(OSError):
            path.rmdir()
    with contextlib.suppress(OSError):
        folder.rmdir()
