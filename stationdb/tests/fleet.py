# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet for tests and benchmarks: sites, and stations with all that a report says of them, written in bulk.

``make_fleet(stations=100, software=50)`` on an empty database; the same arguments give the same fleet. Every station holds
``fleet-editor``: the first ``outdated`` of them 1.2, the others 2.0, so that "who has fleet-editor below 2.0" has the same number of
answers at any size.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from stationdb.registry.models import Group, MacAddress, Site, Station, Subnet
from stationdb.reports.bundles import announce, bundled, write
from stationdb.reports.models import Report, Section, SectionChange, Software, SoftwareVersion
from stationdb.reports.sections import SOFTWARES, Row, digest, pack_ids, pack_rows, plain_rows
from stationdb.versions import version_key

EDITOR = "fleet-editor"

_SYSTEMS = (
    ("Debian GNU/Linux", "12.5", "deb"),
    ("Debian GNU/Linux", "13.1", "deb"),
    ("Ubuntu", "24.04", "deb"),
    ("Fedora Linux", "42", "rpm"),
    ("Microsoft Windows 11 Pro", "10.0.26100", "registry"),
)
_MACHINES = (
    ("Dell Inc.", "OptiPlex 3050", "Intel(R) Core(TM) i5-7500T CPU @ 2.70GHz", 4, 8192, 256_060),
    ("HP", "EliteDesk 800 G6", "Intel(R) Core(TM) i5-10500T CPU @ 2.30GHz", 6, 16384, 512_110),
    ("LENOVO", "ThinkPad E14 Gen 6", "AMD Ryzen 5 7535U", 6, 16384, 512_110),
    ("LENOVO", "ThinkCentre M70q", "Intel(R) Core(TM) i3-10100T CPU @ 3.00GHz", 4, 4096, 128_035),
)
_WORDS = [
    "office",
    "mail",
    "photo",
    "print",
    "font",
    "codec",
    "driver",
    "reader",
    "viewer",
    "sync",
    "backup",
    "secure",
    "net",
    "web",
    "media",
    "chart",
    "draw",
    "note",
    "scan",
    "boot",
]


@dataclass
class Fleet:
    """What was made: the sites (the root first), the stations by number, ids of versions by software's name and version."""

    root: Site
    sites: list[Site] = field(default_factory=list)
    stations: list[Station] = field(default_factory=list)
    versions: dict[tuple[str, str], int] = field(default_factory=dict)


