# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The boot loader of a restored system finds what is on its disk: looked at first, then changed, in an order that a cut cannot spoil."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Optional

from ansible_collections.fleet.core.plugins.module_utils.command import run
from ansible_collections.fleet.core.plugins.module_utils.errors import InputError

from ..disk.device import Disk
from ..installed import initramfs
from ..installed.esp import Esp
from ..installed.record import Record
from ..installed.system import System, opened, privately
from ..installed.volume import InstalledError, NoSystem, Volume
from . import bios, efi, entries, settings
from .bios import BiosLoader
from .entries import EntryPlan
from .grub import BIOS, EFI, Home, Platform

AUTO = "auto"


@dataclass
class Result:
    """What was, or would be, repaired. targets: firmwares that the disk starts under, once this is done."""

    system: str
    root: str
    targets: list[str] = field(default_factory=list)
    repaired: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    diff: list[dict[str, str]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The module's result; the notes become warnings."""
        return {"changed": bool(self.repaired), **vars(self)}


@dataclass
class _Plan:
    system: System
    result: Result
    record: Record
    bios: Optional[BiosLoader] = None
    esp: dict[str, bytes] = field(default_factory=dict)
    esp_volume: Optional[Volume] = None
    entry: Optional[EntryPlan] = None
    stale: bool = False


def repair(disk: Disk, root: str, targets: Sequence[str], *, check: bool, require: bool = True) -> Result:
    """Make the system on a disk start from it. targets: bios and uefi, or auto for what the disk and the system are made for.

    When all is well nothing on the disk changes. Without require, a disk without a Linux system is a note in the result.
    Raises DiskInUse, InstalledError, TreeError, InputError, ToolError.
    """
    try:
        return privately(lambda: _repair(disk, root, targets, check))
    except NoSystem as error:
        if require:
            raise
        return Result("", "", notes=[str(error)])


def _repair(disk: Disk, root: str, targets: Sequence[str], check: bool) -> Result:
    with opened(disk, root, writable=False) as system:
        plan = _look(system, targets)
        root = system.installation.volume.name
    if check or not plan.result.repaired:
        return plan.result
    with opened(disk, root, writable=True) as system:
        plan = _look(system, targets)
        system.tree.apply()
        if plan.stale:
            initramfs.make(system)
            plan.record.initramfs = False
            plan.record.stage(system.tree)
            system.tree.apply()
    if plan.esp_volume:
        for path, data in plan.esp.items():
            Esp(plan.esp_volume).write(path, data)
    if plan.bios:
        plan.bios.write()
    if plan.entry and plan.entry.changed:
        plan.entry.run()
    return plan.result


def _look(system: System, targets: Sequence[str]) -> _Plan:
    result = Result(system.installation.name, system.installation.volume.name, notes=list(system.notes))
    plan = _Plan(system, result, Record.of(system.tree))
    home = Home.of(system)
    stale = settings.stage(system, home, result.notes)
    plan.stale = plan.record.initramfs or (stale and initramfs.is_there(system.tree))
    if stale and plan.stale:
        plan.record.initramfs = True
        plan.record.stage(system.tree)
    if home is None:
        result.notes.append("The installed system has no GRUB (no /boot/grub): only its settings were looked at")
        if set(targets) - {AUTO}:
            raise InstalledError(f"{system.installation.name} has no GRUB to start under {' and '.join(targets)}. Nothing was changed")
    else:
        _look_bios(plan, home, targets)
        _look_uefi(plan, home, targets)
    if system.has_windows:
        result.notes.append("Windows is on this disk: its boot configuration (BCD) and its loader were not touched")
    _tell(plan)
    return plan


def _look_bios(plan: _Plan, home: Home, targets: Sequence[str]) -> None:
    system = plan.system
    forced = "bios" in targets
    if not forced and AUTO not in targets:
        return
    if not bios.has_place(system.table):
        if forced:
            raise InputError(
                f"{system.disk.describe()} has no place for GRUB under a BIOS. Nothing was changed",
                remedy="A GPT needs a BIOS boot partition of 1 MiB, and sectors of 512 bytes",
            )
        return
    platform = Platform.of(system.tree, BIOS)
    if not forced and not bios.boots_grub(system.disk):
        if not bios.is_blank(system.disk):
            plan.result.notes.append("The boot code of the disk is not GRUB's; it was left alone (targets: [bios] replaces it)")
            return
        if platform is None or not platform.is_own:
            return
    if platform is None:
        raise InstalledError(
            "There is no GRUB for BIOS in the installed system or here. Nothing was changed",
            remedy="Install grub-pc-bin on the model, or in the imaging environment",
        )
    plan.bios = bios.loader(system.disk, system.table, platform, home)
    platform.stage(system.tree, home.path)
    plan.result.targets.append("bios")


def _look_uefi(plan: _Plan, home: Home, targets: Sequence[str]) -> None:
    system = plan.system
    forced = "uefi" in targets
    if not forced and AUTO not in targets:
        return
    found = [volume for volume in system.volumes if volume.is_esp]
    if len(found) != 1:
        if forced:
            raise InputError(f"{system.disk.describe()} has {len(found)} EFI system partitions, not one. Nothing was changed")
        return
    esp = Esp(found[0])
    if not forced and not esp.files(".efi") and not system.tree.names(f"usr/lib/grub/{EFI}"):
        return
    plan.esp_volume = found[0]
    plan.esp = efi.wanted(system, esp, home, plan.result.notes)
    plan.result.targets.append("uefi")
    folder = efi.vendor(system, esp)
    names = [path for path in (f"EFI/{folder}/shimx64.efi", f"EFI/{folder}/grubx64.efi") if path in plan.esp or esp.find(path)]
    if entries.usable():
        listed = run(["efibootmgr", "-v"]).stdout
        plan.entry = entries.plan(system.disk, listed, folder, found[0].number, found[0].part_uuid, names[0], entries.uuids())


def _tell(plan: _Plan) -> None:
    result = plan.result
    changes = plan.system.tree.changes()
    modules = [change for change in changes if change.path.endswith((".mod", ".lst"))]
    result.repaired = [f"/{change.path}" for change in changes if change not in modules]
    result.diff = [change.diff() for change in changes if change not in modules]
    if modules:
        result.repaired.append(f"/{modules[0].path.rpartition('/')[0]} ({len(modules)} modules)")
    for path, data in plan.esp.items():
        result.repaired.append(f"EFI system partition: /{path}")
        result.diff.append({"before": "", "after": f"EFI system partition: /{path} ({len(data)} bytes)\n"})
    if plan.bios and plan.bios.changes():
        result.repaired.append("GRUB for BIOS")
        result.diff.append({"before": "", "after": "".join(f"{len(data)} bytes at {at}: GRUB\n" for at, data in plan.bios.changes())})
    if plan.stale:
        result.repaired.append("initramfs")
    if plan.entry and plan.entry.changed:
        result.repaired.append(f"boot entry {plan.entry.label}")
