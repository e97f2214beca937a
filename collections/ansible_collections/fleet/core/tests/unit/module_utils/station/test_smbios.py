# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SMBIOS tables: read as dmidecode reads them, whatever bytes a firmware left there."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.fleet.core.plugins.module_utils.station import batteries, bios, dmi, dmidecode, hardware, memories, slots, smbios
from ansible_collections.fleet.core.plugins.module_utils.station import smbios_words as words
from ansible_collections.fleet.core.plugins.module_utils.station.row import clean

from .conftest import MakeRoot
from .smbios_tables import dump, entry_point, structure

TEXT = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=12)
LENGTHS = {
    words.BIOS: 0x1A,
    words.SYSTEM: 0x1B,
    words.BASEBOARD: 0x0F,
    words.CHASSIS: 0x15,
    words.PROCESSOR: 0x30,
    words.PORT: 9,
    words.SLOT: 0x11,
    words.MEMORY_ARRAY: 0x17,
    words.MEMORY: 0x5C,
    words.BATTERY: 0x1A,
}
# What dmidecode prints where our reader says nothing, or in other words for people.
SILENT = ("Not Specified", "<BAD INDEX>", "<OUT OF SPEC>", "Unknown", "Not Present", "Not Settable", "None")


def area(kind: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=LENGTHS[kind] - 4, max_size=LENGTHS[kind] - 4)


STRUCTURES = st.sampled_from(sorted(LENGTHS)).flatmap(lambda kind: st.tuples(st.just(kind), area(kind), st.lists(TEXT, max_size=10)))


@pytest.mark.skipif(not shutil.which("dmidecode"), reason="dmidecode is not installed")
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STRUCTURES, min_size=1, max_size=6))
def test_every_field_is_read_as_dmidecode_reads_it(tmp_path: Path, parts: list[tuple[int, bytes, list[str]]]) -> None:
    table = b"".join(structure(kind, number, data, strings) for number, (kind, data, strings) in enumerate(parts))
    table += structure(words.END_OF_TABLE, 0xFFFE, b"", [])
    file = dump(tmp_path / "dump", table)
    printed = subprocess.run(["dmidecode", "--from-dump", file], capture_output=True, check=True).stdout.decode("latin-1")
    theirs, ours = dmidecode.structures(printed), smbios.structures(table, (3, 3))
    assert [(each.type, each.handle) for each in ours] == [(each.type, each.handle) for each in theirs]
    for mine, other in zip(ours, theirs):
        for name, value in mine.fields.items():
            compare(mine, name, value, other.get(name))
        for name in other.fields.keys() & {name for name, _read in smbios._FIELDS.get(mine.type, ())} - mine.fields.keys():
            assert other.get(name).startswith(SILENT) or is_of_its_time(mine.type, name), (mine.type, name, other.get(name))


def compare(mine: smbios.Structure, name: str, value: str, theirs: str) -> None:
    """Compare a field; sizes are compared as sizes, and words that dmidecode learned after version 3.4 are not compared."""
    if name in ("Size", "Maximum Capacity") and dmi.mebibytes(value):
        assert dmi.mebibytes(theirs) == dmi.mebibytes(value)
    elif theirs in ("", "<OUT OF SPEC>", "Unknown", "Not Specified"):
        assert is_of_its_time(mine.type, name) or value in ("Unknown", "0x0000"), (mine.type, name, value, theirs)
    elif mine.type == words.SLOT and name == "Type":
        assert theirs.endswith(value) or is_of_its_time(mine.type, name)
    elif name == "Design Capacity" and theirs == "0 mWh":
        assert value != theirs  # a multiplier of 0 was never filled in
    elif name == "Design Capacity" or not is_of_its_time(mine.type, name):
        assert value == theirs, (mine.type, name)


