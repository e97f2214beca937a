# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manifests: what an image or a package consists of.

A manifest is JSON. Its canonical bytes (sorted keys, no spaces, ASCII, one line) are what is signed and stored. It comes from the
network or from a station, so from_bytes trusts nothing: whatever is wrong raises ManifestError, and never another exception.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from ..errors import InputError
from .chunk import CHUNK_SIZE, DIGEST_SIZE, Chunk

FORMAT = 1
KINDS = ("image", "package")
SIZE_LIMIT = 1 << 30
"""Bytes a manifest may have: 37 KB for each GB in use leaves room for 20 TB."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_CREATED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_STREAM_SIZE_LIMIT = 1 << 60
_CHUNK_SIZES = tuple(1 << power for power in range(17, 23))

Extent = tuple[int, int]
"""Used (offset, length) in bytes."""


class ManifestError(InputError):
    """A manifest is truncated, malformed or contradicts itself."""


@dataclass(frozen=True)
class Stream:
    """A sequence of bytes, of which some are in use: a partition, a gap that matters, or a file of a package."""

    name: str
    size: int
    """Bytes."""
    extents: tuple[Extent, ...]
    """In use: sorted, disjoint, within size."""
    digests: bytes
    """32 bytes for each chunk that an extent touches, in the order of the chunks."""
    meta: Mapping[str, Any] = field(default_factory=dict)
    """What the engine that made the stream wants to know when it writes it; a JSON object."""
    chunk_size: int = CHUNK_SIZE

    def chunks(self) -> Iterator[Chunk]:
        """The chunks in use, in order."""
        for number, (index, slices) in enumerate(chunk_slices(self.extents, self.chunk_size)):
            offset = index * self.chunk_size
            name = self.digests[number * DIGEST_SIZE : (number + 1) * DIGEST_SIZE]
            yield Chunk(index, offset, min(self.chunk_size, self.size - offset), name, slices)

    @property
    def used(self) -> int:
        """Bytes in use."""
        return sum(length for _offset, length in self.extents)


@dataclass(frozen=True)
class Manifest:
    """What an image or a package consists of, and where it comes from."""

    kind: str
    name: str
    version: str
    created: str
    """UTC, as 2026-11-21T08:30:00Z."""
    streams: tuple[Stream, ...]
    parent: Optional[str] = None
    """The version this one was captured over, or None."""
    chunk_size: int = CHUNK_SIZE
    meta: Mapping[str, Any] = field(default_factory=dict)

    def digests(self) -> set[bytes]:
        """The distinct chunks that a store must hold: all but those of zeros only."""
        return {chunk.digest for stream in self.streams for chunk in stream.chunks() if not chunk.is_zero}

    @property
    def used(self) -> int:
        """Bytes in use in all streams."""
        return sum(stream.used for stream in self.streams)

    def to_bytes(self) -> bytes:
        """The canonical bytes."""
        document = {
            "format": FORMAT,
            "kind": self.kind,
            "name": self.name,
            "version": self.version,
            "created": self.created,
            "parent": self.parent,
            "chunk_size": self.chunk_size,
            "meta": self.meta,
            "streams": [
                {
                    "name": stream.name,
                    "size": stream.size,
                    "extents": [list(extent) for extent in stream.extents],
                    "digests": base64.b64encode(stream.digests).decode(),
                    "meta": stream.meta,
                }
                for stream in self.streams
            ],
        }
        return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode() + b"\n"

    @classmethod
    def from_bytes(cls, data: bytes) -> Manifest:
        """Read a manifest; ManifestError when anything at all is wrong with it."""
        if len(data) > SIZE_LIMIT:
            raise ManifestError(f"the manifest has {len(data)} bytes, more than {SIZE_LIMIT}")
        try:
            document = json.loads(data, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise ManifestError(f"the manifest is truncated or not JSON: {error}", remedy="Fetch it again or verify the store") from error
        return _manifest(document)


def check_name(text: Any, what: str = "name") -> str:
    """A name or version that is safe as a file name and in a URL; ManifestError otherwise."""
    if not isinstance(text, str) or not _NAME.fullmatch(text) or ".." in text:
        raise ManifestError(
            f"{what} {text!r:.80} is not acceptable",
            remedy="Use 1 to 64 letters, digits, dots, dashes and underscores, beginning with a letter or digit, without two dots in a row",
        )
    return text


def merge_extents(extents: Iterable[Extent]) -> tuple[Extent, ...]:
    """Sorted, disjoint extents that cover the same bytes."""
    merged: list[Extent] = []
    for offset, length in sorted(extents):
        if length <= 0:
            continue
        if merged and offset <= merged[-1][0] + merged[-1][1]:
            start, before = merged[-1]
            merged[-1] = (start, max(before, offset + length - start))
        else:
            merged.append((offset, length))
    return tuple(merged)


def chunk_slices(extents: Iterable[Extent], chunk_size: int = CHUNK_SIZE) -> Iterator[tuple[int, tuple[Extent, ...]]]:
    """For each chunk that an extent touches: its index and its used (offset in the chunk, length)."""
    current = -1
    slices: list[Extent] = []
    for start, length in extents:
        while length:
            index, inside = divmod(start, chunk_size)
            part = min(length, chunk_size - inside)
            if index != current:
                if slices:
                    yield current, tuple(slices)
                current, slices = index, []
            slices.append((inside, part))
            start, length = start + part, length - part
    if slices:
        yield current, tuple(slices)


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


def _manifest(document: Any) -> Manifest:
    header = _object(document, "the manifest")
    if header.get("format") != FORMAT or isinstance(header["format"], (bool, float)):
        raise ManifestError(
            f"format {header.get('format')!r:.40} is unknown; this Fleet reads format {FORMAT}", remedy="Upgrade Fleet on this host"
        )
    if header.get("kind") not in KINDS:
        raise ManifestError(f"kind {header.get('kind')!r:.40} is unknown")
    parent = header.get("parent")
    created = header.get("created")
    if not isinstance(created, str) or not _CREATED.fullmatch(created):
        raise ManifestError(f"created {created!r:.40} is no UTC time")
    chunk_size = header.get("chunk_size")
    if not isinstance(chunk_size, int) or chunk_size not in _CHUNK_SIZES:
        raise ManifestError(f"chunk size {chunk_size!r:.40} is not a power of two from 128 KiB to 4 MiB")
    streams = header.get("streams")
    if not isinstance(streams, list):
        raise ManifestError("streams is not a list")
    parsed = tuple(_stream(entry, chunk_size) for entry in streams)
    if len({stream.name for stream in parsed}) != len(parsed):
        raise ManifestError("two streams have the same name")
    return Manifest(
        kind=header["kind"],
        name=check_name(header.get("name")),
        version=check_name(header.get("version"), "version"),
        created=created,
        parent=None if parent is None else check_name(parent, "parent"),
        chunk_size=chunk_size,
        streams=parsed,
        meta=_object(header.get("meta"), "meta"),
    )


def _stream(entry: Any, chunk_size: int) -> Stream:
    fields = _object(entry, "a stream")
    name = fields.get("name")
    if not isinstance(name, str) or not 0 < len(name) <= 4096 or "\0" in name or name.startswith("/") or ".." in name.split("/"):
        raise ManifestError(f"stream name {name!r:.80} is not acceptable")
    size = _number(fields.get("size"), _STREAM_SIZE_LIMIT, f"size of stream {name}")
    extents = fields.get("extents")
    if not isinstance(extents, list):
        raise ManifestError(f"extents of stream {name} are not a list")
    end, checked = 0, []
    for extent in extents:
        if not isinstance(extent, list) or len(extent) != 2:
            raise ManifestError(f"an extent of stream {name} is not a pair")
        offset, length = (_number(value, size, f"extent of stream {name}") for value in extent)
        if offset < end or length == 0 or offset + length > size:
            raise ManifestError(f"extent {offset}+{length} of stream {name} overlaps, is empty or lies outside its {size} bytes")
        end = offset + length
        checked.append((offset, length))
    digests = _digests(fields.get("digests"), name)
    count = sum(1 for _chunk in chunk_slices(checked, chunk_size)) if _plausible(checked, chunk_size, len(digests)) else -1
    if len(digests) != count * DIGEST_SIZE:
        raise ManifestError(f"stream {name} has {len(digests) // DIGEST_SIZE} digests for another number of chunks in use")
    return Stream(name, size, tuple(checked), digests, _object(fields.get("meta"), f"meta of stream {name}"), chunk_size)


def _plausible(extents: list[Extent], chunk_size: int, digest_bytes: int) -> bool:
    """Whether so few digests can cover so many bytes: a hostile manifest must not make us count to 2^40."""
    return sum(length for _offset, length in extents) // chunk_size <= digest_bytes // DIGEST_SIZE + 1


def _digests(text: Any, name: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (TypeError, ValueError, binascii.Error) as error:
        raise ManifestError(f"digests of stream {name} are not base64") from error


def _number(value: Any, limit: int, what: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= limit:
        raise ManifestError(f"{what} is {value!r:.40}, not a whole number up to {limit}")
    return value


def _object(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ManifestError(f"{what} is not an object")
    return value
