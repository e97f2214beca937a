# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real documents of real agents become the canonical report."""

from __future__ import annotations

import json

import pytest

from stationdb.reports.errors import ReportError
from stationdb.reports.formats import read
from stationdb.tests.reports.documents import REAL, fleet, ocs, real


def names(report):
    return {title.name: title for title in report.software}


def test_the_ocs_agent_of_debian():
    report = read(REAL)
    assert (report.format, report.name, report.tag, report.device) == ("ocs", "vm", "LAB-SITE1", "vm-2026-11-20-20-50-24")
    assert len(report.software) == 1081
    zsync = names(report)["zsync"]
    assert zsync.key == ("zsync", "deb", "0.6.2-5", "amd64") and zsync.publisher == "http://zsync.moria.org.uk/"
    assert report.first("hardware")["memory"] == 24105
    assert report.first("operatingsystem")["name"] == "Debian GNU/Linux 12"
    assert report.first("cpus") == {
        "core": 2,
        "arch": "x86_64",
        "data_width": "64",
        "cache": "2 MiB (2 instances)",
        "logical_cpus": "2",
        "manufacturer": "AMD",
        "nbsocket": "1",
        "thread": 2,
        "name": "AMD EPYC",
    }
    assert report.sections["storages"][0]["disksize"] == 274877
    assert report.sections["local_groups"][0] == {"members": "root", "name": "root"}
    assert "smart" not in report.speaks_of and "printers" in report.speaks_of


def test_fusioninventory_and_the_glpi_agents_xml():
    report = read(real("glpi/tests-data-4.xml"))
    assert (report.name, len(report.software), len(report.sections["memories"])) == ("iMac de Marie", 7, 4)
    assert report.first("operatingsystem")["timezone"] == "Europe/Paris"
    assert report.first("bios")["ssn"] == "C02NG5A5FY11"
    assert b"SUDO_GID" not in report.cleaned and b"/sbin/launchd" not in report.cleaned and b"C02NG5A5FY11" in report.cleaned
    assert read(report.cleaned).cleaned is None
    android = read(real("glpi/tests-data-18.xml"))
    assert android.agent.startswith("Inventory Agent/1.3.0") and len(android.software) == 310
    assert b"ENVS" not in android.cleaned and len(read(android.cleaned).software) == 310


def test_glpi_json_whole_and_in_parts():
    report = read(real("glpi/examples-computer_1.json"))
    assert (report.name, report.tag, report.format) == ("glpixps", "000005", "glpi")
    assert report.first("memories")["capacity"] == 4096 and len(report.sections["controllers"]) == 25
    assert names(report)["gitg"].key == ("gitg", "rpm", "3.32.1-1.fc31", "x86_64")
    part = read(real("glpi/examples-computer_1_partial_memory.json"))
    assert part.speaks_of == frozenset() and part.software is None
    assert set(part.sections) == {"bios", "hardware", "memories"}
    softs = read(real("glpi/examples-computer_1_partial_softs.json"))
    assert len(softs.software) == 6 and softs.speaks_of == frozenset()


def test_ours_and_what_it_could_not_gather():
    warned = (
        '<warnings><item section="printers" message="cups does not answer"/></warnings><smart><item device="/dev/sda" passed="1"/></smart>'
    )
    report = read(fleet(created="2026-11-21T12:00:00Z", extra=warned))
    assert report.created.isoformat() == "2026-11-21T12:00:00+00:00" and report.name == "pc01"
    assert report.first("smart") == {"device": "/dev/sda", "passed": 1}
    assert "printers" not in report.speaks_of and "sounds" in report.speaks_of and "warnings" not in report.sections
    assert [title.key for title in report.software] == [("bash", "deb", "5.2", "amd64"), ("zsync", "deb", "0.6.2", "amd64")]


