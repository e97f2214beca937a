# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A restored system becomes one station's own: everything is looked at first, then changed in an order that a cut cannot spoil.

1. files, each whole or not at all; those that name identifiers already name the new ones; 2. the initramfs, if it holds copies of them;
3. the identifiers themselves; 4. the site's hooks. The record of who this is comes with the files; what is still to be done is found
by looking: what is not yet as it should be.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import Any

from ..disk.device import Disk
from ..installed import initramfs, references
from ..installed.esp import Esp
from ..installed.record import Record
from ..installed.system import System, opened, privately
from ..installed.volume import NoSystem
from . import address, bindings, groups, hooks, hostkeys, identifiers, machine, names, values
from .identifiers import NewIdentifier
from .request import Request

LVM = "lvm"


@dataclass
class Result:
    """What was, or would be, done. host_keys: public keys by kind, known when they are made."""

    hostname: str
    old_hostname: str = ""
    machine_id: str = ""
    system: str = ""
    root: str = ""
    manager: str = ""
    identifiers: list[dict[str, str]] = field(default_factory=list)
    host_keys: dict[str, str] = field(default_factory=dict)
    new_host_keys: bool = False
    hooks: list[dict[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    diff: list[dict[str, str]] = field(default_factory=list)
    changed: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The module's result; the notes become warnings."""
        keys = [
            {"type": kind, "public": public, "fingerprint": hostkeys.fingerprint(public)} for kind, public in sorted(self.host_keys.items())
        ]
        return {
            "changed": self.changed,
            "hostname": self.hostname,
            "old_hostname": self.old_hostname,
            "machine_id": self.machine_id,
            "system": self.system,
            "root": self.root,
            "network_manager": self.manager,
            "identifiers": self.identifiers,
            "ssh_host_keys": keys,
            "new_ssh_host_keys": self.new_host_keys,
            "hooks": self.hooks,
            "notes": self.notes,
            "diff": self.diff,
        }


@dataclass
class _Plan:
    """What there is to do, found by looking at a mounted system; staged in its tree."""

    system: System
    record: Record
    identifiers: list[NewIdentifier]
    esp: dict[str, dict[str, tuple[bytes, bytes]]]
    new_groups: bool
    new_keys: bool
    stale: bool
    hooks: list[hooks.Hook]
    told: dict[str, str]
    result: Result

    @property
    def changed(self) -> bool:
        return bool(
            self.system.tree.changes() or self.identifiers or self.esp or self.new_groups or self.new_keys or self.stale or self.hooks
        )


def give(disk: Disk, root: str, request: Request, *, check: bool, require: bool = True) -> Result:
    """Make the system on a disk this station's own; in check mode, or when it is already, nothing on the disk changes at all.

    Without require, a disk without a Linux system is a note in the result. Raises DiskInUse, InstalledError, TreeError, InputError,
    HookFailed, ToolError.
    """
    try:
        return privately(lambda: _give(disk, root, request, check))
    except NoSystem as error:
        if require:
            raise
        return Result(request.hostname, notes=[str(error)])


def _give(disk: Disk, root: str, request: Request, check: bool) -> Result:
    with opened(disk, root, writable=False) as system:
        plan = _look(system, request)
        result = _told(plan)
        root = system.installation.volume.name
    if check or not result.changed:
        return result
    with opened(disk, root, writable=True) as system:
        plan = _look(system, request)
        result = _told(plan)
        _apply(plan, request)
    identifiers.write(disk, system.table, request, plan.identifiers)
    if plan.new_groups or groups.rename(system, request):
        groups.write(system, request, LVM in request.unique)
    if plan.new_groups or plan.hooks:
        group, slash, volume = root.partition("/")
        root = f"{request.volume_group or group}/{volume}" if slash else root
        with opened(disk, root, writable=True) as system:
            _finish(replace(plan, system=system), request)
    return result


def _look(system: System, request: Request) -> _Plan:
    """Stage everything in the system's tree. Nothing is written, and nothing secret is made."""
    tree = system.tree
    record = Record.of(tree)
    is_new = (record.station, record.seed) != (request.hostname, _digest(request.seed))
    if is_new:
        record = Record(request.hostname, _digest(request.seed), initramfs=record.initramfs)
    result = Result(request.hostname, names.old_name(tree), system=system.installation.name, root=system.installation.volume.name)
    names.stage(tree, request, result.old_hostname)
    result.machine_id = machine.stage(tree, request, is_new)
    bindings.stage(tree, request.mac)
    result.manager = address.stage(tree, request)
    values.stage(tree, request)
    new = identifiers.planned(system, request)
    changed = {each.old: each.new for each in new}
    renamed = groups.rename(system, request)
    stale = references.stage(tree, {**changed, **renamed}) or bool(renamed)
    esp = {}
    for volume in system.volumes:
        if volume.is_esp and changed:
            found = references.on_esp(Esp(volume), changed)
            if found:
                esp[volume.name] = found
    result.identifiers = [each.as_json() for each in new]
    new_groups = bool(renamed)
    if LVM in request.unique:
        there = groups.uuids(system)
        final = {request.volume_group or name: uuid for name, uuid in there.items()}
        new_groups = new_groups or bool(there and record.groups != final)
    new_keys = request.ssh_host_keys and not hostkeys.are(tree, record.host_keys) and bool(hostkeys.kinds(tree))
    record.initramfs = record.initramfs or (stale and initramfs.is_there(tree))
    told = _environment(system, request, result)
    due = hooks.found(request.hooks, told, request.values) if request.hooks else []
    due = [hook for hook in due if record.hooks.get(hook.name) != hook.digest]
    record.stage(tree)
    result.notes = list(system.notes)
    result.host_keys = {} if new_keys else hostkeys.public_keys(tree)
    result.new_host_keys = new_keys
    return _Plan(system, record, new, esp, new_groups, new_keys, record.initramfs, due, told, result)


def _told(plan: _Plan) -> Result:
    """The plan's result, with the diff as it is before anything is made."""
    result = plan.result
    result.changed = plan.changed
    result.diff = [change.diff() for change in plan.system.tree.changes()]
    for files in plan.esp.values():
        for path, (before, after) in files.items():
            header = f"/boot/efi/{path}"
            result.diff.append(
                {
                    "before_header": header,
                    "after_header": header,
                    "before": before.decode("utf-8", "replace"),
                    "after": after.decode("utf-8", "replace"),
                }
            )
    if plan.identifiers:
        lines = [(f"{each.of}: {each.old}\n", f"{each.of}: {each.new}\n") for each in plan.identifiers]
        result.diff.append({"before": "".join(old for old, _new in lines), "after": "".join(new for _old, new in lines)})
    if plan.new_keys:
        result.diff.append({"before": "SSH host keys of another machine\n", "after": "SSH host keys of its own\n"})
    if plan.stale:
        result.diff.append({"before": "", "after": "initramfs is made again\n"})
    if plan.new_groups:
        result.diff.append({"before": "", "after": "volume group gets a UUID, or a name, of its own\n"})
    result.hooks = [{"name": hook.name, "output": ""} for hook in plan.hooks]
    if plan.hooks:
        result.diff.append({"before": "", "after": "".join(f"hook {hook.name} runs\n" for hook in plan.hooks)})
    return result


def _apply(plan: _Plan, request: Request) -> None:
    tree, record = plan.system.tree, plan.record
    if plan.new_keys:
        record.host_keys = hostkeys.stage(tree, request.hostname)
        plan.result.host_keys = record.host_keys
        record.stage(tree)
    tree.apply()
    for volume in plan.system.volumes:
        for path, (_before, after) in plan.esp.get(volume.name, {}).items():
            Esp(volume).write(path, after)
    if plan.stale:
        initramfs.make(plan.system)
        record.initramfs = False
        record.stage(tree)
        tree.apply()


def _finish(plan: _Plan, request: Request) -> None:
    """The hooks, in order, and the record of each that ended well; they find the system as it will start."""
    tree, record = plan.system.tree, plan.record
    if LVM in request.unique:
        record.groups = groups.uuids(plan.system)
        record.stage(tree)
        tree.apply()
    for hook, said in zip(plan.hooks, plan.result.hooks):
        said["output"] = hooks.run(hook, {**plan.told, "FLEET_ROOT": str(tree.root)}, request.values)
        record.hooks[hook.name] = hook.digest
        record.stage(tree)
        tree.apply()


def _environment(system: System, request: Request, result: Result) -> dict[str, str]:
    """What a hook is told. FLEET_ROOT, where the system is mounted, comes when it runs: it is another at every run."""
    return {
        "FLEET_STATION": request.hostname,
        "FLEET_DOMAIN": request.domain,
        "FLEET_MACHINE_ID": result.machine_id,
        "FLEET_DISK": str(system.disk.path),
        "FLEET_ROOT_PARTITION": system.installation.volume.name,
        "FLEET_ADDRESS": request.static.address if request.static else "",
        "FLEET_MAC": request.mac,
    }


def _digest(seed: str) -> str:
    """A seed may be a secret of the site: the record has its digest."""
    return hashlib.sha256(seed.encode()).hexdigest()[:16]
