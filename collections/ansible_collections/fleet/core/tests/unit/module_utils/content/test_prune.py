# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pruning: what nothing keeps goes, and a chunk that a remaining manifest names never does."""

from __future__ import annotations

import functools
import itertools
import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.fleet.core.plugins.module_utils.content.chunk import CHUNK_SIZE, digest
from ansible_collections.fleet.core.plugins.module_utils.content.manifest import Manifest, Stream
from ansible_collections.fleet.core.plugins.module_utils.content.prune import PruneError, Retention, prune
from ansible_collections.fleet.core.plugins.module_utils.content.sink import LocalSink
from ansible_collections.fleet.core.plugins.module_utils.content.store import ChunkStore, ManifestRef, StoreError, StoreWriter
from ansible_collections.fleet.core.plugins.module_utils.content.verify import ASIDE, Verification
from ansible_collections.fleet.core.plugins.module_utils.errors import InputError
from ansible_collections.fleet.core.plugins.module_utils.zstd import Compressor


def add(store, image, key=None):
    sink = LocalSink(store, key)
    image.send(sink)
    sink.close()
    return image


@pytest.fixture
def filled(store, make_sample):
    """Three versions of one image that share chunks, and another."""
    for version in (1, 2, 3):
        add(store, make_sample(version=str(version), seed=version, chunks=4))
    add(store, make_sample(name="other", seed=100, chunks=2))
    return store


def left(store):
    return [str(ref) for ref in store.manifests()]


def test_without_a_rule_manifests_stay_and_unreferenced_chunks_go(filled, make_sample):
    stray = make_sample(seed=500, chunks=3)
    with StoreWriter(filled) as writer:
        for name, frame in stray.frames().items():
            writer.put(name, frame)
    before = set(filled.digests())
    preview = prune(filled, Retention(), dry_run=True)
    assert set(filled.digests()) == before
    result = prune(filled, Retention())
    assert (preview.chunks, preview.bytes) == (result.chunks, result.bytes) == (3, sum(len(frame) for frame in stray.frames().values()))
    assert result.manifests == []
    assert set(filled.digests()) == before - set(stray.chunks)
    assert not prune(filled, Retention()).changed


@pytest.mark.parametrize(
    ("retention", "stays"),
    [
        (Retention(keep=["image/debian/2"]), ["image debian 2"]),
        (Retention(keep=["image/debian"]), ["image debian 1", "image debian 2", "image debian 3"]),
        (Retention(keep=["*/o*"]), ["image other 1"]),
        (Retention(last=1), ["image debian 3", "image other 1"]),
        (Retention(last=2), ["image debian 2", "image debian 3", "image other 1"]),
        (Retention(last=1, keep=["image/debian/1"]), ["image debian 1", "image debian 3", "image other 1"]),
        (Retention(days=36500), ["image debian 1", "image debian 2", "image debian 3", "image other 1"]),
        (Retention(last=0, keep=["image/other"]), ["image other 1"]),
    ],
)
def test_what_a_rule_keeps_stays(filled, retention, stays):
    prune(filled, retention)
    assert left(filled) == stays
    assert Verification(filled).run().sound


def test_days_count_from_creation(store, make_sample):
    old = make_sample(version="old")
    add(store, replace(old, manifest=replace(old.manifest, created="2020-01-01T00:00:00Z")))
    add(store, make_sample(version="new", seed=9))
    prune(store, Retention(days=3650))
    assert left(store) == ["image debian new", "image debian old"]
    prune(store, Retention(days=365))
    assert left(store) == ["image debian new"]


def test_an_emptied_store_is_refused_unless_it_is_meant(filled):
    for retention in (Retention(keep=[]), Retention(keep=["image/typo"]), Retention(last=0)):
        with pytest.raises(PruneError, match="no manifest would remain"):
            prune(filled, retention)
    assert len(left(filled)) == 4
    prune(filled, Retention(keep=[]), allow_empty=True)
    assert left(filled) == []
    assert not list(filled.digests())


def test_a_pattern_that_is_none_is_refused(filled):
    with pytest.raises(InputError, match="kind/name"):
        prune(filled, Retention(keep=["debian"]))


def test_what_cannot_be_read_may_name_any_chunk_so_nothing_goes(filled):
    (filled.root / "manifests/image/debian/1.json").write_bytes(b"{")
    before = set(filled.digests())
    with pytest.raises(StoreError, match="nothing was pruned"):
        prune(filled, Retention(last=1))
    assert set(filled.digests()) == before


def test_while_a_job_is_open_chunks_stay(filled, jobs):
    opened = jobs.open("image", "new")
    before = set(filled.digests())
    result = prune(filled, Retention(last=1), jobs=jobs)
    assert result.waits_for == [opened.job.id]
    assert result.chunks == 0
    assert set(filled.digests()) == before
    assert left(filled) == ["image debian 3", "image other 1"]
    jobs.remove(opened.job)
    assert prune(filled, Retention(), jobs=jobs).chunks > 0


