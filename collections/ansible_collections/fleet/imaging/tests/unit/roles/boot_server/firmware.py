# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A station's firmware in a few lines: asks DHCP as BIOS PXE, iPXE, UEFI PXE or UEFI HTTP Boot do, and fetches over TFTP.

Standard library only; run inside a network namespace as ``firmware.py dhcp INTERFACE KIND OFFERS SECONDS`` or
``firmware.py tftp ADDRESS FILE``.
What it was told is a line of JSON.
"""

from __future__ import annotations

import json
import secrets
import select
import socket
import struct
import sys
import time
from typing import Any

KINDS = {"bios": 0, "ipxe": 0, "efi": 7, "efi-bc": 9, "efihttp": 16, "arm": 11, "system": None}
FIXED = struct.Struct("!BBBBIHH4s4s4s4s16s64s128s")
MAGIC = b"\x63\x82\x53\x63"


def options_of(kind: str) -> bytes:
    arch = KINDS[kind]
    if arch is None:
        return b""
    vendor = f"{'HTTP' if kind == 'efihttp' else 'PXE'}Client:Arch:{arch:05}:UNDI:003016".encode()
    found = (
        bytes([60, len(vendor)]) + vendor + struct.pack("!BBH", 93, 2, arch) + b"\x5e\x03\x01\x03\x10" + b"\x61\x11\x00" + bytes(range(16))
    )
    return found + (b"\xaf\x03\xb1\x01\x01" if kind == "ipxe" else b"")


def options_in(data: bytes) -> dict[int, bytes]:
    found, place = {}, 0
    while place + 1 < len(data) and data[place] != 255:
        if data[place] == 0:
            place += 1
            continue
        found[data[place]] = data[place + 2 : place + 2 + data[place + 1]]
        place += 2 + data[place + 1]
    return found


class Card:
    """A network card that has no address yet."""

    def __init__(self, interface: str) -> None:
        self.wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
        self.wire.bind((interface, 0x0800))
        self.mac: bytes = self.wire.getsockname()[4]

    def send(self, number: int, options: bytes) -> None:
        message = FIXED.pack(1, 1, 6, 0, number, 0, 0x8000, b"", b"", b"", b"", self.mac, b"", b"") + MAGIC + options + b"\xff"
        message += bytes(max(0, 300 - len(message)))
        udp = struct.pack("!HHHH", 68, 67, 8 + len(message), 0) + message
        header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, bytes(4), b"\xff" * 4)
        total = sum(struct.unpack("!10H", header))
        total = (total & 0xFFFF) + (total >> 16)
        header = header[:10] + struct.pack("!H", ~total & 0xFFFF) + header[12:]
        self.wire.send(b"\xff" * 6 + self.mac + b"\x08\x00" + header + udp)

    def answers(self, number: int, count: int, seconds: float) -> list[dict[str, Any]]:
        """So many answers, or those of so many seconds."""
        found: list[dict[str, Any]] = []
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and len(found) < count:
            if not select.select([self.wire], [], [], left)[0]:
                break
            frame = self.wire.recv(4096)
            start = 14 + (frame[14] & 15) * 4
            message = frame[start + 8 :]
            if frame[23] != 17 or frame[start : start + 4] != struct.pack("!HH", 67, 68) or len(message) < 240:
                continue
            fields = FIXED.unpack_from(message)
            if fields[0] != 2 or fields[4] != number:
                continue
            options = options_in(message[240:])
            boot = options.get(67, fields[13]).split(b"\0")[0].decode()
            found.append(
                {
                    "type": options[53][0],
                    "address": socket.inet_ntoa(fields[8]),
                    "next": socket.inet_ntoa(fields[9]),
                    "server": socket.inet_ntoa(options[54]),
                    "boot": boot,
                    "class": options.get(60, b"").decode(),
                    "router": options.get(3, b"").hex(),
                    "name": options.get(12, b"").decode(),
                    "menu": options.get(43, b"").hex(),
                }
            )
        return found


def dhcp(interface: str, kind: str, count: int, seconds: float) -> dict[str, Any]:
    """Discover, and request the first address that is offered."""
    card, number = Card(interface), secrets.randbits(32)
    wish = b"\x37\x08\x01\x03\x0c\x36\x3c\x42\x43\x2b"
    card.send(number, b"\x35\x01\x01" + wish + options_of(kind))
    offers = card.answers(number, count, seconds)
    # As firmware chooses (PXE 2.1, EDK2's PxeBcSelectDhcp4Offer): one with address and boot file before one with an address alone.
    with_address = sorted((each for each in offers if each["address"] != "0.0.0.0"), key=lambda each: not each["boot"])
    said: dict[str, Any] = {"offers": offers, "ack": None}
    if with_address:
        chosen = with_address[0]
        asked = b"\x32\x04" + socket.inet_aton(chosen["address"]) + b"\x36\x04" + socket.inet_aton(chosen["server"])
        card.send(number, b"\x35\x01\x03" + asked + wish + options_of(kind))
        said["ack"] = next((each for each in card.answers(number, 1, 60) if each["type"] == 5), None)
    return said


def tftp(address: str, file: str) -> dict[str, Any]:
    """Fetch a file with blocks of 1468 bytes, as GRUB does; the error that the server gives instead."""
    wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    wire.settimeout(30)
    wire.sendto(b"\0\1" + file.encode() + b"\0octet\0blksize\x001468\0tsize\x000\0", (address, 69))
    data, expected = bytearray(), 1
    while True:
        packet, server = wire.recvfrom(65536)
        kind = packet[1]
        if kind == 5:
            return {"error": packet[4:].split(b"\0")[0].decode()}
        if kind == 6:
            wire.sendto(b"\0\4\0\0", server)
            continue
        block = struct.unpack("!H", packet[2:4])[0]
        if block == expected & 0xFFFF:
            data += packet[4:]
            expected += 1
        wire.sendto(b"\0\4" + packet[2:4], server)
        if len(packet) - 4 < 1468:
            return {"bytes": len(data), "text": data[:4096].decode("utf-8", "replace")}


if __name__ == "__main__":
    if sys.argv[1] == "dhcp":
        print(json.dumps(dhcp(sys.argv[2], sys.argv[3], int(sys.argv[4]), float(sys.argv[5]))))
    else:
        print(json.dumps(tftp(sys.argv[2], sys.argv[3])))
