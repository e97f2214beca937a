# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A corpus of bad documents: each is refused with one clear line, quickly, in little memory, and changes nothing."""

from __future__ import annotations

import gzip
import json
import time
import zlib
from pathlib import Path

import pytest

from stationdb.registry.models import Site, Station
from stationdb.reports import batch, document
from stationdb.reports.errors import ReportError
from stationdb.reports.formats import read
from stationdb.reports.intake import accept, process_spool
from stationdb.reports.models import Report, Section, Software
from stationdb.tests.reports.documents import REAL, fleet, ocs

BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE REQUEST [<!ENTITY a0 "ha">'
    + b"".join(b'<!ENTITY a%d "%s">' % (each, b"&a%d;" % (each - 1) * 10) for each in range(1, 12))
    + b"]><REQUEST><CONTENT><HARDWARE><NAME>&a11;</NAME></HARDWARE></CONTENT></REQUEST>"
)
OUTSIDE = (
    b'<?xml version="1.0"?><!DOCTYPE REQUEST [<!ENTITY x SYSTEM "file://%s">]>'
    b"<REQUEST><CONTENT><HARDWARE><NAME>&x;</NAME></HARDWARE></CONTENT><QUERY>INVENTORY</QUERY></REQUEST>"
)


def zeros(compress, size: int) -> bytes:
    part = b"\0" * (1 << 20)
    engine = zlib.compressobj(9, zlib.DEFLATED, compress)
    return b"".join([*(engine.compress(part) for _ in range(size >> 20)), engine.flush()])