def is_of_its_time(kind: int, name: str) -> bool:
    """Whether versions of dmidecode differ in this field, by new words or by whether they print it at all."""
    return (kind, name) in {
        (words.SLOT, "Type"),
        (words.SLOT, "Data Bus Width"),
        (words.SLOT, "Current Usage"),
        (words.MEMORY, "Form Factor"),
        (words.MEMORY, "Type"),
        (words.MEMORY, "Size"),
        (words.PORT, "External Connector Type"),
        (words.PORT, "Internal Connector Type"),
        (words.PORT, "Port Type"),
        (words.BATTERY, "Chemistry"),
        (words.BATTERY, "SBDS Manufacture Date"),
        (words.BATTERY, "SBDS Chemistry"),
        (words.PROCESSOR, "Status"),
        (words.PROCESSOR, "ID"),
        (words.BASEBOARD, "Type"),
        (words.CHASSIS, "Type"),
    }


@given(st.binary(max_size=600))
def test_hostile_bytes_never_fail(data: bytes) -> None:
    for each in smbios.structures(data, smbios.entry_version(data)):
        assert all(isinstance(value, str) and value for value in each.fields.values())


@given(STRUCTURES, st.data())
def test_a_table_that_ends_anywhere_never_fails(part: tuple[int, bytes, list[str]], data: st.DataObject) -> None:
    whole = structure(part[0], 1, part[1], part[2]) * 2
    cut = data.draw(st.integers(0, len(whole)))
    assert len(smbios.structures(whole[:cut])) <= 2


@given(st.text(max_size=400))
def test_text_that_is_not_of_dmidecode_gives_nothing(text: str) -> None:
    assert dmidecode.structures(text) == [] or "DMI type" in text


@pytest.mark.parametrize(
    ("version", "expected"),
    [((2, 4), "00112233-4455-6677-8899-aabbccddeeff"), ((2, 6), "33221100-5544-7766-8899-aabbccddeeff")],
)
def test_the_uuids_order_of_bytes_is_that_of_the_version(version: tuple[int, int], expected: str) -> None:
    table = structure(words.SYSTEM, 1, bytes(4) + bytes.fromhex("00112233445566778899aabbccddeeff") + b"\0\0\0", [])
    (system,) = smbios.structures(table, version)
    assert system.get("UUID") == expected


def test_a_module_larger_than_a_word_and_a_small_one() -> None:
    def module(size: int, extended: int = 0) -> str:
        area = bytes(8) + size.to_bytes(2, "little") + bytes(14) + extended.to_bytes(4, "little") + bytes(60)
        (found,) = smbios.structures(structure(words.MEMORY, 1, area, []))
        return found.get("Size")

    assert dmi.mebibytes(module(0x7FFF, 65536)) == 65536
    assert dmi.mebibytes(module(8192)) == 8192
    assert dmi.mebibytes(module(0x8000 | 2048)) == 2
    assert module(0) == "No Module Installed"
    assert module(0xFFFF) == ""


