# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is stored in one spelling, and what is stored encrypted."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from stationdb.registry.fields import mac_address
from stationdb.registry.models import MacAddress, Site, Station, StationValue, Subnet


@pytest.mark.parametrize("text", ["52-54-00-AB-cd-01", "5254.00ab.cd01", " 52:54:00:ab:cd:01 "])
def test_mac_addresses_have_one_spelling(text):
    assert mac_address(text) == "52:54:00:ab:cd:01"


@pytest.mark.parametrize("text", ["", "52:54:00:ab:cd", "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00", "01:00:5e:00:00:01", "zz:54:00:ab:cd:01"])
def test_what_is_no_card_is_refused(text):
    with pytest.raises(ValidationError, match="network card"):
        mac_address(text)


@pytest.mark.django_db
def test_secret_values_are_encrypted_in_the_database():
    station = Station.objects.create(name="pc01", site=Site.objects.create(slug="a", name="A"))
    StationValue.objects.create(station=station, name="licence", value="ABCD-EFGH")
    with connection.cursor() as cursor:
        cursor.execute("SELECT value FROM registry_stationvalue")
        stored = bytes(cursor.fetchone()[0])
    assert b"ABCD" not in stored
    assert StationValue.objects.get().value == "ABCD-EFGH"


@pytest.mark.django_db
def test_cards_and_subnets_are_found_in_any_spelling():
    site = Site.objects.create(slug="a", name="A")
    MacAddress.objects.create(station=Station.objects.create(name="pc01", site=site), mac="52-54-00-AB-CD-01")
    assert MacAddress.objects.get(mac="5254.00ab.cd01").station.name == "pc01"
    assert Subnet.objects.create(site=site, network="10.1.2.0/24").network == "10.1.2.0/24"
    with pytest.raises(ValidationError, match="subnet"):
        Subnet.objects.create(site=site, network="10.1.2.1/24")
