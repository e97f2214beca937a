# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Publishing a job: what a station uploaded is verified, then becomes part of the store.

Everything in incoming/ is hostile. The door is closed first; then files are moved out of nginx's reach before they are read, so that
nothing changes under our eyes. The order in which things reach the disk is chunks, signature, manifest, list, and only then the job goes:
a crash anywhere leaves a store that verifies and a job that can be published again.
"""

from __future__ import annotations

import errno
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Optional

from ..parallel import for_each
from ..progress import Progress
from ..zstd import Decompressor
from .chunk import CHUNK_FILE, CHUNK_SIZE
from .index import write_index
from .job import Job, JobError, Jobs
from .quarantine import PublishError, regular, uploaded_manifest
from .signature import sign
from .store import ChunkStore, StoreError, make_folder, sync_filesystem, verified
from .vouch import as_signed

FRAME_LIMIT = CHUNK_SIZE + CHUNK_SIZE // 64 + 1024
"""Bytes of a chunk's zstd frame at most: beyond zstd's own bound for 1 MiB that does not compress."""


@dataclass(frozen=True)
class Published:
    """What a publication added."""

    kind: str
    name: str
    version: str
    chunks: int
    """Distinct chunks of the manifest, zeros not counted."""
    chunks_added: int
    bytes_added: int
    """Compressed."""
    dropped: tuple[str, ...]
    """Files that were uploaded and not referenced by the manifest."""

    def as_dict(self) -> dict[str, Any]:
        """For a module's result."""
        return {**asdict(self), "dropped": list(self.dropped)}


def publish(store: ChunkStore, jobs: Jobs, identity: str, key: Path, progress: Optional[Progress] = None) -> Published:
    """Verify what a job received, sign its manifest and list it; the job is gone then.

    Raises JobError, ManifestError or PublishError; the job then stays, without a credential, so that it can be resumed or aborted.
    """
    job = jobs.get(identity)
    if job.expired:
        raise JobError(f"job {job.id} expired at {job.expires}", remedy="Open a job with a longer lifetime and capture again")
    with store.lock(exclusive=False), jobs.claim(job) as folder:
        try:
            return _Publication(store, job, folder, progress or Progress()).run(jobs, key)
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            raise PublishError(
                f"{job.ref} was not published: {error.strerror} ({error.filename or store.root})",
                remedy="Free space there (content_prune), then publish the job again" if full else "Check the store's disk and permissions",
            ) from error


