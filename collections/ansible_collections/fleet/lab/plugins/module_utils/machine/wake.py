# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What waits for a magic packet, as the network card of a switched-off PC does, and switches the machine on.

This file is a program and stands alone: it is copied into the machine's folder, started within the namespace of the bridge, and outlives
whoever started it. It says "ready" once packets are heard.

    wake.py FOLDER

FOLDER/start.json has ``mac``, ``password`` (SecureOn, may be blank), ``bridge`` and ``argv``, the command that switches on. A machine that
runs already is left alone. The format is AMD's white paper 20213, "Magic Packet Technology": six bytes FF, then the MAC sixteen times,
anywhere in a frame; SecureOn's four or six bytes follow.
"""

from __future__ import annotations

import ctypes
import json
import os
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

WAKE_ON_LAN, IPV4, IPV6, UDP = 0x0842, 0x0800, 0x86DD, 17
PORTS = (7, 9)
ALL = 3
"""ETH_P_ALL: what the namespace itself sends, too."""
SOL_PACKET, ADD_MEMBERSHIP, PROMISCUOUS, ATTACH_FILTER = 263, 1, 1, 26
START, LOG = "start.json", "wake.log"

# Classic BPF: frames of other kinds never leave the kernel; a room being imaged has 100,000 of them a second.
# Each step: code, jump if true, jump if false, k.
FILTER = (
    (0x28, 0, 0, 12),  # 0 ethertype
    (0x15, 15, 0, WAKE_ON_LAN),  # 1 → 17
    (0x15, 1, 0, IPV4),  # 2 → 4
    (0x15, 8, 14, IPV6),  # 3 → 12, else 18
    (0x30, 0, 0, 23),  # 4 IPv4's protocol
    (0x15, 0, 12, UDP),  # 5 else 18
    (0x28, 0, 0, 20),  # 6 fragment offset
    (0x45, 10, 0, 0x1FFF),  # 7 → 18
    (0xB1, 0, 0, 14),  # 8 length of the header
    (0x48, 0, 0, 16),  # 9 UDP's destination port
    (0x15, 6, 0, PORTS[0]),  # 10 → 17
    (0x15, 5, 6, PORTS[1]),  # 11 → 17, else 18
    (0x30, 0, 0, 20),  # 12 IPv6's next header
    (0x15, 0, 4, UDP),  # 13 else 18
    (0x28, 0, 0, 56),  # 14 UDP's destination port
    (0x15, 1, 0, PORTS[0]),  # 15 → 17
    (0x15, 0, 1, PORTS[1]),  # 16 else 18
    (0x06, 0, 0, 0xFFFF),  # 17 accept
    (0x06, 0, 0, 0),  # 18 drop
)


def payload(frame: bytes) -> bytes:
    """Return where a magic pattern may stand in an Ethernet frame; empty for frames of other kinds, and for cut ones."""
    kind = int.from_bytes(frame[12:14], "big")
    if kind == WAKE_ON_LAN:
        return frame[14:]
    if kind == IPV4 and len(frame) > 34:
        if frame[23] != UDP or int.from_bytes(frame[20:22], "big") & 0x1FFF:
            return b""
        start = 14 + 4 * max(5, frame[14] & 15)
    elif kind == IPV6 and len(frame) > 54 and frame[20] == UDP:
        start = 54
    else:
        return b""
    return frame[start + 8 :] if int.from_bytes(frame[start + 2 : start + 4], "big") in PORTS else b""


def wakes(frame: bytes, mac: str, password: str = "") -> bool:
    """Whether an Ethernet frame switches on the machine with a MAC; password is SecureOn's, bytes in hexadecimal with colons, or blank."""
    card, secret = bytes.fromhex(mac.replace(":", "")), bytes.fromhex(password.replace(":", ""))
    if not frame[:1] or (frame[:6] != card and not frame[0] & 1):
        return False  # to somebody else
    return b"\xff" * 6 + card * 16 + secret in payload(frame)


def running(folder: str) -> list[int]:
    """Return the pids of the machine's QEMU, found by what it is called with."""
    found = []
    pid_file = os.fsencode(os.path.join(folder, "qemu.pid"))
    for process in os.listdir("/proc"):
        if process.isdigit():
            try:
                words = Path("/proc", process, "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue  # it ended meanwhile
            if os.path.basename(words[0]).startswith(b"qemu-system-") and pid_file in words:
                found.append(int(process))
    return found


def listen(bridge: str) -> socket.socket:
    """Return a socket that hears every frame on a bridge that may be a magic packet."""
    # Nothing is heard before it is bound: the filter comes first.
    heard = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in FILTER))
    heard.setsockopt(socket.SOL_SOCKET, ATTACH_FILTER, struct.pack("@HP", len(FILTER), ctypes.addressof(program)))
    # A bridge keeps frames to a MAC that it does not know from itself, unless it is promiscuous.
    heard.setsockopt(SOL_PACKET, ADD_MEMBERSHIP, struct.pack("@iHH8s", socket.if_nametoindex(bridge), PROMISCUOUS, 0, b""))
    heard.bind((bridge, ALL))
    return heard


def answer(frame: bytes, folder: str) -> bool:
    """Switch the machine in a folder on if a frame wakes it and it is off; return whether that was done."""
    try:
        known = json.loads(Path(folder, START).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    if not wakes(frame, known["mac"], known["password"]) or running(folder):
        return False
    done = subprocess.run(known["argv"], stdin=subprocess.DEVNULL, capture_output=True, check=False, cwd="/")
    with Path(folder, LOG).open("ab") as log:
        log.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} woken: {done.returncode}\n".encode() + done.stderr)
    return True


def main(argv: Sequence[str]) -> int:
    """Listen and switch on, for ever."""
    folder = argv[1]
    bridge = json.loads(Path(folder, START).read_text(encoding="utf-8"))["bridge"]
    try:
        heard = listen(bridge)
    except OSError as error:
        raise SystemExit(f"bridge {bridge}: {error}") from error
    os.write(1, b"ready\n")
    while True:
        answer(heard.recv(65535), folder)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv))
