# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which station a report is of. The rule and its reasons: docs/decisions/0023-which-station.md.

A name that the way vouches for; else network cards; else UUID and serial number together; else the name. Nothing alone that several
machines may share: mainboards repeat UUIDs, clones repeat names, docking stations move, virtual cards are made up.
"""

from __future__ import annotations

import itertools
import re
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.db.models.functions import Lower

from ..registry.fields import RESERVED_NAMES, mac_address
from ..registry.models import MacAddress, Station
from .formats.canonical import Reported
from .sections import Row
from .spool import Envelope

_VIRTUAL = re.compile(
    r"(lo|docker|veth|virbr|br-|vmnet|vboxnet|vnet|tun|tap|wg|zt|tailscale|dummy|bond|team|cni|flannel|cali|lxc|lxd|incus|podman|ppp)[-0-9a-z]*",
    re.IGNORECASE,
)
_VIRTUAL_WORDS = re.compile(
    r"virtual|vmware|hyper-v|\bvpn\b|\btap\b|tunnel|loopback|bluetooth|wi-?fi direct|miniport|npcap|fortinet|anyconnect|wireguard",
    re.IGNORECASE,
)
_DOCKS = frozenset(
    {"r8152", "r8153_ecm", "cdc_ether", "cdc_ncm", "cdc_mbim", "asix", "ax88179_178a", "smsc95xx", "smsc75xx", "lan78xx", "aqc111"}
)
"""Linux drivers of USB network adapters, as docking stations have them."""
_DOCK_WORDS = re.compile(r"\busb\b|\bdock", re.IGNORECASE)
_PLACEHOLDER = re.compile(
    r"(to be filled|default|system serial|serial ?number|not (specified|available|applicable)|none|n/?a|oem|o\.e\.m|unknown|empty|invalid|"
    r"chassis|123456|[0x.\s-]+\Z|(.)\2{3,}\Z)",
    re.IGNORECASE,
)
_NO_HOST_NAME = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass
class Evidence:
    """What a report tells of whose it is."""

    name: str
    """As a host name, without a domain; blank when it says none."""
    vouched: str
    """The name that the way vouches for."""
    macs: list[str] = field(default_factory=list)
    """Of real cards, registered ones or not."""
    others: list[str] = field(default_factory=list)
    """Of cards that are no identity unless an admin registered them: virtual ones, docking stations."""
    uuid: uuid.UUID | None = None
    serial: str = ""
    addresses: list[str] = field(default_factory=list)
    """Its own, then whence the report came."""

    def marks(self) -> set[object]:
        """What two reports of one station have in common; reports without common marks may be taken in at once."""
        return {mark for mark in (self.name.lower(), self.vouched.lower(), *self.macs, self.serial) if mark}

    @property
    def key(self) -> str:
        """Tells the same unknown station again."""
        return str(self.macs[0] if self.macs else self.uuid or self.name or "?")[:100]


def evidence(report: Reported, envelope: Envelope) -> Evidence:
    """What a report tells of whose it is."""
    found = Evidence(host_name(report.name), envelope.station)
    for row in report.sections.get("networks", ()):
        for key in ("ipaddress", "ipaddress6"):
            if (address := str(row.get(key, ""))) and not address.startswith(("127.", "169.254.", "fe80", "::1")):
                found.addresses.append(address.partition("/")[0])
        try:
            mac = mac_address(str(row.get("mac", "")))
        except ValidationError:
            continue
        known = found.macs if is_own_card(mac, row) else found.others
        if mac not in known:
            known.append(mac)
    found.others = [mac for mac in found.others if mac not in found.macs]
    if envelope.address:
        found.addresses.append(envelope.address)
    bios = report.first("bios")
    found.uuid = real_uuid(str(report.first("hardware").get("uuid", "")))
    found.serial = real_serial(str(bios.get("ssn", "")))
    return found


def is_own_card(mac: str, row: Row) -> bool:
    """Whether a network card stays with its station: not virtual, not of a docking station, its address not made up."""
    if int(mac[1], 16) & 2 or str(row.get("virtualdev", "0")).lower() in ("1", "true", "yes"):
        return False
    name, kind = str(row.get("description", "")), str(row.get("type", ""))
    if _VIRTUAL.fullmatch(name) or kind.lower() in ("loopback", "bridge", "tunnel", "tun", "bond", "dialup", "bluetooth"):
        return False
    if str(row.get("driver", "")) in _DOCKS or str(row.get("pnpdeviceid", "")).upper().startswith("USB"):
        return False
    words = f"{name} {row.get('model', '')} {row.get('typemib', '')}"
    return not (_VIRTUAL_WORDS.search(words) or _DOCK_WORDS.search(words))


def real_uuid(text: str) -> uuid.UUID | None:
    """An SMBIOS UUID; None for what is none or is all one digit."""
    try:
        found = uuid.UUID(text)
    except ValueError:
        return None
    return found if len(set(found.hex)) > 2 else None


def real_serial(text: str) -> str:
    """A serial number; blank for what makers write where they forgot it."""
    text = " ".join(text.split())[:100]
    return "" if len(text) < 4 or _PLACEHOLDER.match(text) else text


def host_name(text: str) -> str:
    """A name as a host name, without its domain; blank when nothing of it can be one."""
    text = text.strip().partition(".")[0] if not re.fullmatch(r"[\d.]+", text.strip()) else ""
    return _NO_HOST_NAME.sub("-", text).strip("-_")[:63].strip("-_")


@dataclass(frozen=True)
class Note:
    """What an admin should know of a report, and of another station: whoever sees the one need not see the other."""

    text: str
    """With {} for the other station."""
    other: Station

    def told(self, station: Station) -> str:
        """As it is written on a report of the station."""
        return self.text.format(self.other.name if self.other.site_id == station.site_id else "a station of another site")


class Known:
    """The stations that a batch's reports may be of."""

    def __init__(self, asked: Sequence[Evidence]) -> None:
        self.by_name: dict[str, Station] = {}
        self.by_mac: dict[str, Station] = {}
        self.macs: dict[int, set[str]] = defaultdict(set)
        self.by_machine: dict[tuple[uuid.UUID, str], list[Station]] = defaultdict(list)
        self.stations: dict[int, Station] = {}
        macs = {mac for each in asked for mac in (*each.macs, *each.others)}
        owners = dict(MacAddress.objects.filter(mac__in=macs).values_list("mac", "station_id")) if macs else {}
        names = {name.lower() for each in asked for name in (each.name, each.vouched) if name}
        machines = {(each.uuid, each.serial) for each in asked if each.uuid and each.serial}
        condition = Q(pk__in=set(owners.values())) | Q(lower_name__in=names)
        if machines:
            condition |= Q(uuid__in={key[0] for key in machines}, serial__in={key[1] for key in machines})
        found = Station.objects.alias(lower_name=Lower("name")).filter(condition).select_for_update().order_by("pk")
        for station in found:
            self.add(station)
        for mac, pk in owners.items():
            if pk in self.stations:
                self.by_mac[mac] = self.stations[pk]
        for mac, pk in MacAddress.objects.filter(station__in=list(self.stations)).values_list("mac", "station_id"):
            self.macs[pk].add(mac)

    def add(self, station: Station) -> None:
        """One more."""
        self.stations[station.pk] = station
        self.by_name[station.name.lower()] = station
        if station.uuid and station.serial:
            self.by_machine[station.uuid, station.serial].append(station)

    def find(self, asked: Evidence, notes: list[str | Note]) -> Station | None:
        """The station of a report; None when it is nobody's yet. What an admin should know is added to the notes."""
        if asked.vouched:
            return self.by_name.get(asked.vouched.lower())
        return self._by_card(asked, notes) or self._by_machine(asked) or self._by_name(asked, notes)

    def _by_card(self, asked: Evidence, notes: list[str | Note]) -> Station | None:
        score: dict[int, int] = defaultdict(int)
        for mac in (*asked.macs, *asked.others):
            if owner := self.by_mac.get(mac):
                score[owner.pk] += 4
        for pk in score:
            station = self.stations[pk]
            score[pk] += 2 * self._same_machine(asked, station) + (station.name.lower() == asked.name.lower())
        # The best first; the older station when all is equal.
        for pk in sorted(score, key=lambda each: (-score[each], each)):
            station = self.stations[pk]
            if not self._other_machine(asked, station) or station.name.lower() == asked.name.lower():
                if len(score) > 1:
                    notes.append(f"Its cards belonged to {len(score)} stations.")
                return station
            notes.append(Note("A card of {} is in another machine now.", station))
        return None

    def _by_machine(self, asked: Evidence) -> Station | None:
        if not (asked.uuid and asked.serial):
            return None
        same = self.by_machine.get((asked.uuid, asked.serial), [])
        named = [station for station in same if station.name.lower() == asked.name.lower()]
        # Boards of one batch may share both: without a common name, only a machine whose cards cannot say otherwise is the same.
        silent = [station for station in same if not self.macs[station.pk] or not asked.macs]
        found = named or silent
        return found[0] if len(found) == 1 and (named or len(same) == 1) else None

    def _by_name(self, asked: Evidence, notes: list[str | Note]) -> Station | None:
        station = self.by_name.get(asked.name.lower()) if asked.name else None
        if station is None:
            return None
        if self._other_machine(asked, station) or (asked.macs and self.macs[station.pk] and not self._same_machine(asked, station)):
            notes.append(Note("It says that it is {}, but is another machine: perhaps a clone that was not renamed.", station))
            return None
        return station

    @staticmethod
    def _same_machine(asked: Evidence, station: Station) -> bool:
        return bool(asked.uuid and asked.serial and (asked.uuid, asked.serial) == (station.uuid, station.serial))

    @staticmethod
    def _other_machine(asked: Evidence, station: Station) -> bool:
        """Whether the serial numbers or, where one has none, the UUIDs say that it is another one."""
        if asked.serial and station.serial:
            return asked.serial != station.serial
        return bool(asked.uuid and station.uuid and asked.uuid != station.uuid)


