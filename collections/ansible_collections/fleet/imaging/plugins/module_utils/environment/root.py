# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cached Debian roots of the imaging environment.

A root is named by a digest of its recipe, so a changed recipe is a new root; it is built beside its place and renamed into it,
so what has that name is complete. Packages are kept, so building again needs the network for the lists only.
"""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ansible_collections.fleet.core.plugins.module_utils.command import run
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress

from . import sources
from .recipe import FILES, NEVER, QUIET, Recipe, command

_APT_CARRIED = ("Acquire::http::Proxy", "Acquire::https::Proxy", "Acquire::Check-Valid-Until", "Acquire::Check-Date", "Acquire::Retries")
"""What the host's apt needs to reach its sources, mmdebstrap's needs too; it reads no configuration of the host by itself."""


ISOLATED = (
    *("setpriv", "--pdeathsig", "KILL", "--"),
    *("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "slave", "--"),
)
"""A build that is killed leaves no mount (its /dev/pts), which would keep what it made from being removed, and no process."""


class RootCache:
    """The folder with the roots built so far and the packages they were built from."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "environment"
        self.packages = self.folder / "packages"

    def path(self, recipe: Recipe) -> Path:
        """Return where the root of a recipe is, or will be."""
        return self.folder / f"root-{recipe.digest()}"

    def ensure(self, recipe: Recipe, progress: Progress) -> Path:
        """Return the root of a recipe, built now when it is not there yet (half a minute, longer with downloads)."""
        target = self.path(recipe)
        if target.is_dir():
            return target
        self.packages.mkdir(parents=True, exist_ok=True)
        with self._lock():
            if not target.is_dir():
                progress.begin("build the Debian root", 0, "step")
                self._build(recipe, target)
        return target

    def build(self, recipe: Recipe, target: Path) -> None:
        """Build a root of today's packages in a place of the same file system that is not there yet; virtual rooms keep theirs."""
        self.packages.mkdir(parents=True, exist_ok=True)
        with self._lock():
            self._build(recipe, target)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        with (self.folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _build(self, recipe: Recipe, target: Path) -> None:
        for abandoned in self.folder.glob("building-*"):  # ours alone, under the lock: of builds that were killed
            shutil.rmtree(abandoned)
        with tempfile.TemporaryDirectory(prefix="building-", dir=self.folder) as temporary:
            root = Path(temporary) / "root"
            argv = command(recipe, root, self.packages)
            at = argv.index("mmdebstrap") + 1
            argv[at:at] = [f"--aptopt={line}" for line in host_apt_options()]
            run(
                [*ISOLATED, *argv],
                stdin="\n".join(sources.debian(recipe.suite)) + "\n",
                remedy="Check the package sources and the network of this host",
            )
            _furnish(root)
            root.rename(target)


def host_apt_options() -> list[str]:
    """Return the lines of the host's apt configuration that decide how its sources are reached."""
    printed = run(["apt-config", "dump", "Acquire"]).stdout.splitlines()
    return [line for line in printed if line.split(" ", 1)[0] in _APT_CARRIED]


def _furnish(root: Path) -> None:
    """Put our files into a new root and settle its units."""
    for name, (mode, text) in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
    systemctl = ["systemctl", f"--root={root}", "--quiet"]
    run([*systemctl, "disable", *QUIET])
    run([*systemctl, "mask", *NEVER])
    run([*systemctl, "enable", "partition-nodes.service"])
    run(["sync", "--file-system", str(root)])
