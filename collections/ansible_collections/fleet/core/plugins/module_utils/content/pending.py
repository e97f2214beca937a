# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manifests whose chunks are still on their way into a store: not listed, but a prune keeps the chunks that they name."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Optional

from .manifest import Manifest, ManifestError
from .signed import SignedManifest, UntrustedManifest, trusted
from .store import ChunkStore, ManifestRef, sync_filesystem

PENDING = "pending"
"""Folder below the store, laid out as manifests/."""


class Pending:
    """The pending manifests of a store."""

    def __init__(self, store: ChunkStore) -> None:
        self._store = store

    def paths(self) -> Iterator[Path]:
        """All of them, as files."""
        yield from (self._store.root / PENDING).glob("*/*/*.json")

    def digests(self) -> set[bytes]:
        """The chunks that any of them names; one that cannot be read names none."""
        found: set[bytes] = set()
        for path in self.paths():
            with contextlib.suppress(ManifestError):
                found |= Manifest.from_bytes(path.read_bytes()).digests()
        return found

    def load(self, ref: ManifestRef, allowed_signers: str) -> Optional[SignedManifest]:
        """One of them, verified; None when it is not there, or must not be used."""
        path = self._path(ref)
        with contextlib.suppress(FileNotFoundError, UntrustedManifest):
            return trusted(ref, path.read_bytes(), Path(f"{path}.sig").read_bytes(), allowed_signers)
        return None

    def remember(self, ref: ManifestRef, signed: SignedManifest) -> None:
        """Add one, so that a prune between two runs does not take its chunks."""
        path = self._path(ref)
        path.parent.mkdir(parents=True, exist_ok=True)
        for target, content in ((Path(f"{path}.sig"), signed.signature), (path, signed.data)):
            partial = target.with_name(f".{target.name}")
            partial.write_bytes(content)
            os.replace(partial, target)
        sync_filesystem(path.parent)

    def forget(self, ref: ManifestRef) -> None:
        """Remove one: it is listed now, or given up."""
        path = self._path(ref)
        path.unlink(missing_ok=True)
        Path(f"{path}.sig").unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            path.parent.rmdir()

    def _path(self, ref: ManifestRef) -> Path:
        return self._store.root / PENDING / ref.path().relative_to("manifests")
