# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a station gets beside the answers: its keys, passwords and secrets, as one tar that is unpacked over the installed system.

Free texts (a person's name, the comment of a key) are in its files and never in a command or a question of an installer.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Member:
    """A file of the installed system; path without the leading slash. Its contents may be secret."""

    path: str
    contents: str = field(repr=False)
    mode: int = 0o644


def pack(members: Sequence[Member]) -> bytes:
    """The same members make the same bytes. Everything belongs to root; folders are added, those of secrets closed."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        folders: set[str] = set()
        for member in sorted(members, key=lambda each: each.path):
            for parent in reversed(Path(member.path).parents[:-1]):
                if str(parent) not in folders:
                    folders.add(str(parent))
                    entry = tarfile.TarInfo(f"{parent}/")
                    entry.type, entry.mode = tarfile.DIRTYPE, _folder_mode(str(parent))
                    tar.addfile(entry)
            data = member.contents.encode()
            entry = tarfile.TarInfo(member.path)
            entry.size, entry.mode = len(data), member.mode
            tar.addfile(entry, io.BytesIO(data))
    return out.getvalue()


def unpack(data: bytes) -> dict[str, Member]:
    """The files of a tar that ``pack`` made, by path."""
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        found = {}
        for entry in tar:
            file = tar.extractfile(entry)
            if file is not None:
                found[entry.name] = Member(entry.name, file.read().decode(), entry.mode)
    return found


def _folder_mode(path: str) -> int:
    return 0o700 if path in ("root", "root/.ssh", "etc/fleet/install") else 0o711 if path == "etc/sssd" else 0o755
