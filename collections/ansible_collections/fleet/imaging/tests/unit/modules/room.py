# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A room that is cloned by the modules themselves, each a process with a real disk, over this host's loopback interface."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.fleet.core.plugins.module_utils.progress import Progress
from ansible_collections.fleet.imaging.plugins.module_utils.disk.device import Disk
from ansible_collections.fleet.imaging.plugins.module_utils.engine.stream_writer import StreamWriter
from ansible_collections.fleet.imaging.tests.unit.bench import LINUX, Bench, write
from ansible_collections.fleet.imaging.tests.unit.conftest import command
from ansible_collections.fleet.imaging.tests.unit.filesystems import MIB
from ansible_collections.fleet.imaging.tests.unit.module_utils.multicast.conftest import Peer

PROCESS = Path(__file__).with_name("process.py")
SIZE = 26 * MIB
SLOWLY = 4_000_000
"""Bytes a second: the session takes four seconds, in which much can go wrong."""


class Module(Peer):
    """A module at work."""

    def result(self) -> dict[str, Any]:
        """What it ended with."""
        self.last_of_all()
        result = self.lines[-1]
        assert "changed" in result or result.get("failed"), self.lines[-3:]
        return result

    def last_of_all(self) -> None:
        self.process.wait(600)
        with self._changed:
            assert self._changed.wait_for(lambda: self._ended, 60)


@dataclass
class Room:
    """A sender and stations that share a session's secret."""

    bench: Bench
    stack: contextlib.ExitStack
    secret: str = field(default_factory=lambda: secrets.token_hex(16))
    address: str = "127.0.0.1"
    common: dict[str, Any] = field(default_factory=dict)
    """Options of the session, for all."""

    def module(self, name: str, *, on: Sequence[str] = (), environment: Mapping[str, str] | None = None, **options: Any) -> Module:
        """Start a module; on: the beginning of the command, for another host."""
        made = Module([*on, sys.executable, str(PROCESS), name, json.dumps(options)], environment)
        self.stack.callback(made.close)
        return made

    def session(self) -> dict[str, Any]:
        return {
            "image": "room",
            "version": "1",
            "allowed_signers": self.bench.allowed,
            "address": self.address,
            "secret": self.secret,
            "interface": "lo",
            "patience": 20,
            **self.common,
        }

    def send(self, *stations: str, **options: Any) -> Module:
        """Start the sender."""
        own = {"store": str(self.bench.store.root), "stations": list(stations), "rate": SLOWLY, "start": {"give_up": 300}}
        return self.module("multicast_send", **{**self.session(), **own, **options})

    def receive(self, station: str, disk: Disk, **options: Any) -> Module:
        """Start a station."""
        own = {
            "sources": [self.bench.web.url],
            "station": station,
            "disk": str(disk.path),
            "erase": f"size:{disk.size}",
            "work_dir": str(self.bench.folder),
        }
        return self.module("multicast_receive", **{**self.session(), **own, **options})

    def is_right(self, disk: Disk, version: str = "1") -> bool:
        """Whether all of the disk is as the manifest says, table included: looked at by somebody who knows nothing of the session."""
        plan, fetcher = self.bench.plan(Disk.open(disk.path), version)
        return not plan.preview(StreamWriter(fetcher, Progress()))["changed"]

    def chunks(self) -> int:
        """Chunks that a blank disk lacks."""
        return len(set(self.bench.manifest().digests()))


def capture_model(bench: Bench, loop_disk: Any, size: int = SIZE, used: int = 0) -> None:
    """The image of a room: boot code, and a filesystem (nearly) full of random bytes on a disk of so many bytes."""
    model = loop_disk(size, f"label: gpt\nsize={(size >> 20) - 2}MiB, type={LINUX}\n")
    write(model.path, 0, b"boot code")
    device = model.partition(1).path
    command("mkfs.ext4", "-q", "-F", "-L", "root", "-O", "^has_journal", "-m", "0", "-N", "64", device)
    files = bench.folder / "content"
    files.write_bytes(os.urandom(used or size - 10 * MIB))
    command("debugfs", "-w", "-R", f"write {files} content", device)
    files.unlink()
    bench.capture(model)
