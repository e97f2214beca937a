# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is a store sound: does every manifest parse and verify, is every chunk it names there, does every chunk hash to its name.

Memory does not grow with the store: chunks are checked one by one, and references one manifest at a time.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

from ..errors import FleetError
from ..parallel import for_each
from ..progress import Progress
from ..zstd import Decompressor
from .index import INDEX, read_index, write_index
from .manifest import Manifest, ManifestError
from .signed import trusted
from .store import ChunkDamaged, ChunkStore, ManifestRef, StoreError

ASIDE = "damaged"
"""Folder below the store for what repair moved out of the way; content_prune empties it."""

_REPORTED = 1000
"""Problems that are described; beyond that they are only counted."""


@dataclass(frozen=True)
class Problem:
    """Something that is not as it should be."""

    what: str
    """manifest, chunk or index."""
    where: str
    reason: str


@dataclass
class Verdict:
    """What was looked at, and what is wrong."""

    manifests: int = 0
    chunks: int = 0
    bytes: int = 0
    """Compressed."""
    problem_count: int = 0
    problems: list[Problem] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    """What repair moved aside, below the store."""

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problem_count

    def add(self, what: str, where: str, reason: str) -> None:
        """Count a problem, and describe it unless there are very many."""
        self.problem_count += 1
        if len(self.problems) < _REPORTED:
            self.problems.append(Problem(what, where, reason))

    def as_dict(self) -> dict[str, Any]:
        """For a module's result."""
        return {
            "manifests": self.manifests,
            "chunks": self.chunks,
            "bytes": self.bytes,
            "problem_count": self.problem_count,
            "problems": [vars(problem) for problem in self.problems],
            "moved": self.moved,
        }


def signed_manifest(store: ChunkStore, ref: ManifestRef, allowed_signers: Optional[str]) -> Manifest:
    """A manifest of the store that is what its place says, and signed by who may when allowed_signers is given; FleetError otherwise."""
    if allowed_signers is not None:
        return trusted(ref, store.manifest_bytes(ref), store.signature(ref) or b"", allowed_signers).manifest
    manifest = store.load(ref)
    if (manifest.kind, manifest.name, manifest.version) != (ref.kind, ref.name, ref.version):
        raise ManifestError(f"{ref.path()} in {store.root} is the manifest of {manifest.kind} {manifest.name} {manifest.version}")
    return manifest


class Verification:
    """One look at a whole store. With repair, what is damaged is moved aside, so that content_replicate fetches it again."""

    def __init__(
        self, store: ChunkStore, *, allowed_signers: Optional[str] = None, repair: bool = False, progress: Optional[Progress] = None
    ) -> None:
        self._store = store
        self._allowed = allowed_signers
        self._repair = repair
        self._progress = progress or Progress()
        self._verdict = Verdict()
        self._lock = threading.Lock()

    def run(self) -> Verdict:
        """Look at every chunk, then at every manifest and what it names."""
        if not (self._store.root / "chunks").is_dir():
            raise StoreError(f"{self._store.root} is not a content store", remedy="Give the folder that holds chunks/ and manifests/")
        with self._store.lock(exclusive=False):
            self._chunks()
            for ref in list(self._store.manifests()):
                self._manifest(ref)
            self._index()
        return self._verdict

    def _chunks(self) -> None:
        self._progress.begin("verify chunks", sum(1 for _name in self._store.digests()), "chunks")

        def check(name: bytes, decompressor: Decompressor) -> None:
            path = self._store.chunk_path(name)
            try:
                size = path.stat().st_size
                self._store.read(name, decompressor)
            except (FleetError, OSError) as error:
                with self._lock:
                    self._verdict.add("chunk", name.hex(), str(error))
                    if isinstance(error, ChunkDamaged):  # and not a disk that failed to answer this time
                        self._move_aside(path)
            else:
                with self._lock:
                    self._verdict.chunks += 1
                    self._verdict.bytes += size
            self._progress.advance(1)

        for_each(self._store.digests(), Decompressor, check)

    def _manifest(self, ref: ManifestRef) -> None:
        try:
            manifest = signed_manifest(self._store, ref, self._allowed)
        except FleetError as error:
            self._verdict.add("manifest", str(ref), str(error))
            self._move_aside(self._store.root / ref.path())
            return
        self._verdict.manifests += 1
        missing = sorted(name.hex() for name in manifest.digests() if not self._store.has(name))
        if missing:
            self._verdict.add("manifest", str(ref), f"{len(missing)} of its chunks are not in the store, the first is {missing[0]}")

    def _index(self) -> None:
        """Compare the list with what is there; the list is only a copy, so repair writes it anew."""
        listed: list[ManifestRef] = []
        path = self._store.root / INDEX
        if path.exists():
            try:
                listed = read_index(path.read_bytes())
            except ManifestError as error:
                self._verdict.add("index", INDEX, str(error))
        if self._repair:
            write_index(self._store)
        elif listed != list(self._store.manifests()):
            self._verdict.add("index", INDEX, "does not list what the store holds: repair, publish, replicate and prune write it anew")

    def _move_aside(self, path: Path) -> None:
        if not self._repair:
            return
        aside = self._store.root / ASIDE
        aside.mkdir(exist_ok=True, mode=0o700)
        for each in _with_signature(path):
            if each.exists():
                relative = each.relative_to(self._store.root)
                os.rename(each, aside / "-".join(relative.parts))
                self._verdict.moved.append(str(relative))


def _with_signature(path: Path) -> Iterator[Path]:
    yield path
    if path.suffix == ".json":
        yield Path(f"{path}.sig")
