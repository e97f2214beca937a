# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A user of one site, who has every right there, walks every address and every operation: before another site exists, and after.

What they are answered must be the same to the last character: no names, numbers, counts, completions, exports, and no errors that tell
what exists elsewhere from what does not. A new address is walked by itself; one with a parameter, query or body that has no value in
``world`` fails the test until it is given one.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from django.test import override_settings

from stationdb.accounts.models import User
from stationdb.accounts.perimeter import ScopedQuerySet

from .walk import Asked, differences, operations, pages, walk
from .world import TELLTALES, make_hidden, make_ours

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture
def walker(monkeypatch: pytest.MonkeyPatch) -> User:
    from reportlab import rl_config

    monkeypatch.setattr(rl_config, "invariant", 1)
    return make_ours()


def check(walker: User, asked: list[Asked]) -> Counter[int]:
    before = walk(walker, asked)
    make_hidden()
    after = walk(walker, asked)
    assert not differences(before, after), "\n".join(differences(before, after)[:20])
    return Counter(status for status, _where, _text in after.values())


@override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"])
def test_pages_show_nothing_of_another_site(walker):
    statuses = check(walker, list(pages()))
    assert statuses[200] > 100 and not any(status >= 500 for status in statuses), statuses


def test_operations_show_nothing_of_another_site(walker):
    statuses = check(walker, list(operations()))
    assert statuses[200] > 100 and statuses[404] > 50 and not any(status >= 500 for status in statuses), statuses


def forgetful(self: ScopedQuerySet[Any], *_arguments: Any) -> ScopedQuerySet[Any]:
    """``within`` as somebody would write it who forgot the perimeter."""
    return self.all()


def test_the_walk_notices_who_forgets_the_perimeter(walker, monkeypatch):
    asked = [each for each in operations() if each[0] == "GET" and "?" not in each[1]]
    before = walk(walker, asked)
    make_hidden()
    monkeypatch.setattr(ScopedQuerySet, "within", forgetful)
    after = walk(walker, asked)
    noticed = {difference.split()[1].removeprefix("/api/v1") for difference in differences(before, after)}
    lists = {"/sites", "/groups", "/stations", "/stations.csv", "/images", "/packages", "/software", "/reports/unplaced", "/inventory"}
    assert lists <= noticed, lists - noticed
    assert any(telltale in after[each][2] for each in asked for telltale in TELLTALES)
