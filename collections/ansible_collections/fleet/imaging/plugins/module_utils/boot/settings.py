# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a system needs to start names what is on its disk: fstab, GRUB's menu, where the initramfs looks for a suspended system."""

from __future__ import annotations

import re
from typing import Optional

from ..installed import fstab, references
from ..installed.system import System
from ..installed.volume import Volume
from .grub import Home

RESUME = "etc/initramfs-tools/conf.d/resume"
_ID = r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
MENU_SEARCH = re.compile(rf"^[ \t]{{0,80}}search\b[^\n]{{0,400}}?--fs-uuid[^\n]{{0,400}}?({_ID})[ \t\r]{{0,80}}$", re.MULTILINE)
MENU_LINUX = re.compile(rf"^[ \t]{{0,80}}linux\S{{0,10}}[ \t][^\n]{{0,1000}}?\broot=UUID=({_ID})", re.MULTILINE)
"""Every repetition has an end and stays in its line: the file is somebody else's, and must not take for ever to be searched."""

_MENU = 8 << 20
_ESP = ("boot/efi", "efi", "boot")


def stage(system: System, home: Optional[Home], notes: list[str]) -> bool:
    """Stage what must change; whether the initramfs holds a copy of it. What cannot be decided is noted."""
    _stage_fstab(system, notes)
    if home:
        _stage_menu(system, home, notes)
    return _stage_resume(system)


def _stage_fstab(system: System, notes: list[str]) -> None:
    tree = system.tree
    text = tree.text("etc/fstab")
    for mount in fstab.parse(text):
        if mount.key not in ("UUID", "PARTUUID", "LABEL", "PARTLABEL") or any(volume.is_meant(mount) for volume in system.volumes):
            continue
        volume = _instead(system, mount)
        if volume:
            text = fstab.with_spec(text, mount, f"UUID={volume.uuid}")
        elif mount.is_needed:
            place = "swap" if mount.is_swap else f"/{mount.where}"
            notes.append(f"fstab: {place} is {mount.spec}, which is not on this disk; without it the system may not start (nofail lets it)")
    tree.write_text("etc/fstab", text)


def _instead(system: System, mount: fstab.Mount) -> Optional[Volume]:
    """What a line of fstab can only mean, when what it names is not there."""
    if not mount.where:
        return system.installation.volume
    candidates = [
        volume
        for volume in system.volumes
        if volume.uuid and ((mount.is_swap and volume.type == "swap") or (mount.where in _ESP and mount.type == "vfat" and volume.is_esp))
    ]
    return candidates[0] if len(candidates) == 1 else None


def _stage_menu(system: System, home: Home, notes: list[str]) -> None:
    """In grub.cfg the first search leads to GRUB's folder and the first kernel to the root; entries of other systems are not ours."""
    tree, path = system.tree, f"{home.path}/grub.cfg"
    if not tree.is_file(path):
        notes.append(f"There is no /{path}: GRUB will wait at its prompt. Run update-grub on the model and capture it again")
        return
    text = (tree.read(path, _MENU) or b"").decode("utf-8", "surrogateescape")
    known = {volume.uuid.lower() for volume in system.volumes}
    new = {}
    for pattern, uuid in (
        (MENU_SEARCH, home.uuid),
        (MENU_LINUX, system.installation.volume.uuid),
    ):
        found = pattern.search(text)
        if found and found.group(1).lower() not in known:
            new[found.group(1)] = uuid
    tree.write_text(path, references.replaced(text, new))


def _stage_resume(system: System) -> bool:
    tree = system.tree
    text = tree.text(RESUME)
    said = re.search(rf"^RESUME=UUID=({_ID})[ \t\r]*$", text, re.MULTILINE)
    if not said or said.group(1).lower() in {volume.uuid.lower() for volume in system.volumes}:
        return False
    swaps = [volume.uuid for volume in system.volumes if volume.type == "swap"]
    to = f"UUID={swaps[0]}" if len(swaps) == 1 else "none"
    tree.write_text(RESUME, text.replace(said.group(0).strip(), f"RESUME={to}"))
    return True
