# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The imaging environment without anything of a site: kernel, first stage, root and boot loaders, built once and kept.

An image is named by a digest of everything that decides what is in it, save for the versions of the packages: ``renew`` builds it of
today's.
"""

from __future__ import annotations

import fcntl
import hashlib
import inspect
import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from ansible_collections.fleet.core.plugins.module_utils.command import run
from ansible_collections.fleet.core.plugins.module_utils.errors import InputError
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress

from . import archive, drivers, first_stage, host, layer
from .debs import Deb, Debs
from .recipe import EPOCH, Recipe
from .root import RootCache

TOOLS = ("parted", "gpart", "testdisk", "cryptsetup-bin", "nwipe")
"""What repartitioning and rescue by hand take, as the option ``tools``."""

LOADERS = ("busybox-static", "shim-signed", "shim-helpers-amd64-signed", "grub-efi-amd64-signed", "grub-pc-bin", "memtest86+")
"""Packages whose files are carried along: the first stage's tools and what a medium starts with."""

_COMPRESSION = ("-comp", "zstd", "-Xcompression-level", "15", "-b", "512K")


@dataclass(frozen=True)
class Options:
    """What an admin may choose: further packages in the root, packages with firmware, and the kernel."""

    packages: tuple[str, ...] = ()
    firmware: tuple[str, ...] = ()
    kernel: str = "linux-image-amd64"

    @property
    def recipe(self) -> Recipe:
        """The recipe of the Debian root."""
        return Recipe.with_packages(self.packages)

    def digest(self) -> str:
        """Return the twelve characters that name the image."""
        made_by = [inspect.getsource(module) for module in (archive, drivers, first_stage, layer)]
        parts = [self.recipe.digest(), sorted(self.firmware), self.kernel, layer.FILES["usr/lib/fleet/station.py"], layer.FILES, made_by]
        return hashlib.sha256(json.dumps([parts, LOADERS, _COMPRESSION, EPOCH]).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Image:
    """A built image: a folder with ``vmlinuz``, ``first-stage`` (cpio, zstd), ``root.img``, ``loaders/`` and ``packages.json``."""

    folder: Path

    @property
    def vmlinuz(self) -> Path:
        """Debian's signed kernel."""
        return self.folder / "vmlinuz"

    @property
    def first_stage(self) -> Path:
        """The first stage's archive, which becomes an initrd behind a site's."""
        return self.folder / "first-stage"

    @property
    def root(self) -> Path:
        """The root's squashfs."""
        return self.folder / "root.img"

    @property
    def loaders(self) -> Path:
        """Files of the boot loaders' packages, as below /."""
        return self.folder / "loaders"

    @property
    def kernel(self) -> str:
        """The kernel's release, such as 6.1.0-56-amd64."""
        return str(self._said()["kernel"])

    @property
    def packages(self) -> dict[str, str]:
        """Every package in it with its version."""
        return dict(self._said()["packages"])

    def _said(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = json.loads((self.folder / "packages.json").read_text(encoding="utf-8"))
        return found


class ImageCache:
    """The folder with the images built so far; the same as RootCache's."""

    def __init__(self, folder: Path) -> None:
        self.roots = RootCache(folder)
        self.folder = self.roots.folder

    def path(self, options: Options) -> Path:
        """Return where the image is, or will be."""
        return self.folder / f"image-{options.digest()}"

    def ensure(self, options: Options, progress: Progress, renew: bool = False) -> Image:
        """Return the image, built now when it is not there yet, or anew (two to three minutes, longer with downloads).

        Raises BuildError when this host cannot build it, ToolError when a tool fails; nothing is left of it then.
        """
        target = self.path(options)
        if target.is_dir() and not renew:
            return Image(target)
        host.require()
        if options.recipe.architecture != "x86_64":
            raise InputError(f"There is no imaging environment for {options.recipe.architecture}", remedy="Build it on a host with x86_64")
        progress.begin("build the imaging environment", 5, "step")
        root = None if renew else self.roots.ensure(options.recipe, Progress())
        self.roots.packages.mkdir(parents=True, exist_ok=True)
        with self._lock():
            if renew or not target.is_dir():
                self._build(options, root, target, progress)
        return Image(target)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        with (self.folder / ".image-lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _build(self, options: Options, root: Optional[Path], target: Path, progress: Progress) -> None:
        for abandoned in self.folder.glob("making-*"):  # ours alone, under the lock: of builds that were killed
            shutil.rmtree(abandoned)
        progress.advance(1, "packages")
        debs = Debs(self.roots.packages, options.recipe.suite, options.recipe.architecture)
        debs.update()
        kernel_name = debs.dependency(options.kernel, "linux-image-")
        fetched = debs.fetch([kernel_name, *LOADERS, *options.firmware])
        with tempfile.TemporaryDirectory(prefix="making-", dir=self.folder) as temporary:
            work = Path(temporary)
            if root is None:
                progress.advance(1, "Debian root")
                self.roots.build(options.recipe, work / "debian")
                root = work / "debian"
            made = work / "image"
            made.mkdir()
            fetched[kernel_name].extract(work / "kernel")
            for name in LOADERS:
                fetched[name].extract(made / "loaders")
            for name in options.firmware:
                fetched[name].extract(work / "firmware" / name)
            modules = next((work / "kernel/lib/modules").iterdir())
            station = work / "root"
            progress.advance(1, "station's root")
            layer.make(root, station, modules, sorted((work / "firmware").glob("*")))
            progress.advance(1, "first stage")
            shutil.copyfile(work / f"kernel/boot/vmlinuz-{modules.name}", made / "vmlinuz")
            self._first_stage(made, station, modules.name)
            progress.advance(1, "root.img")
            squash = ["mksquashfs", str(station), str(made / "root.img"), "-noappend", "-no-progress", "-quiet", "-mkfs-time", str(EPOCH)]
            run([*squash, *_COMPRESSION])
            _slim(made / "loaders")
            said = {"kernel": modules.name, "packages": {**installed(station), **_versions(fetched.values())}}
            (made / "packages.json").write_text(json.dumps(said, indent=1, sort_keys=True) + "\n", encoding="utf-8")
            run(["sync", "--file-system", str(made)])
            if target.is_dir():
                target.rename(work / "before")
            made.rename(target)
        progress.advance(1)

    @staticmethod
    def _first_stage(made: Path, station: Path, release: str) -> None:
        busybox = next(made.glob("loaders/*bin/busybox"), None) or made / "loaders/usr/bin/busybox"
        nodes = first_stage.nodes(busybox, station / "usr/lib/modules" / release, station / "usr/lib/firmware")
        draft = made / "first-stage.cpio"
        draft.write_bytes(archive.pack(nodes))
        run(["zstd", "-q", "--rm", "-9", "-T2", str(draft), "-o", str(made / "first-stage")])


def installed(root: Path) -> dict[str, str]:
    """Return the packages that a root says it has, with their versions."""
    listed = run(["dpkg-query", f"--admindir={root / 'var/lib/dpkg'}", "--show", "--showformat", "${Package} ${Version}\\n"]).stdout
    pairs = (line.partition(" ") for line in sorted(listed.splitlines()))
    return {name: version for name, _space, version in pairs}


def _versions(debs: Iterable[Deb]) -> dict[str, str]:
    return {deb.name: deb.version for deb in debs}


def _slim(loaders: Path) -> None:
    """Keep of the boot loaders' packages what a medium or a boot server has a use for."""
    for pattern in ("usr/share", "etc", "var", "usr/lib/memtest86+", "bin/busybox", "usr/bin/busybox", "boot/memtest86+ia32*", "usr/sbin"):
        for path in loaders.glob(pattern):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
