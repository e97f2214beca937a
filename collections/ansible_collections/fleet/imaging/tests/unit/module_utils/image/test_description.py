# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a manifest says of a disk is believed only when such a disk could exist and nothing of it would lie where it must not."""

from __future__ import annotations

import base64
import contextlib
import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.fleet.core.plugins.module_utils.content.manifest import Manifest, ManifestError
from ansible_collections.fleet.imaging.plugins.module_utils.image.description import ImageDescription

MIB = 1 << 20
GUID = "0FC63DAF-8483-4772-8E79-3D69D8477DE4"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


def stream(number: int, size: int, **changes: Any) -> dict[str, Any]:
    filesystem = {"type": "ext4", "uuid": "0b1d3f02-1111-4222-8333-444455556666", "label": "root", "size": size, "minimum_size": MIB}
    meta = {"target": "partition", "number": number, "engine": "blocks", "filesystem": {**filesystem, "block_size": 4096}}
    return {"name": f"p{number}", "size": size, "extents": [], "digests": "", "meta": {**meta, **changes}}


def document(label: str = "gpt") -> dict[str, Any]:
    """A GPT disk with two partitions, or an MBR disk with a primary and a logical one."""
    table: dict[str, Any] = {"label": label, "unit": "sectors", "sectorsize": 512}
    if label == "gpt":
        table.update(id=GUID, firstlba=2048, lastlba=65502, tablelength=128, disksectors=65536)
        uuids = [GUID[:-1] + end for end in "56"]
        rows = [{"number": n, "start": n * 8192, "size": 8192, "type": GUID, "uuid": uuids[n - 1]} for n in (1, 2)]
        numbers = (1, 2)
    else:
        table.update(id="0x1badcafe", disksectors=65536)
        rows = [
            {"number": 1, "start": 2048, "size": 8192, "type": "83"},
            {"number": 2, "start": 16384, "size": 16384, "type": "5"},
            {"number": 5, "start": 18432, "size": 8192, "type": "83"},
        ]
        numbers = (1, 5)
    bootcode = {"name": "bootcode", "size": 440, "extents": [[0, 440]], "digests": "A" * 43 + "=", "meta": {"target": "bootcode"}}
    return {
        "format": 1,
        "kind": "image",
        "name": "room",
        "version": "1",
        "created": "2026-11-21T08:30:00Z",
        "parent": None,
        "chunk_size": MIB,
        "meta": {"engine": "blocks", "disk": {"size": 32 * MIB, "sector_size": 512, "model": ""}, "table": {**table, "partitions": rows}},
        "streams": [bootcode, *(stream(number, 4 * MIB) for number in numbers)],
    }


def read(image: dict[str, Any]) -> ImageDescription:
    return ImageDescription.of(Manifest.from_bytes(json.dumps(image).encode()))


@pytest.mark.parametrize(("label", "numbers"), [("gpt", [1, 2]), ("dos", [1, 5])])
def test_a_sound_one_is_read(label: str, numbers: list[int]) -> None:
    image = read(document(label))
    assert [each.number for each in image.partitions] == numbers and image.bootcode is not None
    assert image.content(1).minimum_size == MIB and not image.content(1).is_swap
    with pytest.raises(ManifestError, match=f"no contents for partition 9; it has {numbers[0]}, {numbers[1]}"):
        image.content(9)


@settings(max_examples=400, deadline=None)
@given(st.data(), st.sampled_from(["gpt", "dos"]))
def test_whatever_value_is_another_it_is_read_or_refused_with_a_manifest_error(data: st.DataObject, label: str) -> None:
    image = document(label)
    meta, part = image["meta"], image["streams"][1]
    places = [image, meta, meta["disk"], meta["table"], meta["table"]["partitions"][0], part, part["meta"], part["meta"]["filesystem"]]
    place = data.draw(st.sampled_from(places))
    key = data.draw(st.sampled_from(sorted(place)))
    place[key] = data.draw(
        JSON | st.sampled_from([0, 1, 512, 4096, 8192, MIB, "ext4", "swap", "gpt", "dos", "files", "5", "../../x", "-x"])
    )
    with contextlib.suppress(ManifestError):
        read(image)


