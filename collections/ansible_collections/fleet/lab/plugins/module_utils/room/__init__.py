# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A virtual room: stations with systemd as PID 1, their own network namespace and loop disks, on one host.

How the rooms of this package connect, bottom up::

    host      what this host must offer, and the names under which a room's things are found again from its path alone
    station   the description of one station, checked
    state     what a room is, as a file in the room's folder
    network   namespaces, bridge, addresses, rate and loss
    storage   disk image, loop device, partition nodes
    identity  names, SSH keys and known hosts
    system    an own system installed on a station's disk
    firmware  the program that boots a station again and again; it stands alone
    power     starting, finding, ending and awaiting firmware
    room      create, describe, remove: the only file that knows all the others

Every station boots a cached Debian root of fleet.imaging (``environment.root``) as its imaging environment. Machines with real firmware, of
the package ``machine``, may stand beside the stations. Nothing of a room is in the host's own network, and everything is found again by
the room's path: removal needs no memory.
"""

from __future__ import annotations
