# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is written of a report: differences, their history, who holds what, and what lists show."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from stationdb.registry.models import Site, Station
from stationdb.reports import sections
from stationdb.reports.batch import Worker
from stationdb.reports.intake import accept, process_spool
from stationdb.reports.models import Holding, Report, Section, SectionChange, Software, SoftwareVersion
from stationdb.reports.spool import Spool
from stationdb.tests.reports.documents import REAL, fleet, ocs, real

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def root() -> Site:
    return Site.objects.create(slug="root", name="All")


def send(*documents: bytes, **options: str) -> None:
    for document in documents:
        accept(document, "local", **options)
    counts = process_spool()
    assert counts.taken == len(documents), list(Spool().reasons())


def held() -> set[tuple[str, str]]:
    found = Holding.objects.values_list("software_version__software__name", "software_version__version", "station__name")
    return {(name, version) for name, version, _station in found}


def test_a_real_report_is_stored_and_read_back():
    send(REAL)
    station = Station.objects.get()
    assert (station.name, station.tag, station.os_name, station.os_version) == ("vm", "LAB-SITE1", "Debian GNU/Linux 12", "12")
    assert (station.ram, station.cores, station.cpu) == (24105 << 20, 2, "AMD EPYC")
    assert (station.disk, station.disk_free, station.reported_address) == (274877 << 20, 78109 << 20, "192.0.2.2")
    software = sections.rows(station, "softwares")
    assert len(software) == Holding.objects.filter(station=station).count() == 1081
    assert {"name": "zsync", "version": "0.6.2-5", "publisher": "http://zsync.moria.org.uk/", "from": "deb", "arch": "amd64"} in software
    assert len(sections.rows(station, "local_groups")) == 56
    report = Report.objects.get()
    assert (report.format, report.way) == ("ocs", "local") and "softwares" in report.changed.split()
    assert not SectionChange.objects.exists(), "the first report is no change"


def test_an_unchanged_report_writes_nothing_but_that_it_came():
    send(REAL)
    worker = Worker()
    accept(REAL, "local")
    worker.run()
    before = list(Section.objects.order_by("kind").values_list("kind", "digest", "changed"))
    accept(REAL.replace(b"00:25:47", b"09:09:09"), "local")
    with CaptureQueriesContext(connection) as queries:
        assert worker.run().taken == 1
    written = [query["sql"] for query in queries if re.match(r"(\d+ times: )?(INSERT|UPDATE|DELETE|COPY)", query["sql"])]
    assert len(written) == 2 and "reports_report" in "".join(written) and "last_seen" in "".join(written), written
    assert list(Section.objects.order_by("kind").values_list("kind", "digest", "changed")) == before
    assert Report.objects.count() == 3 and [report.changed for report in Report.objects.all()[:2]] == ["", ""]


def test_differences_become_history_and_move_holdings():
    send(fleet(software=[("bash", "5.2"), ("zsync", "0.6"), ("vim", "9")]))
    send(fleet(software=[("bash", "5.3"), ("zsync", "0.6")], extra='<printers><item name="hp"/></printers>'))
    station = Station.objects.get()
    assert held() == {("bash", "5.3"), ("zsync", "0.6")}
    changes = {change.kind: change for change in sections.changes(station)}
    assert set(changes) == {"softwares"}, "a new section is no change"
    soft = changes["softwares"]
    assert [(row["name"], row["version"]) for row in soft.added] == [("bash", "5.3")]
    assert {(row["name"], row["version"]) for row in soft.removed} == {("bash", "5.2"), ("vim", "9")}
    send(fleet(software=[("bash", "5.3"), ("zsync", "0.6")], memory=32000))
    changes = {change.kind: change for change in sections.changes(station)}
    assert changes["printers"].removed == [{"name": "hp"}] and changes["hardware"].added[0]["memory"] == 32000
    assert sections.rows(station, "printers") == [] and Station.objects.get().ram == 32000 << 20
    assert Software.objects.count() == 3 and SoftwareVersion.objects.filter(software__name="bash").count() == 2


def test_what_is_volatile_is_kept_up_to_date_without_history():
    def drive(free: int) -> str:
        return f'<drives><item type="/" total="1000" free="{free}" filesystem="ext4"/></drives>'

    send(fleet(extra=drive(500)))
    changed = Section.objects.get(kind="drives").changed
    send(fleet(extra=drive(400)))
    station = Station.objects.get()
    assert sections.rows(station, "drives")[0]["free"] == 400 and station.disk_free == 400 << 20
    assert not SectionChange.objects.exists() and Section.objects.get(kind="drives").changed == changed
    assert Report.objects.order_by("received").last().changed == ""


def test_rows_in_another_order_are_no_change():
    send(fleet(software=[("a", "1"), ("b", "2")], extra='<usbdevices><item name="x"/><item name="y"/></usbdevices>'))
    send(fleet(software=[("b", "2"), ("a", "1")], extra='<usbdevices><item name="y"/><item name="x"/></usbdevices>'))
    assert not SectionChange.objects.exists() and len(held()) == 2


def test_the_same_software_twice_is_held_once():
    send(fleet(software=[("a", "1"), ("a", "1"), ("a", "2")]))
    assert held() == {("a", "1"), ("a", "2")} and Holding.objects.count() == 2


