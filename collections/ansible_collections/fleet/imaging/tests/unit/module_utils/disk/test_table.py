# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Partition tables: checked whatever their origin, fitted to other disks, applied exactly, with what is kept untouched."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.fleet.imaging.plugins.module_utils.disk import bootcode, sfdisk
from ansible_collections.fleet.imaging.plugins.module_utils.disk.device import Disk, DiskInUse
from ansible_collections.fleet.imaging.plugins.module_utils.disk.fit import DiskTooSmall
from ansible_collections.fleet.imaging.plugins.module_utils.disk.table import NoTable, PartitionTable, TableError
from ansible_collections.fleet.imaging.tests.unit.conftest import command

MIB = 1 << 20
GPT = """label: gpt
start=2048, size=8M, type=U, name="EFI \\x22system\\x22 \\xc3\\xa9", attrs="RequiredPartition GUID:63"
size=16M, type=L, name=root
size=4M, type=S
"""
DEBIAN_MBR = "label: dos\nsize=16M, type=83, bootable\ntype=5\nsize=4M, type=82\n"
NUMBERS_WITH_GAPS = "label: gpt\n5 : size=8M\n3 : size=8M\n40 : size=8M\n"


def entry(**changes: Any) -> dict[str, Any]:
    base = {
        "number": 1,
        "start": 2048,
        "size": 2048,
        "type": "0FC63DAF-8483-4772-8E79-3D69D8477DE4",
        "uuid": "3440228C-43AB-B640-8BAB-F1A70A0122E8",
    }
    return {**base, **changes}


def gpt(*entries: dict[str, Any], **changes: Any) -> dict[str, Any]:
    table = {
        "label": "gpt",
        "id": "2F49004C-81D8-584F-80F2-6C3F1D08B779",
        "unit": "sectors",
        "firstlba": 2048,
        "lastlba": 98270,
        "sectorsize": 512,
        "disksectors": 98304,
    }
    return {**table, "partitions": list(entries), **changes}


def dos(*entries: dict[str, Any], **changes: Any) -> dict[str, Any]:
    rows = [{"type": "83", **each} for each in entries]
    return {"label": "dos", "id": "0x3ef473c6", "unit": "sectors", "sectorsize": 512, "disksectors": 98304, "partitions": rows, **changes}


SECOND = {"number": 2, "uuid": "45F10888-CEAC-184C-B972-214C12326F1F"}
BAD = {
    "not an object": [],
    "no label": {"partitions": []},
    "label of another kind": gpt(label="sun"),
    "other units": gpt(unit="cylinders"),
    "disk id": gpt(id="x"),
    "sector size": gpt(sectorsize=1024),
    "sector size as text": gpt(sectorsize="512"),
    "partitions not a list": gpt(partitions={}),
    "too many partitions": gpt(*[entry(number=number) for number in range(1, 200)]),
    "entry not an object": gpt(*[7]),  # type: ignore[list-item]
    "no number": gpt({key: value for key, value in entry().items() if key != "number"}),
    "number 0": gpt(entry(number=0)),
    "number beyond the length": gpt(entry(number=129)),
    "number twice": gpt(entry(), entry(start=8192, uuid=SECOND["uuid"])),
    "uuid twice": gpt(entry(), entry(number=2, start=8192)),
    "overlap": gpt(entry(), entry(**SECOND, start=4095)),
    "same place": gpt(entry(), entry(**SECOND)),
    "size 0": gpt(entry(size=0)),
    "size negative": gpt(entry(size=-1)),
    "size a fraction": gpt(entry(size=1.5)),
    "size true": gpt(entry(size=True)),
    "before the first usable sector": gpt(entry(start=34)),
    "behind the last usable sector": gpt(entry(start=98000)),
    "huge": gpt(entry(size=1 << 62)),
    "beyond 64 bits": gpt(entry(size=1 << 64)),
    "first usable sector inside the table": gpt(firstlba=10),
    "last usable sector outside the disk": gpt(lastlba=98303),
    "type": gpt(entry(type="83")),
    "type with a line break": gpt(entry(type="0FC63DAF-8483-4772-8E79-3D69D8477DE4\nsize=1")),
    "uuid": gpt(entry(uuid="")),
    "name with a line break": gpt(entry(name="a\nsize=1")),
    "name too long": gpt(entry(name="x" * 37)),
    "name no text": gpt(entry(name=7)),
    "attrs with a quote": gpt(entry(attrs='x", size=1')),
    "bootable no boolean": gpt(entry(bootable="yes")),
    "table length": gpt(tablelength=0),
    "table length no number": gpt(tablelength="lots"),
    "mbr type": dos({"number": 1, "start": 2048, "size": 2048, "type": "L"}),
    "mbr uuid": dos({"number": 1, "start": 2048, "size": 2048, "uuid": "x"}),
    "mbr beyond the disk": dos({"number": 1, "start": 2048, "size": 98304}),
    "mbr sector 0": dos({"number": 1, "start": 0, "size": 2048}),
    "two extended": dos({"number": 1, "start": 2048, "size": 9, "type": "5"}, {"number": 2, "start": 4096, "size": 9, "type": "f"}),
    "logical without extended": dos({"number": 5, "start": 2048, "size": 9}),
    "logical outside extended": dos({"number": 2, "start": 4096, "size": 4096, "type": "5"}, {"number": 5, "start": 9000, "size": 2048}),
    "logical at the start of extended": dos(
        {"number": 2, "start": 4096, "size": 4096, "type": "5"}, {"number": 5, "start": 4096, "size": 9}
    ),
    "logical ones touch": dos(
        {"number": 2, "start": 4096, "size": 9000, "type": "5"},
        {"number": 5, "start": 4100, "size": 9},
        {"number": 6, "start": 4109, "size": 9},
    ),
    "extended inside extended": dos(
        {"number": 2, "start": 4096, "size": 9000, "type": "5"}, {"number": 5, "start": 4100, "size": 9, "type": "5"}
    ),
}


