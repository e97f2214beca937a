# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The disk that is captured: a share of this host's /usr, photos and logs in an ext4, the same at every run on the same host.

/usr is taken by package folders in the order of their names' hashes, so that a smaller share is a fair sample of the larger. Photos are
random bytes (nothing compresses or repeats), and so are documents (their formats are zip files); logs and the database of a browser are
generated text and records. Where ext4 puts a file depends on the moment of the write as well: two runs differ by a percent or so.
"""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.fleet.core.plugins.module_utils.command import run

from .bench import Bench, BenchError
from .disks import LoopDisk, loop_disk, mounted

SYSTEM = Path("/usr")
MIB = 1 << 20
LOGS = 5


@dataclass(frozen=True)
class Recipe:
    """How large a disk is, and what is on it; MiB."""

    disk: int
    system: int
    photos: int
    documents: int
    logs: int
    database: int


FULL = Recipe(disk=5 * 1024, system=1720, photos=300, documents=80, logs=50, database=4)
QUICK = Recipe(disk=2 * 1024, system=520, photos=90, documents=25, logs=15, database=2)


def build(bench: Bench) -> LoopDisk:
    """The model's disk, unmounted and warm, for the time of the benchmark."""
    recipe = QUICK if bench.quick else FULL
    disk = bench.enter_context(loop_disk(bench.scratch / "model.img", (recipe.disk + 2) * MIB)).partitioned()
    parts = ", ".join(f"{size} MiB of {name}" for name, size in vars(recipe).items() if name not in ("disk", "system"))
    bench.say(f"building the model: {recipe.disk} MiB ext4, {recipe.system} MiB of {SYSTEM}, {parts}")
    make_filesystem(disk.partition)
    with mounted(disk.partition, bench.scratch / "mount") as root:
        bench.apart(lambda: _fill(bench, root, recipe))
    run(["e2fsck", "-f", "-n", str(disk.partition)])
    disk.settle()
    disk.warm()
    return disk


def make_filesystem(device: Path, *options: str) -> None:
    """An ext4 as Debian makes it, with fixed identifiers."""
    seed = "hash_seed=3f2504e0-4f89-11d3-9a0c-0305e82c3301,lazy_itable_init=0,lazy_journal_init=0"
    run(["mkfs.ext4", "-q", "-F", "-U", "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "-E", seed, *options, str(device)])


def package_folders(source: Path) -> list[list[Path]]:
    """Files and links below source (relative), by folder of at most three levels, in the order of the folders' hashes."""
    folders: dict[str, list[Path]] = {}
    for place, names, files in os.walk(source):
        names.sort()
        links = [name for name in names if os.path.islink(os.path.join(place, name))]
        for name in sorted(files) + links:
            path = Path(place, name).relative_to(source)
            folders.setdefault(str(path if len(path.parts) < 4 else Path(*path.parts[:3])), []).append(path)
    return [folders[name] for name in sorted(folders, key=lambda name: hashlib.sha256(name.encode()).digest())]


def photos(dice: random.Random, total: int) -> Iterator[bytes]:
    """Files of 1 to 5 MB that nothing compresses, total bytes together."""
    while total > 0:
        size = min(total, dice.randrange(1_000_000, 5_000_000))
        yield dice.randbytes(size)
        total -= size


def documents(dice: random.Random, total: int) -> Iterator[bytes]:
    """Files of 20 to 500 KB that nothing compresses, total bytes together."""
    while total > 0:
        size = min(total, dice.randrange(20_000, 500_000))
        yield dice.randbytes(size)
        total -= size


def log(dice: random.Random, size: int) -> bytes:
    """Lines as a service writes them: a clock, a few dozen messages, numbers in them. zstd makes an eighth of it, as of a real syslog."""
    words = ["".join(dice.choices(("ka", "ret", "on", "si", "vel", "mo", "ter", "un"), k=dice.randrange(1, 4))) for _word in range(300)]
    messages = [" ".join(dice.choices(words, k=dice.randrange(5, 12))) for _message in range(60)]
    lines, length, clock = [], 0, 1_760_000_000
    while length < size:
        clock += dice.randrange(5)
        address = f"10.7.{dice.randrange(256)}.{dice.randrange(256)}"
        line = f"{clock} station service[{dice.randrange(400, 900)}]: {dice.choice(messages)} {address}\n"
        lines.append(line)
        length += len(line)
    return "".join(lines).encode()[:size]


def records(dice: random.Random, size: int) -> bytes:
    """Pages of a database: half text, half keys."""
    return b"".join(log(dice, 2048) + dice.randbytes(1024) + bytes(1024) for _page in range(size // 4096))


def _fill(bench: Bench, root: Path, recipe: Recipe) -> None:
    taken = _copy_system(root / "usr", recipe.system * MIB)
    if taken < recipe.system * MIB * 0.9:
        bench.say(f"{SYSTEM} of this host gave only {taken // MIB} MiB")
    for number, data in enumerate(photos(random.Random(1), recipe.photos * MIB)):
        _write(root / "home/user/Pictures" / f"IMG_{number:04}.jpg", data)
    for number, data in enumerate(documents(random.Random(3), recipe.documents * MIB)):
        _write(root / "home/user/Documents" / f"{number:05}.odt", data)
    for number in range(LOGS):
        _write(root / "var/log" / f"service{number}.log", log(random.Random(100 + number), recipe.logs * MIB // LOGS))
    _write(root / "home/user/.config/places.sqlite", records(random.Random(2), recipe.database * MIB))


def _copy_system(target: Path, limit: int) -> int:
    """Copy package folders of at most limit bytes together, with owners, modes and links; the bytes that they take."""
    chosen: list[Path] = []
    total = 0
    for files in package_folders(SYSTEM):
        size = sum(-(-os.lstat(SYSTEM / path).st_size // 4096) * 4096 for path in files)
        if total + size <= limit and size < limit // 8:  # one giant folder would be the whole disk
            chosen += files
            total += size
    target.mkdir()
    names = b"\0".join(os.fsencode(path) for path in sorted(chosen))
    command = f"tar -C {SYSTEM} --null --no-recursion --files-from=- -cf - | tar -C {target} -xpf -"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], input=names, capture_output=True, check=False)
    if done.returncode:
        raise BenchError(f"copying {SYSTEM} failed: {done.stderr.decode()[-500:]}")
    return total


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
