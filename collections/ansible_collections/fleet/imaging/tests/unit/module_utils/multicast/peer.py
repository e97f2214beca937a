# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One end of a session as a process of its own: ``peer.py '{"role": ...}'``. It says what happens in lines of JSON.

A receiver's disk is a folder with a file for each chunk; a file that is written twice, or wrong, is an error. With ``held`` it says that it
is running, which takes its time on a busy machine, and begins with SIGUSR1.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.imaging.plugins.module_utils.multicast import reception
from ansible_collections.fleet.imaging.plugins.module_utils.multicast.interface import SessionState, Settings, StartPolicy
from ansible_collections.fleet.imaging.plugins.module_utils.multicast.session import ReceiveSession, SendSession


class Store:
    """Frames in a folder, and their order."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.digests = [bytes.fromhex(line) for line in (folder / "order").read_text().split()]

    def frame(self, digest: bytes) -> bytes:
        return (self._folder / digest.hex()).read_bytes()


def say(**what: Any) -> None:
    print(json.dumps(what), flush=True)


def send(options: dict[str, Any]) -> None:
    phases: list[str] = []

    def report(state: SessionState) -> None:
        if state.phase not in phases or state.missing != report.missing:  # type: ignore[attr-defined]
            phases.append(state.phase)
            report.missing = state.missing  # type: ignore[attr-defined]
            say(phase=state.phase, present=state.present, missing=state.missing)

    report.missing = None  # type: ignore[attr-defined]
    session = SendSession(
        Settings(**options["settings"]),
        options["secret"].encode(),
        options["image"].encode(),
        Store(Path(options["store"])),
        options["expected"],
        start=lambda: StartPolicy(**options.get("start", {})),
        report=report,
    )
    signal.signal(signal.SIGTERM, lambda _number, _frame: session.stop())
    verdicts = session.run()
    say(verdicts={name: vars(verdict) for name, verdict in verdicts.items()}, count={**vars(session.count), "unreadable": ()})


def receive(options: dict[str, Any]) -> None:
    folder = Path(options["folder"])
    folder.mkdir(exist_ok=True)
    if "room" in options:
        receiving = reception.receiving
        reception.receiving = lambda *where: (receiving(*where)[0], options["room"])
    wanted = {bytes.fromhex(name) for name in options["wanted"]} - {bytes.fromhex(path.name) for path in folder.iterdir()}
    taken = 0

    def take(digest: bytes, data: memoryview) -> None:
        nonlocal taken
        if taken == options.get("disk_fails_at", -1):
            raise OSError(5, "Input/output error")
        time.sleep(options.get("slow", 0))
        with (folder / f"{digest.hex()}").open("xb") as file:
            file.write(data)
        taken += 1
        say(taken=taken)
        if taken == options.get("dies_at"):
            os.kill(os.getpid(), signal.SIGKILL)

    session = ReceiveSession(
        Settings(**options["settings"]), options["secret"].encode(), options["image"].encode(), options["name"], wanted, take
    )
    outcome = session.run()
    say(outcome={**vars(outcome), "left": len(outcome.left)})


def main() -> None:
    options = json.loads(sys.argv[1])
    if options.get("held"):
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        say(running=True)
        signal.sigwait([signal.SIGUSR1])
    try:
        {"send": send, "receive": receive}[options["role"]](options)
    except FleetError as error:
        say(error=str(error))


if __name__ == "__main__":
    main()
