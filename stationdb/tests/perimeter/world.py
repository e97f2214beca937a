# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two worlds in one database: what belongs to the walker, and what is hidden from them.

Everything hidden has one name and one number, so that whatever an address asks for, it can ask for what is hidden; and each text of it
contains that name, so that it is found wherever it shows up.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.utils import timezone

from stationdb.accounts.models import Assignment, Role, Token, User
from stationdb.accounts.rights import Right
from stationdb.console.models import SavedFilter
from stationdb.content.models import Image, Package
from stationdb.registry.models import Group, MacAddress, Site, Station, StationValue, Subnet
from stationdb.reports.models import Report, Section, SectionChange, Software, SoftwareVersion, Unplaced
from stationdb.reports.sections import pack_ids, pack_rows
from stationdb.tests.fleet import hold
from stationdb.versions import version_key

HIDDEN, HIDDEN_ID = "zq7hidden", 777001
OURS, OURS_ID = "ours", 5
TELLTALES = (HIDDEN, "10.77.77", "52:54:00:77:77:77", "77777777-7777")
"""What only the hidden world contains."""


def everything(name: str, number: int, site: Site, byte: int) -> Station:
    """One of everything at a site."""
    text = {"name": name, "number": number}
    image = Image.objects.create(id=number, name=name, version="1", site=site, description=name, manifest=f"{byte:02x}" * 32)
    Package.objects.create(id=number, name=name, version="1", site=site, description=name)
    station = Station.objects.create(
        id=number,
        name=name,
        site=site,
        tag=name,
        serial=name,
        uuid=uuid.UUID(f"{byte:02d}" * 16),
        address=f"10.{byte}.{byte}.1",
        image=image,
        disk_identity=f"serial:{name}",
        variables=text,
        comment=name,
        last_seen=timezone.now() - timedelta(days=2),
        reported_name=name,
        reported_address=f"10.{byte}.{byte}.1",
        manufacturer=name,
        product=name,
        os_name=name,
        os_version="1",
        os_version_key=version_key("1"),
        architecture=name,
        cpu=name,
        cores=7,
        ram=7 << 30,
        disk=7 << 30,
        user=name,
    )
    MacAddress.objects.create(id=number, station=station, mac=f"52:54:00:{byte:02}:{byte:02}:{byte:02}")
    Subnet.objects.create(id=number, site=site, network=f"10.{byte}.{byte}.0/24")
    StationValue.objects.create(id=number, station=station, name="licence", value=name)
    Group.objects.create(id=number, name=name, site=site, description=name, variables=text).stations.add(station)
    software = Software.objects.create(id=number, name=name, source="deb", publisher=name)
    version = SoftwareVersion.objects.create(id=number, software=software, version=f"1-{name}", version_key=version_key("1"), arch="amd64")
    hold({station.pk: [version.pk]})
    when = timezone.now() - timedelta(days=2)
    for kind, data in (
        ("softwares", pack_ids([version.pk])),
        ("printers", pack_rows([{"name": name}])),
        ("users", pack_rows([{"login": name}])),
    ):
        Section.objects.create(station=station, kind=kind, digest=b"", data=data, changed=when)
        SectionChange.objects.create(station=station, kind=kind, when=when, added=data, removed=data)
    Report.objects.create(id=uuid.UUID(int=number), station=station, received=when, taken=when, format="fleet", agent=name, way="ssh")
    return station


def make_ours() -> User:
    """The walker's site with everything in it, what is shared by all sites, and the walker, who has every right there."""
    site = Site.objects.create(id=OURS_ID, slug=OURS, name=OURS, variables={"x": 1})
    station = everything(OURS, OURS_ID, site, 55)
    site.relay = station
    site.save()
    Group.objects.create(id=OURS_ID + 1, name="shared").stations.add(station)
    Group.objects.create(id=OURS_ID + 2, name="shared_by_criteria", criteria="ram > 1 GiB")
    role = Role.objects.create(id=OURS_ID, name="everything", rights=list(Right.values))
    walker = User.objects.create_user(OURS, id=OURS_ID)
    Assignment.objects.create(id=OURS_ID, user=walker, role=role, site=site)
    Token.objects.create(id=OURS_ID, user=walker, name=OURS, digest="0" * 64, scopes=[], expires=timezone.now() + timedelta(days=9))
    SavedFilter.objects.create(id=OURS_ID, user=walker, name=OURS, query="q=ram")
    return walker


