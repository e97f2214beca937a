# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which station a report is of, when names, cards and boards say different things."""

from __future__ import annotations

import pytest

from stationdb.registry.fields import HOST_NAME, RESERVED_NAMES
from stationdb.registry.models import MacAddress, Site, Station, Subnet
from stationdb.reports.identity import host_name, is_own_card, real_serial, real_uuid
from stationdb.reports.intake import STATION_NAME, accept, process_spool
from stationdb.reports.models import Report, Section, Unplaced
from stationdb.tests.reports.documents import fleet

pytestmark = pytest.mark.django_db

BOARD = "03000200-0400-0500-0006-000700080009"
"""The UUID that thousands of boards ship with."""


@pytest.fixture
def root() -> Site:
    return Site.objects.create(slug="root", name="All")


def send(*documents: bytes, **options: str) -> None:
    for document in documents:
        accept(document, "local", **options)
    process_spool()


def known() -> dict[str, set[str]]:
    return {station.name: set(station.macs.values_list("mac", flat=True)) for station in Station.objects.all()}


def test_boards_with_the_same_uuid_are_two_stations(root):
    send(fleet("pc01", mac="a4:bb:6d:00:00:01", uuid=BOARD), fleet("pc02", mac="a4:bb:6d:00:00:02", uuid=BOARD))
    send(fleet("pc01", mac="a4:bb:6d:00:00:01", uuid=BOARD), fleet("pc02", mac="a4:bb:6d:00:00:02", uuid=BOARD))
    assert known() == {"pc01": {"a4:bb:6d:00:00:01"}, "pc02": {"a4:bb:6d:00:00:02"}}


def test_boards_with_the_same_uuid_and_serial_number_are_two_stations(root):
    same = {"uuid": "4c4c4544-0034-3010-8048-b6c04f503732", "serial": "BOARD2021"}
    send(fleet("pc01", mac="a4:bb:6d:00:00:01", **same), fleet("pc02", mac="a4:bb:6d:00:00:02", **same))
    send(fleet("pc02", mac="a4:bb:6d:00:00:02", **same), fleet("pc01", mac="a4:bb:6d:00:00:01", **same))
    assert set(known()) == {"pc01", "pc02"} and Report.objects.filter(station__name="pc01").count() == 2


def test_a_station_that_was_renamed_is_the_same_station(root):
    send(fleet("pc01", uuid=BOARD, serial="SN12345"))
    send(fleet("accueil", uuid=BOARD, serial="SN12345"))
    [station] = Station.objects.all()
    assert (station.name, station.reported_name) == ("pc01", "accueil")
    assert "It called itself pc01 before." in Report.objects.order_by("received").last().note


def test_a_card_that_moved_belongs_to_who_reports_it_now(root):
    send(
        fleet("pc01", mac=["a4:bb:6d:00:00:01", "00:15:17:00:00:09"], serial="SERIAL-1"),
        fleet("pc02", mac="a4:bb:6d:00:00:02", serial="SERIAL-2"),
    )
    send(fleet("pc02", mac=["a4:bb:6d:00:00:02", "00:15:17:00:00:09"], serial="SERIAL-2"))
    assert known() == {"pc01": {"a4:bb:6d:00:00:01"}, "pc02": {"a4:bb:6d:00:00:02", "00:15:17:00:00:09"}}
    assert "00:15:17:00:00:09 came from pc01" in Report.objects.order_by("received").last().note
    send(fleet("pc03", mac="00:15:17:00:00:09", serial="SERIAL-3"))
    assert known()["pc03"] == {"00:15:17:00:00:09"} and len(known()) == 3


def test_a_new_board_with_the_old_card_and_name_is_the_old_station(root):
    send(fleet("pc01", serial="SERIAL-1"))
    send(fleet("pc01", serial="SERIAL-2"))
    [station] = Station.objects.all()
    assert station.serial == "SERIAL-2"
    assert "Its serial number was SERIAL-1." in Report.objects.order_by("received").last().note


def test_a_clone_that_was_not_renamed_does_not_overwrite_its_model(root):
    send(fleet("model", mac="a4:bb:6d:00:00:01", serial="SERIAL-1", memory=16000))
    send(fleet("model", mac="a4:bb:6d:00:00:02", serial="SERIAL-2", memory=8000))
    assert known() == {"model": {"a4:bb:6d:00:00:01"}, "model-000002": {"a4:bb:6d:00:00:02"}}
    assert Station.objects.get(name="model").ram == 16000 << 20
    assert "perhaps a clone" in Report.objects.get(station__name="model-000002").note