class _Publication:
    """One run of publish over one job's folder."""

    def __init__(self, store: ChunkStore, job: Job, folder: Path, progress: Progress) -> None:
        self.store = store
        self.job = job
        self.incoming = folder / "incoming"
        self.verified = folder / "verified"
        self.folder = folder
        self.progress = progress

    def run(self, jobs: Jobs, key: Path) -> Published:
        (self.folder / "credential").unlink(missing_ok=True)
        self.folder.chmod(0o700)  # nginx's workers can follow no path into it from here on
        _seize(self.incoming, self.incoming / "chunks")
        manifest = uploaded_manifest(self.job, self.folder)
        manifest = as_signed(self.job, self.folder, manifest) or manifest
        data = manifest.to_bytes()
        digests = manifest.digests()
        moved, dropped = self._quarantine(digests)
        missing = sorted(name.hex() for name in digests - moved if not self.store.has(name))
        if missing:
            raise PublishError(
                f"{self.job.ref} was not published: {len(missing)} of its chunks were never uploaded, the first is {missing[0]}",
                remedy="Open the job again with resume, and capture again: only what is missing is sent",
                missing=missing[:20],
            )
        size = self._verify(moved)
        self._reveal(moved)
        self._list(data, key)
        jobs.discard(self.folder)
        job = self.job
        return Published(job.kind, job.name, job.version, len(digests), len(moved), size, tuple(dropped))

    def _quarantine(self, digests: set[bytes]) -> tuple[set[bytes], list[str]]:
        """Move the referenced, new chunks to verified/; everything else that was uploaded is dropped, and named."""
        self.verified.mkdir(mode=0o700, exist_ok=True)
        for path in list(self.verified.iterdir()):  # an earlier run was interrupted here
            if self._is_new(path.name, digests):
                continue
            path.unlink()
        moved, dropped = {bytes.fromhex(path.name[:64]) for path in self.verified.iterdir()}, []
        for entry in list(os.scandir(self.incoming / "chunks")):
            regular = entry.is_file(follow_symlinks=False)
            if regular and self._is_new(entry.name, digests):
                os.rename(entry.path, self.verified / entry.name)
                moved.add(bytes.fromhex(entry.name[:64]))
                continue
            if not regular or not CHUNK_FILE.fullmatch(entry.name) or bytes.fromhex(entry.name[:64]) not in digests:
                dropped.append(entry.name[:80])
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            else:
                os.unlink(entry.path)
        return moved, sorted(dropped)

    def _is_new(self, file_name: str, digests: set[bytes]) -> bool:
        """Whether a file is named as a chunk that the manifest wants and the store lacks."""
        if not CHUNK_FILE.fullmatch(file_name):
            return False
        name = bytes.fromhex(file_name[:64])
        return name in digests and not self.store.has(name)

    def _verify(self, names: set[bytes]) -> int:
        """Check every moved chunk and give it to root; the bytes of all. The damaged are removed, so that a resumed capture sends them."""
        self.progress.begin("verify", len(names), "chunks")
        sizes: list[int] = []
        damaged: dict[str, str] = {}

        def check(name: bytes, decompressor: Decompressor) -> None:
            path = self.verified / f"{name.hex()}.zst"
            try:
                with regular(path, FRAME_LIMIT) as handle:
                    os.fchown(handle, 0, 0)
                    os.fchmod(handle, 0o644)
                    frame = os.pread(handle, FRAME_LIMIT + 1, 0)
                if len(verified(name, frame, decompressor, path.name, limit=CHUNK_SIZE)) == 0:
                    raise PublishError(f"chunk {path.name} is empty")
            except (PublishError, StoreError) as error:
                damaged[name.hex()] = str(error)
                path.unlink()
            else:
                sizes.append(len(frame))
            self.progress.advance(1)

        for_each(sorted(names), Decompressor, check)
        if damaged:
            raise PublishError(
                f"{self.job.ref} was not published: {len(damaged)} uploaded chunks are damaged, the first: {min(damaged.items())[1]}",
                remedy="Open the job again with resume, and capture again: only the damaged chunks are sent",
                damaged=sorted(damaged)[:20],
            )
        return sum(sizes)

    def _reveal(self, names: set[bytes]) -> None:
        """Make verified chunks visible, after their bytes are on the disk."""
        if not names:
            return
        sync_filesystem(self.folder)
        for name in sorted(names):
            target = self.store.chunk_path(name)
            make_folder(target.parent)
            os.rename(self.verified / f"{name.hex()}.zst", target)
        sync_filesystem(self.folder)

    def _list(self, data: bytes, key: Path) -> None:
        """Sign and list the manifest, unless an interrupted run of the same job got that far."""
        ref = self.job.ref
        if not ((self.store.root / ref.path()).exists() and self.store.manifest_bytes(ref) == data and self.store.signature(ref)):
            self.store.add_manifest(ref, data, sign(data, key))
        write_index(self.store)


def _seize(*folders: Path) -> None:
    """Take folders from the outermost in: who still holds one open can put nothing there any more, least of all a link to elsewhere."""
    for folder in folders:
        try:
            handle = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY)
        except (FileNotFoundError, NotADirectoryError) as error:  # a link is no folder either
            raise PublishError(f"{folder} is not a folder", remedy="Abort the job and find out who wrote there") from error
        try:
            os.fchown(handle, 0, 0)
            os.fchmod(handle, 0o700)
        finally:
            os.close(handle)