def make_hidden() -> None:
    """Another site with everything in it, entangled with ours as far as an administrator can entangle them."""
    site = Site.objects.create(id=HIDDEN_ID, slug=HIDDEN, name=HIDDEN, variables={"x": HIDDEN}, content_url=f"https://{HIDDEN}.example")
    station = everything(HIDDEN, HIDDEN_ID, site, 77)
    Group.objects.get(name="shared").stations.add(station)
    user = User.objects.create_user(HIDDEN, id=HIDDEN_ID, email=f"{HIDDEN}@example.org", first_name=HIDDEN)
    Assignment.objects.create(id=HIDDEN_ID, user=user, role=Role.objects.get(name="everything"), site=site)
    Token.objects.create(id=HIDDEN_ID, user=user, name=HIDDEN, digest="1" * 64, scopes=[], expires=timezone.now() + timedelta(days=9))
    SavedFilter.objects.create(id=HIDDEN_ID, user=user, name=HIDDEN, query=HIDDEN)
    Unplaced.objects.create(id=uuid.UUID(int=HIDDEN_ID), identity=HIDDEN, received=timezone.now(), name=HIDDEN, address="10.77.77.9")
    # The walker's own things refer to hidden ones, and sit below and in them.
    ours = Site.objects.get(slug=OURS)
    ours.parent = Site.objects.create(id=HIDDEN_ID + 1, slug=f"{HIDDEN}_above", name=HIDDEN, variables={"x": HIDDEN})
    ours.save()
    Station.objects.filter(pk=OURS_ID).update(model=station)
    Station.objects.get(pk=OURS_ID).groups.add(Group.objects.get(name=HIDDEN))
    Image.objects.filter(pk=OURS_ID).update(source=station)
    hold({station.pk: [SoftwareVersion.objects.get(pk=OURS_ID).pk]})


VALUES: dict[str, list[Any]] = {
    "pk": [HIDDEN_ID, OURS_ID],
    "station": [HIDDEN_ID, OURS_ID],
    "value": [HIDDEN_ID],
    "assignment": [HIDDEN_ID],
    "name": [HIDDEN, OURS, "shared"],
    "slug": [HIDDEN, OURS],
    "version": ["1"],
    "kind": ["softwares", "printers"],
    "token": [HIDDEN, HIDDEN_ID],
    "key": [HIDDEN],
}
"""What stands in addresses, by the name of the parameter: what is hidden, and what is ours and might show what is hidden."""

CRITERIA = [f"name = {HIDDEN}", f"group({HIDDEN})", f"site({HIDDEN})", "ram > 1 GiB", f'software "{HIDDEN}"', f"tag = {HIDDEN}"]
QUERIES: dict[str, list[str]] = {
    "site": [HIDDEN],
    "group": [HIDDEN, "shared", "shared_by_criteria"],
    "kind": ["stations"],
    "state": ["ready"],
    "tag": [HIDDEN],
    "mac": ["52:54:00:77:77:77"],
    "search": [HIDDEN, "10.77"],
    "criteria": CRITERIA,
    "reported": ["true"],
    "secrets": ["true"],
    "addresses": ["reported"],
    "name": [HIDDEN, OURS],
    "limit": ["1"],
    "offset": ["0"],
    "dry_run": ["true"],
    "station": [HIDDEN],
    "q": [HIDDEN, *CRITERIA],
    "sort": ["site"],
}
"""What stands in queries, by the name of the parameter."""

