# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A port of this host's loopback that leads to a port of a station, so that a browser on the host sees what a room serves.

This file is a program and stands alone, as the firmware does: it is copied into the room's folder and started within the room's network
namespace with a socket that was bound outside. What it accepts comes from the host, what it connects to is in the room. It ends with the
room, whose removal ends everything in its namespaces.

    port.py DESCRIPTOR ADDRESS PORT LOCAL_PORT

The last word is for whoever looks for the process; the socket knows it anyway.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Sequence

BLOCK = 1 << 16


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on what comes until it ends, then say so to the other side."""
    try:
        while True:
            data = await reader.read(BLOCK)
            if not data:
                break
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.close()  # one side went away: so does the other


async def serve(listener: socket.socket, address: str, port: int) -> None:
    """Accept and connect, for ever."""

    async def joined(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            away, to_it = await asyncio.open_connection(address, port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(copy(reader, to_it), copy(away, writer))
        to_it.close()
        writer.close()

    server = await asyncio.start_server(joined, sock=listener)
    async with server:
        await server.serve_forever()


def main(argv: Sequence[str]) -> int:
    """Serve on an inherited socket."""
    asyncio.run(serve(socket.socket(fileno=int(argv[1])), argv[2], int(argv[3])))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv))
