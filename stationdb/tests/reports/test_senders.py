# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One sender floods the spool, another still gets through; what waits for a site is bounded, expires, and is not read again for nothing."""

from __future__ import annotations

import io
import os
import time

import pytest
from django.core.management import call_command
from django.test import Client

from stationdb.registry.models import MacAddress, Site, Station, Subnet
from stationdb.reports import senders
from stationdb.reports import spool as module
from stationdb.reports.batch import Worker
from stationdb.reports.errors import TooMuch
from stationdb.reports.intake import accept, process_spool
from stationdb.reports.models import Unplaced
from stationdb.reports.receive import receive
from stationdb.reports.upkeep import Upkeep

from .documents import fleet, ocs


@pytest.fixture
def three(monkeypatch):
    monkeypatch.setattr(senders, "DOCUMENTS", 3)


def flood(number: int) -> bytes:
    return fleet(f"flood{number}", mac=f"a4:bb:6d:00:01:{number:02x}", address="10.9.9.9")


def test_who_floods_is_stopped_and_another_gets_through(spool, three):
    for number in range(3):
        accept(flood(number), "ocs", address="10.0.0.1")
    with pytest.raises(TooMuch, match=r"3 reports .* are in the spool already"):
        accept(flood(3), "ocs", address="10.0.0.1")
    accept(flood(3), "ocs", address="10.0.0.2")
    assert len(spool.ids()) == 4
    [(first, documents, size), (second, few, _size)] = spool.senders.most()
    assert (first, documents, second, few) == ("10.0.0.1", 3, "10.0.0.2", 1) and size > 3 * len(flood(0))


def test_bytes_count_as_well_but_one_document_always_has_room(spool, monkeypatch):
    monkeypatch.setattr(senders, "BYTES", 10_000)
    accept(b"<a>" + b"x" * 20_000 + b"</a>", "ssh", station="pc01")
    with pytest.raises(TooMuch):
        accept(b"<a/>", "ssh", station="PC01")
    accept(b"<a/>", "ssh", station="pc02")
    spool.claim(spool.ids()[0]).forget()
    accept(b"<a/>", "ssh", station="pc01")


@pytest.mark.django_db
def test_what_was_taken_in_or_refused_counts_no_more(spool, three):
    Site.objects.create(slug="root", name="All")
    for _round in range(2):
        for data in (flood(1), flood(2), b"<nonsense/>"):
            accept(data, "ocs", address="10.0.0.1")
        process_spool()
        assert not spool.senders.most() and not list(spool.senders.root.iterdir())


def test_what_a_killed_process_left_is_forgotten(spool, three):
    for number in range(3):
        accept(flood(number), "ocs", address="10.0.0.1")
    for each in spool.ids()[:2]:
        (spool.incoming / f"{each}.report").unlink()
    accept(flood(3), "ocs", address="10.0.0.1")
    kept = spool.documents / "2026-11-21"
    kept.mkdir(parents=True)
    last = spool.ids()[-1]
    (spool.incoming / f"{last}.report").rename(kept / f"{last}.report")
    assert spool.senders.most()[0][1] == 2, "a document that was kept, by a worker that was killed before it said so"
    spool.expire(30)
    assert spool.senders.most()[0][1] == 1


@pytest.mark.django_db
def test_an_agent_that_floods_is_told_to_come_back(spool, three):
    site = Site.objects.create(slug="root", name="All")
    Subnet.objects.create(site=site, network="10.0.0.0/24")
    flooding, other = Client(REMOTE_ADDR="10.0.0.1"), Client(REMOTE_ADDR="10.0.0.2")
    answers = [flooding.post("/ocsinventory", ocs(f"pc{number}"), content_type="application/x-compress") for number in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429] and answers[3]["Retry-After"]
    assert "of this sender are in the spool already" in answers[3].content.decode()
    assert other.post("/ocsinventory", ocs("other"), content_type="application/x-compress").status_code == 200


def test_a_station_that_floods_over_ssh_gets_a_line_and_may_try_again(spool, three, capsys):
    assert [receive("pc01", {}, io.BytesIO(flood(number))) for number in range(4)] == [0, 0, 0, os.EX_TEMPFAIL]
    assert capsys.readouterr().err.count("\n") == 1
    assert receive("pc02", {}, io.BytesIO(flood(5))) == 0