def test_ocs_on_windows():
    content = """
        <BIOS><SMANUFACTURER>HP</SMANUFACTURER><SMODEL>EliteDesk</SMODEL><SSN>CZC1234567</SSN><TYPE>Desktop</TYPE></BIOS>
        <MEMORIES><CAPACITY>8192</CAPACITY><SERIALNUMBER>1A2B</SERIALNUMBER><NUMSLOTS>1</NUMSLOTS></MEMORIES>
        <STORAGES><NAME>\\.\\PHYSICALDRIVE0</NAME><DISKSIZE>476937</DISKSIZE><SERIALNUMBER>S4X</SERIALNUMBER></STORAGES>
        <SOFTWARES><PUBLISHER>The Document Foundation</PUBLISHER><NAME>LibreOffice 24.2</NAME><VERSION>24.2.1.2</VERSION><FOLDER/>
        <COMMENTS></COMMENTS><GUID>{A1}</GUID><BITSWIDTH>64</BITSWIDTH><SOURCE>0</SOURCE></SOFTWARES>"""
    hardware = "<OSNAME>Microsoft Windows 11 Pro</OSNAME><OSVERSION>10.0.26100</OSVERSION><WINPRODKEY>AAAAA-BBBBB-CCCCC</WINPRODKEY>"
    report = read(ocs(content=content).replace(b"</NAME></HARDWARE>", f"</NAME>{hardware}</HARDWARE>".encode()))
    assert names(report)["LibreOffice 24.2"].key == ("LibreOffice 24.2", "registry", "24.2.1.2", "x86_64")
    assert report.first("operatingsystem") == {"name": "Microsoft Windows 11 Pro", "version": "10.0.26100"}
    assert report.first("hardware")["chassis_type"] == "Desktop"
    assert report.first("hardware")["winprodkey"] == "…CCCCC", "licence keys are not for everybody who sees stations"
    assert report.first("memories")["serialnumber"] == "1A2B" and report.first("storages")["serial"] == "S4X"


def test_environments_and_processes_are_never_read_nor_kept():
    private = "<ENVS><KEY>TOKEN</KEY><VAL>hunter2</VAL></ENVS><PROCESSES><CMD>mysql -psecret</CMD></PROCESSES>"
    report = read(ocs(content=private, software=[("bash", "5.2")]))
    assert not {"envs", "processes"} & set(report.sections)
    assert b"hunter2" not in report.cleaned and b"secret" not in report.cleaned and b"bash" in report.cleaned
    body = {"deviceid": "a", "content": {"hardware": {"name": "a"}, "envs": [{"key": "T", "val": "hunter2"}], "processes": [{"cmd": "x"}]}}
    report = read(json.dumps(body).encode())
    assert set(report.sections) == {"hardware"} and b"hunter2" not in report.cleaned
    report = read(fleet(extra='<envs><item key="T" val="hunter2"/></envs>'))
    assert b"hunter2" not in report.cleaned and b"zsync" in report.cleaned


def test_other_encodings_that_say_so():
    text = REAL.decode()
    for encoding in ("utf-16", "utf-8-sig"):
        assert len(read(text.encode(encoding)).software) == 1081
    latin = ocs(software=[("café", "1")]).decode().replace("UTF-8", "ISO-8859-1").encode("latin-1")
    assert read(latin).software[0].name == "café"


@pytest.mark.parametrize(
    ("section", "given", "kept"),
    [
        ("memories", {"capacity": "8 GB", "speed": 2666, "type": ""}, {"capacity": 8, "speed": "2666"}),
        ("memories", {"capacity": "none", "numslots": True}, {"numslots": 1}),
        ("drives", {"total": 1e400, "free": "12.9", "type": "a\x00b\x07\ud800"}, {"free": 12, "type": "ab"}),
        ("local_groups", {"members": ["a", "b", {"c": 1}], "Name": "x", "name": "y" * 9000}, {"members": "a, b", "name": "y" * 4096}),
        ("operatingsystem", {"timezone": {"name": "CEST", "offset": "+0200"}}, {"timezone": "CEST", "timezone_offset": "+0200"}),
        ("memories", {"capacity": 10**30, "caption": None}, {}),
    ],
)
def test_values_are_cleaned(section, given, kept):
    report = read(json.dumps({"deviceid": "a", "content": {section: [given]}}).encode())
    assert report.sections[section] == ([kept] if kept else [])


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (b"hello", "neither XML nor JSON"),
        (b"<html><body>login</body></html>", "its root is html"),
        (b'{"deviceid": "a"}', "no content"),
        (b'{"deviceid": "a", "itemtype": "Printer", "content": {}}', "of a Printer"),
        (b'{"deviceid": "a", "action": "netdiscovery", "content": {}}', "no inventory"),
        (b"[1, 2]", "no object"),
        (ocs().replace(b"INVENTORY", b"PROLOG"), "no inventory but PROLOG"),
        (fleet().replace(b'format="1"', b'format="2"'), "no fleet-report-1"),
    ],
)
def test_what_is_no_report_says_what_it_is(document, said):
    with pytest.raises(ReportError, match=said):
        read(document)