def test_a_station_that_was_only_named_is_found_by_its_name_once(root):
    Station.objects.create(name="pc01", site=root)
    send(fleet("PC01.example.org", serial="SERIAL-1"))
    assert known() == {"pc01": {"a4:bb:6d:00:00:01"}}


def test_who_is_vouched_for_is_believed_whatever_the_document_says(root):
    Station.objects.create(name="pc07", site=root)
    send(fleet("pc01"), station="pc07")
    send(fleet("pc01", mac=""), station="pc08")
    assert set(known()) == {"pc07", "pc08"} and Station.objects.get(name="pc07").reported_name == "pc01"


def test_a_long_name_that_is_vouched_for_is_one_station(root, spool):
    name = f"station-of-the-reading-room-{'x' * 30}.library.faculty-of-letters.university.example"
    for number, data in enumerate((fleet(mac=""), fleet("other", mac=""), fleet("third", mac=""))):
        accept(data, "ssh", station=name.upper() if number else name)
        process_spool()
    assert [station.name for station in Station.objects.all()] == [name] and len(name) > 63


@pytest.mark.parametrize("name", [*RESERVED_NAMES, "Bulk", "x" * 64, "a..b", "-a", "a-", ".", "a" * 63 + ".b" * 96, "", "a b"])
def test_no_way_vouches_for_what_is_no_stations_name(name):
    assert not STATION_NAME.fullmatch(name)


@pytest.mark.parametrize("name", ["pc01", "bulk1", "PC_01.example.org", "x" * 63, ".".join(["x" * 50] * 4)])
def test_a_way_vouches_for_names_that_stations_may_have(name):
    HOST_NAME(name)
    assert STATION_NAME.fullmatch(name)


def test_docking_stations_and_virtual_cards_do_not_make_two_notebooks_one(root):
    dock = '<item description="enx0" driver="r8152" type="ethernet" mac="00:e0:4c:00:00:01"/>'
    virtual = '<item description="docker0" mac="02:42:ac:11:00:02"/><item description="virbr0" mac="00:16:3e:00:00:05" virtualdev="1"/>'
    for number in (1, 2, 1, 2):
        own = f'<item description="wlp2s0" type="wifi" mac="a4:bb:6d:00:00:0{number}"/>'
        send(fleet(f"book{number}", networks=dock + virtual + own))
    assert known() == {"book1": {"a4:bb:6d:00:00:01"}, "book2": {"a4:bb:6d:00:00:02"}}


def test_a_virtual_machine_is_known_by_the_card_that_an_admin_registered(root):
    station = Station.objects.create(name="vm01", site=root)
    MacAddress.objects.create(station=station, mac="52:54:00:00:00:01")
    send(fleet("localhost", mac="52:54:00:00:00:01"))
    assert known() == {"vm01": {"52:54:00:00:00:01"}}


def test_new_stations_go_to_the_site_of_the_longest_subnet(root):
    north = Site.objects.create(slug="north", name="North", parent=root)
    room = Site.objects.create(slug="room", name="Room", parent=north)
    Subnet.objects.create(site=north, network="10.1.0.0/16")
    Subnet.objects.create(site=room, network="10.1.2.0/24")
    Subnet.objects.create(site=north, network="2001:db8::/32")
    send(
        fleet("a", mac="a4:bb:6d:00:00:01", address="10.1.2.3"),
        fleet("b", mac="a4:bb:6d:00:00:02", address="10.1.3.3"),
        fleet("c", mac="a4:bb:6d:00:00:03", address="192.168.1.1"),
        fleet("d", mac="a4:bb:6d:00:00:04", address="2001:db8::5"),
    )
    assert dict(Station.objects.values_list("name", "site__slug")) == {"a": "room", "b": "north", "c": "root", "d": "north"}
    assert set(Station.objects.values_list("state", flat=True)) == {"new"}
    accept(fleet("e", mac="a4:bb:6d:00:00:05", address="127.0.0.1"), "ocs", address="10.1.2.9")
    process_spool()
    assert Station.objects.get(name="e").site == room