def test_expired_jobs_and_leftovers_go(filled, jobs):
    expired = jobs.open("image", "new", lifetime=-1)
    (filled.root / "staging" / "writer-dead").mkdir()
    (filled.root / "staging" / "writer-dead" / "x").touch()
    (filled.root / "staging" / "tmpabc").touch()
    (filled.root / "damaged").mkdir()
    (filled.root / "damaged" / "chunks-x").touch()
    assert prune(filled, Retention(), jobs=jobs, dry_run=True).stale == 3
    result = prune(filled, Retention(), jobs=jobs)
    assert (result.jobs, result.stale, result.waits_for) == ([expired.job.id], 3, [])
    assert [path.name for path in (filled.root / "staging").iterdir()] == [".index.lock"]
    assert list(jobs.all()) == []


def test_it_waits_for_those_who_write(filled, make_sample):
    sink = LocalSink(filled)
    with pytest.raises(StoreError, match="in use by a publication or a replication"):
        prune(filled, Retention(), wait=0.2)
    sink.close()
    prune(filled, Retention(), wait=0.2)


def test_interrupted_between_any_two_removals_it_leaves_a_sound_store(filled, make_sample, tmp_path, monkeypatch):
    real = Path.unlink
    for step in itertools.count(1):
        store = ChunkStore(tmp_path / f"copy{step}")
        shutil.copytree(filled.root, store.root)
        count = itertools.count(1)

        def unlink(self, *arguments, step=step, count=count, **named):
            if next(count) == step:
                raise KeyboardInterrupt
            real(self, *arguments, **named)

        monkeypatch.setattr(Path, "unlink", unlink)
        try:
            prune(store, Retention(last=1))
        except KeyboardInterrupt:
            verdict = Verification(store).run()
            assert [problem for problem in verdict.problems if problem.what != "index"] == []
            monkeypatch.setattr(Path, "unlink", real)
            prune(store, Retention(last=1))
            assert Verification(store).run().sound
        else:
            break
    assert step > 5


@functools.lru_cache(maxsize=1)
def thirty_one_chunks() -> list[tuple[bytes, bytes]]:
    """Names and frames."""
    chunks = [bytes([number + 1]) * CHUNK_SIZE for number in range(31)]
    return [(digest(chunk), bytes(Compressor().compress(chunk))) for chunk in chunks]


@settings(max_examples=40, deadline=None)
@given(
    contents=st.lists(st.sets(st.integers(0, 30), min_size=1), min_size=1, max_size=8),
    kept=st.sets(st.integers(0, 7), min_size=1),
    last=st.one_of(st.none(), st.integers(1, 3)),
)
def test_a_chunk_that_a_remaining_manifest_names_never_goes(contents, kept, last):
    with tempfile.TemporaryDirectory() as folder:
        store = ChunkStore(Path(folder)).create()
        with StoreWriter(store) as writer:
            for name, frame in thirty_one_chunks():
                writer.put(name, frame)
        wanted = {}
        for position, numbers in enumerate(contents):
            names = [thirty_one_chunks()[number][0] for number in sorted(numbers)]
            stream = Stream("p1", len(names) * CHUNK_SIZE, ((0, len(names) * CHUNK_SIZE),), b"".join(names))
            manifest = Manifest("image", f"n{position % 3}", str(position), f"2026-01-01T00:00:{position:02}Z", (stream,))
            ref = ManifestRef("image", f"n{position % 3}", str(position))
            store.add_manifest(ref, manifest.to_bytes(), None)
            wanted[ref] = set(names)
        prune(store, Retention(keep=[f"image/*/{number}" for number in kept], last=last), allow_empty=True)
        remaining = list(store.manifests())
        assert {ref for ref in wanted if int(ref.version) in kept} <= set(remaining)
        assert set(store.digests()) == {name for ref in remaining for name in wanted[ref]}


def test_of_uploads_only_old_files_of_the_folder_itself_go(filled):
    uploads = filled.root / "uploads"
    (uploads / "deep").mkdir(parents=True)
    old = [uploads / "0000000001", uploads / "deep" / "passwd"]  # nginx makes no folders: one could become a link while we look
    for path in [*old, uploads / "0000000002"]:
        path.touch()
    for path in old:
        os.utime(path, (0, 0))
    assert prune(filled, Retention()).stale == 1
    assert sorted(path.name for path in uploads.iterdir()) == ["0000000002", "deep"] and old[1].exists()


def test_a_store_whose_manifests_were_all_moved_aside_keeps_its_chunks(filled):
    """A repair that was told of the wrong signers moves every manifest; a prune after it must not remove what they name."""
    before = set(filled.digests())
    Verification(filled, allowed_signers="", repair=True).run()
    assert not list(filled.manifests())
    with pytest.raises(PruneError, match="all of its chunks would go"):
        prune(filled, Retention())
    assert set(filled.digests()) == before and list((filled.root / ASIDE).iterdir())
    assert prune(filled, Retention(), allow_empty=True).chunks == len(before)
