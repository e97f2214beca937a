# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports for the servers that tests and benchmarks start."""

from __future__ import annotations

import random
import socket
from pathlib import Path

LOWEST, CLIENTS = 10000, Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port() -> int:
    """A TCP port nobody uses, below those that the kernel gives to clients.

    A port that the kernel chose (``bind`` to 0), or the one after it, can belong to a client, even to one that ended a minute ago,
    when the server comes to bind it.
    """
    for port in random.SystemRandom().sample(range(LOWEST, int(CLIENTS.read_text().split()[0])), 200):
        with socket.socket() as probe:
            try:
                probe.bind(("", port))
            except OSError:
                continue
        return port
    raise RuntimeError(f"no free port between {LOWEST} and the first of {CLIENTS}")
