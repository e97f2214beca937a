# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sending magic packets. UDP carries them: any port will do, for it is the card that looks, and nobody answers."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError, InputError

from .destination import Destination
from .packet import magic_packet


class WakeError(FleetError):
    """A packet could not be sent; its details tell of those that were."""


@dataclass(frozen=True)
class Sent:
    """Packets for one card to one place."""

    mac: str
    address: str
    interface: str
    port: int
    packets: int


@dataclass(frozen=True)
class WakeCall:
    """Cards, where they are looked for, on which UDP ports, how often (UDP may lose some), and their password."""

    macs: Sequence[str]
    destinations: Sequence[Destination]
    ports: Sequence[int]
    repeat: int
    password: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        wrong = [port for port in self.ports if not 0 < port < 65536]
        if wrong or not self.ports:
            raise InputError(
                f"ports: {wrong[0] if wrong else 'none is given'}",
                remedy="A UDP port is 1 to 65535; cards look on 9 or 7. Nothing was sent",
            )
        if not 0 < self.repeat <= 100:
            raise InputError(f"repeat: {self.repeat}", remedy="A packet is sent 1 to 100 times. Nothing was sent")

    def preview(self) -> list[dict[str, object]]:
        """What run would send."""
        return [
            asdict(Sent(mac, to.address, to.interface, port, self.repeat))
            for to in self.destinations
            for port in dict.fromkeys(self.ports)
            for mac in self.macs
        ]

    def run(self) -> list[dict[str, object]]:
        """Send; return what was. Raises WakeError, whose details have what was sent before."""
        sent: list[dict[str, object]] = []
        for to in self.destinations:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
                try:
                    if to.interface:
                        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, to.interface.encode())
                    for port in dict.fromkeys(self.ports):
                        for mac in self.macs:
                            for _time in range(self.repeat):
                                sender.sendto(magic_packet(mac, self.password), (to.address, port))
                            sent.append(asdict(Sent(mac, to.address, to.interface, port, self.repeat)))
                except OSError as error:
                    raise WakeError(
                        f"A packet to {to} cannot be sent: {error.strerror}",
                        remedy="Send it from a host in the station's subnet, as root when an interface is named",
                        sent=sent,
                    ) from error
        return sent
