# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making a store smaller: manifests that no rule keeps go, then chunks that no remaining manifest names (mark and sweep).

The store is held exclusively, so nothing is added meanwhile. A station that uploads was told which chunks the store has and counts on
them: while a job is open, chunks stay. A job expires, so that does not last.
"""

from __future__ import annotations

import contextlib
import datetime
import fnmatch
import os
import shutil
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

from ..errors import FleetError, InputError
from ..progress import Progress
from .index import write_index
from .job import Jobs
from .manifest import Manifest, ManifestError
from .pending import PENDING, Pending
from .store import ChunkStore, ManifestRef, StoreError, sync_filesystem
from .verify import ASIDE

_PENDING_DAYS = 30
"""A replication that was not taken up again for so long is given up."""


class PruneError(FleetError):
    """Pruning would remove what it should not."""


@dataclass(frozen=True)
class Retention:
    """Which manifests stay: those that any rule keeps. Without a rule all stay."""

    keep: Optional[Sequence[str]] = None
    """Patterns (fnmatch) of kind/name or kind/name/version."""
    last: Optional[int] = None
    """The newest versions of each name."""
    days: Optional[float] = None
    """Those created within so many days."""

    def kept(self, manifests: Iterable[tuple[ManifestRef, Manifest]]) -> set[ManifestRef]:
        """The ones that stay."""
        created = {ref: manifest.created for ref, manifest in manifests}
        if self.keep is None and self.last is None and self.days is None:
            return set(created)
        stays = {ref for ref in created if matches(ref, self.keep or ())}
        if self.last is not None:
            for kind, name in {(ref.kind, ref.name) for ref in created}:
                versions = sorted((created[ref], ref.version, ref) for ref in created if (ref.kind, ref.name) == (kind, name))
                stays.update(ref for _created, _version, ref in versions[max(0, len(versions) - self.last) :])
        if self.days is not None:
            oldest = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=self.days)
            stays.update(ref for ref, when in created.items() if when >= oldest.strftime("%Y-%m-%dT%H:%M:%SZ"))
        return stays


@dataclass
class Pruned:
    """What went, or would go."""

    manifests: list[str] = field(default_factory=list)
    chunks: int = 0
    bytes: int = 0
    """Compressed, of chunks."""
    jobs: list[str] = field(default_factory=list)
    stale: int = 0
    """Temporary and damaged files."""
    waits_for: list[str] = field(default_factory=list)
    """Open jobs because of which no chunk was removed."""

    @property
    def changed(self) -> bool:
        """Whether anything went."""
        return bool(self.manifests or self.chunks or self.jobs or self.stale)

    def as_dict(self) -> dict[str, Any]:
        """For a module's result."""
        return dict(vars(self))


def matches(ref: ManifestRef, patterns: Iterable[str]) -> bool:
    """Whether a pattern of kind/name or kind/name/version is for this manifest; InputError when a pattern is none."""
    for pattern in patterns:
        if pattern.count("/") not in (1, 2):
            raise InputError(
                f"{pattern!r:.80} is not a manifest", remedy="Write kind/name or kind/name/version, as image/debian or image/*/2026*"
            )
        if fnmatch.fnmatchcase(f"{ref.kind}/{ref.name}/{ref.version}", pattern if pattern.count("/") == 2 else f"{pattern}/*"):
            return True
    return False


def prune(
    store: ChunkStore,
    retention: Retention,
    *,
    jobs: Optional[Jobs] = None,
    allow_empty: bool = False,
    dry_run: bool = False,
    wait: float = 60.0,
    progress: Optional[Progress] = None,
) -> Pruned:
    """Remove what nothing keeps. PruneError when no manifest would remain (unless allowed), StoreError when one cannot be read."""
    if not (store.root / "chunks").is_dir():
        raise StoreError(f"{store.root} is not a content store", remedy="Give the folder that holds chunks/ and manifests/")
    progress = progress or Progress()
    result = Pruned()
    with store.lock(exclusive=True, wait=wait):
        if jobs:
            result.jobs = [job.id for job in jobs.sweep(dry_run=dry_run)]
            result.waits_for = [job.id for job in jobs.all() if job.id not in result.jobs]
        goes = _manifests_to_remove(store, retention, allow_empty)
        result.manifests = [str(ref) for ref in goes]
        marked = _marked(store, set(goes))
        if not marked and not allow_empty and next(store.digests(), None) is not None:
            raise PruneError(
                f"no manifest in {store.root} names a chunk, so all of its chunks would go",
                remedy=f"See whether content_verify moved the manifests to {ASIDE}/, or say allow_empty if that is meant",
            )
        if not dry_run:
            _unlist(store, goes)
        result.stale = _remove_stale(store, dry_run)
        if not result.waits_for:
            _sweep(store, marked, dry_run, result, progress)
    return result


def _manifests_to_remove(store: ChunkStore, retention: Retention, allow_empty: bool) -> list[ManifestRef]:
    manifests = [(ref, _readable(store, ref)) for ref in store.manifests()]
    stays = retention.kept(manifests)
    if manifests and not stays and not allow_empty:
        raise PruneError(
            f"no manifest would remain in {store.root}", remedy="Check what is to be kept, or say allow_empty if that is meant"
        )
    return sorted(ref for ref, _manifest in manifests if ref not in stays)


def _readable(store: ChunkStore, ref: ManifestRef) -> Manifest:
    """A manifest, or a refusal: what cannot be read may name any chunk."""
    try:
        manifest = store.load(ref)
    except ManifestError as error:
        raise StoreError(  # pylint: disable=bad-exception-cause
            f"{ref} in {store.root} cannot be read, so nothing was pruned: {error}", remedy="Run content_verify with repair"
        ) from error
    return Manifest(manifest.kind, manifest.name, manifest.version, manifest.created, ())  # not its streams: memory


def _marked(store: ChunkStore, goes: set[ManifestRef]) -> set[bytes]:
    """The chunks that remaining manifests name, and those that a replication is in the middle of fetching."""
    marked: set[bytes] = set()
    for ref in store.manifests():
        if ref not in goes:
            marked |= store.load(ref).digests()
    return marked | Pending(store).digests()


def _unlist(store: ChunkStore, goes: Iterable[ManifestRef]) -> None:
    """Remove manifests and make that durable before any chunk of theirs goes."""
    for ref in goes:
        path = store.root / ref.path()
        path.unlink()
        Path(f"{path}.sig").unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            path.parent.rmdir()
    write_index(store)
    sync_filesystem(store.root)


def _sweep(store: ChunkStore, marked: set[bytes], dry_run: bool, result: Pruned, progress: Progress) -> None:
    progress.begin("sweep", 0, "chunks")
    for name in store.digests():
        if name not in marked:
            path = store.chunk_path(name)
            result.chunks += 1
            result.bytes += path.stat().st_size
            if not dry_run:
                path.unlink()
        progress.advance(1)


def _remove_stale(store: ChunkStore, dry_run: bool) -> int:
    """Remove what interrupted writers left: nobody writes while the store is held exclusively. nginx does: only its old files go."""
    now = time.time()
    stale = [path for path in (store.root / "staging").glob("*") if not path.name.startswith(".")]
    stale += (store.root / ASIDE).glob("*")
    stale += [path for path in (store.root / "uploads").glob("*") if not path.is_dir() and path.lstat().st_mtime < now - 86400]
    stale += [path for path in (store.root / PENDING).glob("*/*/*") if path.stat().st_mtime < now - _PENDING_DAYS * 86400]
    if not dry_run:
        for path in stale:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(path)
    return len(stale)
