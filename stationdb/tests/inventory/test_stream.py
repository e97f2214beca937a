# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stream of the inventory: what is in it, for whom, in how much memory, and that it is one state of the database."""

from __future__ import annotations

import json
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from stationdb.accounts.models import Assignment, Role, User
from stationdb.accounts.perimeter import Perimeter
from stationdb.accounts.rights import Right
from stationdb.content.models import Image
from stationdb.errors import Missing
from stationdb.inventory import stream
from stationdb.inventory.columns import pack
from stationdb.inventory.content import ContentSources
from stationdb.inventory.groups import Bits
from stationdb.inventory.selection import Selection
from stationdb.inventory.stream import InventoryStream
from stationdb.inventory.variables import COMPUTED
from stationdb.registry.models import Group, MacAddress, Site, Station, StationValue, Subnet
from stationdb.registry.subnets import LongestSubnet

pytestmark = pytest.mark.django_db


@pytest.fixture
def sites() -> dict[str, Site]:
    centre = Site.objects.create(slug="centre", name="Centre", content_url="https://centre.example/content")
    north = Site.objects.create(slug="north", name="North", parent=centre, content_url="https://north.example/content")
    agency = Site.objects.create(slug="agency", name="Agency", parent=north, variables={"a": 1})
    south = Site.objects.create(slug="south", name="South", parent=centre)
    return {"centre": centre, "north": north, "agency": agency, "south": south}


@pytest.fixture
def perimeter(sites: dict[str, Site]) -> Callable[..., Perimeter]:
    def make(slug: str, *rights: str) -> Perimeter:
        user = User.objects.create_user(f"user of {slug}")
        Assignment.objects.create(user=user, role=Role.objects.create(name=slug, rights=list(rights)), site=sites[slug])
        return Perimeter.of_user(user)

    return make


def read(perimeter: Perimeter | None = None, *, secrets: bool = False, **filters: Any) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The first line, and each station's groups and variables, decoded as the plugin does."""
    selection = Selection(perimeter or Perimeter.everything(), **filters)
    first, *batches, last = (json.loads(line) for line in InventoryStream(selection, secrets=secrets).lines())
    stations: dict[str, dict[str, Any]] = {}
    combinations: list[list[int]] = []
    for batch in batches:
        combinations += batch["combinations"]
        for number, name in enumerate(batch["names"]):
            groups = [first["groups"][group]["name"] for group in combinations[batch["groups"][number]]]
            stations[name] = {"groups": groups, **unpack(batch["columns"], number)}
    assert last["stations"] == len(stations)
    return first, stations


def unpack(columns: dict[str, Any], number: int) -> dict[str, Any]:
    found = {}
    for name, column in columns.items():
        if isinstance(column, list):
            found[name] = column[number]
        elif "value" in column:
            found[name] = column["value"]
        elif "index" in column:
            found[name] = column["values"][column["index"][number]]
        elif number in column["rows"]:
            found[name] = column["values"][column["rows"].index(number)]
    return found


scalars = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "b", "1", "true"])


@given(
    st.lists(
        st.dictionaries(st.sampled_from("abc"), scalars | st.lists(scalars, max_size=2) | st.floats(allow_nan=False), max_size=3),
        max_size=12,
    )
)
def test_packed_rows_are_the_same_rows(rows: list[dict[str, Any]]) -> None:
    packed = json.loads(json.dumps(pack(rows)))
    found = [unpack(packed, number) for number in range(len(rows))]
    assert json.dumps(found, sort_keys=True) == json.dumps(rows, sort_keys=True), "true is not 1, and 1 is not 1.0"


@given(st.sets(st.integers(0, 5000)), st.lists(st.integers(0, 6000)))
def test_bits_are_a_set(ids: set[int], probes: list[int]) -> None:
    assert Bits(ids).among([*ids, *probes]) == [*ids, *(each for each in probes if each in ids)]


