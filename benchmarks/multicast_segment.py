# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A segment for benchmarks of multicast: namespaces on a bridge, line rates, losses; and what runs in it, ours and udpcast.

A line's rate is a tbf on the sender's own interface, which is why its queue holds the sender back as a network card's does; a slow
station's is on its port of the bridge. Losses are drawn for each receiver on its port.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from .bench import BenchError

_PEER = Path(__file__).with_name("multicast_peer.py")
_LIMIT = 900.0
"""Seconds after which a transfer is given up."""
_HANGS = 15.0
"""Seconds after which a sender that has sent next to nothing will never begin: udpcast, when a packet of its greeting was lost."""
_BEGUN = 100_000
"""Bytes that a sender sends only when it has begun."""


class Hung(BenchError):
    """A transfer never began."""


@dataclass
class Transfer:
    """One run of one method."""

    seconds: float
    """From the sender's start to the end of the last receiver that counts."""
    wire: int
    """Bytes that left the sender's interface."""
    cpu: float
    """Seconds of the sender."""
    rss_mib: float
    """The sender's."""
    finished: list[float] = field(default_factory=list)
    """Seconds from the sender's start to the end of each receiver, in order of start; infinite for one that did not finish."""


def _run(*argv: object, stdin: str = "") -> None:
    done = subprocess.run([str(each) for each in argv], input=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(f"{argv} failed: {done.stderr}")


class Segment(ExitStack):
    """A sender and receivers on a bridge; made anew for each condition, and gone afterwards."""

    def __init__(self, receivers: int, *, mbit: float = 0, loss: Sequence[float] = (), slow: tuple[int, float] | None = None) -> None:
        """mbit: the sender's line, 0 for no limit; loss: percent for each receiver; slow: a receiver and the Mbit/s of its line."""
        super().__init__()
        self._name = f"fmc{os.getpid()}"
        self.receivers = receivers
        self._mbit, self._loss, self._slow = mbit, tuple(loss), slow

    def __enter__(self) -> Segment:
        super().__enter__()
        try:
            self._build()
        except BaseException:
            self.close()
            raise
        return self

    def _build(self) -> None:
        bridge = self._namespace("b")
        _run("ip", "-n", bridge, "link", "add", "br0", "type", "bridge", "mcast_snooping", "0")
        _run("ip", "-n", bridge, "link", "set", "br0", "up")
        for number in range(self.receivers + 1):
            host = self._namespace(str(number))
            _run("ip", "link", "add", "eth0", "netns", host, "type", "veth", "peer", "name", f"p{number}", "netns", bridge)
            _run("ip", "-n", bridge, "link", "set", f"p{number}", "master", "br0", "up")
            _run("ip", "-n", host, "addr", "add", f"10.78.0.{number + 1}/24", "brd", "+", "dev", "eth0")  # udpcast hangs without broadcast
            _run("ip", "-n", host, "link", "set", "eth0", "up")
            _run("ip", "-n", host, "link", "set", "lo", "up")
        if self._mbit:
            self._shape(self._namespace_of(0), "eth0", self._mbit)
        if self._slow:
            self._shape(bridge, f"p{self._slow[0] + 1}", self._slow[1])
        for index, percent in enumerate(self._loss):
            if percent:
                port = f"p{index + 1}"
                rules = f"add table netdev {port}\nadd chain netdev {port} c {{ type filter hook egress device {port} priority 0; }}\n"
                rules += f"add rule netdev {port} c meta l4proto udp numgen random mod 10000 < {round(percent * 100)} drop\n"
                _run("ip", "netns", "exec", bridge, "nft", "-f", "-", stdin=rules)

    def _namespace_of(self, number: int) -> str:
        return f"{self._name}{number}"

    def _namespace(self, name: str) -> str:
        namespace = f"{self._name}{name}"
        _run("ip", "netns", "add", namespace)
        self.callback(subprocess.run, ["ip", "netns", "del", namespace], check=False)
        return namespace

    @staticmethod
    def _shape(namespace: str, device: str, mbit: float) -> None:
        """A burst shorter than what the kernel cuts packets from: so it cuts them here, and each is lost or not for itself."""
        _run(
            "tc", "-n", namespace, "qdisc", "add", "dev", device, "root", "tbf", "rate", f"{mbit}mbit", "burst", "16kb", "latency", "100ms"
        )

    def cut(self, receiver: int) -> None:
        """Unplug a receiver: nothing of it is heard any more, not even that its connection ended."""
        _run("ip", "-n", f"{self._name}b", "link", "set", f"p{receiver + 1}", "down")

    def start(self, number: int, argv: Sequence[str], *, held: bool = False) -> subprocess.Popen[str]:
        """A process of host number: 0 is the sender. held: it waits for its standard input to end."""
        process = subprocess.Popen(
            ["ip", "netns", "exec", self._namespace_of(number), *argv],
            stdin=subprocess.PIPE if held else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.callback(_end, process)
        return process

    def sent(self) -> int:
        """Bytes that have left the sender's interface."""
        link = subprocess.run(["ip", "-n", self._namespace_of(0), "-s", "-j", "link", "show", "eth0"], capture_output=True, check=True)
        return int(json.loads(link.stdout)[0]["stats64"]["tx"]["bytes"])


def _wait_for(process: subprocess.Popen[str]) -> None:
    """Until a held process says that it waits: what its start takes is not what is measured."""
    if process.stdout:
        process.stdout.readline()


def _let_go(process: subprocess.Popen[str]) -> None:
    if process.stdin:
        process.stdin.close()


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGKILL)
    process.wait()
    if process.stdin:
        process.stdin.close()
    if process.stdout:
        process.stdout.close()


def transfer(
    segment: Segment,
    sender: Sequence[str],
    receivers: Sequence[Sequence[str]],
    *,
    at: dict[int, float] | None = None,
    cut: tuple[int, float] | None = None,
) -> Transfer:
    """Start the receivers and then the sender.

    at: seconds after the first data at which late receivers join, which have been started and wait; cut: (receiver, seconds after the
    sender's start).
    """
    late = dict(at or {})
    running: dict[int, subprocess.Popen[str]] = {}
    for index, argv in enumerate(receivers):
        running[index] = segment.start(index + 1, argv, held=index in late)
    for index in late:
        _wait_for(running[index])
    before, started = segment.sent(), time.monotonic()
    process = segment.start(0, sender)
    finished = [float("inf")] * len(receivers)
    data_since = float("inf")
    waited_for = set(range(len(receivers))) - ({cut[0]} if cut else set())
    usage = None
    while waited_for or usage is None:
        now = time.monotonic() - started
        if now > _LIMIT:
            raise BenchError(f"{sender[0]} did not end in {_LIMIT:.0f} s")
        if now > _HANGS and not at and segment.sent() - before < _BEGUN:
            raise Hung(f"{sender[0]} never began")
        if late and now < data_since and segment.sent() - before > _BEGUN:
            data_since = now
        for index in [index for index, when in late.items() if data_since + when <= now]:
            del late[index]
            _let_go(running[index])
        if cut and now >= cut[1]:
            segment.cut(cut[0])
            cut = None
        for index in [index for index in waited_for if index in running and running[index].poll() is not None]:
            waited_for.discard(index)
            if running[index].returncode:
                raise BenchError(f"a receiver of {sender[0]} failed: {running[index].stdout.read() if running[index].stdout else ''}")
            finished[index] = now
        if usage is None:
            pid, status, resources = os.wait4(process.pid, os.WNOHANG)
            if pid:
                process.returncode = os.waitstatus_to_exitcode(status)
                usage = resources
                if status:
                    raise BenchError(f"{sender[0]} failed with {status}")
        if usage is None and not waited_for:
            break  # what the sender still waits for holds up nobody
        time.sleep(0.005)
    said = ""
    if usage is None:
        process.send_signal(signal.SIGTERM)
        _pid, _status, usage = os.wait4(process.pid, 0)
        process.returncode = 0
    if process.stdout:
        said = process.stdout.read()
    own = re.search(r'"rss_mib": ([0-9.]+)', said)
    rss = float(own[1]) if own else usage.ru_maxrss / 1024
    ended = max(each for each in finished if each != float("inf"))
    return Transfer(ended, segment.sent() - before, usage.ru_utime + usage.ru_stime, rss, finished)


def ours_sender(data: Path, receivers: int, *, segmentation: bool = True, count: int = 0) -> list[str]:
    """Our sender; count: receivers that begin the session, 0 for all."""
    options = {"data": str(data), "receivers": receivers, "segmentation": segmentation, "count": count}
    return [sys.executable, str(_PEER), "send", json.dumps(options)]


def ours_receiver(data: Path, number: int, *, wanted: Path | None = None, may_leave: bool = False, held: bool = False) -> list[str]:
    """Our receiver, which opens and hashes every chunk.

    wanted: a file with the digests that it lacks, instead of all; may_leave: that it is left to unicast is no failure; held: it waits.
    """
    options = {"data": str(data), "number": number, "wanted": str(wanted or ""), "may_leave": may_leave, "held": held}
    return [sys.executable, str(_PEER), "receive", json.dumps(options)]


def udpcast_sender(data: Path, receivers: int) -> list[str]:
    """udpcast's sender, as Clonezilla and others start it; it repeats its greeting, without which a loss keeps it from beginning."""
    wait = [
        "--min-receivers",
        str(receivers),
        "--nokbd",
        "--no-progress",
        "--full-duplex",
        "--retries-until-drop",
        "500",
        "--rexmit-hello-interval",
        "500",
    ]
    return ["udp-sender", "--interface", "eth0", "--file", str(data), *wait]


def udpcast_receiver() -> list[str]:
    """udpcast's receiver, which writes to nowhere and checks nothing."""
    return ["udp-receiver", "--interface", "eth0", "--file", "/dev/null", "--nokbd", "--nosync", "--no-progress"]
