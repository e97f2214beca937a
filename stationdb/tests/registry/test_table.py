# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stations as a table: out, into a spreadsheet, and in again."""

from __future__ import annotations

import csv
import io

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from stationdb.accounts.perimeter import Perimeter
from stationdb.accounts.rights import Right
from stationdb.content.models import Image
from stationdb.errors import Faulty
from stationdb.registry.models import Group, MacAddress, Site, Station
from stationdb.registry.table import COLUMNS, export, harmless, original
from stationdb.registry.tableimport import ImportPlan

EVERYTHING = Perimeter.everything()
NASTY = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "'=1",
    "''=1",
    "'quoted'",
    "a=b",
    'say "no"',
    "a;b,c",
    " = ",
    "é ☃",
    "{{ x }}",
    "%00",
    "\r\n=1",
]


@pytest.fixture
def site(db: None) -> Site:
    return Site.objects.create(slug="a", name="A")


def table(*lines: str) -> str:
    return "\r\n".join(lines) + "\r\n"


def read(data: str | bytes) -> ImportPlan:
    return ImportPlan.read(data, EVERYTHING)


@given(st.text())
def test_a_cell_is_harmless_and_comes_back(text):
    assert original(harmless(text)) == text
    assert not harmless(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


@pytest.mark.parametrize("text", ["'quoted'", "plain", "", "'", "''"])
def test_what_a_person_wrote_stays(text):
    assert original(text) == text


@pytest.mark.parametrize("text", NASTY)
def test_an_export_read_again_changes_nothing(site, text):
    image = Image.objects.create(name="debian", version="12")
    model = Station.objects.create(name="model01", site=site, kind="models")
    station = Station.objects.create(
        name="pc01", site=site, model=model, image=image, address="10.0.0.1", comment=text, variables={"x": text, text: 1}
    )
    Station.objects.filter(pk=station.pk).update(tag=text.replace("\t", "").replace("\r\n", ""))
    MacAddress.objects.create(station=station, mac="52:54:00:00:00:01")
    Group.objects.create(name="kiosks").stations.add(station)
    written = "".join(export(Station.objects.all(), EVERYTHING, reported=True))
    for row in csv.reader(io.StringIO(written, newline="")):
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row)
    plan = read(written)
    assert (plan.errors, plan.changes, plan.count("unchanged")) == ([], [], 2)
    plan = read("\ufeff" + written.replace("10.0.0.1", "10.0.0.2"))
    assert [(each.line, each.name, [vars(change) for change in each.changes]) for each in plan.changes] == [
        (3, "pc01", [{"field": "address", "before": "10.0.0.1", "after": "10.0.0.2"}])
    ]
    assert plan.apply() == 1
    station.refresh_from_db()
    assert (station.address, station.comment) == ("10.0.0.2", text)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_delimiters_and_marks(site, delimiter, encoding):
    data = table(delimiter.join(["Name", "SITE", "comment"]), "", delimiter.join(["pc01", "a", "é"])).encode(encoding)
    assert read(data).apply() == 1
    assert Station.objects.get().comment == "é"


def test_every_bad_line_is_named_with_its_column_and_value(site):
    plan = read(
        table(
            "name,site,macs,state,variables,comment",
            'pc01,a,52:54:00:00:00:01,ready,"{""x"": 1}","two\r\nlines"',
            "pc02,nowhere,52:54:00:00:00:02,ready,,",
            "pc03,a,nonsense 52:54:00:00:00:03,lost,,",
            'pc04,a,,ready,"{",',
            "pc05,a,too,few",
            ",a,,,,",
            "pc01,a,,,,",
            "pc08,a,52:54:00:00:00:01,,,",
        )
    )
    assert [(error.line, error.where, error.value) for error in plan.errors] == [
        (4, "site", "nowhere"),
        (5, "macs", "nonsense 52:54:00:00:00:03"),
        (5, "state", "lost"),
        (6, "variables", "{"),
        (7, "", None),
        (8, "name", ""),
        (9, "name", "pc01"),
        (10, "macs", "52:54:00:00:00:01"),
    ]
    assert all(error.what and error.remedy for error in plan.errors)
    with pytest.raises(Faulty):
        plan.apply()
    assert not Station.objects.exists()


@pytest.mark.parametrize(
    ("data", "line", "text"),
    [
        (b"", 1, "empty"),
        (b"\r\n\r\n", 1, "empty"),
        (b"name,site\r\npc01,\xe9\r\n", 2, "UTF-8"),
        ("name,site\r\n".encode("utf-16"), 1, "UTF-16"),
        (b"name,site\r\npc\x00,a\r\n", 2, "cannot be stored"),
        (b'name,site\r\n"pc01,a\r\n', 2, "cannot be read"),
        (b'name,site\r\n"pc01"x,a\r\n', 2, "cannot be read"),
        (b"name,site,colour\r\n", 1, "not known"),
        (b"name,site,Name\r\n", 1, "twice"),
        (b"site\r\n", 1, "missing"),
        (b"name,site\r\n" + b"x" * 200_000 + b",a\r\n", 2, "cannot be read"),
        (b"PK\x03\x04\x00\x00", 1, "cannot be stored"),
        (b"%PDF-1.7\r\n\xe2\xe3", 2, "UTF-8"),
    ],
)
def test_what_is_no_table_is_refused(db, data, line, text):
    plan = read(data)
    assert [(error.line, text in error.what) for error in plan.errors] == [(line, True)], plan.errors
    assert not plan.changes


def test_empty_cells_empty_a_field_except_those_that_cannot_be(site):
    Station.objects.create(name="pc01", site=site, state="repair", tag="T", address="10.0.0.1", serial="S")
    assert read(table("name,site,state,kind,tag,address", "PC01,,,,,")).apply() == 1
    station = Station.objects.get()
    assert (station.name, station.state, station.tag, station.address, station.serial) == ("pc01", "repair", "", None, "S")


def test_the_perimeter_counts(site):
    other = Site.objects.create(slug="b", name="B")
    Station.objects.create(name="pc-b", site=other, address="10.0.0.9")
    mine = Perimeter({right.value: frozenset([site.pk]) for right in Right})
    plan = ImportPlan.read(table("name,site,address", "pc-b,a,", "pc01,b,", "pc02,a,10.0.0.9", "pc03,a,"), mine)
    assert [(error.line, error.where) for error in plan.errors] == [(2, "name"), (3, "site"), (4, "address")]
    assert "pc-b" not in plan.errors[2].what


def test_the_commands(site, tmp_path, capsys):
    file = tmp_path / "stations.csv"
    file.write_text(table("name,site,tag", "pc01,a,=T"))
    call_command("import", str(file), "--dry-run")
    assert "Would be: 1 created" in capsys.readouterr().out
    assert not Station.objects.exists()
    call_command("import", str(file))
    assert "Done: 1 created" in capsys.readouterr().out
    call_command("export", "--site", "a")
    written = capsys.readouterr().out
    assert written.splitlines()[0] == ",".join(f'"{column}"' for column in COLUMNS) and '"\'=T"' in written
    file.write_text(table("name,site", "pc01,b"))
    with pytest.raises(CommandError, match="line 2, column site: 'b': There is no such site"):
        call_command("import", str(file))
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import", str(tmp_path / "missing"))
    with pytest.raises(CommandError, match="no site x"):
        call_command("export", "--site", "x")
