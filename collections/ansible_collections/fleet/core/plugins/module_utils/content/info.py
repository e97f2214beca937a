# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a store holds, in the words of an admin: names, versions, where they come from, and what they cost."""

from __future__ import annotations

import os
from typing import Any, Optional

from ..errors import FleetError
from .job import Jobs
from .manifest import Manifest
from .store import ChunkStore, ManifestRef, StoreError


def describe(store: ChunkStore, *, kind: Optional[str] = None, name: Optional[str] = None, jobs: Optional[Jobs] = None) -> dict[str, Any]:
    """The manifests (of a kind, of a name), the open jobs, and the size of the whole; StoreError when there is no store."""
    if not (store.root / "chunks").is_dir():
        raise StoreError(f"{store.root} is not a content store", remedy="Give the folder that holds chunks/ and manifests/")
    refs = [ref for ref in store.manifests() if kind in (None, ref.kind) and name in (None, ref.name)]
    manifests = [_manifest(store, ref) for ref in refs]
    parents = {(each["kind"], each["name"], each["version"]): each.get("parent") for each in manifests}
    for each in manifests:
        each["lineage"] = _lineage(parents, each["kind"], each["name"], each["version"])
    sizes = [store.chunk_path(each).stat().st_size for each in store.digests()]
    disk = os.statvfs(store.root)
    return {
        "manifests": manifests,
        "jobs": [{**vars(job), "expired": job.expired} for job in jobs.all()] if jobs else [],
        "chunks": len(sizes),
        "bytes": sum(sizes),
        "free": disk.f_bavail * disk.f_frsize,
    }


def _manifest(store: ChunkStore, ref: ManifestRef) -> dict[str, Any]:
    about: dict[str, Any] = {**vars(ref), "signed": store.signature(ref) is not None}
    try:
        manifest = store.load(ref)
    except FleetError as error:
        return {**about, "error": str(error)}
    stored = missing = 0
    digests = manifest.digests()
    for each in digests:
        try:
            stored += store.chunk_path(each).stat().st_size
        except FileNotFoundError:
            missing += 1
    return {**about, **_header(manifest), "chunks": len(digests), "missing": missing, "stored": stored}


def _header(manifest: Manifest) -> dict[str, Any]:
    return {
        "created": manifest.created,
        "parent": manifest.parent,
        "streams": len(manifest.streams),
        "size": sum(stream.size for stream in manifest.streams),
        "used": manifest.used,
    }


def _lineage(parents: dict[tuple[str, str, str], Any], kind: str, name: str, version: str) -> list[str]:
    """The versions it was captured over, nearest first; ends where one is not here, or repeats."""
    lineage: list[str] = []
    parent = parents.get((kind, name, version))
    while parent and parent not in lineage and parent != version:
        lineage.append(parent)
        parent = parents.get((kind, name, parent))
    return lineage
