# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows that were met before are not parsed again, and the result is the same as if they were: for honest, odd and hostile documents."""

from __future__ import annotations

from unittest import mock

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stationdb.reports import formats
from stationdb.reports.errors import ReportError
from stationdb.reports.formats import Memory, read, repeated
from stationdb.tests.reports.documents import REAL, fleet, ocs, real


def outcome(document: bytes, memory: Memory) -> object:
    """What a document says, or that it is refused."""
    try:
        report = read(document, memory)
    except ReportError:
        return "refused"
    software = None if report.software is None else sorted(title.key for title in report.software)
    return report.name, report.tag, report.sections, software, report.speaks_of, report.cleaned is None


def plainly(document: bytes) -> object:
    """The same by lxml alone, for the whole document."""
    with mock.patch.object(formats, "cut", return_value=None):
        return outcome(document, Memory())


MEMORY = Memory()
"""Shared by all examples, as by all documents of a worker: nothing one says may change what another means."""


@pytest.mark.parametrize("document", [REAL, fleet(), ocs(software=[("a & b", "1<2")])], ids=["OCS", "ours", "markup"])
def test_real_documents_are_cut_and_mean_the_same(document):
    memory = Memory()
    with mock.patch.object(memory, "title", side_effect=memory.title) as asked:
        first = outcome(document, memory)
        calls = asked.call_count
        assert outcome(document, memory) == first == plainly(document)
        assert asked.call_count == calls > 0, "the second time no row was read"
    assert read(document, memory).software_digest


def test_the_date_of_installation_is_not_what_tells_rows_apart():
    memory = Memory()
    read(REAL, memory)
    rows = len(memory.rows)
    later = REAL.replace(b"2026/10/20", b"2026/11/21")
    assert outcome(later, memory) == plainly(later) and len(memory.rows) == rows
    assert read(later, memory).software_digest != read(REAL, memory).software_digest


@pytest.mark.parametrize("name", ["glpi/tests-data-4.xml", "glpi/tests-data-18.xml"])
def test_documents_of_other_agents(name):
    document = real(name)
    assert outcome(document, MEMORY) == outcome(document, MEMORY) == plainly(document)


ROW = "<SOFTWARES><NAME>zsync</NAME><VERSION>1</VERSION></SOFTWARES>"
TRAPS = [
    # rows where none belong
    f"<DRIVES>{ROW}</DRIVES>",
    f"<DRIVES><FREE>1</FREE>{ROW}</DRIVES>{ROW}",
    f"<SOFTWARES><NAME>a</NAME>{ROW}</SOFTWARES>",
    f"{ROW}<DRIVES><FREE>1</FREE></DRIVES>{ROW}",
    f"{ROW}text{ROW}",
    f"<A b='{ROW}'/>",
    f'<A b="> {ROW} <"/>',
    # markup that is none
    f"<!-- {ROW} -->{ROW}",
    f"<DRIVES><TYPE><![CDATA[{ROW}]]></TYPE></DRIVES>{ROW}",
    f"<?x {ROW} ?>{ROW}",
    "<SOFTWARES><NAME><![CDATA[a<b]]></NAME></SOFTWARES>",
    "<SOFTWARES><!-- x --><NAME>a</NAME></SOFTWARES>",
    # rows that are not flat, not whole, or not quite XML
    "<SOFTWARES><NAME>a<B>c</B>d</NAME></SOFTWARES>",
    "<SOFTWARES><NAME>a<INSTALLDATE>1</INSTALLDATE>b</NAME></SOFTWARES>",
    "<SOFTWARES><INSTALLDATE>2026&bad;</INSTALLDATE><NAME>a</NAME></SOFTWARES>",
    "<SOFTWARES><INSTALLDATE>2026\x01</INSTALLDATE><NAME>a</NAME></SOFTWARES>",
    "<SOFTWARES><INSTALLDATE>2026</INSTALLDATE ><NAME>a</NAME></SOFTWARES>",
    "<SOFTWARES><NAME>a</VERSION></SOFTWARES>",
    "<SOFTWARES><NAME>a</NAME></SOFTWARES ><SOFTWARES><NAME>b</NAME></SOFTWARES>",
    "<SOFTWARES ><NAME>a</NAME></SOFTWARES><SOFTWARES><NAME>b</NAME></SOFTWARES>",
    "<SOFTWARES x='1'><NAME>a</NAME></SOFTWARES>",
    "<SOFTWARES><NAME>a&lt;&#x41;&amp;</NAME><VERSION>&#233;</VERSION></SOFTWARES>",
    "<SOFTWARES><NAME>a ]]> b</NAME></SOFTWARES>",
    "<SOFTWARES><NAME>a</NAME><NAME>b</NAME></SOFTWARES>",
    "<SOFTWARES><name>a</name></SOFTWARES>",
    "<SOFTWARES><NAME/><VERSION>1</VERSION></SOFTWARES>",
    "<SOFTWARES/><SOFTWARES></SOFTWARES>",
    "</CONTENT><CONTENT>" + ROW,
    "</SOFTWARES><SOFTWARES>",
    "<fleet-cut/>" + ROW,
    "<SOFTWARES><NAME>a\r\n\tb</NAME></SOFTWARES>",
    "<SOFTWARES>&#0;<NAME>a</NAME></SOFTWARES>",
]