TABLE = f"name,site\r\n{HIDDEN},{OURS}\r\nfresh,{HIDDEN}\r\n".encode()
NEW_STATION = {"name": "fresh", "site": OURS}
BODIES: dict[str, list[Any]] = {
    "add_station": [
        {"name": "fresh", "site": HIDDEN},
        NEW_STATION | {"model": HIDDEN},
        NEW_STATION | {"image": f"{HIDDEN}/1"},
        NEW_STATION | {"groups": [HIDDEN]},
    ],
    "change_station": [
        {"site": HIDDEN},
        {"model": HIDDEN},
        {"model": None},
        {"image": f"{HIDDEN}/1"},
        {"groups": [HIDDEN]},
        {"groups": []},
    ],
    "upsert_stations": [
        {
            "stations": [{"name": OURS, "site": HIDDEN}, NEW_STATION | {"model": HIDDEN, "groups": [HIDDEN]}],
            "dry_run": True,
            "partial": True,
        }
    ],
    "import_stations": [f"name,site,model,groups\r\nfresh,{HIDDEN},,\r\nfresh2,{OURS},{HIDDEN},{HIDDEN}\r\n".encode()],
    "add_site": [{"slug": "fresh", "name": "x", "parent": HIDDEN}, {"slug": "fresh", "name": "x", "parent": OURS, "relay": HIDDEN}],
    "change_site": [{"parent": HIDDEN}, {"relay": HIDDEN}, {"parent": None, "name": "x"}],
    "add_group": [{"name": "fresh", "site": HIDDEN}, {"name": "fresh", "site": OURS, "stations": [HIDDEN]}]
    + [{"name": "fresh", "site": OURS, "criteria": text} for text in CRITERIA],
    "change_group": [
        {"site": HIDDEN},
        {"stations": [HIDDEN]},
        {"add": [HIDDEN]},
        {"remove": [HIDDEN]},
        {"stations": []},
        {"description": "x"},
    ],
    "add_image": [{"name": "fresh", "version": "1", "site": HIDDEN}, {"name": "fresh", "version": "1", "site": OURS, "source": HIDDEN}],
    "change_image": [{"site": HIDDEN}, {"source": HIDDEN}, {"source": None, "description": "x"}],
    "add_package": [{"name": "fresh", "version": "1", "site": HIDDEN}],
    "change_package": [{"site": HIDDEN}, {"description": "x"}],
    "check_criteria": [{"criteria": text} for text in CRITERIA],
    "add_user": [{"username": "fresh", "assignments": [{"role": "everything", "site": HIDDEN}]}],
    "change_user": [
        {"assignments": [{"role": "everything", "site": HIDDEN}]},
        {"assignments": []},
        {"is_active": False},
        {"first_name": "x"},
    ],
    "add_role": [{"name": "fresh", "rights": []}],
    "change_role": [{"rights": []}],
    "add_token": [{"name": "fresh", "scopes": []}],
    "send_report": [b"<report/>"],
}
"""What is sent, by the operation. New names are fresh: that a name is not free cannot be hidden from who wants to use it."""

FORM = {
    **dict.fromkeys(("site", "parent", "model", "image", "relay", "station", "groups", "group", "pk", "id"), str(HIDDEN_ID)),
    **{"name": "fresh", "slug": "fresh", "username": "fresh", "value": "x", "q": HIDDEN, "criteria": CRITERIA[1], "role": str(OURS_ID)},
    **{
        "stations": HIDDEN,
        "names": HIDDEN,
        "table": "name,site\r\nfresh,zq7hidden\r\n",
        "query": HIDDEN,
        "kind": "stations",
        "state": "ready",
    },
    **{"version": "9", "source": HIDDEN, "size": "1 GiB", "join": HIDDEN, "leave": str(HIDDEN_ID)},
    **{"macs": "", "variables": "{}", "text": HIDDEN, "scopes": "stations.view", "days": "1", "rights": "stations.view"},
}
"""What is sent to pages."""
