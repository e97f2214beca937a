# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A content store in a folder: the centre's, a relay's, or a USB disk's.

    <root>/chunks/sha256/ab/<64 hex>.zst           immutable
    <root>/manifests/<kind>/<name>/<version>.json  and .json.sig
    <root>/staging/                                what is being written, never served, never listed

What appears under chunks/ or manifests/ is complete and on the disk: it is written to staging/, synced, then linked.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from ..errors import FleetError
from ..zstd import Buffer, CompressionError, Decompressor
from .chunk import CHUNK_FILE, chunk_path, digest
from .manifest import KINDS, Manifest, ManifestError, check_name

CHUNK_LIMIT = 1 << 24
"""Bytes a chunk may have uncompressed, whatever its manifest says."""

_BATCH = 256
"""Chunks that become visible at once: one sync of the filesystem for each batch instead of one for each chunk."""


class StoreError(FleetError):
    """The store cannot be read or written, or holds something damaged."""


class ChunkMissing(StoreError):
    """The store does not hold a chunk."""


class ChunkDamaged(StoreError):
    """A chunk's bytes do not hash to its name."""


@dataclass(frozen=True, order=True)
class ManifestRef:
    """Which manifest: kind, name and version."""

    kind: str
    name: str
    version: str

    def path(self) -> Path:
        """Where it lies below a content store or its URL."""
        return Path("manifests", self.kind, self.name, f"{self.version}.json")

    def __str__(self) -> str:
        return f"{self.kind} {self.name} {self.version}"


class ChunkStore:
    """Chunks and manifests in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def create(self) -> ChunkStore:
        """Make the folders that are missing."""
        with _writing(self.root):
            for folder in ("chunks/sha256", "manifests", "staging"):
                make_folder(self.root / folder)
        return self

    @contextlib.contextmanager
    def lock(self, *, exclusive: bool, wait: float = 600.0) -> Iterator[None]:
        """Hold the store: shared to add, exclusive to prune; StoreError when others hold it for more than wait seconds."""
        with _writing(self.root):
            handle = open(self.root / ".lock", "w", encoding="ascii")  # noqa: SIM115
        with handle:
            deadline = time.monotonic() + wait
            while True:
                try:
                    fcntl.flock(handle, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
                    break
                except BlockingIOError as error:
                    if time.monotonic() >= deadline:
                        holder = "a publication or a replication" if exclusive else "a prune"
                        raise StoreError(f"{self.root} is in use by {holder}", remedy="Run again when that has ended") from error
                time.sleep(0.1)
            yield

    def chunk_path(self, name: bytes) -> Path:
        """Where the chunk lies."""
        return self.root / chunk_path(name)

    def has(self, name: bytes) -> bool:
        """Whether the chunk is there (not whether it is sound: see read)."""
        return os.path.exists(self.chunk_path(name))

    def digests(self) -> Iterator[bytes]:
        """The names of all chunks."""
        for folder in sorted((self.root / "chunks" / "sha256").glob("[0-9a-f][0-9a-f]")):
            with os.scandir(folder) as entries:
                yield from (bytes.fromhex(entry.name[:64]) for entry in entries if CHUNK_FILE.fullmatch(entry.name))

    def read(self, name: bytes, decompressor: Optional[Decompressor] = None) -> bytes:
        """The chunk's uncompressed bytes, verified; ChunkMissing or ChunkDamaged otherwise."""
        path = self.chunk_path(name)
        try:
            frame = path.read_bytes()
        except FileNotFoundError as error:
            raise ChunkMissing(f"chunk {name.hex()} is not in {self.root}") from error
        except OSError as error:
            raise StoreError(f"chunk {path} cannot be read: {error}") from error
        return verified(name, frame, decompressor or Decompressor(), str(path))

    def manifests(self) -> Iterator[ManifestRef]:
        """All manifests, sorted; what has no proper name is not a manifest."""
        found = []
        for path in (self.root / "manifests").glob("*/*/*.json"):
            with contextlib.suppress(ManifestError):
                found.append(ManifestRef(path.parts[-3], check_name(path.parts[-2]), check_name(path.name[: -len(".json")])))
        yield from sorted(ref for ref in found if ref.kind in KINDS)

    def load(self, ref: ManifestRef) -> Manifest:
        """A manifest, parsed; not checked against its signature."""
        return Manifest.from_bytes(self.manifest_bytes(ref))

    def manifest_bytes(self, ref: ManifestRef) -> bytes:
        """A manifest as it lies there."""
        try:
            return (self.root / ref.path()).read_bytes()
        except FileNotFoundError as error:
            known = ", ".join(sorted(each.version for each in self.manifests() if (each.kind, each.name) == (ref.kind, ref.name)))
            raise StoreError(f"{ref} is not in {self.root}", remedy=f"Versions there: {known or 'none'}") from error

    def signature(self, ref: ManifestRef) -> Optional[bytes]:
        """The signature beside a manifest, or None."""
        try:
            return (self.root / f"{ref.path()}.sig").read_bytes()
        except FileNotFoundError:
            return None

    def add_manifest(self, ref: ManifestRef, data: bytes, signature: Optional[bytes]) -> None:
        """List a manifest whose chunks are all here; a version that exists is never replaced (StoreError)."""
        target = self.root / ref.path()
        with _writing(target):
            make_folder(target.parent)
        with _alone(target.parent):  # two of the same version at once: the second one's signature must not replace the first one's
            self.require_new(ref)
            if signature is not None:
                self._place(Path(f"{target}.sig"), signature, replace=True)
            self._place(target, data, replace=False)

    def require_new(self, ref: ManifestRef) -> None:
        """Raise StoreError when the version exists."""
        if (self.root / ref.path()).exists():
            raise StoreError(f"{ref} exists already in {self.root}", remedy="Versions are immutable: take another version")

    def _place(self, target: Path, data: bytes, *, replace: bool) -> None:
        """Write tmp, sync, then link (or rename over, for a signature whose manifest never appeared)."""
        with _writing(target):
            (self.root / "staging").mkdir(exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.root / "staging")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fchmod(file.fileno(), 0o644)
                    os.fsync(file.fileno())
                if replace:
                    os.replace(name, target)
                else:
                    os.link(name, target)
            finally:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(name)
        sync_filesystem(target.parent)