def free_name(asked: Evidence, used: Set[str]) -> str:
    """A name for a new station: its own, or with the end of its card's address where that is used (in lower case)."""
    if asked.vouched and asked.vouched.lower() not in used:
        return asked.vouched  # as it is, or the next report would not find it
    base = asked.vouched or asked.name or "station"
    card = f"-{asked.macs[0].replace(':', '')[-6:]}" if asked.macs else ""
    tails = itertools.chain(("", card), (f"-{number}" for number in itertools.count(2)))
    return next(name for tail in tails if (name := f"{base[: 63 - len(tail)]}{tail}").lower() not in used)


def names_like(asked: Sequence[Evidence]) -> set[str]:
    """Names of stations that begin as the given ones do, in lower case."""
    bases = {(each.vouched or each.name or "station").lower() for each in asked}
    condition = Q()
    for base in bases:
        condition |= Q(lower_name=base) | Q(lower_name__startswith=f"{base[:56]}-")
    if not bases:
        return set()
    return set(Station.objects.alias(lower_name=Lower("name")).filter(condition).values_list(Lower("name"), flat=True)) | RESERVED_NAMES


def new_cards(asked: Evidence, known: Mapping[str, Station], station: Station) -> tuple[list[str], list[str]]:
    """Cards that are to be added to a station, and cards that it takes from others."""
    added = [mac for mac in asked.macs if mac not in known]
    moved = [mac for mac in asked.macs if mac in known and known[mac].pk != station.pk]
    return added, moved
