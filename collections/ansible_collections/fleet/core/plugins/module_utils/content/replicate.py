# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filling a relay: manifests that it is to hold, and the chunks that it lacks, from the nearest source that has them.

A manifest is verified before anything of it is used, waits in pending/ while its chunks come, and is listed when all are there. What came
stays: a run that was stopped, or whose window closed, goes on where it was.
"""

from __future__ import annotations

import contextlib
import datetime
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Optional

from ..errors import FleetError, InputError
from ..progress import Progress
from .chunk import Chunk
from .fetch import Fetcher
from .index import INDEX, INDEX_LIMIT, read_index, write_index
from .manifest import Manifest
from .pending import Pending
from .prune import matches
from .signed import SignedManifest, fetch_manifest, trusted
from .store import ChunkStore, ManifestRef, StoreWriter

_EXACT = re.compile(r"[^/*?\[]+/[^/*?\[]+/[^/*?\[]+")
"""A manifest's name that is no pattern."""
_WINDOW = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


class ReplicationError(FleetError):
    """Some manifests could not be replicated; the others were."""


@dataclass(frozen=True)
class Window:
    """The hours of a day in which a relay may be filled, local time; from 20:00 to 06:00 passes midnight."""

    start: datetime.time
    end: datetime.time

    @classmethod
    def parse(cls, text: str) -> Window:
        """Read HH:MM-HH:MM; InputError when it is not that, or is empty."""
        match = _WINDOW.fullmatch(text)
        if not match or match.group(1, 2) == match.group(3, 4):
            raise InputError(f"{text!r:.40} is not a window", remedy="Write HH:MM-HH:MM in local time, as 20:00-06:00")
        from_hour, from_minute, to_hour, to_minute = (int(part) for part in match.groups())
        return cls(datetime.time(from_hour, from_minute), datetime.time(to_hour, to_minute))

    def open(self, now: Optional[datetime.datetime] = None) -> bool:
        """Whether it is open at that local time."""
        time = (now or datetime.datetime.now()).time()
        if self.start < self.end:
            return self.start <= time < self.end
        return time >= self.start or time < self.end


@dataclass
class Replicated:
    """What came, and what is left."""

    manifests: list[str] = field(default_factory=list)
    """Listed now."""
    present: int = 0
    """Were complete already."""
    chunks: int = 0
    bytes: int = 0
    """Compressed, as they crossed the network."""
    sources: dict[str, int] = field(default_factory=dict)
    """Chunks by URL."""
    left_manifests: list[str] = field(default_factory=list)
    left_chunks: int = 0
    """Of what is left as far as it is known: of manifests that were begun."""
    left_bytes: int = 0
    """Uncompressed."""
    window_closed: bool = False

    def as_dict(self) -> dict[str, Any]:
        """For a module's result."""
        return dict(vars(self))


