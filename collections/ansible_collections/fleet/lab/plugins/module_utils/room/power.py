# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting, finding, ending and awaiting the firmware of stations.

Firmware is found by what it is called with, never by a pid written down earlier: that holds after any crash and any reuse of pids.
"""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

from ansible_collections.fleet.core.plugins.module_utils.command import run
from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError

from . import firmware
from .station import Station

PROGRAM = "firmware.py"
CONSOLE = "console.log"
TAIL = 20
"""Lines of a console shown in an error."""


class PowerError(FleetError):
    """A station does not start or does not end."""


def burn(room: Path) -> None:
    """Put the firmware's program into the room's folder, where it outlives the module that starts it."""
    temporary = room / f".{PROGRAM}"
    temporary.write_text(inspect.getsource(firmware), encoding="utf-8")
    os.replace(temporary, room / PROGRAM)


def switch_on(folder: Path, description: firmware.Description) -> None:
    """Start a station's firmware in mount, process and control groups of its own; folder is the station's, in the room's."""
    (folder / "station.json").write_text(json.dumps(description.__dict__, indent=2) + "\n", encoding="utf-8")
    # setsid leaves it to the host's first process: whoever called us can end, and need not wait for it.
    command = ["setsid", "--fork", "unshare", "--mount", "--propagation=slave", "--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc"]
    command += ["/usr/bin/python3", str(folder.parent.parent / PROGRAM), str(folder)]
    groups: list[Path] = []
    if _systemd_runs():
        # nspawn makes groups of its own below the one it finds itself in: that one must be ours alone.
        command = [
            "systemd-run",
            "--scope",
            "--quiet",
            "--collect",
            "--property=Delegate=yes",
            f"--unit={description.machine}",
            "--",
            *command,
        ]
    else:
        groups = [hierarchy / description.machine for hierarchy in _hierarchies()]
        for group in groups:
            group.mkdir(exist_ok=True)
    with (folder / CONSOLE).open("ab") as console:
        subprocess.run(  # pylint: disable=subprocess-popen-preexec-fn
            command,
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            cwd="/",
            check=True,
            preexec_fn=lambda: [(group / "cgroup.procs").write_text("0") for group in groups],
        )


def running(room: Path) -> dict[str, list[int]]:
    """Return {station: pids of its firmware} of a room, whatever started it."""
    found: dict[str, list[int]] = {}
    program = os.fsencode(room / PROGRAM)
    for process in os.listdir("/proc"):
        if process.isdigit():
            try:
                arguments = Path("/proc", process, "cmdline").read_bytes().rstrip(b"\0").split(b"\0")
            except OSError:
                continue  # it ended meanwhile
            if len(arguments) > 2 and arguments[-2] == program:
                found.setdefault(os.path.basename(os.fsdecode(arguments[-1])), []).append(int(process))
    return found


def switch_off(room: Path, stations: Iterable[str], timeout: float = 10.0) -> None:
    """End the firmware of stations at once, like pulling the plug; the kernel ends all that ran under it."""
    wanted, deadline = set(stations), time.monotonic() + timeout
    while True:
        pids = [pid for name, found in running(room).items() if name in wanted for pid in found]
        if not pids:
            return
        if time.monotonic() > deadline:
            raise PowerError(f"Firmware processes {pids} of {room} do not end", remedy="See what they wait for, then remove the room again")
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


def remove_groups(pattern: str, timeout: float = 5.0) -> None:
    """Remove the control groups of stations, by a glob of their names; they are empty once their processes are gone."""
    deadline = time.monotonic() + timeout
    for hierarchy in _hierarchies():
        for group in hierarchy.glob(pattern):
            for path, _folders, _files in os.walk(group, topdown=False):
                while True:
                    try:
                        os.rmdir(path)
                        break
                    except FileNotFoundError:
                        break
                    except OSError as error:
                        if time.monotonic() > deadline:
                            raise PowerError(f"The control group {path} stays in use: {error}", remedy="See its cgroup.procs") from error
                        time.sleep(0.05)


def await_ssh(room: Path, namespace: Path, stations: Iterable[Station], timeout: float) -> None:
    """Wait until each station answers SSH, at most timeout seconds; raise PowerError with the end of the console of one that does not."""
    waiting = {station.address: station for station in stations}
    deadline = time.monotonic() + timeout
    while waiting:
        scan = ["nsenter", f"--net={namespace}", "ssh-keyscan", "-T", "2", "-t", "ed25519", *waiting]
        for line in run(scan, ok=None).stdout.splitlines():
            waiting.pop(line.split(" ", 1)[0], None)
        alive = running(room)
        for station in waiting.values():
            if station.name not in alive:
                raise PowerError(f"Station {station.name} switched itself off before it answered SSH", remedy=_console(room, station.name))
            if time.monotonic() > deadline:
                raise PowerError(f"Station {station.name} does not answer SSH within {timeout:g} s", remedy=_console(room, station.name))
        if waiting:
            time.sleep(0.1)


def _console(room: Path, name: str) -> str:
    path = room / "stations" / name / CONSOLE
    lines = [line for line in path.read_text(errors="replace").splitlines() if line.strip()] if path.exists() else []
    return f"Its console ({path}) ends with:\n" + "\n".join(lines[-TAIL:])


def _systemd_runs() -> bool:
    return Path("/run/systemd/system").is_dir()


def _hierarchies() -> list[Path]:
    """Return the mounted control group hierarchies that systemd in a container uses: version 2, and version 1's name=systemd."""
    found = []
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        place, _dash, kind = line.partition(" - ")
        filesystem, _source, options = kind.split(" ", 2)
        if filesystem == "cgroup2" or (filesystem == "cgroup" and "name=systemd" in options.split(",")):
            found.append(Path(place.split(" ")[4]))
    return found
