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
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from . import host, relayed
from .host import HostError
from .network import NAMESPACES
from .room import Room

PROGRAM = "port.py"
LOOPBACK = "127.0.0.1"


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
    """Make a station's port reachable, or not any more; return the module's result. HostError when the local port is not free."""
    room = Room(parameters["path"])
    host.require()
    present = parameters["state"] == "present"
    state = room.load() if present or room.exists() else None
    if state is None:
        return {"changed": False}
    address, port, local = state.station(parameters["station"]).address, parameters["port"], parameters["local_port"]
    there = [each for each in running(room.path) if (each.address, each.port) == (address, port)]
    good = [each for each in there if present and local in (0, each.local)]
    if good:
        return {"changed": False, "local_port": good[0].local}
    if not check:
        for each in there:
            os.kill(each.pid, signal.SIGTERM)
        local = _start(room, address, port, local) if present else None
    return {"changed": bool(present or there), "local_port": local}


def _start(room: Room, address: str, port: int, local: int) -> Optional[int]:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, local))
        except OSError as error:
            raise HostError(f"Port {local} of this host cannot be used: {error.strerror}", remedy="Choose another local_port") from error
        listener.listen(64)
        local = listener.getsockname()[1]
        program = room.path / PROGRAM
        program.write_text(inspect.getsource(relayed), encoding="utf-8")
        command = ["setsid", "--fork", "nsenter", f"--net={NAMESPACES / room.network.namespace}", "/usr/bin/python3", str(program)]
        command += [str(listener.fileno()), address, str(port), str(local)]
        subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[listener.fileno()],
            cwd="/",
            check=True,
        )
    return local
