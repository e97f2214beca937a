# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting, finding and ending what makes a station's port reachable on this host; the program is relayed.py."""

from __future__ import annotations

import contextlib
import inspect
import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.fleet.core.plugins.module_utils.errors import InputError

from . import host, relayed
from .host import HostError
from .network import NAMESPACES
from .room import Room

PROGRAM = "port.py"
LOOPBACK = "127.0.0.1"
LAST = 65535


@dataclass(frozen=True)
class Running:
    """One that runs: its process, the port on this host, and whither it leads."""

    pid: int
    local: int
    address: str
    port: int


def running(room: Path) -> list[Running]:
    """What runs for a room, whatever started it."""
    found = []
    for process in os.listdir("/proc"):
        with contextlib.suppress(OSError, ValueError):
            words = Path("/proc", process, "cmdline").read_bytes().rstrip(b"\0").split(b"\0")
            if len(words) == 6 and words[1] == os.fsencode(room / PROGRAM):
                address, port, local = (word.decode() for word in words[3:])
                found.append(Running(int(process), int(local), address, int(port)))
    return found


def apply(parameters: dict[str, Any], *, check: bool) -> dict[str, Any]:
    """Make a station's port reachable, or not any more; return the module's result.

    InputError for what is no port, no room or no station of it; HostError when the local port is not free. Nothing is changed then.
    """
    port, local = parameters["port"], parameters["local_port"]
    for option, number, least in (("port", port, 1), ("local_port", local, 0)):
        if not least <= number <= LAST:
            raise InputError(f"{option} {number} is no port", remedy=f"Use a number from {least} to {LAST}")
    room = Room(parameters["path"])
    host.require()
    present = parameters["state"] == "present"
    state = room.load() if present or room.exists() else None
    if state is None:
        return {"changed": False}
    address = state.station(parameters["station"]).address
    there = [each for each in running(room.path) if (each.address, each.port) == (address, port)]
    good = [each for each in there if present and local in (0, each.local)]
    if good:
        return {"changed": False, "local_port": good[0].local}
    if not present:
        if not check:
            _end(room.path, there)
        return {"changed": bool(there)}
    with _listen(local) as listener:  # before the one there is ends: that one stays when this fails
        if not check:
            _end(room.path, there)
            local = listener.getsockname()[1]
            _start(room, address, port, listener)
    return {"changed": True, "local_port": local}


def _listen(local: int) -> socket.socket:
    listener = socket.socket()
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, local))
        listener.listen(64)
    except OSError as error:
        listener.close()
        raise HostError(f"Port {local} of this host cannot be used: {error.strerror}", remedy="Choose another local_port") from error
    return listener


def _end(room: Path, processes: list[Running], timeout: float = 10.0) -> None:
    """End processes, and wait until they have given their ports back."""
    deadline = time.monotonic() + timeout
    pids = {each.pid for each in processes}
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    while pids & {each.pid for each in running(room)}:
        if time.monotonic() > deadline:
            raise HostError(f"Processes {sorted(pids)} of {room} do not end", remedy="See what they wait for, then try again")
        time.sleep(0.02)


def _start(room: Room, address: str, port: int, listener: socket.socket) -> None:
    program = room.path / PROGRAM
    program.write_text(inspect.getsource(relayed), encoding="utf-8")
    command = ["setsid", "--fork", "nsenter", f"--net={NAMESPACES / room.network.namespace}", "/usr/bin/python3", str(program)]
    command += [str(listener.fileno()), address, str(port), str(listener.getsockname()[1])]
    subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=[listener.fileno()],
        cwd="/",
        check=True,
    )
