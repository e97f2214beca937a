# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of a store's manifests as one static file, so that a relay can learn from any web server what there is to replicate.

It is made anew from the folder after every change, never edited: a crash between a change and the list heals with the next one.
A list is a hint and is not signed: what it names is verified as everything else.
"""

from __future__ import annotations

import fcntl
import json
import os

from .manifest import KINDS, ManifestError, check_name
from .store import ChunkStore, ManifestRef

INDEX = "manifests/index.json"
"""Below the store or its URL: {"format": 1, "manifests": [["image", "debian", "20261121T083000Z"], …]}."""

INDEX_LIMIT = 1 << 26
"""Bytes an index may have: some 800,000 manifests."""


def write_index(store: ChunkStore) -> bool:
    """Write the list of what the store holds now; whether it changed."""
    (store.root / "staging").mkdir(parents=True, exist_ok=True)
    with open(store.root / "staging" / ".index.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        listed = [[ref.kind, ref.name, ref.version] for ref in store.manifests()]
        content = json.dumps({"format": 1, "manifests": listed}, separators=(",", ":")).encode() + b"\n"
        target, partial = store.root / INDEX, store.root / "staging" / ".index"
        if target.exists() and target.read_bytes() == content:
            return False
        with open(partial, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())
        os.replace(partial, target)
    return True


def read_index(data: bytes) -> list[ManifestRef]:
    """The manifests that a list names; ManifestError when anything is wrong with it."""
    try:
        document = json.loads(data)
        entries = document["manifests"]
        refs = [ManifestRef(str(kind), check_name(name), check_name(version, "version")) for kind, name, version in entries]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ManifestError(f"the list of manifests is malformed: {error}", remedy="Run content_verify on that store") from error
    if document.get("format") != 1 or any(ref.kind not in KINDS for ref in refs):
        raise ManifestError("the list of manifests has an unknown format", remedy="Upgrade Fleet on this host")
    return refs
