# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A segment with a sender and stations: network namespaces on a bridge, and a process in each."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.core.plugins.module_utils.zstd import Compressor

COLLECTIONS = Path(__file__).parents[7]
PEER = Path(__file__).with_name("peer.py")
TIMEOUT = 90.0
"""Seconds until a test gives up waiting; on an idle machine nothing takes a tenth of it."""


def tool(*argv: object, stdin: str = "") -> None:
    done = subprocess.run([str(each) for each in argv], input=stdin, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{argv}: {done.stderr}"


class Peer:
    """A process that says what happens, line by line."""

    def __init__(self, argv: list[str], environment: Mapping[str, str] | None = None) -> None:
        self.lines: list[dict[str, Any]] = []
        self._changed = threading.Condition()
        self._ended = False
        environ = {**(environment or os.environ), "PYTHONPATH": str(COLLECTIONS), "PYTHONDONTWRITEBYTECODE": "1"}
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=environ)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in filter(str.strip, self.process.stdout):
            with self._changed:
                self.lines.append(json.loads(line))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def wait_for(self, key: str, least: int | None = None) -> Any:
        """The first thing said under key (that is at least least)."""

        def found() -> list[Any]:
            values = [line[key] for line in self.lines if key in line]
            return [value for value in values if least is None or value >= least]

        with self._changed:
            assert self._changed.wait_for(lambda: found() or self._ended, TIMEOUT), f"it never said {key}: {self.lines[-5:]}"
            assert found(), f"it ended without saying {key}: {self.lines[-5:]}"
            return found()[0]

    def last(self, key: str) -> Any:
        """The last thing said under key, after the process has ended."""
        self.process.wait(TIMEOUT)
        with self._changed:
            assert self._changed.wait_for(lambda: self._ended, TIMEOUT)
        return [line[key] for line in self.lines if key in line][-1]

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait()


class Segment:
    """A bridge; the sender has address 1, stations have addresses from 10 on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = folder / "store"
        self.digests: list[str] = []
        self._prefix = f"fmc{os.getpid()}"
        self._resources = contextlib.ExitStack()
        self._bridge = self._namespace("b")
        tool("ip", "-n", self._bridge, "link", "add", "br0", "type", "bridge", "mcast_snooping", "0")
        tool("ip", "-n", self._bridge, "link", "set", "br0", "up")
        self._hosts: set[int] = set()
        self.settings: dict[str, Any] = {"sender": "10.77.0.1", "ports": [7700, 7703], "patience": 30.0}

    def close(self) -> None:
        self._resources.close()

    def _namespace(self, name: str) -> str:
        namespace = f"{self._prefix}{name}"
        tool("ip", "netns", "add", namespace)
        self._resources.callback(subprocess.run, ["ip", "netns", "del", namespace], check=False)
        return namespace

    def host(self, number: int) -> str:
        """The namespace of a host."""
        name = f"{self._prefix}h{number}"
        if number not in self._hosts:
            self._hosts.add(number)
            self._namespace(f"h{number}")
            tool("ip", "link", "add", "eth0", "netns", name, "type", "veth", "peer", "name", f"p{number}", "netns", self._bridge)
            tool("ip", "-n", self._bridge, "link", "set", f"p{number}", "master", "br0", "up")
            tool("ip", "-n", name, "addr", "add", f"10.77.0.{number}/24", "brd", "+", "dev", "eth0")
            tool("ip", "-n", name, "addr", "add", f"fd77::{number}/64", "dev", "eth0", "nodad")
            tool("ip", "-n", name, "link", "set", "eth0", "up")
            tool("ip", "-n", name, "link", "set", "lo", "up")
        return name

    def image(self, chunks: int, size: int = 200_000) -> list[str]:
        """Make an image of random chunks; their names."""
        self.store.mkdir(exist_ok=True)
        source, compressor = random.Random(chunks), Compressor()
        for _chunk in range(chunks):
            data = source.randbytes(size)
            name = hashlib.sha256(data).hexdigest()
            (self.store / name).write_bytes(compressor.compress(data))
            self.digests.append(name)
        (self.store / "order").write_text("\n".join(self.digests))
        return self.digests

    def lose(self, number: int, percent: float) -> None:
        """A share of the packets to a host is lost: on its port of the bridge, each for itself."""
        rules = f"add table netdev t{number}\n"
        rules += f"add chain netdev t{number} c {{ type filter hook egress device p{number} priority 0; }}\n"
        share = "" if percent >= 100 else f"numgen random mod 10000 < {round(percent * 100)} "
        rules += f"add rule netdev t{number} c meta l4proto udp {share}drop\n"
        tool("ip", "netns", "exec", self._bridge, "nft", "-f", "-", stdin=rules)

    def cable(self, number: int, state: str) -> None:
        """Plug a host's cable: up or down."""
        tool("ip", "-n", self._bridge, "link", "set", f"p{number}", state)

    def port_mtu(self, number: int, mtu: int) -> None:
        """Let a host's port, and the host, pass packets of so many bytes at most."""
        tool("ip", "-n", self._bridge, "link", "set", f"p{number}", "mtu", mtu)
        tool("ip", "-n", self.host(number), "link", "set", "eth0", "mtu", mtu)

    def run(self, number: int, *argv: str) -> Peer:
        """A process on a host."""
        peer = Peer(["ip", "netns", "exec", self.host(number), *argv])
        self._resources.callback(peer.close)
        return peer

    def send(self, expected: list[str], number: int = 1, **options: Any) -> Peer:
        settings = {**self.settings, **options.pop("settings", {})}
        whole = {
            "role": "send",
            "settings": settings,
            "secret": "s" * 32,
            "image": "i" * 32,
            "store": str(self.store),
            "expected": expected,
        }
        return self.run(number, sys.executable, str(PEER), json.dumps({**whole, "store": str(self.store), **options}))

    def receive(self, number: int, **options: Any) -> Peer:
        settings = {**self.settings, **options.pop("settings", {})}
        name = f"pc{number}"
        whole = {"role": "receive", "settings": settings, "secret": "s" * 32, "image": "i" * 32, "wanted": self.digests, "name": name}
        return self.run(number, sys.executable, str(PEER), json.dumps({**whole, "folder": str(self.folder / name), **options}))

    def disk(self, number: int) -> list[str]:
        """The chunks on a station's disk, each of which is right."""
        files = list((self.folder / f"pc{number}").iterdir())
        assert all(hashlib.sha256(path.read_bytes()).hexdigest() == path.name for path in files)
        return sorted(path.name for path in files)

    def complete(self, number: int) -> bool:
        return self.disk(number) == sorted(self.digests)


@pytest.fixture
def segment(tmp_path: Path) -> Iterator[Segment]:
    segment = Segment(tmp_path)
    try:
        yield segment
    finally:
        segment.close()
