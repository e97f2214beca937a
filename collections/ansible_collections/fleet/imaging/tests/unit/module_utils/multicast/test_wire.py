# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What comes over the wire is parsed without trust."""

from __future__ import annotations

import contextlib
import os
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fleet.imaging.plugins.module_utils.multicast.channel import (
    ACCEPTED,
    Channel,
    Hello,
    Rejected,
    Terms,
    check_answer,
    greeting,
    receiver_hello,
    sender_answer,
)
from ansible_collections.fleet.imaging.plugins.module_utils.multicast.interface import MulticastError, Settings
from ansible_collections.fleet.imaging.plugins.module_utils.multicast.sockets import version
from ansible_collections.fleet.imaging.plugins.module_utils.multicast.wire import (
    HEADER,
    LARGEST_FRAME,
    RANGES_IN_REPORT,
    SEGMENTS_IN_REPORT,
    ProtocolError,
    ReceiverReport,
    Shape,
    pack_digests,
    pack_members,
    pack_plan,
    pack_tune,
    unpack_digests,
    unpack_done,
    unpack_members,
    unpack_number,
    unpack_plan,
    unpack_tune,
)

SECRET, IMAGE = b"k" * 32, b"i" * 32
NUMBERS = st.integers(0, 2**32 - 1)


@given(st.binary(max_size=200))
def test_whatever_a_message_holds_it_is_understood_or_refused(body: bytes) -> None:
    for unpack in (ReceiverReport.unpack, unpack_digests, unpack_plan, unpack_number, unpack_tune, unpack_done):
        with contextlib.suppress(ProtocolError):
            unpack(body)


@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS, st.lists(st.tuples(NUMBERS, st.integers(0, SEGMENTS_IN_REPORT // 20)), max_size=20))
def test_a_report_comes_back_as_it_was(seen: int, received: int, low: int, room: int, missing: list[tuple[int, int]]) -> None:
    report = ReceiverReport(seen, received, low, room, 2**40, tuple(missing))
    assert ReceiverReport.unpack(report.pack()) == report


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ([(9, 1)] * (RANGES_IN_REPORT + 1), "wrong length"),
        ([(9, 0xFFFF)], "too many missing segments"),
        ([(9, 1000), (9, SEGMENTS_IN_REPORT)], "too many missing segments"),
    ],
)
def test_a_report_that_names_more_than_it_may_is_refused(missing: list[tuple[int, int]], said: str) -> None:
    with pytest.raises(ProtocolError, match=said):
        ReceiverReport.unpack(ReceiverReport(1, 1, 0, 100, 0, tuple(missing)).pack())


@given(NUMBERS, NUMBERS)
def test_the_time_between_reports_comes_back(interval: int, number: int) -> None:
    assert unpack_tune(pack_tune(interval, number)) == (interval, number)


@given(st.lists(st.binary(min_size=32, max_size=32)), st.booleans())
def test_digests_come_back_as_they_were(digests: list[bytes], more: bool) -> None:
    assert unpack_digests(pack_digests(digests, more)) == (digests, more)


@given(NUMBERS, st.lists(st.tuples(st.binary(min_size=32, max_size=32), st.integers(1, LARGEST_FRAME))))
def test_a_plan_comes_back_as_it_was(first: int, placed: list[tuple[bytes, int]]) -> None:
    assert unpack_plan(pack_plan(first, placed)) == (first, placed)


@pytest.mark.parametrize("size", [0, LARGEST_FRAME + 1])
def test_a_frame_of_an_impossible_size_is_refused(size: int) -> None:
    with pytest.raises(ProtocolError, match="impossible size"):
        unpack_plan(pack_plan(0, [(bytes(32), size)]))


@given(st.lists(st.integers(0, 2**30 - 1), max_size=8))
def test_the_members_of_a_combined_packet_come_back(segments: list[int]) -> None:
    assert unpack_members(memoryview(HEADER.pack(1, 2, 3) + pack_members(segments))) == segments


def test_packets_fit_the_mtu_and_lose_less_than_four_percent_to_headers() -> None:
    shape = Shape.of(1500, 4)
    assert shape.combined + 28 == 1500
    assert (shape.packet + 28 + 14) / shape.segment < 1.04
    assert Shape.of(1500, 6).combined + 48 == 1500
    with pytest.raises(MulticastError, match="MTU of 100 bytes"):
        Shape.of(100, 4)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"sender": "pc1"}, "does not appear to be an IPv4 or IPv6 address"),
        ({"sender": "10.0.0.1", "group": "10.0.0.2"}, "no multicast address"),
        ({"sender": "10.0.0.1", "group": "ff05::1"}, "different IP versions"),
        ({"sender": "10.0.0.1", "ports": (9, 8)}, "no range of ports"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, object], said: str) -> None:
    with pytest.raises(MulticastError, match=said):
        version(Settings(**settings))  # type: ignore[arg-type]