@pytest.fixture
def nowhere():
    """Two roots, so that no site wants what comes from no subnet."""
    for slug in ("east", "west"):
        Site.objects.create(slug=slug, name=slug)


@pytest.fixture
def waiting(nowhere, spool, monkeypatch):
    """Ten reports wait; the worker's upkeep; how many documents were read since."""
    for number in range(10):
        accept(flood(number), "ocs", address="10.9.9.1")
    assert process_spool().unplaced == 10
    upkeep = Upkeep(spool, 30, 30)
    upkeep.now()
    assert len(spool.ids()) == 10, "a worker that begins does not know what they were tried against"
    worker = Worker(spool)
    worker.run()

    def again() -> int:
        upkeep.now()
        counts = worker.run()
        return counts.taken + counts.unplaced

    return again


@pytest.mark.django_db
def test_what_waits_is_read_again_only_when_it_may_find_a_site(waiting, spool):
    assert waiting() == 0 and len(spool.waiting_ids()) == 10
    west = Site.objects.get(slug="west")
    clone = Station.objects.create(name="FLOOD3", site=west, serial="SN123456")
    MacAddress.objects.create(station=clone, mac="a4:bb:6d:00:02:99")
    assert waiting() == 1 and len(spool.waiting_ids()) == 10, "the name turned up, but of another machine"
    assert waiting() == 0, "once is enough"
    card = Station.objects.create(name="pc04", site=west)
    MacAddress.objects.create(station=card, mac="a4:bb:6d:00:01:04")
    assert waiting() == 1 and len(spool.waiting_ids()) == 9
    accept(flood(7), "ocs", address="10.9.9.1")
    assert waiting() == 1, "only the new one is read"
    Subnet.objects.create(site=west, network="10.9.9.0/24")
    assert waiting() == 9 and not spool.waiting_ids() and not Unplaced.objects.exists()


@pytest.mark.django_db
def test_what_waits_counts_for_its_sender_and_expires(waiting, spool, monkeypatch, caplog):
    monkeypatch.setattr(senders, "DOCUMENTS", 10)
    with pytest.raises(TooMuch, match="wait for a subnet"):
        accept(flood(11), "ocs", address="10.9.9.1")
    accept(flood(11), "ocs", address="10.9.9.2")
    out = io.StringIO()
    call_command("spool", stdout=out)
    assert "10 are of stations without a site, the oldest since 2" in out.getvalue() and "10.9.9.1  10 of 10 documents" in out.getvalue()
    assert spool.expire_waiting(30, time.time() + 31 * 86400) == 10 and not spool.waiting_ids()
    assert [sender for sender, _documents, _size in spool.senders.most()] == ["10.9.9.2"]


@pytest.mark.django_db
def test_the_upkeep_says_what_it_removed(waiting, spool, caplog):
    Unplaced.objects.update(received="2020-01-01T00:00:00Z")
    for each in spool.waiting_ids():
        (spool.waiting / f"{each}.report").rename(spool.waiting / f"{1:016x}{each[16:]}.report")
    Upkeep(spool, 30, 30).now()
    assert "10 reports of stations without a site are removed" in caplog.text and not Unplaced.objects.exists()


def test_refused_documents_are_bounded(spool, monkeypatch):
    monkeypatch.setattr(module, "MOST_REFUSED", 5)
    ids = []
    for number in range(8):
        ids.append(spool.put(f"<a{number}/>".encode(), "local"))
        spool.claim(ids[-1]).refuse("It is bad.")
    assert [document for document, _reason in spool.reasons()] == ids[:2:-1]
    assert len(list(spool.refused.iterdir())) == 10


def test_documents_are_not_kept_where_the_disk_is_nearly_full(spool, monkeypatch):
    spool.put(b"<a/>", "local")
    free = os.statvfs(spool.root)
    monkeypatch.setattr(module, "RESERVE", free.f_bavail * free.f_frsize // 2)
    spool.claim(spool.ids()[0]).keep(None)
    assert not spool.ids() and not list(spool.documents.rglob("*.report"))
