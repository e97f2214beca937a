# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GRUB where UEFI finds it: the distribution's folder on the EFI system partition, and the path that a firmware tries without an entry.

Loaders that came with the image stay, if what they look for is there: signed ones look for a grub.cfg beside them, which is mended. Where
there is none, the installed system's signed shim and GRUB are taken, else a core is made. Microsoft's files are never touched.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..installed.esp import Esp
from ..installed.system import System
from ..installed.volume import InstalledError
from .grub import EFI, Home, Platform

REMOVABLE = "EFI/BOOT/BOOTX64.EFI"
_SHIM = "usr/lib/shim/shimx64.efi.signed"
_GRUB = "usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed"
_HELPERS = (("usr/lib/shim/mmx64.efi.signed", "mmx64.efi"), ("usr/lib/shim/fbx64.efi.signed", "fbx64.efi"))
_LIMIT = 16 << 20
SEARCH = re.compile(
    rb"search(?:\.fs_uuid|[^\n\0]{0,60}--fs-uuid)[^\n\0]{0,200}?([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4})"
)


def vendor(system: System, esp: Esp) -> str:
    """The distribution's folder: the one there is, else by the system's id (os-release(5))."""
    folders = sorted({path.split("/")[1] for path in esp.files(".efi") if path.count("/") == 2 and path.lower().startswith("efi/")})
    own = next((name for name in folders if name.lower() not in ("boot", "microsoft") and _loader(esp, name)), "")
    if own:
        return own
    release = system.tree.text("etc/os-release") or system.tree.text("usr/lib/os-release")
    said = re.search(r'^ID="?([a-z0-9._-]{1,30})', release, re.MULTILINE)
    return said.group(1) if said else "linux"


def _loader(esp: Esp, folder: str) -> str:
    """The file in a folder that the firmware should start; empty when there is none."""
    return next((found for name in ("shimx64.efi", "grubx64.efi") if (found := esp.find(f"EFI/{folder}/{name}"))), "")


def wanted(system: System, esp: Esp, home: Home, notes: list[str]) -> dict[str, bytes]:
    """Files that belong on the ESP and are not there as they should be. Raises InstalledError when there is no loader to be had."""
    folder = vendor(system, esp)
    known = {volume.uuid.lower() for volume in system.volumes}
    files: dict[str, bytes] = {}
    grub = esp.find(f"EFI/{folder}/grubx64.efi")
    if not grub or _is_lost(esp.read(grub), known):
        files.update(_own_loaders(system, home, folder))
    config = f"EFI/{folder}/grub.cfg"
    there = esp.read(config) if esp.find(config) else b""
    looks_beside = any(path.lower() == f"efi/{folder}/grubx64.efi".lower() for path in files) or SEARCH.search(esp.read(grub)) is None
    if looks_beside and home.uuid.lower() not in {each.decode().lower() for each in SEARCH.findall(there)}:
        files[config] = f"{home.search}configfile $prefix/grub.cfg\n".encode()
    files.update(_removable(esp, folder, files, known, notes))
    files = {path: data for path, data in files.items() if not esp.find(path) or esp.read(path) != data}
    esp.require_room(files)
    return files


def _is_lost(binary: bytes, known: set[str]) -> bool:
    """Whether a loader looks for a filesystem that is not on the disk."""
    return any(each.decode().lower() not in known for each in SEARCH.findall(binary))


def _own_loaders(system: System, home: Home, folder: str) -> dict[str, bytes]:
    tree = system.tree
    shim, grub = tree.read(_SHIM, _LIMIT), tree.read(_GRUB, _LIMIT)
    if shim and grub:
        files = {f"EFI/{folder}/shimx64.efi": shim, f"EFI/{folder}/grubx64.efi": grub}
        files.update({f"EFI/{folder}/{name}": data for path, name in _HELPERS if (data := tree.read(path, _LIMIT))})
        return files
    platform = Platform.of(tree, EFI)
    if platform is None:
        raise InstalledError(
            "There is no GRUB for UEFI on the EFI system partition, in the installed system or here. Nothing was changed",
            remedy="Install grub-efi-amd64-bin on the model, or in the imaging environment",
        )
    platform.stage(tree, home.path)
    core = platform.core(f"/EFI/{folder}", "", ["fat", "normal", "configfile", *home.modules])
    return {f"EFI/{folder}/grubx64.efi": core}


def _removable(esp: Esp, folder: str, files: Mapping[str, bytes], known: set[str], notes: list[str]) -> dict[str, bytes]:
    """The path without an entry: the same loaders, unless somebody else's is there."""
    there = esp.read(REMOVABLE) if esp.find(REMOVABLE) else b""
    if there and not any(mark in there for mark in (b"GRUB", b"shim", b"s\0h\0i\0m\0", b"grub")):
        notes.append(f"/{REMOVABLE} on the EFI system partition is not GRUB's; it was left alone")
        return {}
    if there and not _is_lost(there, known) and not files:
        return {}

    def contents(name: str) -> bytes:
        path = f"EFI/{folder}/{name}"
        return files.get(path) or (esp.read(path) if esp.find(path) else b"")

    shim, grub = contents("shimx64.efi"), contents("grubx64.efi")
    if shim:
        copies = {REMOVABLE: shim, "EFI/BOOT/grubx64.efi": grub, "EFI/BOOT/mmx64.efi": contents("mmx64.efi")}
        return {path: data for path, data in copies.items() if data}
    return {REMOVABLE: grub}
