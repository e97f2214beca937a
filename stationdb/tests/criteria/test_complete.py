# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stationdb.accounts.perimeter import Perimeter
from stationdb.criteria.complete import complete

from .conftest import within

EVERYTHING = Perimeter.everything()


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("ta|", ["tag"]),
        ("os|", ["os.version"]),
        ("tag = ALPHA and ra|", ["ram"]),
        ("not (di|", ["disk", "disk.free"]),
        ("tag |", ["=", "!=", "~", "!~", "in", "not in"]),
        ("state !|", []),
        ("state = |", ["new", "ready", "repair", "retired"]),
        ("state = re|", ["ready", "repair", "retired"]),
        ("state in (new, re|", ["ready", "repair", "retired"]),
        ("tag = a|", ["ALPHA", "alpha_2"]),
        ("manufacturer = d|", ['"Dell Inc."']),
        ('manufacturer = "de|', ['"Dell Inc."']),
        ("site = n|", ["north"]),
        ("site(li|", ["lille"]),
        ("group(sm|", ["small", "small_alpha"]),
        ("group(small, se|", ["servers"]),
        ("ram < 8|", ["8 KiB", "8 MiB", "8 GiB", "8 TiB"]),
        ("ram < 8 |", ["8 KiB", "8 MiB", "8 GiB", "8 TiB"]),
        ("last_seen < 30 d|", ["30 days ago"]),
        ("last_seen = |", ["30 days ago", "30 hours ago", "today", "yesterday", "never"]),
        ("tag = ALPHA |", ["and", "or"]),
        ("(tag = ALPHA |", ["and", "or", ")"]),
        ("tag = ALPHA a|", ["and"]),
        ("has l|", ["last_seen"]),
        ("software lib|", ["libreoffice", "LibreOffice-l10n-fr"]),
        ('software "libreo|', ["libreoffice", "LibreOffice-l10n-fr"]),
        ("software libreoffice |", ["=", "!=", "<", "<=", ">", ">=", "~", "!~", "in", "not in", "and", "or"]),
        ("software libreoffice < |", ["4:24.10.0-1", "4:24.2.1-1", "3.6"]),
        ("software libreoffice in (3.6, 4|", ["4:24.10.0-1", "4:24.2.1-1"]),
        ("name not |", ["in"]),
        ("and |", []),
        ("xyz = |", []),
        (") |", []),
    ],
)
def test_what_could_come_next(stations, text, options):
    position = text.index("|")
    answer = complete(text.replace("|", " ignored"), position, EVERYTHING)
    assert [option.text for option in answer.options] == options
    assert 0 <= answer.start <= answer.end == position


def test_an_option_replaces_what_was_typed(stations):
    answer = complete('tag = ALPHA and manufacturer = "de', 34, EVERYTHING)
    assert (answer.start, answer.end) == (31, 34)
    answer = complete("ram < 8 G", 9, EVERYTHING)
    assert (answer.start, answer.options[0].text) == (6, "8 GiB")


def test_values_are_those_of_the_perimeter(stations, sites):
    south = within(sites["south"])
    for text, values in {
        "tag = ": ["alpha_2"],
        "site = ": ["south"],
        "software ": ["libreoffice", "odd"],
        "software libreoffice < ": ["3.6"],
        "group(d": [],
        "user = ": [],
        "model = ": [],
    }.items():
        assert [option.text for option in complete(text, len(text), south).options] == values
    assert not complete("tag = ", 6, Perimeter()).options


SOME_WORDS = 'tag software < = ( ) "x " in not 8 ram has and ,'
TEXTS = st.one_of(st.text(max_size=30), st.lists(st.sampled_from(SOME_WORDS.split()), max_size=9).map(" ".join))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXTS)
def test_nothing_that_is_written_is_an_error(stations, text):
    complete(text, len(text), EVERYTHING)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL's planner")
@pytest.mark.parametrize("text", ['software "lib', 'software libreoffice < "2'])
def test_completion_never_begins_with_the_holdings_of_the_whole_fleet(stations, sites, text):
    """Without statistics PostgreSQL turned an EXISTS around; a query behind each row cannot be turned around."""
    for perimeter in (EVERYTHING, within(sites["north"])):
        with CaptureQueriesContext(connection) as queries:
            complete(text, len(text), perimeter)
        asked = [query["sql"] for query in queries if "reports_holding" in query["sql"]]
        assert len(asked) == 1
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {asked[0]}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
        assert "SubPlan" in plan and "Semi Join" not in plan and "hashed SubPlan" not in plan, plan