@pytest.mark.parametrize("document", BAD.values(), ids=BAD)
def test_a_bad_table_is_refused(document: object) -> None:
    with pytest.raises(TableError):
        PartitionTable.from_json(document)


def test_the_refusal_names_the_entry() -> None:
    with pytest.raises(TableError, match="Partitions 1 and 2 overlap at sector 4095"):
        PartitionTable.from_json(BAD["overlap"])
    with pytest.raises(TableError, match="Partition 1: sectors 98000 to 100047 are outside the usable ones, 2048 to 98270"):
        PartitionTable.from_json(BAD["behind the last usable sector"])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(), each, max_size=3),
    max_leaves=5,
)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "number": st.integers(-1, 200) | JSON,
        "node": st.from_regex(r"/dev/sda[0-9]{1,3}") | JSON,
        "start": st.integers(-1, 1 << 33) | JSON,
        "size": st.integers(-1, 1 << 33) | JSON,
        "type": st.sampled_from(["83", "5", "0FC63DAF-8483-4772-8E79-3D69D8477DE4"]) | JSON,
        "uuid": st.uuids().map(str) | JSON,
        "name": JSON,
        "attrs": JSON,
        "bootable": JSON,
    },
)
TABLES = st.fixed_dictionaries(
    {"label": st.sampled_from(["gpt", "dos"]) | JSON, "partitions": st.lists(FIELDS, max_size=6) | JSON},
    optional={
        "id": st.sampled_from(["0x3ef473c6", "2F49004C-81D8-584F-80F2-6C3F1D08B779"]) | JSON,
        "unit": st.just("sectors") | JSON,
        "sectorsize": st.sampled_from([512, 4096]) | JSON,
        "firstlba": st.integers(0, 4096) | JSON,
        "lastlba": st.integers(0, 1 << 40) | JSON,
        "tablelength": st.integers(0, 130) | JSON,
        "disksectors": st.integers(0, 1 << 34) | JSON,
    },
)


