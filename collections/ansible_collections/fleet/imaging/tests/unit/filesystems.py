# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filesystems for tests: how each is made, filled with a real tree, and compared."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import random
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MIB = 1 << 20

POSIX = ("ext2", "ext3", "ext4", "xfs", "btrfs")


@dataclass(frozen=True)
class Kind:
    """A way to make a filesystem."""

    name: str
    type: str
    size: int
    mkfs: tuple[str, ...]


KINDS = {
    kind.name: kind
    for kind in (
        Kind("ext2", "ext2", 64 * MIB, ("mkfs.ext2", "-q", "-F")),
        Kind("ext3", "ext3", 64 * MIB, ("mkfs.ext3", "-q", "-F")),
        Kind("ext4", "ext4", 600 * MIB, ("mkfs.ext4", "-q", "-F")),  # Debian's defaults give 4 KiB blocks only from 512 MiB on
        Kind("ext4-1k", "ext4", 64 * MIB, ("mkfs.ext4", "-q", "-F", "-b", "1024")),
        Kind(
            "ext4-features", "ext4", 64 * MIB, ("mkfs.ext4", "-q", "-F", "-O", "64bit,inline_data,metadata_csum_seed,^resize_inode,meta_bg")
        ),
        Kind("xfs", "xfs", 300 * MIB, ("mkfs.xfs", "-q", "-f")),
        Kind("btrfs", "btrfs", 128 * MIB, ("mkfs.btrfs", "-q", "-f")),
        Kind("fat16", "vfat", 64 * MIB, ("mkfs.vfat", "-F", "16")),
        Kind("fat32", "vfat", 64 * MIB, ("mkfs.vfat", "-F", "32")),
        Kind("exfat", "exfat", 64 * MIB, ("mkfs.exfat",)),
        Kind("ntfs", "ntfs", 64 * MIB, ("mkfs.ntfs", "-q", "-f")),
    )
}


def make(kind: Kind, device: Path) -> None:
    """Make the filesystem."""
    subprocess.run([*kind.mkfs, str(device)], check=True, capture_output=True)


@contextlib.contextmanager
def contents(kind: Kind, device: Path, mounted: object) -> Iterator[Path]:
    """The files of a filesystem as a folder: mounted, or for vfat, which this kernel does not mount, copied out and back by mtools."""
    if kind.type != "vfat":
        with mounted(device, kind.type) as folder:  # type: ignore[operator]
            yield folder
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if _mtools("mdir", "-b", "-i", device, "::").strip():
            _mtools("mcopy", "-s", "-m", "-i", device, "::*", folder)
        before = tree(folder, False)
        yield folder
        after = tree(folder, False)
        for path in sorted(before.keys() - after.keys()):
            _mtools("mdel", "-i", device, f"::{path}")
        for path in sorted(after, key=lambda path: path.count("/")):
            if path not in before:
                is_folder = (folder / path).is_dir()
                _mtools(*(["mmd", "-i", device] if is_folder else ["mcopy", "-m", "-i", device, folder / path]), f"::{path}")


def _mtools(*argv: object) -> str:
    environment = {**os.environ, "MTOOLS_SKIP_CHECK": "1"}
    return subprocess.run([str(each) for each in argv], check=True, capture_output=True, text=True, env=environment).stdout


def flush(folder: Path) -> None:
    """What a filesystem holds in memory goes to its disk. Not sync(2): it waits for all disks of this machine, also a slow one."""
    subprocess.run(["sync", "--file-system", folder], check=True)


def fill(folder: Path, kind: Kind, amount: int = 12 * MIB) -> None:
    """Make a tree like a real one.

    amount bytes, or as many as there is room for, in files of many sizes, of which a third is removed again; long names; links, sparse
    files and xattrs where they exist.
    """
    rng = random.Random(kind.name)
    removed = []
    (folder / "d" / "e").mkdir(parents=True)
    written = number = 0
    while written < amount:
        size = rng.choice([0, 1, 100, 4096, 70_000, 900_000])
        path = folder / rng.choice(["", "d", "d/e"]) / f"file {number}.bin"
        try:
            path.write_bytes(rng.randbytes(size))
        except OSError as error:
            assert error.errno == errno.ENOSPC
            path.unlink()
            break
        if number % 3 == 0:
            removed.append(path)
        written, number = written + size, number + 1
    flush(folder)
    for path in removed:
        path.unlink()
    (folder / "d" / ("long" * 50 + "é.txt")).write_text("long name")
    if kind.type in POSIX:
        os.link(folder / "d" / ("long" * 50 + "é.txt"), folder / "hard link")
        os.symlink("../nowhere", folder / "d" / "symlink")
        with (folder / "sparse").open("wb") as file:
            file.seek(5 * MIB)
            file.write(b"after the hole")
        os.setxattr(folder / "sparse", "user.fleet", b"value" * 20)
        os.mkfifo(folder / "fifo", 0o640)
        os.chown(folder / "sparse", 1234, 4321)
        os.chmod(folder / "sparse", 0o4751)


def tree(folder: Path, metadata: bool = True) -> dict[str, tuple[object, ...]]:
    """Everything that must be the same after a restore, by path."""
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        kind = stat.S_IFMT(status.st_mode)
        content = ""
        if stat.S_ISREG(status.st_mode):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
        elif stat.S_ISLNK(status.st_mode):
            content = os.readlink(path)
        extra: tuple[object, ...] = ()
        if metadata:
            owner = (status.st_mode, status.st_uid, status.st_gid)
            extra = (*owner, status.st_mtime_ns, status.st_nlink, status.st_blocks, _xattrs(path))
        found[str(path.relative_to(folder))] = (kind, content, *extra)
    return found


def _xattrs(path: Path) -> tuple[tuple[str, bytes], ...]:
    try:
        return tuple((name, os.getxattr(path, name, follow_symlinks=False)) for name in sorted(os.listxattr(path, follow_symlinks=False)))
    except OSError:  # exfat-fuse lists what it cannot read
        return ()
