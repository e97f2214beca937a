# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All files of a filesystem as one digest: what an archive must bring back, checked on the disk itself."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.fleet.core.plugins.module_utils.progress import Progress

_BUFFER = 1 << 20


def tree_digest(root: Path, progress: Progress) -> str:
    """SHA-256 (hex) over the tree below root, root included; progress advances by the bytes read.

    What counts for each entry: its path, type, mode, owner, modification time in seconds (finer is lost in archives), extended
    attributes (ACLs and capabilities among them), and its contents, target, device number, or the first path of a hard link. Not the
    root's modification time, which becomes that of the restore.
    """
    whole = hashlib.sha256()
    first: dict[int, str] = {}
    for path in _walk(os.fspath(root)):
        status = os.lstat(path)
        name = os.path.relpath(path, root)
        kind = stat.S_IFMT(status.st_mode)
        content = ""
        if status.st_nlink > 1 and kind != stat.S_IFDIR and first.setdefault(status.st_ino, name) != name:
            content = f"same as {first[status.st_ino]}"
        elif kind == stat.S_IFREG:
            content = _file_digest(path, progress)
        elif kind == stat.S_IFLNK:
            content = os.readlink(path)
        elif kind in (stat.S_IFCHR, stat.S_IFBLK):
            content = str(status.st_rdev)
        xattrs = [(key, os.getxattr(path, key, follow_symlinks=False)) for key in sorted(os.listxattr(path, follow_symlinks=False))]
        modified = status.st_mtime_ns // 10**9 if name != "." else 0
        entry = (name, status.st_mode, status.st_uid, status.st_gid, modified, xattrs, content)
        whole.update(ascii(entry).encode())
    return whole.hexdigest()


def _walk(path: str) -> Iterator[str]:
    """path and everything below it, in the order of the names."""
    yield path
    with os.scandir(path) as entries:
        ordered = sorted(entries, key=lambda entry: os.fsencode(entry.name))
    for entry in ordered:
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path)
        else:
            yield entry.path


def _file_digest(path: str, progress: Progress) -> str:
    found = hashlib.sha256()
    view = memoryview(bytearray(_BUFFER))
    with open(path, "rb", buffering=0) as file:
        while True:
            count = file.readinto(view)
            if not count:
                return found.hexdigest()
            found.update(view[:count])
            progress.advance(count)
