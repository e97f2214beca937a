# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A room of stations that were restored from one image and have drifted since, each for itself, as the benchmark ``delta`` lets one drift.

The model's disk is captured; each station is a copy of it on which drift.py's ``use`` happened with dice of its own. What a station lacks
is found as a restore finds it: the chunks of the image that its disk does not hold.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.fleet.core.plugins.module_utils.content.chunk import chunk_path, digest
from ansible_collections.fleet.core.plugins.module_utils.content.manifest import Manifest, Stream
from ansible_collections.fleet.imaging.plugins.module_utils.engine.blockio import BlockFile, aligned_buffer, read_used

from . import drift, ours
from .bench import Bench
from .data import build
from .disks import LoopDisk, copy_sparse, loop_disk
from .measure import measure


@dataclass(frozen=True)
class Room:
    """What a room lacks."""

    data: Path
    """Frames of all chunks that somebody lacks, one after the other; beside it, where each lies."""
    wanted: list[Path]
    """For each station a file with the digests that it lacks."""
    lacking: list[int]
    """Bytes of these frames."""
    full: int
    """Bytes of all frames of the image."""


def drifted_room(bench: Bench, stations: int) -> Room:
    """Capture a model, let stations drift, and see what they lack."""
    disk = build(bench)
    store = bench.scratch / "drifted-store"
    measure(ours.capture(bench.scratch, disk, store, ours.Keys(bench.scratch / "keys")), log=bench.scratch / "capture.log")
    manifest = Manifest.from_bytes((store / "manifests/image" / ours.IMAGE / "1.json").read_bytes())
    stream = max(manifest.streams, key=lambda each: each.used)
    frames = {name: store / chunk_path(name) for name in manifest.digests()}
    sizes = {name: path.stat().st_size for name, path in frames.items()}
    wanted: list[Path] = []
    lacking: list[int] = []
    union: set[bytes] = set()
    for number in range(stations):
        backing = bench.scratch / "station.img"
        copy_sparse(disk.backing, backing)
        with loop_disk(backing) as station:
            drift.apply(bench, station, "use", seed=number)
            lacks = _lacks(station, stream)
        backing.unlink()
        lacking.append(sum(sizes[name] for name in lacks))
        union |= lacks
        wanted.append(bench.scratch / f"wanted{number}")
        wanted[-1].write_text("\n".join(name.hex() for name in lacks))
        bench.say(f"station {number + 1} of {stations} has drifted: it lacks {len(lacks)} of {len(sizes)} chunks")
    data, places, offset = bench.scratch / "drift.frames", {}, 0
    with data.open("wb") as file:
        for name in (chunk.digest for chunk in stream.chunks()):
            if name in union and name not in places:
                places[name] = (offset, sizes[name])
                offset += file.write(frames[name].read_bytes())
    data.with_suffix(".places").write_bytes(pickle.dumps(places))
    return Room(data, wanted, lacking, sum(sizes.values()))


def _lacks(station: LoopDisk, stream: Stream) -> set[bytes]:
    """Chunks of the model's partition that a station does not hold; those of zeros are never sent."""
    lacks = set()
    view = memoryview(aligned_buffer(stream.chunk_size))
    with BlockFile(station.partition) as file:
        for chunk in stream.chunks():
            content = view[: chunk.length]
            read_used(file, chunk.offset, chunk.slices, content)
            if digest(content) != chunk.digest and not chunk.is_zero:
                lacks.add(chunk.digest)
    return lacks
