# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EDIDs: of real monitors as edid-decode reads them, and of bytes that are none."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fleet.core.plugins.module_utils.errors import InputError
from ansible_collections.fleet.core.plugins.module_utils.station import monitors
from ansible_collections.fleet.core.plugins.module_utils.station.edid import BLOCK, HEADER, Edid

from .conftest import HEX_LINE, MakeRoot


def signed(data: bytes) -> bytes:
    """Return 128 bytes with a checksum that fits."""
    return data[: BLOCK - 1] + bytes([-sum(data[: BLOCK - 1]) % 256])


def panel(**places: bytes) -> bytes:
    """Return the EDID of a notebook's panel, which has no serial number, and its name in two texts."""
    data = bytearray(HEADER.ljust(BLOCK, b"\0"))
    data[8:18] = b"\x0d\xae" + b"\x35\x13" + bytes(4) + bytes([11, 23])
    data[20:23] = b"\x95\x1d\x11"
    data[54:72] = bytes.fromhex("da1d56e250002030442d470025a510000018")
    data[72:90] = b"\0\0\0\xfe\0" + b"N133BGE-EAA\n "
    data[90:108] = b"\0\0\0\xfe\0" + b"CMN\n         "
    data[108:126] = b"\0\0\0\xfe\0" + b"N133BGE-EAA\n "
    for place, value in places.items():
        start = int(place[1:])
        data[start : start + len(value)] = value
    return signed(bytes(data))


def test_a_panel_is_named_by_its_text() -> None:
    edid = Edid.parse(panel())
    assert (edid.manufacturer, edid.name, edid.serial, edid.year, edid.week) == ("CMN", "N133BGE-EAA", "", 2013, 11)
    assert (edid.resolution, edid.width, edid.height, edid.inches) == ("1366x768", 293, 165, "13.2")


def test_a_year_without_a_week_is_that_of_the_model() -> None:
    assert (Edid.parse(panel(_16=b"\xff\x20")).week, Edid.parse(panel(_16=b"\xff\x20")).year) == (0, 2022)
    assert monitors.describe(panel(_16=b"\xff\x20"))["description"] == "2022"


def test_a_projector_has_no_size() -> None:
    edid = Edid.parse(panel(_21=b"\0\0", _66=b"\x10\x09\0"))
    assert (edid.width, edid.height, edid.inches) == (0, 0, "")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "has at least 128 bytes"),
        (panel()[:127], "this one has 127"),
        (bytes(128), "does not begin"),
        (panel()[:-1] + b"\xff", "checksum"),
    ],
    ids=["empty", "cut", "zeros", "damaged"],
)
def test_what_is_no_edid_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Edid.parse(data)


@given(st.binary(min_size=BLOCK - 9, max_size=400))
def test_hostile_bytes_never_fail(data: bytes) -> None:
    whole = HEADER + data
    edid = Edid.parse(signed(whole) + whole[BLOCK:])
    assert re.fullmatch(r"[A-Z]{3}|", edid.manufacturer)
    assert re.fullmatch(r"(\d+x\d+)?", edid.resolution)
    assert all(text.isprintable() for text in (edid.name, edid.serial))
    row = monitors.describe(signed(whole))
    assert base64.b64decode(str(row["base64"])) == signed(whole)


@given(st.binary(max_size=300))
def test_other_bytes_are_refused_with_a_reason(data: bytes) -> None:
    assert monitors.describe(data)["description"]


def test_connected_monitors_are_found_and_damaged_ones_told(make_root: MakeRoot) -> None:
    folder = monitors.CONNECTORS
    root = make_root(
        {f"{folder}/card0-eDP-1/edid": panel(), f"{folder}/card0-DP-1/edid": b"", f"{folder}/card0-HDMI-A-1/edid": b"\1" * 128}
    )
    damaged, good = monitors.collect(root)
    assert (good["port"], good["manufacturer"], good["model"]) == ("eDP-1", "Chimei Innolux", "CMN1335")
    assert damaged["port"] == "HDMI-A-1"
    assert "no EDID" in str(damaged["description"])


@pytest.mark.parametrize("name", ["DEL413A", "AOC2702", "AOC2267"])
def test_real_monitors_are_read_as_edid_decode_reads_them(test_data: Path, name: str) -> None:
    (file,) = (test_data / "hardware/edid").glob(f"*-{name}-*.txt")
    text = file.read_text()
    edid = Edid.parse(bytes.fromhex("".join(HEX_LINE.findall(text))))

    def told(pattern: str) -> tuple[str, ...]:
        found = re.search(pattern, text)
        assert found
        return found.groups()

    assert (edid.manufacturer, str(edid.product)) == told(r"Manufacturer: (\w+)\n\s+Model: (\d+)")
    assert (str(edid.week), str(edid.year)) == told(r"Made in: week (\d+) of (\d+)")
    assert (edid.name,) == told(r"Display Product Name: '(.*)'")
    assert (edid.resolution, str(edid.width), str(edid.height)) == told(r"DTD 1:\s+(\d+x\d+).*\((\d+) mm x (\d+) mm\)")
    assert f"{edid.manufacturer}{edid.product:04X}" == name
    assert re.fullmatch("[0-9A-Z]{12,13}", edid.serial)