def make_fleet(
    *, stations: int = 100, software: int = 40, sites: int = 0, outdated: int = 10, changes: int = 1, reports: int = 1, seed: int = 1
) -> Fleet:
    """Fill an empty database with sites (one for each hundred stations unless told) and stations that hold about so many software each."""
    dice = random.Random(seed)
    now = timezone.now().replace(microsecond=0)
    with transaction.atomic():
        fleet = Fleet(Site.objects.create(slug="root", name="All sites", time_zone="Europe/Paris"))
        _make_sites(fleet, sites or max(2, stations // 100))
        catalogue = _make_software(fleet, software, dice)
        machines = [_machine(number, fleet, dice, now) for number in range(stations)]
        fleet.stations = Station.objects.bulk_create([station for station, _sections in machines], batch_size=500)
        MacAddress.objects.bulk_create(
            [MacAddress(station=station, mac=_mac(number)) for number, station in enumerate(fleet.stations)], batch_size=500
        )
        Group.objects.create(name="kiosks").stations.set(fleet.stations[::10])
        held = {
            station.pk: _held(catalogue, station, dice, editor="1.2" if number < outdated else "2.0")
            for number, station in enumerate(fleet.stations)
        }
        hold(held)
        _write_sections({station.pk: sections for station, sections in machines}, held, now, changes, dice)
        Report.objects.bulk_create(
            [
                Report(
                    id=uuid.UUID(int=dice.getrandbits(128)),
                    station=station,
                    received=station.last_seen - timedelta(days=day),
                    taken=station.last_seen - timedelta(days=day),
                    format="fleet",
                    agent="fleet/0.1.0",
                    way="ssh",
                    changed=" ".join(machines[number][1]) if day == reports - 1 else "",
                )
                for number, station in enumerate(fleet.stations)
                for day in range(reports)
            ],
            batch_size=500,
        )
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:  # as autovacuum would have by now; it sees nothing of a test's transaction
                cursor.execute("ANALYZE")
    return fleet


def install(station: Station, *software: tuple[str, str], source: str = "deb", arch: str = "amd64") -> None:
    """Let a station hold exactly these (name, version), as its report would say."""
    ids = []
    for name, version in software:
        program, _new = Software.objects.get_or_create(name=name, source=source)
        ids.append(
            SoftwareVersion.objects.get_or_create(
                software=program, version=version, arch=arch, defaults={"version_key": version_key(version)}
            )[0].pk
        )
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM reports_held WHERE station_id = %s", [station.pk])
    hold({station.pk: ids})
    Section.objects.update_or_create(
        station=station, kind=SOFTWARES, defaults={"digest": b"", "data": pack_ids(ids), "changed": timezone.now()}
    )


def hold(held: Mapping[int, Iterable[int]]) -> None:
    """Write who holds what: ids of versions by station's id."""
    with connection.cursor() as cursor:
        announce(cursor, {each for ids in held.values() for each in ids})
        write(cursor, [(bundle, station) for station, ids in held.items() for bundle in bundled(ids)])


def _mac(number: int) -> str:
    return f"a4:bb:6d:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"


def _make_sites(fleet: Fleet, count: int) -> None:
    regions = [
        Site.objects.create(slug=slug, name=name, parent=fleet.root) for slug, name in (("north", "North"), ("south", "South"))[:count]
    ]
    fleet.sites = [fleet.root, *regions]
    for number in range(count):
        site = Site.objects.create(slug=f"agency{number + 1:04}", name=f"Agency {number + 1}", parent=regions[number % len(regions)])
        Subnet.objects.create(site=site, network=f"10.{number >> 8}.{number & 255}.0/24")
        fleet.sites.append(site)


def _make_software(fleet: Fleet, count: int, dice: random.Random) -> dict[str, list[list[int]]]:
    """Versions' ids of each software, by source: about twice as many software as a station holds, with up to four versions each."""
    catalogue: dict[str, list[list[int]]] = {}
    programs, versions = [], []
    for source in dict.fromkeys(system[2] for system in _SYSTEMS):
        for number in range(2 * count):
            word = _WORDS[number % len(_WORDS)]
            name = EDITOR if not number else f"{'lib' if number % 3 else ''}{word}-{dice.choice(_WORDS)}{number}"
            programs.append(Software(name=name, source=source, publisher=f"{word.title()} {'Team' if number % 2 else 'Project'}"))
    for program in Software.objects.bulk_create(programs, batch_size=500):
        first = f"{dice.randint(0, 30)}.{dice.randint(0, 20)}.{dice.randint(0, 9)}"
        texts = ["1.2", "2.0"] if program.name == EDITOR else [f"{first}-{build + 1}" for build in range(dice.choice((1, 1, 2, 4)))]
        versions.append([SoftwareVersion(software=program, version=text, version_key=version_key(text), arch="amd64") for text in texts])
    made = iter(SoftwareVersion.objects.bulk_create([version for each in versions for version in each], batch_size=500))
    for each in versions:
        stored = [next(made) for _version in each]
        program = stored[0].software
        fleet.versions |= {(program.name, version.version): version.pk for version in stored if program.source == "deb"}
        catalogue.setdefault(program.source, []).append([version.pk for version in stored])
    return catalogue


def _held(catalogue: Mapping[str, Sequence[Sequence[int]]], station: Station, dice: random.Random, *, editor: str) -> list[int]:
    """Most of what everybody has, in one of the last versions, and some of what few have."""
    source = next(system[2] for system in _SYSTEMS if system[0] == station.os_name)
    programs = catalogue[source]
    common, rare = programs[1 : len(programs) // 2], programs[len(programs) // 2 :]
    wave = dice.random()  # how far the station's updates are
    held = [each[min(int(wave * len(each)), len(each) - 1)] for each in common if dice.random() < 0.97]
    held += [each[-1] for each in dice.sample(list(rare), k=min(len(rare), len(common) // 30))]
    return [*held, programs[0][0 if editor == "1.2" else 1]]


def _machine(number: int, fleet: Fleet, dice: random.Random, now: datetime) -> tuple[Station, dict[str, list[Row]]]:
    agencies = fleet.sites[3:] or fleet.sites
    place = number % len(agencies)
    site = agencies[place]
    maker, product, cpu, cores, ram, disk = _MACHINES[dice.randrange(len(_MACHINES))]
    system, version, _source = _SYSTEMS[min(number % 7, 4)]
    name, serial = f"pc{number + 1:05}", f"SN{dice.getrandbits(40):010X}"
    address = f"10.{place >> 8}.{place & 255}.{number // len(agencies) % 250 + 2}"
    free = dice.randrange(disk // 10, disk)
    identity = uuid.UUID(int=dice.getrandbits(128))
    station = Station(
        name=name,
        site=site,
        state=Station.State.NEW if number % 50 == 49 else Station.State.READY,
        tag=("ALPHA", "BETA", "")[number % 3],
        uuid=identity,
        serial=serial,
        last_seen=now - timedelta(hours=dice.choice((1, 5, 20, 30, 24 * 9, 24 * 40))),
        reported_name=name,
        reported_address=address,
        manufacturer=maker,
        product=product,
        os_name=system,
        os_version=version,
        os_version_key=version_key(version),
        architecture="x86_64",
        cpu=cpu,
        cores=cores,
        ram=ram << 20,
        disk=disk << 20,
        disk_free=free << 20,
        user=f"user{dice.randrange(500)}",
    )
    return station, _sections(number, station, dice)


def _sections(number: int, station: Station, dice: random.Random) -> dict[str, list[Row]]:
    """What the station says of itself, but for its software."""
    ram, disk, free = (size >> 20 for size in (station.ram or 0, station.disk or 0, station.disk_free or 0))

    def serial(bits: int) -> str:
        return f"{dice.getrandbits(bits):0{bits // 4}X}"

    memory: Row = {"capacity": ram // 2, "type": "DDR4", "speed": "2666"}
    boot: Row = {"device": "/dev/nvme0n1p1", "start": 1 << 20, "size": 512, "filesystem": "vfat", "label": "EFI"}
    partition: Row = {"device": "/dev/nvme0n1p2", "start": 513 << 20, "size": disk - 513, "filesystem": "ext4"}
    ours: Row = {"name": "nvme0n1", "model": "SAMSUNG MZVLB256", "disksize": disk, "type": "disk", "interface": "NVME"}
    card: Row = {"description": "eno1", "mac": _mac(number), "status": "up", "type": "ethernet", "speed": "1000"}
    return {
        "hardware": [{"name": station.name, "uuid": str(station.uuid), "memory": ram, "chassis_type": "Desktop"}],
        "bios": [{"smanufacturer": station.manufacturer, "smodel": station.product, "ssn": station.serial, "bversion": "1.2.3"}],
        "operatingsystem": [{"name": station.os_name, "version": station.os_version, "arch": "x86_64", "kernel_version": "6.1.0-18-amd64"}],
        "cpus": [{"name": station.cpu, "core": station.cores or 0, "thread": 2 * (station.cores or 0), "arch": "x86_64"}],
        "memories": [{**memory, "numslots": slot, "serialnumber": serial(32)} for slot in (0, 1)],
        "storages": [{**ours, "serial": serial(48)}],
        "smart": [{"device": "/dev/nvme0n1", "passed": 1, "temperature": 35, "power_on_hours": dice.randrange(20_000)}],
        "drives": [{"type": "/", "volumn": "/dev/nvme0n1p2", "filesystem": "ext4", "total": disk, "free": free}],
        "partitions": [boot, {**partition, "uuid": str(uuid.UUID(int=dice.getrandbits(128)))}],
        "networks": [{**card, "ipaddress": station.reported_address}],
        "monitors": [{"manufacturer": "Dell Inc.", "caption": "DELL P2419H", "serial": serial(32)}],
        "videos": [{"name": "UHD Graphics 630", "chipset": "VGA compatible controller"}],
        "sounds": [{"name": "Cannon Lake PCH cAVS", "manufacturer": "Intel Corporation"}],
        "controllers": [{"name": f"Controller {each}", "pciid": f"8086:{each:04x}", "type": "PCI"} for each in range(12)],
        "usbdevices": [{"name": device, "vendorid": "046d"} for device in ("Keyboard K120", "Mouse M90")],
        "printers": [{"name": "Reception", "driver": "HP LaserJet 400", "port": "ipp://printer.example/ipp"}] if number % 4 == 0 else [],
        "local_users": [{"login": login, "id": each, "home": f"/home/{login}"} for login, each in (("root", "0"), ("student", "1000"))],
        "users": [{"login": station.user}],
    }


def _write_sections(
    machines: Mapping[int, Mapping[str, list[Row]]],
    held: Mapping[int, Sequence[int]],
    now: datetime,
    changes: int,
    dice: random.Random,
) -> None:
    sections, history = [], []
    for (pk, ids), kinds in zip(held.items(), machines.values(), strict=True):
        changed = now - timedelta(days=dice.randrange(1, 90))
        sections += [
            Section(station_id=pk, kind=kind, digest=digest(plain_rows(rows)), data=pack_rows(rows), changed=changed)
            for kind, rows in kinds.items()
            if rows
        ]
        sections.append(Section(station_id=pk, kind=SOFTWARES, digest=b"", data=pack_ids(ids), changed=changed))
        for back in range(changes):
            history.append(
                SectionChange(
                    station_id=pk,
                    kind=SOFTWARES,
                    when=changed - timedelta(days=back),
                    added=pack_ids(ids[-3:]),
                    removed=pack_ids(ids[:3]),
                )
            )
        if len(sections) > 5000:
            Section.objects.bulk_create(sections, batch_size=150)
            SectionChange.objects.bulk_create(history, batch_size=150)
            sections, history = [], []
    Section.objects.bulk_create(sections, batch_size=150)
    SectionChange.objects.bulk_create(history, batch_size=150)