CORPUS = {
    "an XML bomb": (BOMB, "not well-formed|document type"),
    "an external entity": (OUTSIDE % b"/etc/hostname", "document type|not well-formed"),
    "an external DTD": (b'<!DOCTYPE REQUEST SYSTEM "http://127.0.0.1:9/x.dtd"><REQUEST><CONTENT/></REQUEST>', "document type"),
    "a gigabyte of zeros in zlib": (zeros(zlib.MAX_WBITS, 1 << 30), "more than 32 MiB"),
    "a gigabyte of zeros in gzip": (zeros(zlib.MAX_WBITS | 16, 1 << 30), "more than 32 MiB"),
    "half of a compressed document": (zlib.compress(REAL)[:-5000], "ends too early"),
    "a damaged compressed document": (zlib.compress(REAL)[:9000] + b"\xff" * 100 + zlib.compress(REAL)[9100:], "damaged|well-formed"),
    "half a document": (REAL[: len(REAL) // 2], "not well-formed"),
    "half of ours": (fleet()[:-30], "not well-formed"),
    "a second root": (REAL + REAL[40:], "not well-formed"),
    "bytes of another encoding": (fleet(name="x").replace(b'"bash"', b'"b\xe9sh"'), "not well-formed"),
    "an encoding that nobody knows": (REAL.replace(b"UTF-8", b"UTF-77", 1), "not well-formed"),
    "half a character of UTF-16": (REAL.decode().encode("utf-16")[:-1], "not well-formed"),
    "a NUL": (REAL.replace(b"zsync", b"zs\0nc"), "not well-formed"),
    "a character that XML has not": (REAL.replace(b"<NAME>zsync", b"<NAME>&#1;"), "not well-formed"),
    "an entity that nobody declared": (REAL.replace(b"<NAME>zsync", b"<NAME>&who;"), "not well-formed"),
    "a nesting of ten thousand": (
        b"<REQUEST><CONTENT>" + b"<DRIVES>" * 10_000 + b"</DRIVES>" * 10_000 + b"</CONTENT></REQUEST>",
        "not well-formed",
    ),
    "a nesting of ten thousand in JSON": (b'{"content": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", "damaged"),
    "a hundred thousand in JSON": (b'{"content": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}", "damaged"),
    "a number of a million digits": (b'{"content": {"hardware": {"memory": ' + b"9" * 1_000_000 + b"}}}", "damaged"),
    "JSON in Latin-1": ('{"content": {"hardware": {"name": "é"}}}'.encode("latin-1"), "damaged"),
    "too many rows of software": (ocs(software=[("a", "1")]).replace(b"<SOFTWARES>", b"<SOFTWARES/>" * 20_001 + b"<SOFTWARES>"), None),
    "ten million rows": (zlib.compress(b"<REQUEST><CONTENT>" + b"<DRIVES/>" * 10_000_000), "more than 32 MiB"),
    "two million empty rows": (b"<REQUEST><CONTENT>" + b"<DRIVES/>" * 2_000_000 + b"</CONTENT></REQUEST>", None),
    "a million rows": (b"<REQUEST><CONTENT>" + b"<DRIVES><FREE>1</FREE></DRIVES>" * 1_000_000 + b"</CONTENT></REQUEST>", "20000 rows"),
    "too many rows in JSON": (json.dumps({"content": {"drives": [{"free": 1}] * 30_000}}).encode(), "more than 20000 rows"),
    "too much distinct software": (ocs(software=[(f"p{each}", "1") for each in range(20_001)]), "more than 20000 rows"),
    "nothing": (b" \n ", "empty"),
    "nothing, compressed": (gzip.compress(b""), "empty"),
}


@pytest.mark.parametrize("name", CORPUS)
def test_each_is_refused_in_one_line_and_soon(name):
    sent, said = CORPUS[name]
    started = time.process_time()
    if said is None:  # harmless: it holds nothing
        assert not read(document.plain(sent)).sections.get("drives")
    else:
        with pytest.raises(ReportError, match=said) as caught:
            read(document.plain(sent))
        assert "\n" not in str(caught.value) and len(str(caught.value)) < 400 and caught.value.remedy
    assert time.process_time() - started < 10


def test_an_external_entity_is_not_fetched(tmp_path: Path):
    secret = tmp_path / "secret"
    secret.write_text("hunter2")
    with pytest.raises(ReportError) as caught:
        read(OUTSIDE % str(secret).encode())
    assert "hunter2" not in str(caught.value)


@pytest.mark.django_db
def test_bad_documents_are_put_aside_with_their_reasons_and_change_nothing(spool):
    Site.objects.create(slug="root", name="All")
    bad = ("half a document", "an XML bomb", "an external entity", "half of a compressed document", "a NUL")
    for each in bad:
        accept(CORPUS[each][0], "local")
    good = accept(fleet(), "local")
    counts = process_spool()
    assert (counts.refused, counts.taken) == (len(bad), 1)
    assert Station.objects.count() == Report.objects.count() == 1 and Report.objects.get().pk.hex == good
    assert Section.objects.count() == 4 and Software.objects.count() == 2
    reasons = dict(spool.reasons())
    assert len(reasons) == len(bad) and all(reason for reason in reasons.values()) and not spool.ids()
    assert spool.retry_refused() == len(bad)
    assert process_spool().refused == len(bad)


@pytest.mark.django_db
def test_what_is_refused_is_kept_without_environments(spool):
    accept(ocs(content="<ENVS><KEY>T</KEY><VAL>hunter2</VAL></ENVS>")[:-20], "local")
    assert process_spool().refused == 1
    [path] = spool.refused.glob("*.report")
    data = path.read_bytes().partition(b"\n")[2]
    assert b"hunter2" not in data and b"hunter2" not in document.plain(data) and b"HARDWARE" in document.plain(data)


@pytest.mark.django_db
def test_environments_that_never_end_hold_nobody_up(spool):
    accept(zlib.compress(b"<ENVS>" * (1 << 20)), "local")
    accept(b"<x><ENVS>hunter1</ENVS>kept<PROCESSES>hunter2</PROCESSES><ENVS>" + b"<PROCESSES>" * 100_000, "local")
    begin = time.process_time()
    assert process_spool().refused == 2 and time.process_time() - begin < 5
    kept = sorted(path.read_bytes().partition(b"\n")[2] for path in spool.refused.glob("*.report"))
    assert any(b"kept" in document.plain(data) for data in kept)
    assert not any(b"hunter" in document.plain(data) for data in kept)


def test_a_value_that_is_repeated_a_million_times_costs_its_length():
    begin = time.process_time()
    report = read(ocs(content=f"<CPUS><NAME>x</NAME>{'<A>yyyyyyyyyyyyyyyyyyyy</A>' * 300_000}</CPUS>"))
    assert time.process_time() - begin < 10
    [row] = report.sections["cpus"]
    assert row["name"] == "x" and len(str(row["a"])) == 4096


@pytest.mark.django_db
def test_large_documents_are_not_all_in_memory_at_once(spool, monkeypatch):
    Site.objects.create(slug="root", name="All")
    monkeypatch.setattr(batch, "BYTES_AT_ONCE", 3_000_000)
    sizes = []
    take = batch.Worker._read
    monkeypatch.setattr(batch.Worker, "_read", lambda self, texts: sizes.append(len(texts)) or take(self, texts))
    for number in range(7):
        data = fleet(f"pc{number}", mac=f"a4:bb:6d:00:00:0{number}").replace(b"</report>", b" " * 1_000_000 + b"</report>")
        accept(data if number % 2 else zlib.compress(data), "local")
    assert process_spool().taken == 7 and max(sizes) == 3 and sum(sizes) == 7


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name",
    [
        "'; DROP TABLE registry_station; --",
        "{{ 7*7 }}",
        "<script>alert(1)</script>",
        "../../etc/passwd",
        "%s%n",
        "a" * 5000,
        "\u202eevil",
        "ünïcode",
    ],
)
def test_names_are_data(name, spool):
    Site.objects.create(slug="root", name="All")
    accept(fleet(name=name.replace("\x00", ""), software=[(name, name)]), "local", address="10.0.0.1")
    assert process_spool().taken == 1
    station = Station.objects.get()
    station.full_clean()
    assert Software.objects.get().name == name[:255]
