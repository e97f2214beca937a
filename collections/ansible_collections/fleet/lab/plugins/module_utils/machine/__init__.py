# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine: a station that QEMU emulates, with real firmware, on a bridge in a network namespace.

How the rooms of this package connect, bottom up::

    hardware   the description of one machine, checked
    wake       the program that waits for a magic packet and switches the machine on; it stands alone
    qemu       QEMU's command line for a hardware, and whether KVM works
    process    finding a machine's processes by what they are called with, and ending them
    monitor    QMP: what QEMU is asked while it runs
    console    the serial console: a file to read, a pipe to type into
    port       the machine's port at the bridge: how it is joined, and what went through it
    machine    power on, reset, power off, remove
    roster     the machines of a virtual room
    apply      what the module does, with a room

A machine needs no room: tests and benchmarks make one from a folder, a namespace and a bridge.
"""

from __future__ import annotations
