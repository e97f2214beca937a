# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The document: what the published XSD accepts, of this machine and of whatever a collector returns."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from ansible_collections.fleet.core.plugins.module_utils.errors import InputError
from ansible_collections.fleet.core.plugins.module_utils.station.document import write
from ansible_collections.fleet.core.plugins.module_utils.station.report import COLLECTORS, Report, gather
from ansible_collections.fleet.core.plugins.module_utils.station.root import Root
from ansible_collections.fleet.core.plugins.module_utils.station.row import REQUIRED, clean

from .conftest import REPOSITORY

XSD = REPOSITORY / "stationdb/reports/schema/fleet-report-1.xsd"
XS = "{http://www.w3.org/2001/XMLSchema}"


@pytest.fixture(scope="module")
def schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(XSD))


@pytest.fixture(scope="module")
def machine() -> Report:
    return gather(Root())


def attributes(kind: str) -> dict[str, set[str]]:
    """Return the attributes of a type by section."""
    return {
        each.get("name", ""): {attribute.get("name", "") for attribute in each.iter(f"{XS}attribute") if attribute.get("type") == kind}
        for each in etree.parse(XSD).getroot().findall(f"{XS}complexType")
    }


def test_the_report_of_this_machine_is_valid_and_whole(schema: etree.XMLSchema, machine: Report) -> None:
    root = etree.fromstring(write(machine, "pc01.ecole.example", tag="École 12 & <cie>", created=1700000000))
    schema.assertValid(root)
    assert dict(root.attrib) == {
        "format": "1",
        "agent": "fleet/0.1.0",
        "created": "2023-11-14T22:13:20Z",
        "station": "pc01.ecole.example",
        "tag": "École 12 & <cie>",
    }
    read = {section.tag: [dict(item.attrib) for item in section] for section in root if section.tag != "warnings"}
    assert read == {name: [{key: str(value) for key, value in row.items()} for row in rows] for name, rows in machine.sections.items()}
    assert {"hardware", "operatingsystem", "cpus", "storages", "drives", "networks", "local_users", "softwares"} <= set(read)


def test_two_reports_in_a_row_differ_in_nothing_but_what_did_change(machine: Report) -> None:
    again = gather(Root(), [name for name in COLLECTORS if name not in ("drives", "users", "smart")])
    changed = {name for name, rows in again.sections.items() if machine.sections.get(name) != rows}
    others_work_on_this_machine = {"softwares", "networks", "storages", "partitions", "local_users", "local_groups"}
    assert changed <= others_work_on_this_machine


def test_every_section_and_column_is_described_by_the_schema(machine: Report) -> None:
    kinds = {kind: attributes(kind) for kind in ("text", "long", "name", "number", "flag")}
    assert set(COLLECTORS) <= set(kinds["text"])
    for section, rows in machine.sections.items():
        for row in rows:
            for key, value in row.items():
                types = {kind for kind, known in kinds.items() if key in known[section]}
                assert len(types) == 1, f"{section}.{key} is not in the schema"
                assert (types <= {"number", "flag"}) == isinstance(value, int), f"{section}.{key}"
    assert {section: names for section, names in kinds["name"].items() if names and section in COLLECTORS} == {
        section: set(names) for section, names in REQUIRED.items()
    }


HOSTILE = st.text(alphabet="é<>&\"'\n\t\0\x1b\ud800\ufffe😀", max_size=10)
VALUES = st.one_of(st.text(max_size=20), HOSTILE, st.integers(), st.booleans(), st.none())


@given(
    st.sampled_from(sorted(COLLECTORS)),
    st.lists(st.dictionaries(st.sampled_from(["name", "id", "login", "device", "description", "type", "ours"]), VALUES), max_size=4),
)
def test_whatever_a_collector_returns_the_document_is_valid(section: str, rows: list[dict[str, object]]) -> None:
    texts = [{key: str(value) if key != "ours" and value is not None else value for key, value in row.items()} for row in rows]
    if section in ("hardware", "bios", "operatingsystem"):
        texts = texts[:1]
    fit = clean(section, texts)
    warnings = {"monitors": "\0odd\x1b"} if section != "monitors" else {}
    document = write(Report({section: fit} if fit else {}, warnings), "pc01")
    etree.XMLSchema(etree.parse(XSD)).assertValid(etree.fromstring(document))


def test_long_values_are_cut_to_what_the_schema_takes(schema: etree.XMLSchema) -> None:
    (row,) = clean("monitors", [{"name": "x" * 10000, "base64": "y" * 100000}])
    schema.assertValid(etree.fromstring(write(Report({"monitors": [row]}, {}), "pc01")))


@pytest.mark.parametrize("name", ["", "-x", "a b", "a..b", "x" * 254, "../x", "é", "a\n", "a."])
def test_without_a_host_name_there_is_no_document(name: str) -> None:
    with pytest.raises(InputError, match="is no host name"):
        write(Report({}, {}), name)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('format="1"', 'format="2"'), "format"),
        (('station="pc01"', ""), "station"),
        (('station="pc01"', 'station="../pc01"'), "station"),
        (('Z"', '+01:00"'), "created"),
        (("<softwares>", "<softwares><item/>"), "name"),
        (("<softwares>", "<softwares><other/>"), "other"),
        (("<softwares>", "<softwares>text"), "content"),
        (("<softwares>", "<processes><item cmd='x'/></processes><softwares>"), "processes"),
        (("<softwares>", "<softwares><item name='x'/></softwares><softwares>"), "softwares"),
        (('memory="1"', 'memory="much"'), "memory"),
    ],
)
def test_the_schema_refuses(schema: etree.XMLSchema, change: tuple[str, str], message: str) -> None:
    good = write(Report({"hardware": [{"memory": 1}], "softwares": [{"name": "bash", "own": "x"}]}, {}), "pc01").decode()
    schema.assertValid(etree.fromstring(good.encode()))
    assert change[0] in good
    with pytest.raises(etree.DocumentInvalid, match=message):
        schema.assertValid(etree.fromstring(good.replace(*change, 1).encode()))


def test_the_version_is_that_of_the_collection() -> None:
    text = (Path(__file__).parents[4] / "galaxy.yml").read_text()
    assert f'agent="fleet/{re.search("^version: (.*)$", text, re.MULTILINE)[1]}"' in write(Report({}, {}), "pc01").decode()  # type: ignore[index]
