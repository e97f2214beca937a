# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Router advertisements that offer nothing, to who solicits them (RFC 4861, 4.2).

iPXE asks for IPv6 beside DHCP, and waits some 10 s for an answer before it goes on. This is the answer: no router here (lifetime 0), no
prefix, no DHCPv6. dnsmasq sends none where the host has no global prefix, and with one it would give addresses to everybody.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
import sys

_SOLICITATION, _ADVERTISEMENT = 133, 134
_ALL_ROUTERS, _ALL_NODES = "ff02::2", "ff02::1"
_ICMP6_FILTER = 1
MESSAGE = struct.pack("!BBHBBHII", _ADVERTISEMENT, 0, 0, 64, 0, 0, 0, 0)
"""Type, code, checksum (the kernel's), hop limit, no flags, lifetime 0, and nothing about reachability."""


def answered(message: bytes, sender: str) -> str:
    """Whom to answer: the sender of a solicitation, everybody when it has no address yet; empty for anything else."""
    if len(message) < 8 or message[0] != _SOLICITATION or message[1] != 0:
        return ""
    address = ipaddress.IPv6Address(sender.partition("%")[0])
    return str(address) if address.is_link_local else _ALL_NODES if address.is_unspecified else ""


def opened(interface: str) -> socket.socket:
    """A socket that hears solicitations on an interface and nothing else; OSError without the right, or without IPv6."""
    index = socket.if_nametoindex(interface)
    wire = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    passed = [0xFFFFFFFF] * 8
    passed[_SOLICITATION >> 5] &= ~(1 << (_SOLICITATION & 31))
    wire.setsockopt(socket.IPPROTO_ICMPV6, _ICMP6_FILTER, struct.pack("=8I", *passed))
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
    for option in (socket.IPV6_MULTICAST_HOPS, socket.IPV6_UNICAST_HOPS):
        wire.setsockopt(socket.IPPROTO_IPV6, option, 255)
    wire.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
    group = socket.inet_pton(socket.AF_INET6, _ALL_ROUTERS) + struct.pack("=I", index)
    wire.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
    return wire


def serve(interface: str) -> int:
    """Answer for ever."""
    index = socket.if_nametoindex(interface)
    with opened(interface) as wire:
        print(f"fleet-boot: answering router solicitations on {interface}", file=sys.stderr, flush=True)
        while True:
            message, sender = wire.recvfrom(2048)
            to = answered(message, sender[0])
            try:
                if to:
                    wire.sendto(MESSAGE, (to, 0, 0, index))
            except OSError as error:  # a station that is gone again
                print(f"fleet-boot: {to} is not told that there is no router: {error}", file=sys.stderr, flush=True)
