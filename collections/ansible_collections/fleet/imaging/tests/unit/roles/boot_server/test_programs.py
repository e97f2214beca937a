# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the boot server's programs make of packets, files and passwords that anybody may send."""

from __future__ import annotations

import hashlib
import importlib
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

FILES = Path(__file__).parents[4] / "roles/boot_server/files"


@pytest.fixture(scope="module")
def programs() -> Iterator[Any]:
    """The boot service's package, as the boot server imports it."""
    sys.path.insert(0, str(FILES))
    try:
        yield lambda name: importlib.import_module(f"fleet_boot.{name}")
    finally:
        sys.path.remove(str(FILES))


@given(frame=st.binary(max_size=700), number=st.integers(0, 2**32 - 1))
def test_a_broken_packet_is_no_offer(programs: Any, frame: bytes, number: int) -> None:
    assert programs("probe").parse(frame, number) is None


@given(cut=st.integers(0, 700), options=st.binary(max_size=60))
def test_an_offer_is_read_and_one_that_is_cut_does_no_harm(programs: Any, cut: int, options: bytes) -> None:
    probe = programs("probe")
    message = probe._FIXED.pack(2, 1, 6, 0, 7, 0, 0, b"", b"\x0a\x4d\0\x14", b"", b"", b"", b"", b"boot.0") + probe._MAGIC
    message += b"\x35\x01\x02\x36\x04\x0a\x4d\0\xfe" + options
    frame = (
        bytes(12)
        + b"\x08\x00\x45"
        + bytes(8)
        + b"\x11"
        + bytes(2)
        + b"\x0a\x4d\0\xfe"
        + bytes(4)
        + struct.pack("!HHHH", 67, 68, 0, 0)
        + message
    )
    found = probe.parse(frame[: len(frame) - cut], 7)
    if cut == 0 and not options:
        assert found == probe.Offer("10.77.0.254", "10.77.0.20", "boot.0")


@given(message=st.binary(max_size=40))
def test_only_a_solicitation_is_answered(programs: Any, message: bytes) -> None:
    answered = programs("advertise").answered
    assert answered(message, "fe80::1%lan") == ("fe80::1" if len(message) >= 8 and message[:2] == b"\x85\0" else "")


@pytest.mark.parametrize(("sender", "to"), [("::", "ff02::1"), ("fe80::1%2", "fe80::1"), ("2001:db8::1", ""), ("ff02::1", "")])
def test_an_advertisement_stays_on_the_link(programs: Any, sender: str, to: str) -> None:
    assert programs("advertise").answered(b"\x85\0" + bytes(6), sender) == to


def test_a_password_matches_its_hash_and_no_other(programs: Any) -> None:
    matches = programs("password").matches
    for rounds, length in ((1000, 64), (10_000, 32)):
        made = hashlib.pbkdf2_hmac("sha512", "pässword".encode(), b"salt5678", rounds, length)
        hashed = f"grub.pbkdf2.sha512.{rounds}.{b'salt5678'.hex().upper()}.{made.hex().upper()}"
        assert matches(hashed, "pässword") and not matches(hashed, "password") and not matches(hashed, "")
        assert not matches(hashed, "x" * 1000)
    for wrong in (
        "",
        "grub.pbkdf2.sha512",
        "grub.pbkdf2.sha512.0.AA.BB",
        "grub.pbkdf2.sha512.1.AA.",
        "grub.pbkdf2.sha512.99999999999.AA.BB",
        "a.b.c.d.e.f",
    ):
        assert not matches(wrong, "")


def test_whose_card_an_address_has(programs: Any, tmp_path: Path) -> None:
    card_of, table = programs("neighbours").card_of, tmp_path / "arp"
    assert card_of("10.77.0.11", table) is None, "a kernel without a table knows nobody"
    table.write_text(
        "IP address HW type Flags HW address Mask Device\n"
        "10.77.0.11 0x1 0x2 52:54:00:77:00:0A * lan\n"
        "10.77.0.12 0x1 0x0 00:00:00:00:00:00 * lan\n"
        "half\n"
    )
    assert card_of("10.77.0.11", table) == "52-54-00-77-00-0a"
    assert card_of("10.77.0.12", table) is None and card_of("10.77.0.1", table) is None and card_of("", table) is None


def test_how_full_a_pool_is(programs: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, config, leases, log = programs("status"), tmp_path / "conf", tmp_path / "leases", tmp_path / "log"
    config.write_text(f"dhcp-range=set:pool,10.77.0.100,10.77.0.101,255.255.255.0,12h\ndhcp-leasefile={leases}\nlog-facility={log}\n")
    assert status.show(config, as_json=False) == 0
    assert capsys.readouterr().out == "0 of 2 addresses are in use (10.77.0.100-10.77.0.101)\n"
    future = 9999999999
    leases.write_text(
        "1 52:54:00:77:00:01 10.77.0.100 * *\n"
        f"{future} 52:54:00:77:00:02 10.77.0.101 * *\n"
        f"{future} 52:54:00:77:00:09 10.77.0.11 * *\n"
        "half a li"
    )
    assert status.read(config, 1000.0)["used"] == 1, "one is over, and one is reserved outside of the pool"
    log.write_text("dnsmasq-dhcp[1]: 12 DHCPDISCOVER(lan) 52:54:00:77:00:03 no address available\n")
    assert status.show(config, as_json=False) == 1
    assert "52:54:00:77:00:03 found no free address" in capsys.readouterr().out
    assert status.show(tmp_path / "none", as_json=False) == 2
