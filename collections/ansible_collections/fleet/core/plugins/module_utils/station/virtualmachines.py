# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The section virtualmachines: machines that libvirt and VirtualBox have on this disk, and those that QEMU runs by itself.

Definitions lie in users' homes too, and are read as root: they are regular files of at most 1 MiB, XML without document types.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from typing import Optional
from xml.etree import ElementTree
from xml.parsers import expat

from .root import Root
from .row import Row

LIMIT = 1 << 20
KIB = {"b": 1 / 1024, "bytes": 1 / 1024, "KB": 1000 / 1024, "k": 1, "KiB": 1, "MB": 1e6 / 1024, "M": 1024, "MiB": 1024}
KIB.update({"GB": 1e9 / 1024, "G": 1 << 20, "GiB": 1 << 20, "TB": 1e12 / 1024, "T": 1 << 30, "TiB": 1 << 30})
"""Units of libvirt's memory element, in KiB (https://libvirt.org/formatdomain.html#memory-allocation)."""


class _Unwanted(Exception):
    """A document with a document type: it may grow without bound, and no definition has one."""


def collect(root: Root) -> list[Row]:
    """Return name, uuid, vmtype, subsystem, status, memory (MiB), vcpu, mac and owner, sorted by subsystem and name."""
    running = dict(_qemu(root))
    rows = [*_libvirt(root, running), *_virtualbox(root)]
    known = {row["uuid"] for row in rows} | {row["name"] for row in rows}
    rows += [row for name, row in running.items() if name not in known and row.get("uuid") not in known]
    return sorted(rows, key=lambda row: (str(row["subsystem"]), str(row["name"])))


def _libvirt(root: Root, running: dict[str, Row]) -> Iterator[Row]:
    places = [("/etc/libvirt/qemu", "root"), ("/etc/libvirt/lxc", "root"), ("/etc/libvirt/libxl", "root")]
    places += [(f"{home}/.config/libvirt/qemu", user) for user, home in _homes(root)]
    for folder, owner in places:
        for name in root.names(folder):
            domain = _xml(root, f"{folder}/{name}") if name.endswith(".xml") else None
            if domain is None or domain.tag != "domain":
                continue
            memory = domain.find("memory")
            named = domain.findtext("name", "")
            yield {
                "name": named,
                "uuid": domain.findtext("uuid", "").upper(),
                "vmtype": domain.get("type", ""),
                "subsystem": "libvirt",
                "status": "running" if named in running or root.exists(f"/run/libvirt/lxc/{named}.pid") else "off",
                "memory": _mebibytes(memory.text or "", memory.get("unit", "KiB")) if memory is not None else 0,
                "vcpu": _number(domain.findtext("vcpu", "")),
                "mac": "/".join(mac.get("address", "") for mac in domain.iterfind("devices/interface/mac")),
                "owner": owner,
            }


def _virtualbox(root: Root) -> Iterator[Row]:
    for user, home in _homes(root):
        registry = _xml(root, f"{home}/.config/VirtualBox/VirtualBox.xml")
        for entry in registry.iter() if registry is not None else ():
            definition = _xml(root, entry.get("src", "")) if entry.tag == "MachineEntry" else None
            machine = definition.find("Machine") if definition is not None else None
            if machine is None:
                continue
            cards = [card for card in machine.iterfind("Hardware/Network/Adapter") if card.get("enabled") == "true"]
            size, cpus = machine.find("Hardware/Memory"), machine.find("Hardware/CPU")
            uuid = machine.get("uuid", "").strip("{}").upper()
            yield {
                "name": machine.get("name", ""),
                "uuid": uuid,
                "vmtype": "virtualbox",
                "subsystem": "virtualbox",
                "status": "running" if _runs(root, uuid) else "off",
                "operatingsystem": machine.get("OSType", ""),
                "memory": _number(size.get("RAMSize", "")) if size is not None else 0,
                "vcpu": _number(cpus.get("count", "1")) if cpus is not None else 1,
                "mac": "/".join(re.sub("(..)(?=.)", r"\1:", card.get("MACAddress", "").lower()) for card in cards),
                "owner": user,
            }


def _qemu(root: Root) -> Iterator[tuple[str, Row]]:
    """Running machines by name; libvirt's are named ``guest=NAME,…``."""
    for words in _commands(root):
        if not re.fullmatch(r"qemu-system-\w+|qemu-kvm|kvm", os.path.basename(words[0])):
            continue
        options = dict(zip(words[1:], words[2:]))
        name = re.sub(r"^(guest=)?([^,]*).*", r"\2", options.get("-name", ""))
        size = re.fullmatch(r"(?:size=)?(\d+)([kKMGT]?)\b.*", options.get("-m", "128M"))
        count = re.match(r"(?:cpus=)?(\d+)", options.get("-smp", "1"))
        unit = (size[2] or "M").replace("K", "k") if size else "M"
        name = name or options.get("-uuid", "") or os.path.basename(words[0])
        yield (
            name,
            {
                "name": name,
                "uuid": options.get("-uuid", "").upper(),
                "vmtype": "kvm" if "-enable-kvm" in words or "kvm" in options.get("-accel", "") + options.get("-machine", "") else "qemu",
                "subsystem": "qemu",
                "status": "running",
                "memory": _mebibytes(size[1], unit) if size else 0,
                "vcpu": int(count[1]) if count else 1,
            },
        )


def _commands(root: Root) -> Iterator[list[str]]:
    for process in root.names("/proc"):
        if process.isdigit():
            words = root.data(f"/proc/{process}/cmdline").rstrip(b"\0").decode("utf-8", "replace").split("\0")
            if words[0]:
                yield words


def _runs(root: Root, uuid: str) -> bool:
    """Whether VirtualBox runs a machine: its process is started with ``--startvm UUID``."""
    started = (words for words in _commands(root) if re.search("VirtualBox|VBox", words[0]))
    return any(uuid.lower() in (word.lower() for word in words) for words in started)


def _homes(root: Root) -> list[tuple[str, str]]:
    """Users and their homes; those of services hold no machines of anybody."""
    fields = [line.split(":") for line in root.text("/etc/passwd").splitlines()]
    people = [each for each in fields if len(each) == 7 and each[2].isdigit() and (each[2] == "0" or int(each[2]) >= 1000)]
    return [(each[0], each[5]) for each in people if each[5].startswith("/") and each[5] not in ("/", "/nonexistent")]


def _xml(root: Root, name: str) -> Optional[ElementTree.Element]:
    """The root element of a definition, its namespace left out; None when it is not one that we read."""
    try:
        # A user may have made it anything: a pipe would hold the whole report, and nothing says how large it is.
        descriptor = os.open(root.at(name), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            data = file.read(LIMIT + 1) if stat.S_ISREG(status.st_mode) else b""
        if not data or len(data) > LIMIT:
            return None
        look = expat.ParserCreate()
        look.StartDoctypeDeclHandler = _refuse
        look.Parse(data, True)
        element = ElementTree.fromstring(data)
    except (OSError, ValueError, _Unwanted, expat.ExpatError, ElementTree.ParseError):
        return None
    for each in element.iter():
        each.tag = each.tag.rpartition("}")[2]
    return element


def _refuse(*_arguments: object) -> None:
    raise _Unwanted


def _mebibytes(text: str, unit: str) -> int:
    return int(_number(text) * KIB.get(unit, 1)) >> 10


def _number(text: str) -> int:
    return int(text) if re.fullmatch(r"\s*\d{1,15}\s*", text) else 0
