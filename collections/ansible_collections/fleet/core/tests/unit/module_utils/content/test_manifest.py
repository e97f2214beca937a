# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manifests come from the network: whatever they are, they are understood exactly or refused with a ManifestError."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.fleet.core.plugins.module_utils.content.chunk import CHUNK_SIZE, zero_digest
from ansible_collections.fleet.core.plugins.module_utils.content.manifest import (
    Manifest,
    ManifestError,
    Stream,
    check_name,
    chunk_slices,
    merge_extents,
)

NAMES = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9_-]|\.(?!\.)){0,20}", fullmatch=True).filter(lambda text: ".." not in text)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
META = st.dictionaries(st.text(max_size=10), st.none() | st.booleans() | st.integers() | st.text(max_size=10), max_size=3)


@st.composite
def streams(draw: Any, name: str) -> Stream:
    size = draw(st.integers(0, 40 * CHUNK_SIZE))
    marks = sorted(draw(st.sets(st.integers(0, size), max_size=8)))
    extents = merge_extents((start, end - start) for start, end in zip(marks[::2], marks[1::2]))
    count = sum(1 for _chunk in chunk_slices(extents))
    seed = draw(st.binary(min_size=1, max_size=32))
    return Stream(name, size, extents, (seed * 32)[:32] * count, draw(META))


@st.composite
def manifests(draw: Any) -> Manifest:
    return Manifest(
        kind=draw(st.sampled_from(["image", "package"])),
        name=draw(NAMES),
        version=draw(NAMES),
        created="2026-11-21T08:30:00Z",
        parent=draw(st.none() | NAMES),
        streams=tuple(draw(streams(f"s{number}")) for number in range(draw(st.integers(0, 3)))),
        meta=draw(META),
    )


@given(manifests())
def test_a_manifest_is_read_as_it_was_written(manifest: Manifest) -> None:
    data = manifest.to_bytes()
    again = Manifest.from_bytes(data)
    assert again == manifest and again.to_bytes() == data
    for stream in again.streams:
        chunks = list(stream.chunks())
        assert sum(chunk.used for chunk in chunks) == stream.used
        assert all(chunk.offset + chunk.length <= stream.size and chunk.offset % CHUNK_SIZE == 0 for chunk in chunks)


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_with_a_manifest_error(data: bytes) -> None:
    with pytest.raises(ManifestError):
        Manifest.from_bytes(data)


@given(JSON)
def test_any_json_is_refused_with_a_manifest_error(document: Any) -> None:
    with pytest.raises(ManifestError):
        Manifest.from_bytes(json.dumps(document).encode())


SAMPLE = Manifest(
    "image",
    "room",
    "1",
    "2026-11-21T08:30:00Z",
    (Stream("p1", 3 * CHUNK_SIZE, ((0, 512), (CHUNK_SIZE, 100)), bytes(range(64)), {"number": 1}),),
    meta={"engine": "blocks"},
).to_bytes()


@settings(max_examples=300)
@given(st.data())
def test_a_manifest_of_which_one_value_is_another_is_refused_or_sound(data: st.DataObject) -> None:
    document = json.loads(SAMPLE)
    part = data.draw(st.sampled_from([document, document["streams"][0]]))
    part[data.draw(st.sampled_from(sorted(part)))] = data.draw(JSON)
    try:
        manifest = Manifest.from_bytes(json.dumps(document).encode())
    except ManifestError:
        return
    assert Manifest.from_bytes(manifest.to_bytes()) == manifest
    assert all(isinstance(chunk.offset, int) for stream in manifest.streams for chunk in stream.chunks())