class Replication:
    """Fills one store from others."""

    def __init__(
        self,
        store: ChunkStore,
        fetcher: Fetcher[Chunk],
        allowed_signers: str,
        *,
        window: Optional[Window] = None,
        dry_run: bool = False,
        progress: Optional[Progress] = None,
    ) -> None:
        self._store = store
        self._pending = Pending(store)
        self._fetcher = fetcher
        self._allowed = allowed_signers
        self._window = window
        self._dry_run = dry_run
        self._progress = progress or Progress()
        self._result = Replicated()

    def run(self, wanted: Optional[Sequence[str]] = None) -> Replicated:
        """Replicate the manifests that match kind/name or kind/name/version (None: all that the sources list).

        ReplicationError names those that failed, after the others were done.
        """
        failed: dict[str, str] = {}
        with self._store.create().lock(exclusive=False):
            for ref in self._named(wanted) or self._wanted(wanted):
                if not self._open():
                    self._result.left_manifests.append(str(ref))
                    continue
                try:
                    self._replicate(ref)
                except FleetError as error:
                    failed[str(ref)] = str(error)
            if not self._dry_run:
                write_index(self._store)
        if failed:
            first = next(iter(failed.items()))
            raise ReplicationError(
                f"{len(failed)} manifests were not replicated to {self._store.root}; {first[0]}: {first[1]}",
                failed=failed,
                **self._result.as_dict(),
            )
        return self._result

    def _open(self) -> bool:
        if self._window is None or self._window.open():
            return True
        self._result.window_closed = True
        return False

    def _named(self, patterns: Optional[Sequence[str]]) -> list[ManifestRef]:
        """What is to be here, when each is named with its version and is complete: then no source needs to be there. Else nothing."""
        if not patterns or not all(_EXACT.fullmatch(pattern) for pattern in patterns):
            return []
        with contextlib.suppress(FleetError, OSError):
            refs = [ManifestRef(*pattern.split("/")) for pattern in patterns]
            if all((self._store.root / ref.path()).exists() and not self._missing(self._store.load(ref)) for ref in refs):
                return refs
        return []

    def _wanted(self, patterns: Optional[Sequence[str]]) -> list[ManifestRef]:
        """What is to be here; a pattern that matches nothing is an error, because somebody counts on it."""
        listed = read_index(self._fetcher.document(INDEX, INDEX_LIMIT))
        if patterns is None:
            return listed
        for pattern in patterns:
            if not any(matches(ref, [pattern]) for ref in listed):
                raise ReplicationError(
                    f"no source lists {pattern}", remedy="Check the name; content_info on the source tells what it holds"
                )
        return [ref for ref in listed if matches(ref, patterns)]

    def _replicate(self, ref: ManifestRef) -> None:
        listed = (self._store.root / ref.path()).exists()
        if listed:
            signed = trusted(ref, self._store.manifest_bytes(ref), self._store.signature(ref) or b"", self._allowed)
        else:
            signed = self._manifest(ref)
        missing = self._missing(signed.manifest)
        if listed and not missing:
            self._result.present += 1
            return
        if self._dry_run:
            self._left(ref, missing)
            return
        left = self._fetch(ref, missing)
        if left:
            self._left(ref, left)
            return
        if not listed:
            self._store.add_manifest(ref, signed.data, signed.signature)
            self._pending.forget(ref)
        self._result.manifests.append(str(ref))

    def _manifest(self, ref: ManifestRef) -> SignedManifest:
        """A manifest that this relay lacks: from an earlier run or from a source, verified before it is parsed."""
        signed = self._pending.load(ref, self._allowed) or fetch_manifest(self._fetcher, ref, self._allowed)
        if not self._dry_run:
            self._pending.remember(ref, signed)
        return signed

    def _missing(self, manifest: Manifest) -> list[Chunk]:
        """Each chunk that is not here, once."""
        missing: dict[bytes, Chunk] = {}
        for stream in manifest.streams:
            for chunk in stream.chunks():
                if not chunk.is_zero and chunk.digest not in missing and not self._store.has(chunk.digest):
                    missing[chunk.digest] = chunk
        return list(missing.values())

    def _fetch(self, ref: ManifestRef, missing: list[Chunk]) -> list[Chunk]:
        """Get chunks until all are here or the window closes; those that are left."""
        self._progress.begin(f"replicate {ref.name} {ref.version}", sum(chunk.length for chunk in missing))
        arrived: dict[bytes, int] = {}

        def in_window() -> Iterator[Chunk]:
            for chunk in missing:
                if not self._open():
                    return
                yield chunk

        with StoreWriter(self._store) as writer:

            def keep(chunk: Chunk, frame: memoryview) -> None:
                writer.put(chunk.digest, frame)
                arrived[chunk.digest] = len(frame)
                self._progress.advance(chunk.length)

            try:
                report = self._fetcher.frames(in_window(), keep)
            except FleetError:
                writer.flush()  # what came is not asked for again
                raise
            finally:
                self._result.chunks += len(arrived)
                self._result.bytes += sum(arrived.values())
        for url, count in report.sources.items():
            self._result.sources[url] = self._result.sources.get(url, 0) + count
        return [chunk for chunk in missing if chunk.digest not in arrived]

    def _left(self, ref: ManifestRef, chunks: list[Chunk]) -> None:
        self._result.left_manifests.append(str(ref))
        self._result.left_chunks += len(chunks)
        self._result.left_bytes += sum(chunk.length for chunk in chunks)
