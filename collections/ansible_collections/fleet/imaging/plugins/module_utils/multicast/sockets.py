# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sockets of a session, IPv4 and IPv6."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import random
import socket
import struct
from pathlib import Path
from typing import Any

from .interface import MulticastError, Settings

SEND_BUFFER = 256 << 10
"""Bytes, as the kernel counts them; it takes the double: 25 ms at 100 Mbit/s, which a busy host needs, and less than what a queue drops.

Whatever is said to a receiver waits behind it, three times when it joins, and so does every repair."""
RECEIVE_BUFFER = 32 << 20
"""Bytes, as the kernel counts them; it takes the double."""
_SO_SNDBUFFORCE, _SO_RCVBUFFORCE = 32, 33
_UDP_SEGMENT, _UDP_GRO = 103, 104
_PACKET_COST = 3072
"""Bytes that the kernel counts for a packet of an Ethernet's size; measured 2304 on veth, drivers with pages of their own more."""

Address = tuple[Any, ...]
"""(host, port), or (host, port, flow, scope)."""


def resolve(host: str, port: int) -> tuple[int, Address]:
    """Family and socket address of a numeric address, which may have a scope (fe80::1%eth0)."""
    try:
        family, _kind, _protocol, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST)[0]
    except OSError as error:
        raise MulticastError(f"{host!r} is no IP address", remedy="Give numbers: a session does not wait for name servers") from error
    return family, address


def version(settings: Settings) -> int:
    """4 or 6, when the settings agree; else MulticastError."""
    try:
        group = ipaddress.ip_address(settings.group.partition("%")[0])
        sender = ipaddress.ip_address(settings.sender.partition("%")[0])
    except ValueError as error:
        raise MulticastError(f"{error}", remedy="Give numeric addresses for sender and group") from error
    if not group.is_multicast:
        raise MulticastError(f"{settings.group} is no multicast address", remedy="Choose one of 239.0.0.0/8, or of ff05::/16 for IPv6")
    if group.version != sender.version:
        raise MulticastError(f"the group {settings.group} and the sender {settings.sender} are of different IP versions")
    first, last = settings.ports
    if not 1 <= first <= last <= 0xFFFF:
        raise MulticastError(f"ports {first} to {last} are no range of ports")
    return group.version


def listen(settings: Settings) -> socket.socket:
    """A TCP socket on a free port of the range. It begins anywhere in it, so that senders of one segment seldom meet on a port."""
    first, last = settings.ports
    ports = list(range(first, last + 1))
    turn = random.SystemRandom().randrange(len(ports))
    for port in ports[turn:] + ports[:turn]:
        family, address = resolve(settings.sender, port)
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(256)
            listener.setblocking(False)
            return listener
        except OSError as error:
            listener.close()
            if error.errno != errno.EADDRINUSE:
                raise MulticastError(
                    f"cannot listen on {settings.sender}: {error.strerror}", remedy="sender is an address of this host"
                ) from error
    raise MulticastError(
        f"ports {first} to {last} of {settings.sender} are all in use", remedy="Wait for another session's end, or give more ports"
    )


def sending(settings: Settings, port: int) -> socket.socket:
    """A UDP socket connected to the group; MulticastError when there is no way to it."""
    family, source = resolve(settings.sender, 0)
    _family, group = resolve(settings.group, port)
    udp = socket.socket(family, socket.SOCK_DGRAM)
    try:
        index = _index(settings, settings.sender)
        if family == socket.AF_INET:
            local = socket.inet_aton(source[0])
            udp.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, struct.pack("=4s4si", bytes(4), local, index))
            udp.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, settings.ttl)
            udp.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
        else:
            udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
            udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, settings.ttl)
            udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 0)
        _buffer(udp, _SO_SNDBUFFORCE, socket.SO_SNDBUF, SEND_BUFFER)
        udp.bind(source)
        udp.connect(group)
        udp.setblocking(False)
    except OSError as error:
        udp.close()
        raise MulticastError(
            f"no way from {settings.sender} to the multicast group {settings.group}: {error.strerror}",
            remedy="Name the interface of the stations' network; transport=unicast needs no multicast",
        ) from error
    return udp


def receiving(settings: Settings, port: int, source_port: int, local: str) -> tuple[socket.socket, int]:
    """A UDP socket in the group that takes packets of this sender only, and how many packets it holds; local: this host's address."""
    family, group = resolve(settings.group, port)
    _family, sender = resolve(settings.sender, source_port)
    udp = socket.socket(family, socket.SOCK_DGRAM)
    try:
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        room = _buffer(udp, _SO_RCVBUFFORCE, socket.SO_RCVBUF, RECEIVE_BUFFER)
        with contextlib.suppress(OSError):
            udp.setsockopt(socket.IPPROTO_UDP, _UDP_GRO, 1)
        index = _index(settings, local)
        if family == socket.AF_INET:
            udp.bind(group)
            where = socket.inet_aton(group[0]), socket.inet_aton(local), index
            udp.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, struct.pack("=4s4si", *where))
        else:
            udp.bind((group[0], group[1], 0, index))
            member = socket.inet_pton(socket.AF_INET6, group[0].partition("%")[0]) + struct.pack("=i", index)
            udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, member)
        udp.connect(sender)
        udp.setblocking(False)
    except OSError as error:
        udp.close()
        raise MulticastError(f"cannot join the multicast group {settings.group}: {error.strerror}", remedy="Name the interface") from error
    except MulticastError:
        udp.close()
        raise
    return udp, room // _PACKET_COST


def can_segment(udp: socket.socket) -> bool:
    """Whether the kernel cuts packets out of larger buffers."""
    try:
        udp.setsockopt(socket.IPPROTO_UDP, _UDP_SEGMENT, 0)
    except OSError:
        return False
    return True


def segment_option(size: int) -> list[tuple[int, int, bytes]]:
    """Ancillary data for sendmsg: cut into packets of size bytes."""
    return [(socket.IPPROTO_UDP, _UDP_SEGMENT, struct.pack("=H", size))]


def _buffer(udp: socket.socket, force: int, plain: int, size: int) -> int:
    for option in (force, plain):  # the first needs CAP_NET_ADMIN, the second is capped by net.core.[rw]mem_max
        with contextlib.suppress(OSError):
            udp.setsockopt(socket.SOL_SOCKET, option, size)
            break
    return udp.getsockopt(socket.SOL_SOCKET, plain)


def _index(settings: Settings, local: str) -> int:
    """Number of the interface for multicast; 0 lets the kernel find the one that has the address (IPv4)."""
    if settings.interface:
        try:
            return socket.if_nametoindex(settings.interface)
        except OSError as error:
            raise MulticastError(f"there is no interface {settings.interface}") from error
    address, _percent, scope = local.partition("%")
    if scope:
        return socket.if_nametoindex(scope)
    return _index_of(address) if ":" in address else 0


def _index_of(address: str) -> int:
    wanted = ipaddress.IPv6Address(address).packed.hex()
    with contextlib.suppress(OSError):
        for line in Path("/proc/net/if_inet6").read_text(encoding="ascii").splitlines():
            found, index, *_rest = line.split()
            if found == wanted:
                return int(index, 16)
    return 0
