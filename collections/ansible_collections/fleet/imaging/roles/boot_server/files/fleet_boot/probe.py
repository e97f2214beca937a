# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who else answers DHCP here: a DISCOVER as a PXE client sends it, and what comes back.

Raw packets (packet(7)), because the host's own DHCP client may hold port 68, and the host may have no address yet.
"""

from __future__ import annotations

import secrets
import select
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Optional

_ETH_IP = 0x0800
_MAGIC = b"\x63\x82\x53\x63"
_FIXED = struct.Struct("!BBBBIHH4s4s4s4s16s64s128s")


@dataclass(frozen=True)
class Offer:
    """A DHCPOFFER."""

    server: str
    """The server's identifier, or the address that it came from."""
    address: str
    """The address offered; empty from a proxy."""
    boot: str
    """The boot file named, if any."""

    def as_dict(self) -> dict[str, str]:
        """For JSON."""
        return asdict(self)


def offers(interface: str, seconds: float) -> list[Offer]:
    """Ask three times within the seconds, and collect every server's offer, once each. OSError for an interface that is not there.

    A server may take three seconds for its first offer: dnsmasq tries the address by ping before.
    """
    found: dict[tuple[str, bool], Offer] = {}
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_IP)) as wire:
        wire.bind((interface, _ETH_IP))
        # An address of its own, of the locally administered kind: no lease of a real card is touched.
        card = bytes([0x02, 0xF1]) + secrets.token_bytes(4)
        _listen_to(wire, interface)
        number = secrets.randbits(32)
        for kind in (b"PXEClient:Arch:00000:UNDI:002001", b"", b"PXEClient:Arch:00007:UNDI:003016"):
            wire.send(_frame(card, number, kind))
            for offer in _replies(wire, number, time.monotonic() + seconds / 3):
                found.setdefault((offer.server, bool(offer.address)), offer)
    return [found[key] for key in sorted(found)]


def _listen_to(wire: socket.socket, interface: str) -> None:
    """Let the card pass what is sent to our made-up address (PACKET_MR_PROMISC), for servers that do not broadcast."""
    membership = struct.pack("iHH8s", socket.if_nametoindex(interface), 1, 0, b"")
    wire.setsockopt(263, 1, membership)  # SOL_PACKET, PACKET_ADD_MEMBERSHIP


def _replies(wire: socket.socket, number: int, until: float) -> Iterator[Offer]:
    while (left := until - time.monotonic()) > 0:
        if select.select([wire], [], [], left)[0]:
            offer = parse(wire.recv(4096), number)
            if offer is not None:
                yield offer


def _frame(card: bytes, number: int, vendor: bytes) -> bytes:
    fixed = _FIXED.pack(1, 1, 6, 0, number, 0, 0x8000, b"", b"", b"", b"", card, b"", b"")
    options = b"\x35\x01\x01" + b"\x37\x05\x01\x03\x36\x42\x43"
    if vendor:
        arch = int(vendor.split(b":")[2])
        options += (
            bytes([60, len(vendor)])
            + vendor
            + struct.pack("!BBH", 93, 2, arch)
            + b"\x5e\x03\x01\x02\x01"
            + b"\x61\x11\x00"
            + card
            + bytes(10)
        )
    payload = fixed + _MAGIC + options + b"\xff"
    payload += bytes(max(0, 300 - len(payload)))
    udp = struct.pack("!HHHH", 68, 67, 8 + len(payload), 0) + payload
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, bytes(4), b"\xff" * 4)
    header = header[:10] + struct.pack("!H", _sum(header)) + header[12:]
    return b"\xff" * 6 + card + struct.pack("!H", _ETH_IP) + header + udp


def parse(frame: bytes, number: int) -> Optional[Offer]:
    """An offer to the request of this number in an Ethernet frame; None for anything else, however broken."""
    if len(frame) < 34 or frame[23] != 17:
        return None
    start = 14 + (frame[14] & 0x0F) * 4
    ports, message = frame[start : start + 4], frame[start + 8 :]
    if ports != struct.pack("!HH", 67, 68) or len(message) < _FIXED.size + 4 or message[_FIXED.size : _FIXED.size + 4] != _MAGIC:
        return None
    fields: tuple[Any, ...] = _FIXED.unpack_from(message)
    if fields[0] != 2 or fields[4] != number:
        return None
    options = _options(message[_FIXED.size + 4 :])
    if options.get(53) != b"\x02":
        return None
    server = options.get(54, b"")
    address = socket.inet_ntoa(fields[8]) if any(fields[8]) else ""
    boot = options.get(67, fields[13]).split(b"\0")[0].decode("ascii", "replace")
    return Offer(socket.inet_ntoa(server if len(server) == 4 else frame[26:30]), address, "".join(c for c in boot if c.isprintable()))


def _options(data: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    place = 0
    while place + 1 < len(data) and data[place] != 255:
        if data[place] == 0:
            place += 1
            continue
        length = data[place + 1]
        found[data[place]] = data[place + 2 : place + 2 + length]
        place += 2 + length
    return found


def _sum(header: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(header) // 2}H", header))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF
