# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of a room: create, describe, remove. Creating again changes only what differs; removing needs nothing but the path."""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Optional

from ansible_collections.fleet.core.plugins.module_utils.errors import InputError
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress
from ansible_collections.fleet.imaging.plugins.module_utils.environment.recipe import Recipe
from ansible_collections.fleet.imaging.plugins.module_utils.environment.root import RootCache

from ..machine import roster
from . import connection, host, identity, power, storage, system
from .firmware import Description
from .network import NAMESPACES, Network
from .state import FILE, State, hosts_of
from .station import ENTRIES, Station

CENTRAL = "central"
CONTENTS = ("stations", roster.MACHINES, "ssh", "hosts", "port.py", power.PROGRAM, f".{power.PROGRAM}", f".{FILE}", FILE)
"""Everything a room has in its folder; its state goes last, so that a removal cut short is known for one."""


@dataclass(frozen=True)
class Request:
    """What a room shall be; stations are dicts as the module's option describes them."""

    name: str
    subnet: str
    stations: Sequence[Mapping[str, Any]]
    central: bool = True
    timeout: float = 60.0
    central_packages: tuple[str, ...] = ()
    system_packages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What creating would do: the state to reach, and the names of stations to remove, make or start, and shape anew."""

    before: Optional[State]
    after: State
    remove: tuple[str, ...]
    start: tuple[str, ...]
    shape: tuple[str, ...]

    @property
    def changed(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.before is None or not self.before.complete or self.remove or self.start or self.shape or self.before != self.after)


class Room:
    """The room in a folder."""

    def __init__(self, path: str) -> None:
        self.path = host.folder(path)
        self.network = Network(host.label(self.path))

    def load(self) -> State:
        """Return the room's state; raise InputError when there is no room, or only half of one."""
        state = State.load(self.path)
        if state is None or not state.complete:
            raise InputError(f"There is no room in {self.path}", remedy="Create it with the module fleet.lab.room")
        return state

    # Create

    def plan(self, request: Request) -> Plan:
        """Return what creating would do; raise InputError when the request is impossible, or contradicts the room there is."""
        before = State.load(self.path)
        if before is None and self.path.is_dir() and any(self.path.iterdir()) and not self._is_ours():
            raise InputError(f"{self.path} is not empty and not a room", remedy="Choose a folder of its own for the room")
        known = {station.name: station for station in before.stations} if before and before.complete else {}
        stations = self._addressed(request, known)
        running, namespaces = power.running(self.path), self.network.namespaces()
        up = {name for name in known if name in running and self.network.station_namespace(known[name]) in namespaces}
        after = State(
            name=request.name or self.path.name,
            subnet=request.subnet,
            root=before.root if before else "",
            incarnation=before.incarnation if before and before.complete else secrets.token_hex(4),
            complete=True,
            stations=stations,
            central_root=before.central_root if before else "",
        )
        if known and before and before.subnet != request.subnet:
            raise InputError(f"Room {before.name} has the subnet {before.subnet}", remedy="Remove the room before giving it another")
        return Plan(
            before,
            after,
            remove=tuple(name for name in known if name not in {station.name for station in stations}),
            start=tuple(station.name for station in stations if station.name not in up),
            shape=tuple(s.name for s in stations if s.name in up and (s.rate, s.loss) != (known[s.name].rate, known[s.name].loss)),
        )

    def _addressed(self, request: Request, known: Mapping[str, Station]) -> tuple[Station, ...]:
        """Return the stations asked for, with what the room gives them: what they had before, or the next that is free."""
        asked = [Station(CENTRAL, role="central")] if request.central else []
        asked += [Station.asked(station) for station in request.stations]
        names = [station.name for station in asked]
        double = sorted({name for name in names if names.count(name) > 1})
        if double:
            raise InputError(
                f"Stations named twice: {', '.join(double)}", remedy=f"Give each its own name; {CENTRAL} is the central host's"
            )
        addresses = hosts_of(request.subnet)[1]
        machines = [machine.hardware for machine in roster.machines(self.path)]
        both = sorted(set(names) & {machine.name for machine in machines})
        if both:
            raise InputError(f"There are machines named {', '.join(both)}", remedy="Give the stations other names, or remove the machines")
        taken = {station.address for station in known.values()} | {machine.address for machine in machines}
        free = iter([address for address in addresses if address not in taken])
        result = []
        for station in asked:
            old = known.get(station.name)
            if old and (old.disk_size, old.system) != (station.disk_size, station.system):
                raise InputError(
                    f"Station {station.name} has a disk of {old.disk_size} bytes, system: {old.system}",
                    remedy="A disk stays what it is: remove the station, then create it anew",
                )
            address = old.address if old else next(free, "")
            if not address:
                raise InputError(
                    f"The subnet {request.subnet} has no address left for {station.name}", remedy="Give the room a larger subnet"
                )
            result.append(
                replace(
                    station,
                    address=address,
                    mac=self.mac(station.name),
                    loop=old.loop if old else "",
                    boot=old.boot if old else station.boot,
                )
            )
        return tuple(result)

    def create(self, request: Request, cache: Path, progress: Progress) -> State:
        """Make the room what the request says, wait until every station answers SSH, and return its state."""
        host.require()
        plan = self.plan(request)
        root = RootCache(cache).ensure(Recipe(), progress)
        central_root = RootCache(cache).ensure(Recipe.with_packages(request.central_packages), progress) if request.central else root
        installs = any(station.get("system") for station in request.stations)
        system_root = RootCache(cache).ensure(Recipe.with_packages(request.system_packages), progress) if installs else root
        self.path.mkdir(parents=True, exist_ok=True)
        with self.lock():
            plan = self.plan(request)
            if not plan.changed:
                return plan.after
            if plan.before is None or not plan.before.complete:
                self._clear()
            # A room that was complete stays so: what fails now is repeated next time, and its disks are never thrown away.
            state = replace(plan.after, root=str(root), central_root=str(central_root), complete=bool(plan.before and plan.before.complete))
            state.save(self.path)
            self._remove_stations(plan)
            state = self._make(state, plan, system_root, progress)
            power.await_ssh(self.path, NAMESPACES / self.network.namespace, [state.station(name) for name in plan.start], request.timeout)
            state = replace(state, complete=True)
            state.save(self.path)
        return state

    def _make(self, state: State, plan: Plan, system_root: Path, progress: Progress) -> State:
        """Make or start the stations of the plan; return the state with their loop devices. system_root: of what own systems are made."""
        controller, _others = hosts_of(state.subnet)
        self.network.ensure(controller)
        power.burn(self.path)
        authorized = identity.ensure_key(self.path / connection.KEY, f"room {state.name}")
        # Services such as PostgreSQL ask for "localhost" as they start.
        identity.write_hosts(self.path / "hosts", state.stations)
        environments, systems = {}, []
        made = {}
        progress.begin("start stations", len(plan.start), "station")
        # Own systems take seconds to install: the other stations boot meanwhile.
        for station in sorted(state.stations, key=lambda each: each.system):
            folder = self.path / "stations" / station.name
            folder.mkdir(parents=True, exist_ok=True)
            environments[station.name] = identity.ensure_layer(folder / "identity", station.name, authorized)
            if station.system:
                systems.append(identity.ensure_layer(folder / "system", station.name, authorized))
            made[station.name] = station
            if station.name in plan.start:
                power.switch_off(self.path, [station.name])
                self.network.attach(station, controller.network.prefixlen)
                made[station.name] = self._switch_on(station, state, system_root, folder)
                progress.advance(1, station.name)
            elif station.name in plan.shape:
                self.network.shape(station)
        stations = tuple(made[station.name] for station in state.stations)
        identity.write_hosts(self.path / "hosts", stations)
        identity.write_known_hosts(self.path / connection.KNOWN_HOSTS, stations, environments, systems)
        return replace(state, stations=stations)

    def _switch_on(self, station: Station, state: State, system_root: Path, folder: Path) -> Station:
        """Give a station its disk and its boot entry, and start its firmware; return it with its loop device."""
        hosts = self.path / "hosts"
        hosts.touch()
        if station.disk_size:
            station = replace(station, loop=self._disk(station, system_root, folder))
        boot = connection.boot_file(self.path, station.name)
        if not boot.exists():
            boot.write_text(f"{station.boot}\n", encoding="utf-8")
        machine, netns = host.label(self.path, station.name), self.network.station_namespace(station)
        central = station.role == "central"
        root = (state.central_root if central else "") or state.root
        power.switch_on(folder, Description(station.name, machine, netns, root, str(hosts), station.loop, persistent=central))
        return station

    @staticmethod
    def _disk(station: Station, root: Path, folder: Path) -> str:
        """Return the loop device of a station's disk, which is made now, with its own system, unless it is there."""
        image, making = folder / "disk.img", folder / "disk.making"
        if image.exists():
            return storage.attach(image)
        storage.detach(making)
        loop = storage.create(making, station.disk_size)
        if station.system:
            system.install(loop, root, folder / "system")
        making.rename(image)
        return loop

    def mac(self, name: str) -> str:
        """Return a locally administered address that this room's station always has."""
        return "52:54:00:" + hashlib.sha256(f"{self.path}/{name}".encode()).digest()[:3].hex(":")

    # Describe

    def describe(self, state: State) -> dict[str, Any]:
        """Return the room as the modules return it."""
        running = power.running(self.path)
        stations = []
        for station in state.stations:
            boot = connection.boot_file(self.path, station.name)
            stations.append(
                {
                    **station.as_json(),
                    "boot": boot.read_text(encoding="utf-8").strip() if boot.exists() else station.boot,
                    "disk_identity": station.disk_identity,
                    "running": station.name in running,
                    "console": str(self.path / "stations" / station.name / power.CONSOLE),
                }
            )
        known = {
            "name": state.name,
            "path": str(self.path),
            "subnet": state.subnet,
            "namespace": self.network.namespace,
            "root": state.root,
        }
        return {**known, "stations": stations, "machines": [machine.describe() for machine in roster.machines(self.path)]}

    def boot_entry(self, name: str) -> str:
        """Return what a station will start next."""
        return connection.boot_file(self.path, self.load().station(name).name).read_text(encoding="utf-8").strip()

    def set_boot_entry(self, name: str, entry: str) -> None:
        """Tell a station's firmware what to start next."""
        if entry not in ENTRIES:
            raise InputError(f"{entry!r} is not a boot entry", remedy=f"Use one of {', '.join(ENTRIES)}")
        path = connection.boot_file(self.path, self.load().station(name).name)
        temporary = path.with_name(".boot")
        temporary.write_text(f"{entry}\n", encoding="utf-8")
        os.replace(temporary, path)

    # Remove

    def exists(self) -> bool:
        """Whether anything of this room is left: a file, a process, a namespace or a loop device."""
        return bool(self._is_ours() or power.running(self.path) or self.network.namespaces() or storage.attached(self.path))

    def remove(self) -> None:
        """Remove everything of this room, whatever state it is in; the folder too, unless it holds something that is not ours."""
        host.require()
        if not self.path.is_dir():
            self._clear()
            return
        with self.lock():
            self._clear()
            if not any(self.path.iterdir()):
                self.path.rmdir()

    def _clear(self) -> None:
        """Remove all but the folder itself: processes, then their network, disks and control groups, then files."""
        power.switch_off(self.path, power.running(self.path))
        roster.end(self.path)
        self.network.remove()
        storage.detach(self.path)
        power.remove_groups(host.label(self.path, "*"))
        if self._is_ours():
            for name in CONTENTS:
                path = self.path / name
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink(missing_ok=True)

    def _remove_stations(self, plan: Plan) -> None:
        """Remove the stations that the room shall no longer have."""
        for station in plan.before.stations if plan.before else ():
            if station.name in plan.remove:
                folder = self.path / "stations" / station.name
                power.switch_off(self.path, [station.name])
                self.network.detach(station)
                storage.detach(folder)
                power.remove_groups(host.label(self.path, station.name))
                shutil.rmtree(folder)

    def _is_ours(self) -> bool:
        """Whether the folder holds a room, or what is left of one: a folder named by mistake must not be emptied."""
        return any((self.path / name).exists() for name in (FILE, power.PROGRAM))

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Let one process at a time change this room."""
        descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)