def change(image: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    image = copy.deepcopy(image)
    *folders, last = path.split("/")
    place: Any = image
    for folder in folders:
        place = place[int(folder) if folder.isdigit() else folder]
    place[int(last) if last.isdigit() else last] = value
    return image


@pytest.mark.parametrize(
    ("label", "path", "value", "said"),
    [
        ("gpt", "kind", "package", "is a package, not an image"),
        ("gpt", "meta/engine", "song", "unknown engine 'song'"),
        ("gpt", "meta/table", None, "not a JSON object"),
        ("gpt", "meta/table/partitions/1/start", 8192, "overlap"),
        ("gpt", "meta/table/partitions/1/start", 65000, "outside the usable"),
        ("gpt", "meta/table/partitions/0/start", 34, "outside the usable"),
        ("dos", "meta/table/partitions/0/start", 0, "outside the usable"),
        ("gpt", "streams/1/meta/number", 7, "has no partition 7"),
        ("gpt", "streams/1/meta/number", 2, "two streams for one partition"),
        ("gpt", "streams/1/meta/number", True, "does not say which partition"),
        ("gpt", "streams/1/meta/target", "disk", "does not say which partition"),
        ("dos", "streams/1/meta/number", 2, "would lie over the logical partitions"),
        ("gpt", "streams/1/size", 8 * MIB, "has 8388608 bytes, its partition 4194304"),
        ("gpt", "streams/1/meta/filesystem/type", "zfs", "unknown filesystem 'zfs'"),
        ("gpt", "streams/1/meta/filesystem/label", "--force", "not printable text"),
        ("gpt", "streams/1/meta/filesystem/uuid", "a\nb", "not printable text"),
        ("gpt", "streams/1/meta/filesystem/size", 5 * MIB, "within its partition"),
        ("gpt", "streams/1/meta/filesystem/minimum_size", -1, "within its partition"),
        ("gpt", "streams/1/meta/filesystem/minimum_size", True, "within its partition"),
    ],
)
def test_a_contradiction_is_named(label: str, path: str, value: Any, said: str) -> None:
    with pytest.raises(ManifestError, match=said):
        read(change(document(label), path, value))


@pytest.mark.parametrize(
    ("label", "extents"),
    [("gpt", [[440, 6]]), ("gpt", [[0, 512]]), ("gpt", [[512, 512]]), ("gpt", [[MIB, 4096]]), ("dos", [[440, 72]]), ("dos", [[512, MIB]])],
)
def test_boot_code_over_the_table_or_a_partition_is_refused(label: str, extents: list[list[int]]) -> None:
    image = document(label)
    chunks = len({part // MIB for start, length in extents for part in range(start, start + length, 512)} | {(sum(extents[0]) - 1) // MIB})
    image["streams"][0].update(size=4 * MIB, extents=extents, digests=base64.b64encode(bytes(32 * chunks)).decode())
    with pytest.raises(ManifestError, match="would lie over the partition table or a partition"):
        read(image)


def test_two_streams_of_boot_code_are_refused() -> None:
    image = document()
    image["streams"].append({**image["streams"][0], "name": "more"})
    with pytest.raises(ManifestError, match="two streams of boot code"):
        read(image)


def test_a_time_of_another_century_is_read_as_any_other() -> None:
    """A model whose clock was wrong makes an image that restores; nothing here depends on the time."""
    assert read(change(document(), "created", "1970-01-01T00:00:00Z")).manifest.created.startswith("1970")
    with pytest.raises(ManifestError, match="no UTC time"):
        read(change(document(), "created", "1970-01-01T00:00:00"))