@settings(max_examples=200, deadline=None)
@given(JSON | TABLES | st.fixed_dictionaries({"partitiontable": TABLES}))
def test_any_document_is_a_table_that_can_be_written_down_or_refused(document: object) -> None:
    try:
        table = PartitionTable.from_json(document)
    except TableError:
        return
    assert PartitionTable.from_json(json.loads(json.dumps(table.as_json()))) == table
    body = sfdisk.script(table).partition("\n\n")[2]
    assert body.count("\n") == len(table.entries)  # nothing in a name or a type adds a line


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 2000), min_size=1, max_size=5), st.integers(40, 20000), st.integers(0, 4), st.booleans())
def test_a_fitted_table_is_valid_keeps_starts_and_shrinks_only_the_last(sizes: list[int], disk_mib: int, movable: int, grow: bool) -> None:
    rows, start = [], 2048
    for number, size in enumerate(sizes, 1):
        rows.append(entry(number=number, start=start, size=size * 2048, uuid=f"3440228C-43AB-B640-8BAB-F1A70A0122E{number}"))
        start += size * 2048
    model = PartitionTable.from_json(gpt(*rows, lastlba=start + 30, disksectors=start + 64))
    swaps = range(len(sizes) - movable + 1, len(sizes) + 1)
    try:
        fitted = model.fitted(disk_mib * MIB, 512, grow, movable=swaps)
    except DiskTooSmall as error:
        assert error.details["needed"] > disk_mib * MIB
        return
    last = max((number for number in range(1, len(sizes) + 1) if number not in swaps), default=0)
    for before, after in zip(model.entries, fitted.entries):
        assert after.size == before.size or (after.number == last and after.size > before.size and grow)
        assert after.start == before.start or after.number in swaps
    assert fitted.fitted(disk_mib * MIB, 512, grow, movable=swaps) == fitted


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 200), min_size=1, max_size=5), st.integers(40, 1500), st.integers(0, 4), st.booleans(), st.integers(1, 300))
def test_what_is_behind_all_others_is_as_it_was_asked_for_and_the_others_end_before_it(
    sizes: list[int], disk_mib: int, movable: int, grow: bool, behind_mib: int
) -> None:
    rows, start = [], 2048
    for number, size in enumerate(sizes, 1):
        rows.append(entry(number=number, start=start, size=size * 2048, uuid=f"3440228C-43AB-B640-8BAB-F1A70A0122E{number}"))
        start += size * 2048
    model = PartitionTable.from_json(gpt(*rows, lastlba=start + 30, disksectors=start + 64))
    swaps = range(len(sizes) - movable + 1, len(sizes) + 1)
    place = (disk_mib - behind_mib) * 2048
    if place < 2048:
        return
    behind = dataclasses.replace(model.entries[0], number=128, start=place, size=disk_mib * 2048 - 33 - place, uuid=model.id)
    minimums = dict.fromkeys(range(1, len(sizes) + 1), MIB)
    try:
        fitted = model.fitted(disk_mib * MIB, 512, grow, movable=swaps, minimums=minimums, behind=behind)
    except DiskTooSmall as error:
        assert error.details["needed"] > disk_mib * MIB
        return
    assert fitted.entry(128) == behind and all(each.end <= place for each in fitted.entries if each.number != 128)
    last = max((each for each in fitted.entries if each.number not in [*swaps, 128]), key=lambda each: each.start, default=None)
    assert not grow or last is None or disk_mib * 2048 == model.disk_sectors or place - max(each.end for each in fitted.entries[:-1]) < 2048


def table_of(disk: Disk) -> PartitionTable:
    return PartitionTable.from_disk(disk)


@pytest.mark.parametrize(
    "script", [GPT, DEBIAN_MBR, NUMBERS_WITH_GAPS, "label: gpt\nfirst-lba: 34\ntable-length: 64\nstart=34,size=2014\n"]
)
@pytest.mark.parametrize("sector_size", [512, 4096])
def test_given_a_model_when_applied_to_another_disk_then_every_identifier_is_preserved(
    script: str, sector_size: int, loop_disk: Any
) -> None:
    if sector_size == 4096:
        script = (
            script.replace("start=2048", "start=256")
            .replace("first-lba: 34", "first-lba: 6")
            .replace("start=34,size=2014", "start=6,size=250")
        )
    model = table_of(loop_disk(48 * MIB, script, sector_size=sector_size))
    station = loop_disk(48 * MIB, sector_size=sector_size)

    PartitionTable.from_json(json.loads(json.dumps(model.as_json()))).fitted(station.size, station.sector_size).apply(station)

    assert table_of(station) == model and model.matches(station)
    shown = {part.number for part in station.partitions()}  # kernels show an extended partition or not
    assert {each.number for each in model.entries if not model.is_extended(each)} <= shown


def test_names_and_attributes_are_read_as_they_are(loop_disk: Any) -> None:
    first = table_of(loop_disk(48 * MIB, GPT)).entry(1)
    assert (first.name, first.attrs) == ('EFI "system" é', "RequiredPartition GUID:63")


