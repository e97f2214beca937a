# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A restore as the parameters of a module ask for it, alone (image_restore) or with others (multicast_receive)."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ansible_collections.fleet.core.plugins.module_utils.content.authority import authority
from ansible_collections.fleet.core.plugins.module_utils.content.fetch import Fetcher
from ansible_collections.fleet.core.plugins.module_utils.content.signed import SignedManifest, fetch_manifest
from ansible_collections.fleet.core.plugins.module_utils.content.store import ManifestRef

from ..disk.device import Disk
from ..disk.identity import DiskIdentity
from ..engine.registry import engine_named
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
}
"""Options that every restore has, besides its mode (doc fragments fleet.imaging.options.image, .restore, .disk, .sources and .transfer)."""


class Prepared(NamedTuple):
    """A restore that nothing speaks against; nothing is written yet."""

    fetcher: Fetcher[Any]
    signed: SignedManifest
    plan: ImageRestore


def prepare(params: Mapping[str, Any], stack: contextlib.ExitStack) -> Prepared:
    """Verify the image's signature and plan its restore to the disk that was named. What it needs lasts as long as the stack.

    Raises FleetError when the image, its signer, or the disk is not the one that was asked for, or the image does not fit.
    """
    ca_file = Path(params["ca_file"]) if params["ca_file"] else stack.enter_context(authority(params["ca"]))
    fetcher: Fetcher[Any] = Fetcher(params["sources"], ca_file=ca_file, connections=params["connections"], rate=params["rate"])
    signed = fetch_manifest(fetcher, ManifestRef("image", params["image"], params["version"]), params["allowed_signers"])
    image = ImageDescription.of(signed.manifest)
    chosen, kept = tuple(params["partitions"] or ()), tuple(params["keep"] or ())
    options = RestoreOptions(chosen, kept, params["grow"], table_only=params["mode"] == "table")
    engine = engine_named(image.engine, Path(params["work_dir"]))
    plan = ImageRestore.plan(Disk.open(params["disk"]), DiskIdentity.parse(params["erase"]), image, engine, options)
    return Prepared(fetcher, signed, plan)