def test_the_longest_subnet_decides_then_the_parents_then_the_centre(sites: dict[str, Site]) -> None:
    for network, slug in (
        ("10.0.0.0/8", "north"),
        ("10.1.0.0/16", "agency"),
        ("10.1.2.0/24", "south"),
        ("2001:db8::/32", "north"),
        ("0.0.0.0/0", "centre"),
    ):
        Subnet.objects.create(site=sites[slug], network=network)
    sources = ContentSources(LongestSubnet())
    centre, north = "https://centre.example/content", "https://north.example/content"
    assert sources.of("10.1.2.3", sites["north"].id) == (centre,), "south has no relay of its own"
    assert sources.of("10.1.9.9", sites["south"].id) == (north, centre), "nor has the agency"
    assert sources.of("10.9.9.9", sites["south"].id) == (north, centre)
    assert sources.of("192.0.2.1", sites["north"].id) == (centre,)
    assert sources.of("2001:db8::1", sites["south"].id) == (north, centre)
    assert sources.of("2001:db9::1", sites["agency"].id) == (north, centre), "outside all subnets its own site"
    assert sources.of(None, sites["south"].id) == (centre,)


def test_variables_of_a_station(sites: dict[str, Site]) -> None:
    image = Image.objects.create(name="room1", version="2026.11")
    model = Station.objects.create(name="model1", site=sites["north"], kind="models")
    full = Station.objects.create(
        name="pc01",
        site=sites["agency"],
        address="10.1.2.3",
        reported_address="10.1.2.99",
        image=image,
        model=model,
        variables={"room": 1, "fleet_site": "forged", "é": None},
    )
    MacAddress.objects.create(station=full, mac="52:54:00:00:00:02")
    MacAddress.objects.create(station=full, mac="52:54:00:00:00:01")
    Station.objects.create(name="pc02", site=sites["south"], reported_address="-oProxyCommand=x")
    Station.objects.create(name="pc03", site=sites["south"], reported_address="10.9.9.9")
    Subnet.objects.create(site=sites["south"], network="10.9.0.0/16")
    first, found = read()
    one = found["pc01"]
    assert (one["ansible_host"], one["fleet_image"], one["fleet_model"]) == ("10.1.2.3", "room1/2026.11", "model1")
    assert one["fleet_macs"] == ["52:54:00:00:00:01", "52:54:00:00:00:02"]
    assert one["fleet_site"] == "agency", "what is computed is stronger than what somebody wrote"
    assert (one["room"], one["é"]) == (1, None)
    assert one["groups"] == ["site_agency", "stations"] and found["model1"]["groups"] == ["site_north", "models"]
    assert "ansible_host" not in found["pc02"], "what a report says must be an address"
    assert found["pc03"]["ansible_host"] == "10.9.9.9"
    groups = {group["name"]: group for group in first["groups"]}
    assert groups["site_north"]["children"] == ["site_agency"]
    assert groups["site_agency"]["variables"] == {"a": 1, "fleet_site_name": "Agency"}


def test_what_is_computed_is_nobodys_to_write_when_it_is_absent(sites: dict[str, Site]) -> None:
    forged = dict.fromkeys(COMPUTED, "forged")
    Site.objects.update(content_url="")
    Station.objects.create(name="pc01", site=sites["south"], variables={**forged, "fleet_site": "forged", "room": 1})
    for secrets in (False, True):
        _first, found = read(secrets=secrets)
        assert "forged" not in str(found) and found["pc01"]["room"] == 1
        assert not COMPUTED & found["pc01"].keys() - ({"fleet_secrets"} if secrets else set())
    full = Station.objects.create(
        name="pc02", site=sites["north"], uuid=UUID(int=5), disk_identity="serial:X", address="10.1.2.3", model=Station.objects.get()
    )
    Site.objects.update(content_url="https://x.example/content")
    Station.objects.filter(pk=full.pk).update(image=Image.objects.create(name="room1", version="1"))
    assert read(secrets=True)[1]["pc02"].keys() >= COMPUTED, "nothing that is computed is missing from the list"


