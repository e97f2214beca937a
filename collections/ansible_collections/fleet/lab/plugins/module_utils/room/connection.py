# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How Ansible reaches the stations of a room from the host, which has no address in the room's network.

A helper enters the room's namespace, connects, hands the connected socket to ssh and ends: no process stays on the bytes' way,
and nothing is added to the host's network. Host keys are checked strictly against the room's own known_hosts.
"""

from __future__ import annotations

import ipaddress
import shlex
from pathlib import Path
from typing import Any

from ..machine.machine import Machine
from .host import label
from .network import NAMESPACES
from .state import State
from .station import Station

KEY = "ssh/id_ed25519"
KNOWN_HOSTS = "ssh/known_hosts"
KNOWN_SYSTEMS = "ssh/known_hosts.systems"
"""Keys that own systems got after they were restored; whoever gives them writes them there, and the room leaves the file alone."""
GROUPS = {"station": "stations", "model": "models", "central": "content_stores"}
"""Inventory group of each role."""
MACHINES = "machines"
"""Inventory group of machines."""


def ssh_options(room: Path) -> dict[str, str]:
    """Return the options of ssh_config(5) with which the room's stations are reached."""
    return {
        "ProxyCommand": f"nsenter --net={NAMESPACES / label(room)} nc.openbsd -F %h %p",
        "ProxyUseFdpass": "yes",
        "UserKnownHostsFile": f'"{room / KNOWN_HOSTS}" "{room / KNOWN_SYSTEMS}"',
        "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "yes",
        "IdentitiesOnly": "yes",
        "ConnectTimeout": "10",
    }


def variables(room: Path, state: State, station: Station) -> dict[str, Any]:
    """Return the host variables of a station."""
    return {
        **reaching(room, state, station.address),
        "fleet_mac": station.mac,
        "fleet_disk": station.loop,
        "fleet_disk_identity": station.disk_identity,
        "fleet_boot_entry": boot_file(room, station.name).read_text(encoding="utf-8").strip(),
    }


def reaching(room: Path, state: State, address: str) -> dict[str, Any]:
    """Return the host variables with which Ansible reaches an address of the room."""
    options = " ".join(f"-o {shlex.quote(f'{name}={value}')}" for name, value in ssh_options(room).items())
    return {
        "ansible_host": address,
        "ansible_user": "root",
        "ansible_ssh_private_key_file": str(room / KEY),
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_ssh_common_args": options,
        # A room made again has the same addresses: a connection kept open to the one before must not be taken for it.
        # Names of sockets are short: the whole path may have 107 bytes.
        "ansible_control_path": f"%(directory)s/{state.incarnation}{ipaddress.IPv4Address(address).packed[2:].hex()}",
        "fleet_room": str(room),
    }


def machine_variables(room: Path, state: State, machine: Machine) -> dict[str, Any]:
    """Return the host variables of a machine; whether anything answers at its address is up to whoever boots it."""
    return {
        **reaching(room, state, machine.hardware.address),
        "fleet_mac": machine.hardware.mac,
        "fleet_macs": [machine.hardware.mac],
        "fleet_disk_identity": machine.hardware.disk_identity,
        "fleet_firmware": machine.hardware.firmware,
        "fleet_machine": str(machine.folder),
    }


def boot_file(room: Path, name: str) -> Path:
    """Return the file with a station's boot entry."""
    return room / "stations" / name / "boot"
