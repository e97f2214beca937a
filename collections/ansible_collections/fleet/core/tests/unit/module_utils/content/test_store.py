# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A content store in a folder: what is visible is whole."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.fleet.core.plugins.module_utils.content.chunk import digest
from ansible_collections.fleet.core.plugins.module_utils.content.manifest import ManifestError
from ansible_collections.fleet.core.plugins.module_utils.content.store import (
    ChunkDamaged,
    ChunkMissing,
    ChunkStore,
    ManifestRef,
    StoreError,
    StoreWriter,
)
from ansible_collections.fleet.core.plugins.module_utils.zstd import Compressor

MIB = 1 << 20


def frame(data: bytes) -> bytes:
    return bytes(Compressor().compress(data))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A filesystem of 4 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={4 * MIB}", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)


def test_a_chunk_appears_when_its_batch_is_complete_and_is_read_verified(store: ChunkStore) -> None:
    name = digest(b"contents")
    with StoreWriter(store) as writer:
        assert writer.put(name, frame(b"contents")) and writer.has(name) and not store.has(name)
        assert not writer.put(name, frame(b"contents"))
        writer.flush()
        assert store.has(name)
    assert store.read(name) == b"contents" and list(store.digests()) == [name]
    assert not list((store.root / "staging").iterdir())


def test_a_writer_that_fails_leaves_nothing_unfinished(store: ChunkStore) -> None:
    with pytest.raises(RuntimeError), StoreWriter(store) as writer:
        writer.put(digest(b"x"), frame(b"x"))
        raise RuntimeError
    assert not list(store.digests()) and not list((store.root / "staging").iterdir())


def test_a_missing_chunk_and_a_damaged_one_are_told_apart(store: ChunkStore) -> None:
    with pytest.raises(ChunkMissing, match=digest(b"x").hex()):
        store.read(digest(b"x"))
    with StoreWriter(store) as writer:
        writer.put(digest(b"x"), frame(b"x"))
        writer.put(digest(b"y"), frame(b"other contents"))
    store.chunk_path(digest(b"x")).write_bytes(b"not zstd")
    for name in (digest(b"x"), digest(b"y")):
        with pytest.raises(ChunkDamaged, match="replicate it again"):
            store.read(name)


def test_what_has_no_proper_name_is_no_chunk_and_no_manifest(store: ChunkStore) -> None:
    (store.root / "chunks/sha256/ab").mkdir()
    (store.root / "chunks/sha256/ab/tmp123").touch()
    for path in ("image/room/..json", "image/-x/1.json", "song/room/1.json"):
        (store.root / "manifests" / path).parent.mkdir(parents=True, exist_ok=True)
        (store.root / "manifests" / path).touch()
    assert not list(store.digests()) and not list(store.manifests())


def test_a_version_is_never_replaced(store: ChunkStore, make_sample: Callable[..., object]) -> None:
    ref = ManifestRef("image", "debian", "1")
    store.add_manifest(ref, b"first", b"signature")
    with pytest.raises(StoreError, match="image debian 1 exists already.*another version"):
        store.add_manifest(ref, b"second", b"another signature")
    assert (store.manifest_bytes(ref), store.signature(ref)) == (b"first", b"signature")


def test_of_two_at_once_one_wins_with_its_own_signature(store: ChunkStore) -> None:
    for number in range(20):
        ref = ManifestRef("image", "room", str(number))
        start = threading.Barrier(2)
        refused: list[bytes] = []

        # pylint: disable-next=dangerous-default-value
        def add(which: bytes, ref: ManifestRef = ref, start: threading.Barrier = start, refused: list[bytes] = refused) -> None:
            start.wait()
            try:
                store.add_manifest(ref, which, which)
            except StoreError:
                refused.append(which)

        threads = [threading.Thread(target=add, args=(which,)) for which in (b"one", b"two")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(refused) == 1 and store.manifest_bytes(ref) == store.signature(ref) != refused[0]


def test_a_version_that_is_not_there_names_those_that_are(store: ChunkStore) -> None:
    store.add_manifest(ManifestRef("image", "room", "7"), b"x", None)
    with pytest.raises(StoreError, match="image room 8 is not in .*Versions there: 7"):
        store.load(ManifestRef("image", "room", "8"))
    assert store.signature(ManifestRef("image", "room", "7")) is None
    with pytest.raises(ManifestError):
        store.load(ManifestRef("image", "room", "7"))


def test_a_full_disk_says_so_with_the_remedy_and_leaves_a_sound_store(small_disk: Path) -> None:
    store = ChunkStore(small_disk / "store")
    chunks = {digest(data): frame(data) for data in (os.urandom(MIB) for _number in range(6))}
    with pytest.raises(StoreError, match="No space left on device.*content_prune"), StoreWriter(store) as writer:
        for name, data in chunks.items():
            writer.put(name, data)
            writer.flush()
    found = list(store.digests())
    assert 0 < len(found) < 6
    for name in found:
        store.read(name)
    (small_disk / "ballast").write_bytes(bytes(4 * MIB - sum(path.stat().st_size for path in small_disk.rglob("*")))[: MIB // 2])
    with pytest.raises(StoreError, match="No space left on device"):
        store.add_manifest(ManifestRef("image", "room", "1"), bytes(4 * MIB), None)
    assert not list(store.manifests())


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be written: Not a directory"):
        ChunkStore(tmp_path / "file" / "store").create()


def test_a_prune_waits_for_publications_and_says_so_in_the_end(store: ChunkStore) -> None:
    shared, said = store.lock(exclusive=False), "in use by a publication.*Run again"
    with store.lock(exclusive=False), shared, pytest.raises(StoreError, match=said), store.lock(exclusive=True, wait=0.2):
        pass
    with store.lock(exclusive=True), pytest.raises(StoreError, match="in use by a prune"), store.lock(exclusive=False, wait=0.2):
        pass


def test_given_a_careful_umask_then_the_web_server_can_read_what_is_added(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        store = ChunkStore(tmp_path / "store").create()
        store.add_manifest(ManifestRef("image", "room", "1"), b"{}", b"signature")
        with StoreWriter(store) as writer:
            writer.put(digest(b"data"), frame(b"data"))
    finally:
        os.umask(before)
    served = [path for each in ("chunks", "manifests") for path in (store.root / each).rglob("*")]
    assert len(served) == 7 and {path.stat().st_mode & 0o777 for path in served if path.is_dir()} == {0o755}
    assert {path.stat().st_mode & 0o777 for path in served if path.is_file()} == {0o644}
