# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The room's network: a namespace with a bridge, and one namespace per station, joined to it by a veth pair.

Nothing is in the host's own network: no bridge, no address, no route. Whoever wants in enters the room's namespace.
Rate limits are tbf qdiscs in both directions. Losses hit what leaves the bridge port towards the station, packet by packet:
a rule on the station's input would drop whole aggregates (netdev egress hook, kernel 5.16 or newer).
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import signal
import time
from pathlib import Path

from ansible_collections.fleet.core.plugins.module_utils.command import run
from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError

from .station import Station

NAMESPACES = Path("/run/netns")
BRIDGE = "room"
INTERFACE = "eth0"
SMALLEST_BURST = 64 << 10
"""Bytes; a burst below one aggregate (64 KiB) makes tbf segment everything."""


class NetworkError(FleetError):
    """A part of the room's network cannot be made or removed."""


class Network:
    """The network of the room with a label; port names come from the station's address, which is unique in the room."""

    def __init__(self, label: str) -> None:
        self.namespace = label

    def station_namespace(self, station: Station) -> str:
        """Return the name of a station's network namespace."""
        return f"{self.namespace}-{station.name}"

    def ensure(self, controller: ipaddress.IPv4Interface) -> None:
        """Make the room's namespace with its bridge, which carries the controller's address, unless it is there."""
        if self._has_address(self.namespace, BRIDGE, str(controller.ip)):
            return
        self._make_namespace(self.namespace)
        # No spanning tree and no IPv6 duplicate detection: a port forwards from its first moment.
        self._ip(self.namespace, "link", "add", BRIDGE, "type", "bridge", "stp_state", "0", "forward_delay", "0")
        self._ip(self.namespace, "link", "set", BRIDGE, "up")
        self._ip(self.namespace, "addr", "add", str(controller), "brd", "+", "dev", BRIDGE)

    def attach(self, station: Station, prefix: int) -> None:
        """Join a station's namespace to the bridge unless it is joined, then set its rate and loss."""
        namespace, port = self.station_namespace(station), _port(station)
        if not self._has_address(namespace, INTERFACE, station.address):
            self._make_namespace(namespace)
            # The peer of a namespace that was just deleted may live on for a moment.
            run(["ip", "-n", self.namespace, "link", "del", port], ok=None)
            self._ip(
                self.namespace, "link", "add", port, "type", "veth", "peer", "name", INTERFACE, "address", station.mac, "netns", namespace
            )
            self._ip(self.namespace, "link", "set", port, "master", BRIDGE, "up")
            self._ip(namespace, "link", "set", INTERFACE, "up")
            self._ip(namespace, "addr", "add", f"{station.address}/{prefix}", "brd", "+", "dev", INTERFACE)
        self.shape(station)

    def shape(self, station: Station) -> None:
        """Set the rate and the loss of a station's link; both may change while it runs."""
        port = _port(station)
        for namespace, device in ((self.namespace, port), (self.station_namespace(station), INTERFACE)):
            if station.rate:
                burst = str(max(SMALLEST_BURST, _bytes_per_second(station.rate) // 100))
                run(
                    [
                        "tc",
                        "-n",
                        namespace,
                        "qdisc",
                        "replace",
                        "dev",
                        device,
                        "root",
                        "tbf",
                        "rate",
                        station.rate,
                        "burst",
                        burst,
                        "latency",
                        "100ms",
                    ]
                )
            else:
                run(["tc", "-n", namespace, "qdisc", "del", "dev", device, "root"], ok=(0, 2))  # 2: there was none
        rules = f"table netdev {port}\ndelete table netdev {port}\n"
        if station.loss:
            lost = round(station.loss * 1000)
            rules += (
                f"table netdev {port} {{\n chain towards {{\n"
                f'  type filter hook egress device "{port}" priority 0; policy accept;\n  numgen random mod 100000 < {lost} drop\n }}\n}}\n'
            )
        run(["nsenter", f"--net={NAMESPACES / self.namespace}", "nft", "-f", "-"], stdin=rules)

    def detach(self, station: Station) -> None:
        """Remove a station's namespace with everything in it; its end at the bridge goes with it."""
        remove_namespace(self.station_namespace(station))

    def remove(self) -> None:
        """Remove every namespace of this room, also those that no state remembers."""
        for namespace in self.namespaces():
            remove_namespace(namespace)

    def namespaces(self) -> list[str]:
        """Return the names of this room's namespaces on the host, the stations' before the room's own."""
        present = os.listdir(NAMESPACES) if NAMESPACES.is_dir() else []
        return sorted((name for name in present if name == self.namespace or name.startswith(f"{self.namespace}-")), key=len, reverse=True)

    def _make_namespace(self, name: str) -> None:
        remove_namespace(name)
        run(["ip", "netns", "add", name])
        self._ip(name, "link", "set", "lo", "up")

    @staticmethod
    def _ip(namespace: str, *arguments: str) -> None:
        run(["ip", "-n", namespace, *arguments])

    @staticmethod
    def _has_address(namespace: str, device: str, address: str) -> bool:
        shown = run(["ip", "-n", namespace, "-j", "-4", "addr", "show", "dev", device], ok=None)
        if shown.rc != 0:
            return False
        return any(info.get("local") == address for link in json.loads(shown.stdout) for info in link.get("addr_info", []))


def remove_namespace(name: str, timeout: float = 5.0) -> None:
    """Remove a network namespace, ending by pid what still runs in it."""
    if not (NAMESPACES / name).exists():
        return
    deadline = time.monotonic() + timeout
    while True:
        pids = run(["ip", "netns", "pids", name], ok=None).stdout.split()
        if not pids:
            break
        if time.monotonic() > deadline:
            raise NetworkError(
                f"Processes {', '.join(pids)} do not leave the network namespace {name}",
                remedy="See what they wait for, then remove the room again",
            )
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        time.sleep(0.05)
    # A kill between the creation of the name and its mount leaves a plain file, which ip refuses to delete.
    if run(["ip", "netns", "del", name], ok=None).rc != 0:
        (NAMESPACES / name).unlink(missing_ok=True)


def _port(station: Station) -> str:
    """Return the station's port at the bridge; interface names have 15 characters at most."""
    return "p" + ipaddress.IPv4Address(station.address).packed.hex()


def _bytes_per_second(rate: str) -> int:
    """Return a tc rate (bits per second) in bytes per second."""
    return int(rate[:-4]) * {"kbit": 1000, "mbit": 1000**2, "gbit": 1000**3}[rate[-4:]] // 8