def test_a_partial_inventory_touches_only_what_it_gives():
    send(real("glpi/examples-computer_1.json"))
    station = Station.objects.get()
    before = {kind: sections.rows(station, kind) for kind in sections.KINDS}
    part = json.loads(real("glpi/examples-computer_1_partial_memory.json"))
    part["partial"] = True
    part["content"]["memories"] = part["content"]["memories"][:1]
    send(json.dumps(part).encode())
    after = {kind: sections.rows(station, kind) for kind in sections.KINDS}
    assert len(after.pop("memories")) == 1 and len(before.pop("memories")) == 2 and after == before
    part["partial"] = False
    send(json.dumps(part).encode())
    assert sections.rows(station, "printers") == [] and not held(), "a whole one empties what it does not give"


def test_a_section_that_could_not_be_gathered_stays():
    send(fleet(extra='<printers><item name="hp"/></printers><smart><item device="/dev/sda" passed="1"/></smart>'))
    send(fleet(extra='<warnings><item section="printers" message="cups is off"/></warnings>'))
    station = Station.objects.get()
    assert sections.rows(station, "printers") and not sections.rows(station, "smart")


def test_an_agent_that_knows_nothing_of_a_section_does_not_empty_it():
    send(fleet(extra='<smart><item device="/dev/sda" passed="1"/></smart>'))
    send(ocs())
    assert sections.rows(Station.objects.get(), "smart")


def test_an_older_report_never_overwrites_a_newer():
    now = datetime.now(UTC).replace(microsecond=0)
    send(fleet(created=(now - timedelta(hours=1)).isoformat(), memory=2000))
    send(fleet(created=(now - timedelta(days=2)).isoformat(), memory=1000, software=[("old", "1")]))
    station = Station.objects.get()
    assert station.ram == 2000 << 20 and ("old", "1") not in held() and station.last_seen == now - timedelta(hours=1)
    assert "older than what was known" in Report.objects.order_by("received").last().note
    send(fleet(created=now.isoformat(), memory=3000))
    assert Station.objects.get().ram == 3000 << 20


@pytest.mark.parametrize(("off", "said"), [(timedelta(days=400), "clock is ahead"), (timedelta(days=-9000), "clock is behind")])
def test_a_wrong_clock_is_noted_and_not_believed(off, said):
    now = datetime.now(UTC).replace(microsecond=0)
    send(fleet(created=(now + off).isoformat(), memory=1000))
    report = Report.objects.get()
    assert said in report.note and report.taken == report.received and Station.objects.get().last_seen == report.received
    send(fleet(created=(now + off).isoformat(), memory=2000))
    assert Station.objects.get().ram == 2000 << 20, "the next one counts"


def test_a_document_is_kept_when_it_changed_something(spool):
    first = accept(REAL, "local")
    process_spool()
    second = accept(REAL, "local")
    process_spool()
    private = accept(ocs(content="<ENVS><KEY>T</KEY><VAL>hunter2</VAL></ENVS>"), "local")
    process_spool()
    assert spool.document(first) == REAL and spool.document(second) is None
    assert b"hunter2" not in spool.document(private) and b"HARDWARE" in spool.document(private)
    assert not any(b"hunter2" in path.read_bytes() for path in spool.documents.rglob("*.report"))
    assert spool.expire(30) == 0 and spool.document(first)
    later = datetime.now(UTC) + timedelta(days=32)
    assert spool.expire(30, later.timestamp()) == 2 and spool.document(first) is None


def test_two_reports_of_one_station_in_a_batch_are_taken_in_order():
    send(*(fleet(memory=1000 + each, software=[("a", str(each))]) for each in range(10)))
    assert Station.objects.get().ram == 1009 << 20 and held() == {("a", "9")}
    assert SectionChange.objects.filter(kind="softwares").count() == 9


def test_software_left_unread_is_read_when_another_station_has_it():
    send(fleet("pc01", mac="a4:bb:6d:00:00:01"))
    send(fleet("pc02", mac="a4:bb:6d:00:00:02"), fleet("pc03", mac="a4:bb:6d:00:00:03"))
    assert Holding.objects.count() == 6
    assert len(sections.rows(Station.objects.get(name="pc03"), "softwares")) == 2


def test_one_report_that_the_database_refuses_does_not_hold_the_others(monkeypatch, spool):
    from stationdb.reports import batch

    whole = batch.store

    def store(taken):
        if any(each.report.name == "bad" for each in taken):
            raise ValueError("a fault")
        whole(taken)

    monkeypatch.setattr(batch, "store", store)
    for number, name in enumerate(("pc01", "bad", "pc02")):
        accept(fleet(name, mac=f"a4:bb:6d:00:00:0{number}"), "local")
    counts = process_spool()
    assert (counts.taken, counts.refused) == (2, 1)
    assert set(Station.objects.values_list("name", flat=True)) == {"pc01", "pc02"}
    assert "fault of the server" in next(spool.reasons())[1]


@given(st.sets(st.integers(1, 2**31 - 1), max_size=60))
def test_packed_ids_are_unpacked(ids):
    assert sections.unpack_ids(sections.pack_ids(ids)) == sorted(ids)


ROWS = st.lists(st.dictionaries(st.sampled_from("abc"), st.one_of(st.text(max_size=3), st.integers(-5, 5)), max_size=3), max_size=6)


@given(ROWS, ROWS)
def test_what_was_added_and_removed_makes_the_one_of_the_other(before, after):
    added, removed = sections.difference("memories", before, after)
    text = [sorted(repr(sorted(row.items())) for row in rows) for rows in (before + added, after + removed)]
    assert text[0] == text[1]
    assert sections.unpack_rows(sections.pack_rows(before)) == before
