# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody on the segment who means harm: ``attacker.py GROUP PORT SENDER OWN-ADDRESS`` listens to a session and talks in its name.

Of the packets it hears it sends some back under the sender's address with other bytes, some cut, some as they were, some with the highest
numbers there are, and garbage between.
"""

from __future__ import annotations

import json
import random
import socket
import struct
import sys


def packet(source: str, source_port: int, group: str, port: int, payload: bytes) -> bytes:
    udp = struct.pack("!HHHH", source_port, port, 8 + len(payload), 0) + payload
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 1, 17, 0, socket.inet_aton(source), socket.inet_aton(group))
    return header + udp


def main() -> None:
    group, port, sender, own = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
    chance = random.Random(4)
    ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    ear.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    ear.bind((group, port))
    ear.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + socket.inet_aton(own))
    mouth = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    mouth.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(own))
    print(json.dumps({"ready": True}), flush=True)
    sent = 0
    while True:
        heard, (_address, source_port) = ear.recvfrom(1 << 16)
        if len(heard) <= 12:
            continue  # its own, cut
        turn = chance.randrange(14)
        forged = {
            0: heard[:12] + chance.randbytes(len(heard) - 12),
            1: heard[: chance.randrange(len(heard))],
            2: heard,
            3: heard[:4] + chance.randbytes(len(heard) - 4),
            4: chance.randbytes(chance.randrange(1472)),
            5: heard[:8] + struct.pack("<I", 2 << 30 | 3) + chance.randbytes(1460),
            6: heard[:4] + struct.pack("<I", 0xFFFFFFFF) + heard[8:],
            7: heard[:4] + struct.pack("<I", 0xFFFFFFFE) + heard[8:],
        }.get(turn)
        if forged is None or (turn == 0 and chance.randrange(20)):
            continue
        mouth.sendto(packet(sender, source_port, group, port, forged), (group, port))
        sent += 1
        if sent % 50 == 0:
            print(json.dumps({"sent": sent}), flush=True)


if __name__ == "__main__":
    main()
