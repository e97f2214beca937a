# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One end of our multicast in a process: ``multicast_peer.py send|receive '{...}'``. Receivers write to nowhere, as udpcast's do."""

from __future__ import annotations

import json
import os
import pickle
import resource
import signal
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "collections"))

from ansible_collections.fleet.imaging.plugins.module_utils.multicast.interface import Settings, StartPolicy
from ansible_collections.fleet.imaging.plugins.module_utils.multicast.session import ReceiveSession, SendSession

SETTINGS = Settings(sender="10.78.0.1", ports=(7700, 7700))
SECRET, IMAGE = b"benchmark" * 4, b"i" * 32


class Frames:
    """Frames that lie one after the other in a file."""

    def __init__(self, data: Path) -> None:
        self._file = os.open(data, os.O_RDONLY)
        self._places: dict[bytes, tuple[int, int]] = pickle.loads(data.with_suffix(".places").read_bytes())
        self.digests = list(self._places)

    def frame(self, digest: bytes) -> bytes:
        """A chunk's frame."""
        offset, size = self._places[digest]
        return os.pread(self._file, size, offset)


def send(options: dict[str, Any]) -> int:
    """Hold a session; 0 when everybody who was not cut off is complete."""
    settings = Settings(sender=SETTINGS.sender, ports=SETTINGS.ports, segmentation=options["segmentation"])
    expected = [f"station{number}" for number in range(options["receivers"])]
    policy = StartPolicy(count=options["count"])
    session = SendSession(settings, SECRET, IMAGE, Frames(Path(options["data"])), expected, start=lambda: policy)
    signal.signal(signal.SIGTERM, lambda _number, _frame: session.stop())
    verdicts = session.run()
    own = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"rss_mib": own.ru_maxrss / 1024, "verdicts": {name: verdict.state for name, verdict in verdicts.items()}}))
    return 0


def receive(options: dict[str, Any]) -> int:
    """Receive, when it is told to; 0 when the session ended as it should: complete, or let go for unicast."""
    digests = Frames(Path(options["data"])).digests
    wanted = set(map(bytes.fromhex, Path(options["wanted"]).read_text().split())) if options.get("wanted") else set(digests)
    if options.get("held"):
        print("ready", flush=True)
        sys.stdin.readline()
    outcome = ReceiveSession(SETTINGS, SECRET, IMAGE, f"station{options['number']}", wanted, lambda _digest, _data: None).run()
    print(outcome.state, outcome.reason)
    return 0 if outcome.state == "complete" or options.get("may_leave") else 1


if __name__ == "__main__":
    sys.exit({"send": send, "receive": receive}[sys.argv[1]](json.loads(sys.argv[2])))