@given(st.integers(0, len(SAMPLE) - 2))
def test_a_truncated_manifest_is_refused(length: int) -> None:
    with pytest.raises(ManifestError):
        Manifest.from_bytes(SAMPLE[:length])


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("format", 2, "format 2 is unknown.*Upgrade"),
        ("format", True, "format True is unknown"),
        ("kind", "song", "kind 'song' is unknown"),
        ("kind", ["image"], "is unknown"),
        ("name", "../../etc/passwd", "name '../../etc/passwd' is not acceptable"),
        ("version", "a/b", "version 'a/b' is not acceptable"),
        ("version", "1\n", "is not acceptable"),
        ("version", "a..b", "is not acceptable"),
        ("parent", "..", "parent '..' is not acceptable"),
        ("created", "yesterday", "no UTC time"),
        ("created", "2026-11-21T08:30:00+01:00", "no UTC time"),
        ("created", 1763713800, "no UTC time"),
        ("chunk_size", 1048576.0, "chunk size 1048576.0"),
        ("chunk_size", 1000, "chunk size 1000"),
        ("chunk_size", 0, "chunk size 0"),
        ("chunk_size", 1 << 40, "chunk size 1099511627776"),
        ("streams", {}, "streams is not a list"),
        ("meta", [], "meta is not an object"),
    ],
)
def test_a_header_that_is_not_right_is_named(key: str, value: object, said: str) -> None:
    document = {**json.loads(SAMPLE), key: value}
    with pytest.raises(ManifestError, match=said):
        Manifest.from_bytes(json.dumps(document).encode())


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("name", "/etc/passwd", "not acceptable"),
        ("name", "a/../../b", "not acceptable"),
        ("name", "a\0b", "not acceptable"),
        ("name", "", "not acceptable"),
        ("size", -1, "not a whole number"),
        ("size", True, "not a whole number"),
        ("size", 1 << 70, "not a whole number"),
        ("size", 100, "not a whole number up to 100"),
        ("extents", [[0, 512], [2 * CHUNK_SIZE, 2 * CHUNK_SIZE]], "lies outside its 3145728 bytes"),
        ("extents", [[0, 512], [100, 512]], "overlaps"),
        ("extents", [[CHUNK_SIZE, 100], [0, 512]], "overlaps"),
        ("extents", [[0, 0]], "is empty"),
        ("extents", [[0]], "not a pair"),
        ("extents", [[0, 1 << 62]], "not a whole number"),
        ("extents", [[0, 512]], "digests for another number"),
        ("digests", "AAAA", "digests for another number"),
        ("digests", "!!!!", "not base64"),
        ("digests", None, "not base64"),
    ],
)
def test_a_stream_that_is_not_right_is_named(key: str, value: object, said: str) -> None:
    document = json.loads(SAMPLE)
    document["streams"][0][key] = value
    with pytest.raises(ManifestError, match=said):
        Manifest.from_bytes(json.dumps(document).encode())


def test_a_stream_of_an_exbibyte_with_two_digests_is_refused_at_once() -> None:
    document = json.loads(SAMPLE)
    document["streams"][0].update(size=1 << 60, extents=[[0, 1 << 60]])
    with pytest.raises(ManifestError, match="digests for another number"):
        Manifest.from_bytes(json.dumps(document).encode())


def test_two_streams_of_one_name_are_refused() -> None:
    document = json.loads(SAMPLE)
    document["streams"] *= 2
    with pytest.raises(ManifestError, match="two streams have the same name"):
        Manifest.from_bytes(json.dumps(document).encode())


def test_deeply_nested_json_is_refused() -> None:
    with pytest.raises(ManifestError):
        Manifest.from_bytes(b"[" * 100_000)


def test_chunks_of_zeros_need_not_be_in_a_store() -> None:
    stream = Stream("p1", 2 * CHUNK_SIZE, ((0, 2 * CHUNK_SIZE),), zero_digest(CHUNK_SIZE) + bytes(32))
    assert Manifest("image", "a", "1", "2026-11-21T08:30:00Z", (stream,)).digests() == {bytes(32)}


@given(st.text(max_size=80))
def test_an_accepted_name_is_one_safe_path_component(text: str) -> None:
    try:
        check_name(text)
    except ManifestError:
        return
    assert text not in (".", "..") and not set(text) & set("/\\\0\n ") and not text.startswith((".", "-"))


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(-3, 40)), max_size=12))
def test_merged_extents_cover_the_same_bytes_and_are_sorted_and_disjoint(extents: list[tuple[int, int]]) -> None:
    merged = merge_extents(extents)
    covered = {byte for offset, length in extents for byte in range(offset, offset + max(length, 0))}
    assert [byte for offset, length in merged for byte in range(offset, offset + length)] == sorted(covered)
    slices = [(index * 16 + start, length) for index, parts in chunk_slices(merged, 16) for start, length in parts]
    assert [byte for offset, length in slices for byte in range(offset, offset + length)] == sorted(covered)
