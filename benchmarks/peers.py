# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands of what admins use today: each as its manual recommends, two threads where it has threads, zstd at level 3."""

from __future__ import annotations

import shlex
from pathlib import Path


def partclone_capture(device: Path, archive: Path, log: Path, *, checksums: bool = True) -> str:
    """Clonezilla's pipe; without checksums (-a 0) nothing notices a flipped bit."""
    mode = "" if checksums else "-a 0 "
    return f"partclone.ext4 -c {mode}-q -L {_q(log)} -s {_q(device)} -o - | zstd -q -3 -T0 > {_q(archive)}"


def partclone_restore(url: str, device: Path, log: Path) -> str:
    """Clonezilla's pipe backwards, over HTTP. It reads nothing back."""
    return f"curl -sSf {_q(url)} | zstd -q -dc | partclone.ext4 -r -q -L {_q(log)} -s - -o {_q(device)}"


def fsarchiver_capture(device: Path, archive: Path) -> str:
    """Files, not blocks."""
    return f"fsarchiver savefs -o -j 2 -Z 3 {_q(archive)} {_q(device)}"


def fsarchiver_restore(url: str, archive: Path, device: Path) -> str:
    """It needs the archive as a file."""
    return f"curl -sSf -o {_q(archive)} {_q(url)}; fsarchiver restfs -j 2 {_q(archive)} id=0,dest={_q(device)}; rm {_q(archive)}"


def casync_capture(device: Path, store: Path, index: Path) -> str:
    """Chunks cut by content, of the whole device: casync does not know what is in use."""
    return f"casync make --what=blob-index --store={_q(store)} {_q(index)} {_q(device)}"


def casync_delta(store_url: str, index_url: str, device: Path) -> str:
    """The device is its own seed, casync's default; naming it with --seed too makes casync read it twice (22.7 against 15.0 s)."""
    return f"casync extract --what=blob-index --store={_q(store_url)} {_q(index_url)} {_q(device)}"


def rsync_delta(url: str, device: Path) -> str:
    """The raw image of the partition from a daemon, blocks compared by rolling checksums."""
    return f"rsync --inplace --no-whole-file --write-devices --stats {_q(url)} {_q(device)}"


def _q(value: object) -> str:
    return shlex.quote(str(value))