def test_nobody_sees_more_than_their_perimeter(sites: dict[str, Site], perimeter: Callable[..., Perimeter]) -> None:
    mine = perimeter("north", "stations.view")
    hidden_model = Station.objects.create(name="hidden-model", site=sites["south"])
    hidden_image = Image.objects.create(name="hidden-image", version="1", site=sites["south"])
    Station.objects.create(name="pc01", site=sites["agency"], model=hidden_model, image=hidden_image, tag="A")
    Group.objects.create(name="hidden_group", site=sites["south"], variables={"hidden": 1})
    shared = Group.objects.create(name="shared")
    shared.stations.add(hidden_model)
    Group.objects.create(name="dynamic", criteria="tag = A or name = hidden-model")
    first, found = read(mine)
    assert set(found) == {"pc01"} and found["pc01"]["groups"] == ["site_agency", "stations", "dynamic"]
    said = json.dumps((first, found))
    assert "hidden" not in said and "south" not in said.lower() and "site_centre" not in said
    assert found["pc01"]["fleet_content_sources"] == ["https://north.example/content", "https://centre.example/content"], "it needs them"
    for filters in ({"sites": ("south",)}, {"groups": ("hidden_group",)}, {"sites": ("nowhere",)}, {"states": ("asleep",)}):
        with pytest.raises(Missing):
            read(mine, **filters)


def test_secret_values_where_the_right_is_had(sites: dict[str, Site], perimeter: Callable[..., Perimeter]) -> None:
    for slug in ("north", "south"):
        station = Station.objects.create(name=f"pc-{slug}", site=sites[slug])
        StationValue.objects.create(station=station, name="key", value="TOP-SECRET")
    assert "TOP-SECRET" not in json.dumps(read())
    _first, found = read(secrets=True)
    assert found["pc-south"]["fleet_secrets"] == {"key": "TOP-SECRET"}
    user = User.objects.get_or_create(username="somebody")[0]
    everywhere, here = (
        Role.objects.create(name="see", rights=["stations.view"]),
        Role.objects.create(name="read", rights=["stations.secrets"]),
    )
    Assignment.objects.create(user=user, role=everywhere)
    Assignment.objects.create(user=user, role=here, site=sites["north"])
    _first, found = read(Perimeter.of_user(user), secrets=True)
    assert (found["pc-north"]["fleet_secrets"], found["pc-south"]["fleet_secrets"]) == ({"key": "TOP-SECRET"}, {})


def test_a_group_of_a_site_has_no_station_that_moved_away(sites: dict[str, Site]) -> None:
    station = Station.objects.create(name="pc01", site=sites["agency"])
    group = Group.objects.create(name="northern", site=sites["north"])
    group.stations.add(station)
    assert read()[1]["pc01"]["groups"] == ["site_agency", "stations", "northern"]
    Station.objects.update(site=sites["south"])
    assert read()[1]["pc01"]["groups"] == ["site_south", "stations"]


def test_a_dynamic_group_that_is_broken_takes_nothing_else_away(sites: dict[str, Site]) -> None:
    Station.objects.create(name="pc01", site=sites["south"])
    Group.objects.create(name="broken", criteria="tag =")
    first, found = read()
    assert "broken is empty because its criteria are wrong" in first["warnings"][0]
    assert set(found) == {"pc01"}


@pytest.fixture
def many(sites: dict[str, Site], monkeypatch: pytest.MonkeyPatch) -> int:
    """Stations of several batches."""
    monkeypatch.setattr(stream, "BATCH", 50)
    stations = Station.objects.bulk_create(
        Station(name=f"pc{number:04d}", site=sites["agency"], serial=f"S{number}") for number in range(420)
    )
    group = Group.objects.create(name="even")
    group.stations.add(*stations[::2])
    return len(stations)


