# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Leases and logs of real servers, and what could stand in them: what can be read is used, what cannot is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fleet.core.plugins.module_utils.errors import InputError
from ansible_collections.fleet.core.plugins.module_utils.lease.reader import FORMATS, read_file, read_files
from ansible_collections.fleet.core.plugins.module_utils.lease.sighting import BadLine, Sighting, latest

DNSMASQ = """\
1795262400 52:54:00:12:34:56 10.69.2.101 desktop-4711 01:52:54:00:12:34:56
0 52:54:00:12:34:57 10.69.2.102 * *
duid 00:01:00:01:2c:aa:bb:cc:52:54:00:12:34:56
1795262400 1193046 2001:db8::101 desktop-4711 00:01:00:01
"""

ISC = """\
# The format of this file is documented in the dhcpd.leases(5) manual page.
authoring-byte-order little-endian;
server-duid "\\000\\001\\000\\001";

lease 10.69.2.101 {
  starts 4 2026/11/19 10:00:00;
  ends 4 2026/11/19 22:00:00;
  cltt 4 2026/11/19 10:00:00;
  binding state active;
  next binding state free;
  hardware ethernet 52:54:00:12:34:56;
  uid "\\001RT\\000\\0224V";
  client-hostname "desktop-4711";
  on expiry {
    set x = "1";
  }
}
lease 10.69.2.101 {
  starts epoch 1795348800; # Fri Nov 20 12:00:00 2026
  ends never;
  hardware ethernet 52:54:00:12:34:56;
}
lease 10.69.2.103 {
  binding state free;
}
failover peer "dhcp" state {
  my state normal at 4 2026/11/19 10:00:00;
}
"""

KEA = """\
address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id
10.69.2.101,52:54:00:12:34:56,01:52:54:00:12:34:56,4000,1795266400,1,0,0,desktop-4711.example.,0,,0
10.69.2.104,,,4000,1795266400,1,0,0,,1,,0
10.69.2.105,52:54:00:12:34:58,,4000,1795266400,1,0,0,,1,{ "a": 1&#x2c "b": 2 },0
"""

LOG = """\
2026-11-21T12:00:00.123456+00:00 relay dnsmasq-dhcp[712]: DHCPDISCOVER(eth0) 52:54:00:12:34:56
2026-11-21T12:00:01+00:00 relay dnsmasq-dhcp[712]: DHCPACK(eth0) 10.69.2.101 52:54:00:12:34:56 desktop-4711
Nov 21 12:00:02 relay dnsmasq-dhcp[712]: PXE(eth0) 52:54:00:12:34:57 proxy
Nov 21 12:00:03 relay dhcpd[99]: DHCPREQUEST for 10.69.2.103 from 52:54:00:12:34:58 (laptop) via eth0
10.69.2.104 - - [21/Nov/2026:12:00:04 +0000] "GET /mac/52-54-00-12-34-59.ipxe HTTP/1.1" 200 120
Nov 21 12:00:05 relay sshd[100]: Accepted publickey for root from 10.0.0.1
"""

SEEN = Sighting("52:54:00:12:34:56", "10.69.2.101", "desktop-4711", "")


def read(tmp_path: Path, text: str, kind: str = "auto") -> tuple[list[Sighting], list[BadLine]]:
    path = tmp_path / "leases"
    path.write_text(text)
    return read_file(path, kind)


def test_leases_of_dnsmasq(tmp_path: Path) -> None:
    assert read(tmp_path, DNSMASQ) == ([SEEN, Sighting("52:54:00:12:34:57", "10.69.2.102")], [])


def test_leases_of_the_isc_server(tmp_path: Path) -> None:
    sightings, wrong = read(tmp_path, ISC)
    assert wrong == []
    assert [each.seen for each in sightings] == ["2026-11-19T10:00:00Z", "2026-11-22T12:00:00Z"]
    path = tmp_path / "leases"
    assert read_files([path], "auto").sightings == [Sighting("52:54:00:12:34:56", "10.69.2.101", "desktop-4711", "2026-11-22T12:00:00Z")]


def test_leases_of_kea(tmp_path: Path) -> None:
    expected = Sighting("52:54:00:12:34:56", "10.69.2.101", "desktop-4711.example", "2026-11-21T12:00:00Z")
    assert read(tmp_path, KEA) == ([expected], []), "an address that was declined is nobody's"


