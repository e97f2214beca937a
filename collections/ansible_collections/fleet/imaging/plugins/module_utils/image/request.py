# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A restore as the parameters of a module ask for it, alone (image_restore) or with others (multicast_receive)."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional, Union

from ansible_collections.fleet.core.plugins.module_utils.content.authority import authority
from ansible_collections.fleet.core.plugins.module_utils.content.fetch import Fetcher, Supply
from ansible_collections.fleet.core.plugins.module_utils.content.signed import SignedManifest, fetch_manifest
from ansible_collections.fleet.core.plugins.module_utils.content.store import ManifestRef
from ansible_collections.fleet.core.plugins.module_utils.errors import InputError
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress

from ..backup.delivery import ABSENT, ERASE, ERASED, KEEP, KEPT, WRITE, BackupOptions, Delivery, Unicast, after_restore, preview
from ..backup.supply import BackupSupply
from ..disk.device import Disk
from ..disk.identity import DiskIdentity
from ..engine.registry import engine_named
from ..engine.stream_writer import Session, StreamWriter
from .description import ImageDescription
from .restore import ImageRestore, RestoreOptions

IMAGE_SPEC: dict[str, Any] = {
    "image": {"type": "str", "required": True},
    "version": {"type": "str", "required": True},
    "allowed_signers": {"type": "str", "required": True},
}
"""Which image, and whose (doc fragment fleet.imaging.options.image)."""

RESTORE_SPEC: dict[str, Any] = {
    **IMAGE_SPEC,
    "sources": {"type": "list", "elements": "str", "required": True},
    "ca": {"type": "str", "default": ""},
    "ca_file": {"type": "path"},
    "connections": {"type": "int", "default": 4},
    "rate": {"type": "int", "default": 0},
    "disk": {"type": "str", "required": True},
    "erase": {"type": "str", "required": True},
    "partitions": {"type": "list", "elements": "int"},
    "keep": {"type": "list", "elements": "int"},
    "grow": {"type": "bool", "default": True},
    "verify": {"type": "bool", "default": True},
    "work_dir": {"type": "path", "default": "/var/tmp"},
    "backup": {"type": "str", "choices": [KEEP, WRITE, ERASE], "default": KEEP},
    "backup_size": {"type": "str", "default": ""},
    "backup_keep": {"type": "int"},
    "backup_days": {"type": "float"},
}
"""Options that every restore has, besides its mode (doc fragments fleet.imaging.options.image, .restore, .disk, .sources, .transfer and
.backup)."""

BACKUP = "backup"
"""The mode in which an image goes to the local backup and nowhere else."""

LATEST = "latest"
"""The newest version in the local backup."""


@dataclass(frozen=True)
class Prepared:
    """A restore, or a delivery to the local backup, that nothing speaks against; nothing is written yet."""

    supply: Supply
    signed: SignedManifest
    plan: Union[ImageRestore, Delivery]
    delta: bool
    verify: bool

    def run(self, progress: Progress, session: Optional[Session] = None, *, check: bool) -> dict[str, Any]:
        """Do it, or with check only look; keys of the module's result. session: whom to do it with."""
        result = {"signer": self.signed.signer, "diff": self.plan.table_diff()}
        if isinstance(self.plan, Delivery):
            sending = session or Unicast(self.supply)
            return {**result, **(self.plan.preview(progress) if check else self.plan.run(sending, progress))}
        writer = StreamWriter(self.supply, progress, delta=self.delta, verify=self.verify, session=session)
        backup: dict[str, Any] = {}
        if check:
            done = self.plan.preview(writer)
            backup.update(self._backup_preview(self.plan, progress))
        else:
            plan = self.plan
            done = plan.run(writer, progress, lambda: backup.update(self._backup(plan, progress))).as_dict()
        changed = any([done["changed"], backup.pop("changed", False)])
        return {**result, **done, "changed": changed, **({"backup": backup} if backup else {})}

    def _backup(self, plan: ImageRestore, progress: Progress) -> dict[str, Any]:
        """Do what is to be done with the local backup, and tell it; empty when the disk has none."""
        if plan.erased:
            return {"partition": plan.erased.number, "state": ERASED, "changed": True}
        if not plan.reserved:
            return {}
        partition = {"partition": plan.reserved.entry.number}
        if plan.options.backup.what != WRITE:
            return {**partition, "state": KEPT, "changed": False}
        keeping = plan.options.backup.keeping
        return {**partition, **after_restore(plan.disk, self.signed, self.supply, progress, keeping, verify=self.verify)}

    def _backup_preview(self, plan: ImageRestore, progress: Progress) -> dict[str, Any]:
        if not plan.reserved or plan.options.backup.what != WRITE:
            return self._backup(plan, progress)
        partition = {"partition": plan.reserved.entry.number, "size": plan.reserved.size(plan.table)}
        if plan.reserved.new:
            return {**partition, "state": ABSENT, "changed": True}
        return {**partition, **preview(plan.disk, self.signed.manifest, progress)}


def prepare(params: Mapping[str, Any], stack: contextlib.ExitStack, progress: Progress, *, check: bool = False) -> Prepared:
    """Verify the image's signature and plan its restore to the disk that was named. What it needs lasts as long as the stack.

    Raises FleetError when the image, its signer, or the disk is not the one that was asked for, or the image does not fit.
    """
    disk, options = Disk.open(params["disk"]), BackupOptions.from_params(params)
    identity, local = DiskIdentity.parse(params["erase"]), params.get("local", False)
    disk.require(identity)
    if local and (options.what == ERASE or params["mode"] == BACKUP):
        raise InputError("What is restored from the local backup can neither erase it nor go there", remedy="Leave backup as it is")
    supply, version = _supply(params, stack, disk if local else None, check)
    signed = fetch_manifest(supply, ManifestRef("image", params["image"], version), params["allowed_signers"])
    image = ImageDescription.of(signed.manifest)
    plan: Union[ImageRestore, Delivery]
    if params["mode"] == BACKUP:
        plan = Delivery.plan(disk, identity, signed, options, verify=params["verify"])
    else:
        chosen, kept = tuple(params["partitions"] or ()), tuple(params["keep"] or ())
        wanted = RestoreOptions(chosen, kept, params["grow"], table_only=params["mode"] == "table", backup=options)
        plan = ImageRestore.plan(disk, identity, image, engine_named(image.engine, Path(params["work_dir"])), wanted)
        if isinstance(supply, BackupSupply) and not params["sources"] and not check:
            supply.require(signed.manifest, progress)
    return Prepared(supply, signed, plan, params["mode"] == "delta", params["verify"])


def _supply(params: Mapping[str, Any], stack: contextlib.ExitStack, own: Optional[Disk], check: bool) -> tuple[Supply, str]:
    """Where chunks come from, and which version it is. own: the disk whose local backup is asked first."""
    if own and not params["sources"]:
        supply = BackupSupply(own, touch=not check)
    else:
        ca_file = Path(params["ca_file"]) if params["ca_file"] else stack.enter_context(authority(params["ca"]))
        fetcher: Fetcher[Any] = Fetcher(params["sources"], ca_file=ca_file, connections=params["connections"], rate=params["rate"])
        if not own:
            return fetcher, params["version"]
        supply = BackupSupply(own, fetcher, touch=not check)
    return supply, supply.newest(params["image"]) if params["version"] == LATEST else params["version"]