@pytest.mark.parametrize("trap", TRAPS)
@pytest.mark.parametrize("around", ["", ROW])
def test_traps_for_who_reads_xml_as_text(trap, around):
    document = ocs(content=around + trap + around)
    assert outcome(document, MEMORY) == plainly(document)
    assert outcome(document, MEMORY) == plainly(document), "with what it remembers as well"


OUR_ROW = '<item name="zsync" version="1" install_date="2026-10-20"/>'
OUR_TRAPS = [
    f"<softwares>{OUR_ROW}</softwares><softwares>{OUR_ROW}</softwares>",
    f"<drives><softwares>{OUR_ROW}</softwares></drives>",
    f"<drives><softwares>{OUR_ROW}</softwares></drives><softwares>{OUR_ROW}</softwares>",
    '<softwares><item name="a/>b" version=">"/></softwares>',
    "<softwares><item name='a' version=\"it's\"/></softwares>",
    '<softwares><item name="a"></item></softwares>',
    '<softwares><item name="a" name="b"/></softwares>',
    '<softwares><item name="a" version=" install_date="2026" x="y"/></softwares>',
    '<softwares><item name="a" install_date="20&bad;26"/></softwares>',
    '<softwares><item name="a" install_date="2026"version="1"/></softwares>',
    '<softwares><other name="a"/><item name="b"/></softwares>',
    '<softwares><item name="a"/><item><item name="b"/></item></softwares>',
    "<softwares>text<item name='b'/></softwares>",
    '<softwares><item name="&amp;&#x41;&quot;"/></softwares>',
    '<softwares><item name="a&#10;b"/><item name="a\nb"/></softwares>',
    "<softwares></softwares>",
    "<softwares/>",
    '<softwares x="1"><item name="a"/></softwares>',
]


@pytest.mark.parametrize("trap", OUR_TRAPS)
def test_traps_in_our_own_format(trap):
    document = fleet(software=(), extra=trap)
    assert outcome(document, MEMORY) == plainly(document)
    assert outcome(document, MEMORY) == plainly(document)


PIECES = [
    *(
        "<SOFTWARES>",
        "</SOFTWARES>",
        "<SOFTWARES/>",
        "<NAME>",
        "</NAME>",
        "<VERSION>1</VERSION>",
        "<NAME>zsync</NAME>",
        ROW,
        "a",
        " ",
        "\n",
    ),
    *(
        "<INSTALLDATE>",
        "</INSTALLDATE>",
        "2026",
        "<DRIVES>",
        "</DRIVES>",
        "<FREE>1</FREE>",
        "&amp;",
        "&",
        "<",
        ">",
        "<!--",
        "-->",
        "é",
        "\x00",
    ),
]


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
@example("<SOFTWARES><NAME>zsync</NAME></SOFTWARES></DRIVES>")
def test_whatever_is_put_together_means_the_same(content):
    document = ocs(content=content)
    assert outcome(document, MEMORY) == plainly(document)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 40), st.binary(max_size=6))
def test_a_real_document_with_a_wound_means_the_same(position, length, put):
    document = ocs(software=[(f"package-{each}", f"1.{each}") for each in range(8)])
    position %= len(document)
    wounded = document[:position] + put + document[position + length :]
    assert outcome(wounded, MEMORY) == plainly(wounded)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 40), st.sampled_from(['"', "'", "<", ">", "/>", '="', ' install_date="', "&", "</softwares>"]))
def test_so_does_one_of_ours(position, length, put):
    document = fleet(software=[(f"package-{each}", f"1.{each}") for each in range(8)])
    position %= len(document)
    wounded = document[:position] + put.encode() + document[position + length :]
    assert outcome(wounded, MEMORY) == plainly(wounded)


def test_memory_does_not_grow_without_end(monkeypatch):
    monkeypatch.setattr(repeated, "_MOST_REMEMBERED", 50)
    memory = Memory()
    read(ocs(software=[(f"p{each}", "1") for each in range(60)]), memory)
    memory.forget()
    assert not memory.rows and not memory.titles