def pair() -> tuple[Channel, Channel, socket.socket]:
    """Two ends of a channel, and the socket that the second one reads from the other side."""
    one, two = socket.socketpair()
    hello = greeting()
    nonce = os.urandom(32)
    return Channel(one, SECRET, hello, nonce, sender=True), Channel(two, SECRET, hello, nonce, sender=False), one


def test_messages_arrive_in_order_in_both_directions() -> None:
    sender, receiver, _raw = pair()
    for number in range(3):
        sender.send(number, bytes([number]) * number)
        receiver.send(16 + number)
    assert receiver.receive() == [(0, b""), (1, b"\1"), (2, b"\2\2")]
    assert sender.receive() == [(16, b""), (17, b""), (18, b"")]


@given(st.binary(min_size=1, max_size=100))
def test_what_the_peer_did_not_sign_ends_the_connection(noise: bytes) -> None:
    _sender, receiver, raw = pair()
    raw.send(len(noise).to_bytes(4, "little") + noise)
    with pytest.raises(ProtocolError):
        receiver.receive()


def test_a_message_cannot_be_replayed_or_altered() -> None:
    sender, receiver, raw = pair()
    recorded = bytearray()
    sender.connection, outside = socket.socketpair()
    sender.send(1, b"hello")
    recorded += outside.recv(1000)
    raw.send(recorded)
    assert receiver.receive() == [(1, b"hello")]
    raw.send(recorded)
    with pytest.raises(ProtocolError, match="not signed"):
        receiver.receive()
    sender, receiver, raw = pair()
    sender.connection, outside = socket.socketpair()
    sender.send(1, b"hello")
    recorded = bytearray(outside.recv(1000))
    recorded[6] ^= 1
    raw.send(recorded)
    with pytest.raises(ProtocolError, match="not signed"):
        receiver.receive()


def test_each_end_proves_that_it_knows_the_secret() -> None:
    hello = greeting()
    said, nonce = receiver_hello(SECRET, IMAGE, "pc01", hello)
    parsed = Hello.parse(SECRET, hello, said)
    assert parsed and (parsed[0].name, parsed[0].image, parsed[1]) == ("pc01", IMAGE, len(said))
    terms = Terms(ACCEPTED, b"s" * 16, 1, 2, 1428, 3)
    assert check_answer(SECRET, hello, nonce, sender_answer(SECRET, hello, nonce, terms)) == terms
    with pytest.raises(Rejected):
        Hello.parse(b"another secret..", hello, said)
    with pytest.raises(Rejected):
        Hello.parse(SECRET, greeting(), said)  # a hello that was recorded
    with pytest.raises(Rejected):
        check_answer(SECRET, hello, nonce, sender_answer(b"another secret..", hello, nonce, terms))
    assert all(Hello.parse(SECRET, hello, said[:end]) is None for end in range(len(said)))
