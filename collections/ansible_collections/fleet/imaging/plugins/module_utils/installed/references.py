# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of a system that name filesystems, partitions and volume groups: they follow when those get other names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from .esp import Esp
from .tree import Tree

FILES = (
    "etc/fstab",
    "etc/crypttab",
    "etc/default/grub",
    "etc/kernel/cmdline",
    "boot/grub/grub.cfg",
    "boot/grub/custom.cfg",
    "boot/grub/grubenv",
    "boot/grub2/grub.cfg",
    "boot/grub2/grubenv",
    "boot/extlinux/extlinux.conf",
    "boot/syslinux/syslinux.cfg",
)
FOLDERS = (
    ("etc/default/grub.d", ".cfg"),
    ("etc/initramfs-tools/conf.d", ""),
    ("etc/dracut.conf.d", ".conf"),
    ("etc/systemd/system", ".mount"),
    ("etc/systemd/system", ".swap"),
    ("boot/loader/entries", ".conf"),
)
IN_INITRAMFS = ("etc/initramfs-tools/", "etc/dracut.conf.d/", "etc/crypttab")
"""What the initramfs holds a copy of."""

_LIMIT = 8 << 20


def paths(tree: Tree) -> Iterator[str]:
    """The files of a system that may name identifiers."""
    yield from (path for path in FILES if tree.is_file(path))
    for folder, suffix in FOLDERS:
        yield from tree.files(folder, suffix)


def stage(tree: Tree, new: Mapping[str, str]) -> bool:
    """Replace identifiers (old: new) in all of them; whether the initramfs holds a copy of what changed."""
    stale = False
    for path in paths(tree):
        before = (tree.read(path, _LIMIT) or b"").decode("utf-8", "surrogateescape")
        after = replaced(before, new)
        if after != before:
            tree.write_text(path, after)
            stale = stale or path.startswith(IN_INITRAMFS)
    return stale


def on_esp(esp: Esp, new: Mapping[str, str]) -> dict[str, tuple[bytes, bytes]]:
    """The loaders' settings on an EFI system partition that change: path to (before, after)."""
    changes = {}
    for path in esp.files(".cfg", ".conf"):
        before = esp.read(path)
        after = replaced(before.decode("utf-8", "surrogateescape"), new).encode("utf-8", "surrogateescape")
        if after != before:
            changes[path] = (before, after)
    return changes


def replaced(text: str, new: Mapping[str, str]) -> str:
    """A text with whole identifiers replaced, whatever their case; a part of a longer word is no identifier."""
    if not new:
        return text
    lower = {old.lower(): other for old, other in new.items()}
    words = "|".join(re.escape(old) for old in sorted(lower, key=len, reverse=True))
    return re.sub(
        rf"(?<![\w-])(?:{words})(?![\w-])", lambda match: _spelled(match.group(0), lower[match.group(0).lower()]), text, flags=re.IGNORECASE
    )


def _spelled(old: str, new: str) -> str:
    """In the letters of what stood there: GRUB and blkid write some identifiers in lower, some in upper case."""
    if old.upper() == old.lower():
        return new
    return new.upper() if old.upper() == old else new.lower() if old.lower() == old else new
