# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verifying: whatever is wrong with a store is found, named, and with repair moved aside."""

from __future__ import annotations

import os

import pytest

from ansible_collections.fleet.core.plugins.module_utils.content.index import INDEX
from ansible_collections.fleet.core.plugins.module_utils.content.sink import LocalSink
from ansible_collections.fleet.core.plugins.module_utils.content.store import StoreError
from ansible_collections.fleet.core.plugins.module_utils.content.verify import Verification


@pytest.fixture
def image(store, signer, make_sample):
    made = make_sample()
    sink = LocalSink(store, signer.key)
    made.send(sink)
    sink.close()
    return made


def problems(store, signer, **more):
    verdict = Verification(store, allowed_signers=signer.allowed, **more).run()
    assert len(verdict.problems) == verdict.problem_count
    return [(problem.what, problem.where) for problem in verdict.problems]


def test_a_sound_store_is_sound(store, signer, image):
    verdict = Verification(store, allowed_signers=signer.allowed).run()
    assert verdict.sound
    assert (verdict.manifests, verdict.chunks) == (1, 5)
    assert verdict.bytes == sum(len(frame) for frame in image.frames().values())


@pytest.mark.parametrize("position", [0, 5, 20, -1])
def test_one_flipped_bit_in_a_chunk_is_found_and_moved_aside(store, signer, image, position):
    name = min(image.chunks)
    path = store.chunk_path(name)
    frame = bytearray(path.read_bytes())
    frame[position] ^= 4
    path.write_bytes(frame)
    assert problems(store, signer) == [("chunk", name.hex())]
    assert path.exists()
    verdict = Verification(store, allowed_signers=signer.allowed, repair=True).run()
    assert verdict.moved == [f"chunks/sha256/{name.hex()[:2]}/{name.hex()}.zst"]
    assert not path.exists()
    assert problems(store, signer) == [("manifest", "image debian 1")]  # it misses a chunk now, which replicate fetches


def test_a_missing_chunk_is_found(store, signer, image):
    store.chunk_path(max(image.chunks)).unlink()
    assert problems(store, signer) == [("manifest", "image debian 1")]


def test_a_chunk_that_cannot_be_read_is_found(store, signer, image):
    name = min(image.chunks)
    path = store.chunk_path(name)
    path.unlink()
    path.mkdir()
    assert ("chunk", name.hex()) in problems(store, signer)


@pytest.mark.parametrize("harm", ["altered", "truncated", "unsigned", "foreign", "renamed"])
def test_a_manifest_that_is_not_to_be_trusted_is_found_and_moved_aside(store, signer, stranger, make_sample, image, harm):
    path = store.root / "manifests" / "image" / "debian" / "1.json"
    signature = path.with_name("1.json.sig")
    where = "image debian 1"
    if harm == "altered":
        path.write_bytes(path.read_bytes().replace(b"2026", b"2025"))
    elif harm == "truncated":
        path.write_bytes(path.read_bytes()[:100])
    elif harm == "unsigned":
        signature.unlink()
    elif harm == "renamed":
        os.rename(path, path.with_name("2.json"))
        os.rename(signature, path.with_name("2.json.sig"))
        where = "image debian 2"
    else:
        from ansible_collections.fleet.core.plugins.module_utils.content.signature import sign

        signature.write_bytes(sign(path.read_bytes(), stranger.key))
    assert ("manifest", where) in problems(store, signer)
    Verification(store, allowed_signers=signer.allowed, repair=True).run()
    assert not list(store.manifests())
    assert problems(store, signer) == []


def test_without_allowed_signers_signatures_are_not_looked_at(store, image):
    (store.root / "manifests" / "image" / "debian" / "1.json.sig").unlink()
    assert Verification(store).run().sound


def test_a_list_that_lies_is_found_and_written_anew(store, signer, image):
    for content in (b"", b"{}", b'{"format":1,"manifests":[["image","other","1"]]}', b"[" * 10000):
        (store.root / INDEX).write_bytes(content)
        assert set(problems(store, signer)) == {("index", INDEX)}
    Verification(store, repair=True).run()
    assert problems(store, signer) == []


def test_a_folder_that_is_no_store_is_refused(tmp_path, signer):
    from ansible_collections.fleet.core.plugins.module_utils.content.store import ChunkStore

    with pytest.raises(StoreError, match="is not a content store"):
        Verification(ChunkStore(tmp_path)).run()
