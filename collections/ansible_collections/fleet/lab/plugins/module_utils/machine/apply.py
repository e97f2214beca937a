# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module ``machine`` does: from its parameters to its result."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional

from ansible_collections.fleet.core.plugins.module_utils.errors import InputError

from ..room.room import Room
from ..room.state import State, hosts_of
from ..room.station import parse_size
from . import process, roster
from .hardware import Hardware
from .machine import FILE, Machine

AT_ANY_TIME = ("wake", "wake_password", "address")
"""What may change while a machine runs; the rest is what QEMU was started with."""
GIVEN = (
    *("firmware", "memory", "processors", "disk_bus", "disk_format", "boot", "protocol", "card", "bios_console", "address", "mac"),
    *("wake", "wake_password", "usb", "kernel", "initrd", "append"),
)
"""Options of the module that are the hardware's under the same name; what is not given stays as it is."""


def apply(parameters: Mapping[str, Any], *, check: bool) -> dict[str, Any]:
    """Bring a machine into the state that the parameters describe, or only tell what would change; return the module's result.

    InputError for what is impossible, MachineError when it does not start; what was refused has changed nothing.
    """
    room = Room(parameters["path"])
    if parameters["state"] == "absent":
        return _absent(room, parameters["name"], check)
    state = room.load()
    with contextlib.nullcontext() if check else room.lock():
        before = _known(room.path, parameters["name"])
        after = Machine(roster.folder(room.path, parameters["name"]), _wanted(room, state, before, parameters))
        running = before.running() if before else False
        changed = [name for name, value in after.hardware.as_json().items() if before is None or before.hardware.as_json()[name] != value]
        if running and parameters["state"] == "on" and set(changed) - set(AT_ANY_TIME):
            fixed = ", ".join(name for name in changed if name not in AT_ANY_TIME)
            raise InputError(
                f"Machine {after.hardware.name} runs: its {fixed} cannot change now", remedy="Switch it off before, or use state: reset"
            )
        deaf = after.hardware.wake and not process.listeners(after.folder)
        on = parameters["state"] != "off"
        result: dict[str, Any] = {
            "changed": bool(changed or deaf or on != running or parameters["state"] == "reset"),
            "diff": {"before": _shown(before, running), "after": _shown(after, on)},
        }
        if not check:
            _bring(before, after, parameters["state"], running and bool(set(changed) - set(AT_ANY_TIME)))
            result["machine"] = after.describe()
    return result


def _bring(before: Optional[Machine], after: Machine, state: str, anew: bool) -> None:
    """Write a machine's description and bring it into a state; anew: it runs with other hardware than it shall have."""
    if before and (before.hardware.wake_password, before.hardware.bridge) != (after.hardware.wake_password, after.hardware.bridge):
        before.deafen()
    if before and (state == "off" or anew):
        before.power_off()
    after.prepare()
    if state == "reset" and after.running():
        after.reset()
    elif state != "off":
        after.power_on()


def _absent(room: Room, name: str, check: bool) -> dict[str, Any]:
    folder = roster.folder(room.path, Hardware.named(name))
    exists = folder.is_dir()
    if exists and not check:
        with room.lock():
            process.end(lambda: process.of(folder), f"machine {name}")
            process.forget(folder)
    return {"changed": exists, "diff": {"before": f"{folder}\n" if exists else "", "after": ""}}


def _known(room: Path, name: str) -> Optional[Machine]:
    folder = roster.folder(room, Hardware.named(name))
    return Machine.load(folder) if (folder / FILE).exists() else None


def _wanted(room: Room, state: State, before: Optional[Machine], parameters: Mapping[str, Any]) -> Hardware:
    """Return the hardware that the parameters ask for, with what the room gives."""
    name = parameters["name"]
    if name in {station.name for station in state.stations}:
        raise InputError(f"Room {state.name} has a station {name!r}", remedy="Give the machine another name")
    old = before.hardware if before else Hardware(name, room.mac(name), namespace=room.network.namespace)
    given: dict[str, Any] = {option: parameters[option] for option in GIVEN if parameters.get(option) is not None}
    if "boot" in given:
        given["boot"] = tuple(given["boot"])
    hardware = replace(old, **given)
    if parameters.get("disk") is not None:
        size = parse_size(parameters["disk"], f"Machine {name}")
        if before and size != old.disk_size:
            raise InputError(
                f"Machine {name} has a disk of {old.disk_size} bytes",
                remedy="A disk stays what it is: remove the machine, then create it anew",
            )
        hardware = replace(hardware, disk_size=size)
    others = [machine.hardware for machine in roster.machines(room.path) if machine.hardware.name != name]
    hardware = replace(hardware, address=_address(hardware, state, others)).checked()
    for other in others:
        if other.mac == hardware.mac:
            raise InputError(f"Machine {other.name} has the MAC address {other.mac}", remedy=f"Give {name} another")
    return hardware


def _address(hardware: Hardware, state: State, others: list[Hardware]) -> str:
    """Return the address that is the machine's in the room: the one asked for, or the next that is free."""
    taken = {station.address: f"Station {station.name}" for station in state.stations}
    taken.update({other.address: f"Machine {other.name}" for other in others})
    _controller, addresses = hosts_of(state.subnet)
    if hardware.address:
        if hardware.address not in addresses:
            raise InputError(f"{hardware.address} is no station's address in {state.subnet}", remedy="Choose another, or none")
        if hardware.address in taken:
            raise InputError(f"{taken[hardware.address]} has the address {hardware.address}", remedy="Choose another, or none")
        return hardware.address
    free = next((address for address in addresses if address not in taken), "")
    if not free:
        raise InputError(f"The subnet {state.subnet} has no address left for {hardware.name}", remedy="Give the room a larger subnet")
    return free


def _shown(machine: Optional[Machine], on: bool) -> str:
    """Return what a diff shows: what was asked for, without what is secret."""
    if machine is None:
        return ""
    return json.dumps({**machine.shown(), "power": "on" if on else "off"}, indent=2) + "\n"
