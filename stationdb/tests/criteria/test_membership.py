# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from stationdb.accounts.perimeter import Perimeter
from stationdb.criteria import CriteriaError, compile
from stationdb.criteria.membership import groups_of, members, stations_of
from stationdb.registry.models import Group, Station

from .conftest import within

EVERYTHING = Perimeter.everything()


def names(group: str, perimeter: Perimeter = EVERYTHING) -> set[str]:
    return set(stations_of(Group.objects.get(name=group), perimeter).values_list("name", flat=True))


def test_static_and_dynamic_groups_have_their_stations_within_the_perimeter(stations, sites):
    assert names("servers") == {"srv1"}
    assert names("small") == {"pc1"}
    assert names("small", within(sites["south"])) == set()
    assert names("servers", within(sites["north"])) == set()


def test_a_group_of_a_site_has_nobody_from_elsewhere(stations, sites):
    assert names("debians_north") == {"pc1", "pc2"}
    group = Group.objects.create(name="south_list", site=sites["south"])
    group.stations.set([stations["pc1"], stations["srv1"]])
    assert names("south_list") == {"srv1"}
    assert "south_list" not in {each.name for each in groups_of(stations["pc1"], EVERYTHING)}


def test_what_a_group_means_does_not_depend_on_who_looks(stations, sites):
    Group.objects.create(name="anywhere", criteria="site(north) or site(south)")
    assert names("anywhere", within(sites["lille"])) == {"pc1"}


def test_groups_of_a_station(stations, sites):
    Group.objects.create(name="broken", criteria="ram <")
    assert [group.name for group in groups_of(stations["pc1"], EVERYTHING)] == ["debians_north", "small", "small_alpha"]
    assert [group.name for group in groups_of(stations["srv1"], EVERYTHING)] == ["servers"]
    assert [group.name for group in groups_of(stations["pc1"], within(sites["lille"]))] == ["small", "small_alpha"]
    for number in range(70):
        Group.objects.create(name=f"g{number}", criteria=f"cores > {number}")
    with CaptureQueriesContext(connection) as queries:
        assert len(groups_of(stations["pc2"], EVERYTHING)) == 1 + 6
    assert len(queries) < 10


def test_members_of_many_groups_cost_a_query_each(stations):
    groups = list(Group.objects.select_related("site"))
    with CaptureQueriesContext(connection) as queries:
        found = members(groups, Station.objects.all())
    expected = {"debians_north": ["pc1", "pc2"], "servers": ["srv1"], "small": ["pc1"], "small_alpha": ["pc1"]}
    assert {group.name: found[group.pk] for group in groups} == {
        name: sorted(stations[each].pk for each in inside) for name, inside in expected.items()
    }
    assert len(queries) <= 2 * len(groups)
    assert members(groups, Station.objects.filter(name="srv1"))[groups[0].pk] == []


def test_circles_are_refused_with_their_names(stations):
    Group.objects.create(name="a", criteria="group(b)")
    b = Group.objects.create(name="b", criteria="tag = x")
    assert compile("not group(a)", EVERYTHING, group="c")
    with pytest.raises(CriteriaError, match="The group “b” would be part of itself: b → a → b.") as caught:
        compile("tag = x or group(a)", EVERYTHING, group="b")
    assert (caught.value.position, caught.value.length) == (17, 1)
    with pytest.raises(CriteriaError, match="“b” would be part of itself: b → b"):
        compile("group(b)", EVERYTHING, group="b")
    b.criteria = "group(a)"
    b.save()
    for use in (lambda: names("a"), lambda: compile("group(a)", EVERYTHING)):
        with pytest.raises(CriteriaError, match="a → b → a"):
            use()


def test_criteria_that_break_later_are_told_with_the_group(stations):
    Group.objects.create(name="outer", criteria="group(inner)")
    inner = Group.objects.create(name="inner", criteria="tag = x")
    inner.delete()
    with pytest.raises(CriteriaError, match="The criteria of the group “outer” are wrong: There is no group “inner”") as caught:
        compile("tag = x and group(outer)", EVERYTHING)
    assert caught.value.position == 18


def test_groups_cannot_multiply_without_end(stations):
    Group.objects.create(name="g0", criteria="tag = x or tag = y")
    for number in range(1, 12):
        Group.objects.create(name=f"g{number}", criteria=f"group(g{number - 1}) or not group(g{number - 1})")
    assert names("g3")
    with pytest.raises(CriteriaError, match="more than 300 conditions"):
        names("g11")


def test_a_group_with_blank_criteria_of_spaces_has_everybody_also_in_an_or(stations):
    Group.objects.create(name="all_of_them", criteria="  ")
    assert Station.objects.filter(compile("name = pc1 or group(all_of_them)", EVERYTHING)).count() == len(stations)
    assert not Station.objects.filter(compile("not group(all_of_them)", EVERYTHING)).exists()