def test_batches_come_in_the_order_of_names_and_share_combinations(many: int) -> None:
    lines = [json.loads(line) for line in InventoryStream(Selection(Perimeter.everything())).lines()]
    batches = lines[1:-1]
    names = [name for batch in batches for name in batch["names"]]
    assert len(batches) == 9 and names == sorted(names) and len(names) == many
    assert [len(batch["combinations"]) for batch in batches] == [2, *[0] * 8]
    assert batches[0]["columns"]["fleet_site"] == {"value": "agency"}


def test_a_stream_needs_the_memory_of_a_batch(many: int) -> None:
    def peak(batches: int) -> int:
        tracemalloc.start()
        lines = InventoryStream(Selection(Perimeter.everything())).lines()
        for _line in zip(range(batches), lines, strict=False):
            pass
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        lines.close()  # type: ignore[attr-defined]
        return used

    peak(3)
    assert peak(10) < peak(3) * 1.5


def ask(path: str = "", **headers: str) -> Any:
    client = Client()
    client.force_login(User.objects.get_or_create(username="root", is_superuser=True)[0])
    return client.get(f"/api/v1/inventory{path}", headers=headers)


def body(response: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in b"".join(response).splitlines()]


def test_an_unchanged_inventory_answers_304_and_any_change_another_tag(many: int, sites: dict[str, Site]) -> None:
    tag = body(ask())[-1]["etag"]
    same = ask(**{"If-None-Match": f'W/"other", "{tag}"'})
    assert same.status_code == 304 and not same.content and same["ETag"] == f'"{tag}"'
    Group.objects.get(name="even").stations.remove(Station.objects.get(name="pc0000"))
    changed = ask(**{"If-None-Match": f'"{tag}"'})
    assert changed.status_code == 200 and changed["Cache-Control"] == "private, no-cache"
    lines = body(changed)
    assert changed["ETag"] == f'"{lines[-1]["etag"]}"' != f'"{tag}"' and lines[-1]["stations"] == many


@pytest.mark.parametrize(
    "query", ["?site=nowhere", "?group=nobody", "?state=asleep", "?criteria=tag", "?criteria=tagg=x", "?sites=south", "?secrets=maybe"]
)
def test_what_is_wrong_is_told_before_the_stream_begins(sites: dict[str, Site], query: str) -> None:
    response = ask(query)
    assert response.status_code in (404, 422), query
    assert response.json()["errors"][0]["what"]


def test_who_is_not_signed_in_gets_nothing(sites: dict[str, Site]) -> None:
    assert Client().get("/api/v1/inventory").status_code == 401


def test_secrets_need_the_right(sites: dict[str, Site]) -> None:
    user = User.objects.create_user("viewer")
    Assignment.objects.create(user=user, role=Role.objects.create(name="see", rights=[Right.VIEW.value]))
    client = Client()
    client.force_login(user)
    assert client.get("/api/v1/inventory?secrets=true").status_code == 403
    assert client.get("/api/v1/inventory").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_it_is_one_state_of_the_database(many: int) -> None:
    """A change by somebody else while the stream runs is not half in it."""
    if connection.vendor == "sqlite" and connection.is_in_memory_db():
        pytest.skip("a database in memory has one connection only")
    lines: Iterator[bytes] = InventoryStream(Selection(Perimeter.everything())).lines()
    whole = [next(lines), next(lines)]

    def change() -> None:
        Station.objects.filter(name__gte="pc0300").delete()
        Group.objects.all().delete()
        connection.close()

    other = threading.Thread(target=change)
    other.start()
    other.join()
    whole += list(lines)
    assert json.loads(whole[-1])["stations"] == many
    assert all(len(set(json.loads(line)["groups"])) == 2 for line in whole[1:-1]), "memberships are of the same state"
