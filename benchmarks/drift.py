# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to a station after it was restored.

use      2 % of the used bytes: 62 % of that are new files (scans, a browser's cache), 33 % documents that are saved anew (beside the old,
         then renamed over it, as editors do), 4 % logs that grow, 1 % pages of a browser's database that are written in place
inplace  2 % of the used bytes overwritten in place, in pieces of 256 KiB: what no method can fetch less than
churn    packages of 8 % of the used bytes are upgraded: a new folder with a third of its files altered, the old one deleted
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

from ansible_collections.fleet.core.plugins.module_utils.command import run

from .bench import Bench
from .data import LOGS, log, photos, records
from .disks import LoopDisk, mounted


def apply(bench: Bench, disk: LoopDisk, kind: str, *, trim: bool = False, seed: int = 0) -> None:
    """Mount the disk, let it drift, trim it when asked, unmount it. seed: the dice, for disks that drift differently."""
    with mounted(disk.partition, bench.scratch / "mount") as root:
        status = os.statvfs(root)
        used = (status.f_blocks - status.f_bfree) * status.f_frsize
        bench.apart(lambda: KINDS[kind](root, used, seed))
        os.sync()
        if trim:
            run(["fstrim", str(root)])
    disk.settle()


def use(root: Path, used: int, seed: int) -> None:
    """A while at work: what users and services may write to."""
    dice, total = random.Random(11 + 1000 * seed), used // 50
    for number, data in enumerate(photos(dice, total * 40 // 100)):
        _new(root / f"home/user/Scans/{number}.pdf", data)
    for number in range(max(1, total * 22 // 100 // 50_000)):
        _new(root / f"home/user/.cache/web/{number:05}", log(dice, 25_000) + dice.randbytes(25_000))
    rest = total * 33 // 100
    for path in _files(root / "home/user/Documents", dice):
        if rest <= 0:
            break
        rest -= path.stat().st_size
        _saved_anew(path, _altered(path.read_bytes(), dice))
    for path in sorted((root / "var/log").iterdir()):
        with path.open("ab") as file:
            file.write(log(dice, total * 4 // 100 // LOGS))
    database = root / "home/user/.config/places.sqlite"
    with database.open("r+b") as file:
        for _page in range(max(1, total // 100 // 4096)):
            file.seek(dice.randrange(database.stat().st_size // 4096) * 4096)
            file.write(records(dice, 4096))


def inplace(root: Path, used: int, seed: int) -> None:
    """What no program does to so many files: the worst case by construction."""
    dice, rest = random.Random(12 + 1000 * seed), used // 50
    files = [path for path in _files(root / "usr", dice) if path.stat().st_size >= 256 << 10]
    while rest > 0 and files:
        path = dice.choice(files)
        with path.open("r+b") as file:
            file.seek(dice.randrange(path.stat().st_size // (256 << 10)) * (256 << 10))
            rest -= file.write(dice.randbytes(256 << 10))


def churn(root: Path, used: int, seed: int) -> None:
    """A night of upgrades."""
    dice, rest = random.Random(13 + 1000 * seed), used * 8 // 100
    folders = sorted(path for path in root.glob("usr/*/*/*") if path.is_dir() and not path.is_symlink())
    dice.shuffle(folders)
    for folder in folders:
        size = sum(path.lstat().st_size for path in folder.rglob("*"))
        if rest <= 0 or size > used // 20:
            continue
        newer = folder.with_name(f"{folder.name}.dpkg-new")
        shutil.copytree(folder, newer, symlinks=True)
        for path in _files(newer, dice):
            if dice.randrange(3) == 0 and path.stat().st_size:
                _saved_anew(path, _altered(path.read_bytes(), dice))
        shutil.rmtree(folder)
        newer.rename(folder)
        rest -= size


KINDS: dict[str, Callable[[Path, int, int], None]] = {"use": use, "inplace": inplace, "churn": churn}


def _files(folder: Path, dice: random.Random) -> list[Path]:
    """Regular files in an order that depends on the dice only."""
    found = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    dice.shuffle(found)
    return found


def _altered(data: bytes, dice: random.Random) -> bytes:
    """The same with some bytes inserted somewhere."""
    place = dice.randrange(len(data))
    return data[:place] + dice.randbytes(24) + data[place:]


def _saved_anew(path: Path, data: bytes) -> None:
    beside = path.with_name(f"{path.name}.new")
    beside.write_bytes(data)
    shutil.copystat(path, beside)
    beside.rename(path)


def _new(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