def test_given_a_larger_disk_then_the_last_partition_and_the_end_of_the_table_move(loop_disk: Any) -> None:
    model = table_of(loop_disk(48 * MIB, GPT))
    station = loop_disk(96 * MIB)
    fitted = model.fitted(station.size, 512)
    fitted.apply(station)
    assert fitted.entry(3).size == (4 + 48) * MIB // 512 - 2048 or fitted.entry(3).end * 512 > 94 * MIB
    assert fitted.last_lba == station.size // 512 - 34
    assert fitted.entries[:2] == model.entries[:2]
    assert model.fitted(station.size, 512, grow_last=False).entries == model.entries


def test_given_swap_behind_the_last_data_partition_then_it_slides_and_the_data_partition_grows(loop_disk: Any) -> None:
    model = table_of(loop_disk(48 * MIB, GPT))
    station = loop_disk(96 * MIB)
    fitted = model.fitted(station.size, 512, movable=[3])
    fitted.apply(station)
    assert fitted.entry(3).size == model.entry(3).size and fitted.entry(3).end * 512 > 94 * MIB
    assert fitted.entry(2).end == fitted.entry(3).start


def test_given_debians_mbr_with_logical_swap_then_the_extended_partition_slides_with_it(loop_disk: Any) -> None:
    model = table_of(loop_disk(24 * MIB, DEBIAN_MBR))
    station = loop_disk(96 * MIB)
    fitted = model.fitted(station.size, 512, movable=[5])
    fitted.apply(station)
    assert fitted.entry(1).size == model.entry(1).size + 72 * 2048
    assert fitted.entry(5).start - model.entry(5).start == fitted.entry(2).start - model.entry(2).start == 72 * 2048


def test_given_a_logical_partition_at_the_end_then_it_grows_with_its_extended_partition(loop_disk: Any) -> None:
    model = table_of(loop_disk(24 * MIB, "label: dos\nsize=4M,type=7\ntype=f\nsize=4M,type=7\nsize=8M,type=83\n"))
    station = loop_disk(48 * MIB)
    fitted = model.fitted(station.size, 512)
    fitted.apply(station)
    assert fitted.entry(2).end * 512 == station.size
    assert fitted.entry(6).size == model.entry(6).size + 24 * 2048 and fitted.entry(5) == model.entry(5)


def test_given_a_disk_of_the_same_size_then_free_space_at_its_end_is_left_as_it_is(loop_disk: Any) -> None:
    model = table_of(loop_disk(48 * MIB, "label: gpt\nsize=8M\n"))
    assert model.fitted(48 * MIB, 512) == model
    assert model.fitted(64 * MIB, 512).entry(1).size * 512 == 62 * MIB


def test_given_a_smaller_disk_then_the_last_partition_shrinks_as_far_as_its_contents_allow(loop_disk: Any) -> None:
    model = table_of(loop_disk(64 * MIB, "label: gpt\nsize=8M\nsize=40M\n"))
    fitted = model.fitted(32 * MIB, 512, minimums={2: 20 * MIB})
    assert fitted.entry(1) == model.entry(1) and 20 * MIB <= fitted.entry(2).size * 512 <= 23 * MIB
    with pytest.raises(DiskTooSmall, match=f"Partition 2 needs at least {24 * MIB} bytes") as caught:
        model.fitted(32 * MIB, 512, minimums={2: 24 * MIB})
    model.fitted(caught.value.details["needed"], 512, minimums={2: 24 * MIB})  # what it asks for is enough
    with pytest.raises(DiskTooSmall, match="Nothing was changed"):
        model.fitted(32 * MIB, 512)


def test_given_a_disk_with_other_sectors_then_it_is_refused(loop_disk: Any) -> None:
    with pytest.raises(TableError, match="sectors of 512 bytes, this disk has 4096"):
        table_of(loop_disk(48 * MIB, GPT)).fitted(48 * MIB, 4096)


def test_given_a_data_partition_to_keep_then_it_is_bit_for_bit_the_same_and_the_rest_is_the_models(loop_disk: Any) -> None:
    model = table_of(loop_disk(48 * MIB, GPT))
    station = loop_disk(96 * MIB, "label: gpt\nsize=30M\nstart=50M,size=20M,name=data\n")
    data = station.partition(2).path
    data.write_bytes(b"\x5a" * 20 * MIB)
    kept = table_of(station).entry(2)
    kept_as_4 = dataclasses.replace(kept, number=4)

    fitted = model.fitted(station.size, 512, movable=[3], keep=[kept_as_4])
    fitted.apply(station)

    assert fitted.entry(4) == kept_as_4 and fitted.entry(1) == model.entry(1) and fitted.id == model.id
    assert fitted.entry(3).end <= kept.start and fitted.entry(2).size > model.entry(2).size
    assert station.partition(4).path.read_bytes() == b"\x5a" * 20 * MIB