def test_a_machine_is_described_by_the_tables_of_its_kernel(make_root: MakeRoot) -> None:
    module = bytearray(0x58)
    module[0x00:2] = (0x10).to_bytes(2, "little")
    module[0x08:0x0A] = (8192).to_bytes(2, "little")
    module[0x0A], module[0x0C], module[0x0D], module[0x0E] = 13, 1, 2, 26
    module[0x11:0x13] = (2666).to_bytes(2, "little")
    module[0x13], module[0x14], module[0x16] = 3, 4, 5
    table = (
        structure(words.BIOS, 0, b"\1\2\0\0\3" + bytes(13), ["Maker", "1.2", "01/02/2026"])
        + structure(words.SYSTEM, 1, b"\1\2\3\4" + bytes(range(16)) + b"\6\5\0", ["Dell Inc.", "OptiPlex", "x", "SER1", "SKU5"])
        + structure(words.CHASSIS, 3, b"\1\x83\0\2\0" + bytes(8), ["Dell Inc.", "Default string"])
        + structure(words.MEMORY_ARRAY, 0x10, b"\3\3\6" + bytes(16), [])
        + structure(words.MEMORY, 0x11, bytes(module), ["DIMM A", "BANK 0", "80AD000080AD", "S123", "HMA82GS6"])
        + structure(words.END_OF_TABLE, 0x7F, b"", [])
    )
    root = make_root({"/sys/firmware/dmi/tables/DMI": table, "/sys/firmware/dmi/tables/smbios_entry_point": entry_point(len(table))})
    (about,) = clean("bios", bios.collect(root))
    assert about == {
        "bmanufacturer": "Maker",
        "bversion": "1.2",
        "bdate": "01/02/2026",
        "smanufacturer": "Dell Inc.",
        "smodel": "OptiPlex",
        "ssn": "SER1",
        "skunumber": "SKU5",
        "secure_boot": "unsupported",
    }
    (machine,) = clean("hardware", hardware.collect(root))
    assert (machine["uuid"], machine["chassis_type"]) == ("03020100-0504-0706-0809-0A0B0C0D0E0F", "Desktop")
    (memory,) = clean("memories", memories.collect(root))
    assert memory == {
        "numslots": 1,
        "caption": "DIMM A",
        "description": "BANK 0",
        "capacity": 8192,
        "type": "DDR4",
        "speed": "2666 MT/s",
        "formfactor": "SODIMM",
        "manufacturer": "SK Hynix",
        "serialnumber": "S123",
        "model": "HMA82GS6",
        "memorycorrection": "Multi-bit ECC",
        "purpose": "System Memory",
    }


def test_without_tables_the_files_that_everybody_may_read_are_used(make_root: MakeRoot) -> None:
    root = make_root(
        {f"{dmi.IDS}/{name}": text for name, text in [("sys_vendor", "LENOVO\n"), ("chassis_type", "10\n"), ("board_name", "")]}
    )
    assert bios.collect(root)[0]["smanufacturer"] == "LENOVO"
    assert hardware.collect(root)[0]["chassis_type"] == "Notebook"


def test_a_machine_without_smbios_has_no_bios(make_root: MakeRoot) -> None:
    assert bios.collect(make_root()) == []
    assert memories.collect(make_root()) == []


EXPECTED = {
    "Desktop-Dell": {"model": "OptiPlex 3050", "chassis": "Desktop", "memory": [8192, 8192], "type": "DDR4", "slots": 1, "batteries": []},
    "Notebook-Lenovo": {
        "model": "21M3CTO1WW",
        "chassis": "Notebook",
        "memory": [8192, 8192],
        "type": "DDR5",
        "slots": 1,
        "batteries": [("L23D3PG2", 57000, 11310, "2024-10-07")],
    },
    "Mini-Pc-Hewlett-Packard": {
        "model": "HP EliteDesk 800 G6 Desktop Mini PC",
        "chassis": "Mini PC",
        "memory": [16384, 16384],
        "type": "DDR4",
        "slots": 4,
        "batteries": [],
    },
}


@pytest.mark.parametrize("name", EXPECTED)
def test_real_machines(test_data: Path, make_root: MakeRoot, name: str) -> None:
    (file,) = (test_data / "hardware/dmi").glob(f"{name}-*.txt")
    root, expected = make_root(tools={"dmidecode": file.read_text()}), EXPECTED[name]
    modules = clean("memories", memories.collect(root))
    assert bios.collect(root)[0]["smodel"] == expected["model"]
    assert hardware.collect(root)[0]["chassis_type"] == expected["chassis"]
    assert [module["capacity"] for module in modules] == expected["memory"]
    assert {module["type"] for module in modules} == {expected["type"]}
    assert all(str(module["speed"]).endswith(" MT/s") for module in modules)
    assert len(slots.slots(root)) == expected["slots"]
    assert "USB" in {port["type"] for port in slots.ports(root)}
    found = [(each["name"], each["capacity"], each["voltage"], each["date"]) for each in batteries.collect(root)]
    assert found == expected["batteries"]
    for row in [*bios.collect(root), *modules]:
        assert "--" not in row.values(), "the owners' serial numbers were blanked, and a blank is no serial number"