def test_a_station_that_no_site_wants_waits_and_is_seen(spool):
    for slug in ("east", "west"):
        Site.objects.create(slug=slug, name=slug)
    send(fleet("lost", memory=1000))
    send(fleet("lost", memory=2000))
    [waiting] = Unplaced.objects.all()
    assert (waiting.name, waiting.macs, waiting.address) == ("lost", "a4:bb:6d:00:00:01", "10.0.0.5")
    assert not Station.objects.exists() and len(list(spool.waiting.iterdir())) == 1, "only the last report waits"
    spool.wake_waiting()
    assert process_spool().unplaced == 1 and Unplaced.objects.count() == 1
    Subnet.objects.create(site=Site.objects.get(slug="west"), network="10.0.0.0/24")
    spool.wake_waiting()
    assert process_spool().taken == 1
    assert Station.objects.get().site.slug == "west" and Station.objects.get().ram == 2000 << 20
    assert not Unplaced.objects.exists() and not list(spool.waiting.iterdir())


def test_a_sender_reports_only_stations_of_its_sites(root):
    north = Site.objects.create(slug="north", name="North", parent=root)
    Station.objects.create(name="pc01", site=root)
    accept(fleet("pc01"), "https", sites=[north.pk])
    accept(fleet("pc02", mac="a4:bb:6d:00:00:02"), "https", sites=[north.pk])
    assert process_spool().refused == 2 and not Section.objects.exists()
    Station.objects.update(site=north)
    accept(fleet("pc01"), "https", sites=[north.pk])
    assert process_spool().taken == 1


def test_a_sender_takes_no_card_from_stations_of_other_sites(root):
    north, south = (Site.objects.create(slug=slug, name=slug, parent=root) for slug in ("north", "south"))
    for name, site, end in (("victim", south, "01"), ("pc02", north, "02"), ("pc03", north, "03")):
        Station.objects.create(name=name, site=site).macs.create(mac=f"a4:bb:6d:00:00:{end}")
    cards = [f"a4:bb:6d:00:00:0{number}" for number in (1, 2, 3)]
    accept(fleet("pc02", mac=cards), "https", station="pc02", sites=[north.pk])
    assert process_spool().taken == 1
    assert known() == {"victim": {cards[0]}, "pc02": set(cards[1:]), "pc03": set()}
    note = Report.objects.get().note
    assert f"{cards[0]} is another station's" in note and f"{cards[2]} came from pc03." in note and "victim" not in note


def test_a_note_does_not_name_stations_of_other_sites(root):
    north, south = (Site.objects.create(slug=slug, name=slug, parent=root) for slug in ("north", "south"))
    Station.objects.create(name="hidden", site=south, serial="SERIAL-1").macs.create(mac="a4:bb:6d:00:00:01")
    Station.objects.create(name="pc02", site=north)
    send(fleet("pc02", serial="SERIAL-2"))
    assert known() == {"hidden": set(), "pc02": {"a4:bb:6d:00:00:01"}}
    note = Report.objects.get().note
    assert "came from a station of another site." in note and "hidden" not in note


@pytest.mark.parametrize(
    ("text", "real"),
    [
        ("To Be Filled By O.E.M.", ""),
        ("Default string", ""),
        ("System Serial Number", ""),
        ("0000000000", ""),
        ("XXXXXXXX", ""),
        ("Not Specified", ""),
        ("123456789", ""),
        (" . . . ", ""),
        ("None", ""),
        ("640HP72", "640HP72"),
        ("  CZC 1234 ", "CZC 1234"),
    ],
)
def test_serial_numbers_that_are_none(text, real):
    assert real_serial(text) == real


def test_uuids_and_names_that_are_none():
    assert real_uuid("00000000-0000-0000-0000-000000000000") is None and real_uuid("Not Settable") is None
    assert real_uuid("FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF") is None and str(real_uuid(BOARD)) == BOARD
    assert host_name("iMac de Marie") == "iMac-de-Marie" and host_name("pc01.example.org") == "pc01" and host_name("10.0.0.1") == ""
    assert host_name("--") == "" and len(host_name("x" * 500)) == 63


@pytest.mark.parametrize(
    ("own", "row"),
    [
        (True, {"description": "eno1", "type": "ethernet", "driver": "e1000e"}),
        (True, {"description": "Intel(R) Ethernet Connection (7) I219-LM"}),
        (False, {"description": "VMware Virtual Ethernet Adapter for VMnet8"}),
        (False, {"description": "Realtek USB GbE Family Controller"}),
        (False, {"description": "Cisco AnyConnect Virtual Miniport"}),
        (False, {"description": "eno1", "virtualdev": 1}),
        (False, {"description": "vethabc123"}),
        (False, {"description": "eth0", "pnpdeviceid": "USB\\VID_0BDA"}),
    ],
)
def test_cards_that_are_the_stations_own(own, row):
    assert is_own_card("a4:bb:6d:00:00:01", row) is own
    assert not is_own_card("52:54:00:00:00:01", row)