def test_given_a_kept_partition_where_the_model_needs_the_room_then_it_is_refused(loop_disk: Any) -> None:
    model = table_of(loop_disk(48 * MIB, GPT))
    station = loop_disk(48 * MIB, "label: gpt\nstart=5M,size=2M\n")
    kept = dataclasses.replace(table_of(station).entry(1), number=4)
    with pytest.raises(TableError, match="while keeping partition 4: Partitions 1 and 4 overlap"):
        model.fitted(station.size, 512, keep=[kept])
    with pytest.raises(TableError, match="has no partition 9"):
        table_of(station).entry(9)


def test_given_an_older_table_of_another_kind_or_a_filesystem_on_the_whole_disk_then_no_trace_is_left(loop_disk: Any) -> None:
    station = loop_disk(48 * MIB, GPT)
    mbr = table_of(loop_disk(48 * MIB, DEBIAN_MBR))
    mbr.apply(station)
    assert "gpt" not in command("wipefs", "--noheadings", "--output", "TYPE", station.path)
    command("wipefs", "--all", "--quiet", station.path)
    command("mkfs.ext4", "-q", "-F", station.path)
    table_of(loop_disk(48 * MIB, GPT)).apply(station)
    assert command("wipefs", "--noheadings", "--output", "TYPE", station.path).split() == ["gpt", "gpt", "PMBR"]
    assert "PTTYPE=gpt" in command("blkid", "--probe", "--output", "export", station.path)


def test_given_a_mounted_partition_then_no_table_is_applied(loop_disk: Any, mounted: Any) -> None:
    station = loop_disk(48 * MIB, GPT)
    command("mkfs.ext2", "-q", "-F", station.partition(2).path)
    before = table_of(station)
    with mounted(station.partition(2).path, "ext2"), pytest.raises(DiskInUse):
        table_of(loop_disk(48 * MIB, DEBIAN_MBR)).apply(station)
    assert before.matches(station)


def test_given_a_table_that_was_not_fitted_then_it_is_refused(loop_disk: Any) -> None:
    with pytest.raises(TableError, match="was not fitted"):
        table_of(loop_disk(48 * MIB, GPT)).apply(loop_disk(96 * MIB))


def test_given_sfdisk_wrote_something_else_then_it_is_not_reported_as_done(loop_disk: Any, monkeypatch: Any) -> None:
    model = table_of(loop_disk(48 * MIB, GPT))
    script = sfdisk.script
    monkeypatch.setattr(sfdisk, "script", lambda table: script(table).replace("EFI", "BAD"))
    monkeypatch.setattr(sfdisk, "_quoted", lambda name: "BAD")
    with pytest.raises(TableError, match="read back another table"):
        model.apply(loop_disk(48 * MIB))


def test_given_a_disk_without_a_table_then_that_is_what_it_says(loop_disk: Any) -> None:
    disk = loop_disk(8 * MIB)
    with pytest.raises(NoTable):
        table_of(disk)
    assert not PartitionTable.from_json(gpt()).matches(disk)


def test_boot_code_and_the_gap_behind_an_mbr_are_listed(loop_disk: Any) -> None:
    assert bootcode.ranges(table_of(loop_disk(48 * MIB, GPT))) == [(0, 440)]
    assert bootcode.ranges(table_of(loop_disk(48 * MIB, DEBIAN_MBR))) == [(0, 440), (512, MIB - 512)]
    assert bootcode.ranges(table_of(loop_disk(48 * MIB, "label: dos\nstart=63,size=4M\n"))) == [(0, 440), (512, 62 * 512)]
    assert bootcode.ranges(table_of(loop_disk(48 * MIB, "label: dos\nstart=1,size=4M\n"))) == [(0, 440)]


def test_the_diff_text_says_what_a_person_wants_to_see(loop_disk: Any) -> None:
    text = table_of(loop_disk(48 * MIB, DEBIAN_MBR)).as_text()
    assert "1: start 2048 size 32768 (16.0 MiB) type 83 bootable" in text and "label dos" in text


def test_sfdisks_own_json_is_accepted(loop_disk: Any, tmp_path: Path) -> None:
    disk = loop_disk(48 * MIB, GPT)
    document = json.loads(command("sfdisk", "--json", disk.path))
    assert PartitionTable.from_json(document, disk.size // 512) == table_of(disk)