def test_logs(tmp_path: Path) -> None:
    sightings, wrong = read(tmp_path, LOG)
    assert wrong == []
    assert latest(sightings) == [
        Sighting("52:54:00:12:34:56", "10.69.2.101", "desktop-4711", "2026-11-21T12:00:01Z"),
        Sighting("52:54:00:12:34:57"),
        Sighting("52:54:00:12:34:58", "10.69.2.103", "laptop"),
        Sighting("52:54:00:12:34:59"),
    ]


@pytest.mark.parametrize(
    ("kind", "good", "line", "reason"),
    [
        ("dnsmasq", DNSMASQ, "1795262400 52:54:00:12:34", "is not: expiry"),
        ("dnsmasq", DNSMASQ, "1795262400 52:54:00:12:34:5g 10.0.0.1 * *", "no MAC address"),
        ("dnsmasq", DNSMASQ, "1795262400 53:54:00:12:34:56 10.0.0.1 * *", "no MAC address"),
        ("dnsmasq", DNSMASQ, "1795262400 52:54:00:12:34:59 10.0.0.999 * *", "no address"),
        ("dnsmasq", DNSMASQ, "² 52:54:00:12:34:59 10.0.0.1 * *", "is not: expiry"),
        ("isc", ISC, "lease 10.0.0.999 {\n  hardware ethernet 52:54:00:12:34:56;\n}", "no address"),
        ("isc", ISC, "lease 10.0.0.1 {\n  hardware ethernet 52:54;\n}", "no MAC address"),
        ("isc", ISC, "rubbish", "neither a block nor a setting"),
    ],
)
def test_a_bad_line_is_told_and_the_others_are_read(tmp_path: Path, kind: str, good: str, line: str, reason: str) -> None:
    sightings, wrong = read(tmp_path, f"{line}\n{good}", kind)
    assert SEEN.mac in [each.mac for each in sightings]
    assert [(each.line, reason in each.reason) for each in wrong] == [(1, True)]


def test_a_bad_row_of_kea_is_told(tmp_path: Path) -> None:
    row = "10.69.2.101,52:54:00:12:34:56,,4000,soon,1,0,0,,0,,0\n10.69.2.101,52:54\n"
    sightings, wrong = read(tmp_path, KEA + row)
    assert len(sightings) == 1 and [each.line for each in wrong] == [5, 6]


def test_a_block_that_is_being_written_is_told(tmp_path: Path) -> None:
    sightings, wrong = read(tmp_path, ISC + "lease 10.69.2.109 {\n  hardware ether")
    assert len(sightings) == 2 and "does not end" in wrong[0].reason


@pytest.mark.parametrize("name", ["$(reboot)", "a b", "-x", "x" * 300, "pc{{ 1 }}", "pc\x1b[2J", "é"])
def test_a_station_may_call_itself_anything(tmp_path: Path, name: str) -> None:
    for text in (f'lease 10.0.0.1 {{\n  hardware ethernet 52:54:00:12:34:56;\n  client-hostname "{name}";\n}}\n',):
        sightings, _wrong = read(tmp_path, text, "isc")
        assert [each.hostname for each in sightings] == [""]


@pytest.mark.parametrize("kind", FORMATS)
@given(text=st.text(st.sampled_from("lease {};\n\"',:0123456789abcdef.\x00\\é²ethernethardware "), max_size=200))
def test_rubbish_never_raises_anything_else(kind: str, text: str) -> None:
    for each in FORMATS[kind](text.splitlines(keepends=True)):
        assert isinstance(each, (Sighting, BadLine))


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n"])
def test_an_empty_file_has_no_leases(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == ([], [])


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no file of leases that we know.*dnsmasq, isc, kea, log"):
        read(tmp_path, "root:x:0:0:root:/root:/bin/bash\n")
    with pytest.raises(InputError, match="No line of .* could be read: line 1"):
        read(tmp_path, "root:x:0:0\n", "dnsmasq")
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_file(tmp_path / "none", "auto")
    (tmp_path / "binary").write_bytes(bytes(range(256)) * 50)
    with pytest.raises(InputError):
        read_file(tmp_path / "binary", "auto")


def test_a_card_is_told_once_as_it_was_seen_last() -> None:
    first = Sighting("52:54:00:12:34:56", "10.0.0.1", "named", "2026-11-20T00:00:00Z")
    last = Sighting("52:54:00:12:34:56", "10.0.0.2", "", "2026-11-21T00:00:00Z")
    assert latest([last, first]) == latest([first, last]) == [Sighting(last.mac, "10.0.0.2", "named", last.seen)]