class StoreWriter:
    """Adds chunks to a store, a batch at a time; a context manager that leaves nothing behind. Safe to use from several threads."""

    def __init__(self, store: ChunkStore) -> None:
        self.store = store.create()
        with _writing(store.root):
            self._folder = Path(tempfile.mkdtemp(prefix="writer-", dir=store.root / "staging"))
        self._pending: set[bytes] = set()
        self._written: list[bytes] = []
        self._lock = threading.Lock()

    def __enter__(self) -> StoreWriter:
        return self

    def __exit__(self, kind: Optional[type[BaseException]], *_rest: object) -> None:
        try:
            if kind is None:
                self.flush()
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def has(self, name: bytes) -> bool:
        """Whether the chunk is in the store or on its way there."""
        return name in self._pending or self.store.has(name)

    def put(self, name: bytes, frame: Buffer) -> bool:
        """Add a frame that its maker just hashed; False when it is there already."""
        with self._lock:
            if self.has(name):
                return False
            self._pending.add(name)
        path = self._folder / name.hex()
        with _writing(self.store.root):
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
            try:
                os.fchmod(handle, 0o644)
                view = memoryview(frame)
                while view:  # a full disk shortens a write before it refuses one
                    view = view[os.write(handle, view) :]
            finally:
                os.close(handle)
        with self._lock:
            self._written.append(name)
            full = len(self._written) >= _BATCH
        if full:
            self.flush()
        return True

    def flush(self) -> None:
        """Make visible what was written so far, after it reached the disk."""
        with self._lock:
            batch, self._written = self._written, []
            if not batch:
                return
            sync_filesystem(self._folder)
            with _writing(self.store.root):
                for name in batch:
                    target = self.store.chunk_path(name)
                    make_folder(target.parent)
                    os.rename(self._folder / name.hex(), target)
            self._pending.difference_update(batch)
        sync_filesystem(self._folder)


def verified(name: bytes, frame: Buffer, decompressor: Decompressor, where: str, *, limit: int = CHUNK_LIMIT) -> bytes:
    """The content of a chunk's frame; ChunkDamaged unless it hashes to its name."""
    try:
        data = decompressor.decompress(frame, limit)
    except CompressionError as error:
        raise ChunkDamaged(f"chunk {where} is damaged: {error}", remedy="Verify the store with repair, then replicate it again") from error
    if digest(data) != name:
        raise ChunkDamaged(f"chunk {where} does not hash to its name", remedy="Verify the store with repair, then replicate it again")
    return data


def make_folder(path: Path) -> None:
    """Make a folder and those above it that are missing, for the web server to read whatever the umask of this host's root is."""
    for folder in reversed([each for each in (path, *path.parents) if not each.exists()]):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)


def sync_filesystem(path: Path) -> None:
    """Wait until all that was written to the filesystem of path is on its disk (syncfs(2)); StoreError when it is not."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.syncfs(handle) != 0:
            number = ctypes.get_errno()
            raise StoreError(f"{path} cannot be written to its disk: {os.strerror(number)}")
    finally:
        os.close(handle)


@contextlib.contextmanager
def _writing(what: Path) -> Iterator[None]:
    """Turn what the operating system says into a StoreError."""
    try:
        yield
    except FileExistsError as error:
        raise StoreError(f"{what} exists already", remedy="Versions are immutable: take another version") from error
    except OSError as error:
        raise StoreError(f"{what} cannot be written: {error.strerror}", remedy=_remedy(error)) from error


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold a folder; ends with the process."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _remedy(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "Free space there (content_prune removes what no kept manifest names) and run again: what arrived is not sent twice"
    return "Check the folder's permissions and its disk"
