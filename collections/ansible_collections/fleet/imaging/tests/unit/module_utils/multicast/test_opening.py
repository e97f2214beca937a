# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a session begins."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.fleet.imaging.plugins.module_utils.multicast.interface import MulticastError, StartPolicy
from ansible_collections.fleet.imaging.plugins.module_utils.multicast.opening import Opening


def roster(here: int, expected: int = 3, *, received: int = 1) -> Any:
    """So many stations are ready, of so many that are expected; each has received so many packets."""
    names = [f"pc{number:02}" for number in range(expected)]
    now = time.monotonic()
    ready = [SimpleNamespace(joined=now, heard=now, report=SimpleNamespace(received=received)) for _name in names[:here]]
    return SimpleNamespace(expected=names, ready=lambda: ready, missing=lambda: names[here:])


@pytest.mark.parametrize(
    ("policy", "here", "after", "begins"),
    [
        (StartPolicy(), 2, 5.0, False),
        (StartPolicy(), 3, 5.0, True),
        (StartPolicy(count=1), 0, 5.0, False),
        (StartPolicy(count=1), 1, 5.0, True),
        (StartPolicy(minimum=2, wait=10), 2, 5.0, False),
        (StartPolicy(minimum=2, wait=10), 3, 5.0, True),
        (StartPolicy(minimum=2, wait=10), 2, 11.0, True),
        (StartPolicy(minimum=2, wait=10), 1, 11.0, False),
    ],
)
def test_it_begins_as_the_policy_says(policy: StartPolicy, here: int, after: float, begins: bool) -> None:
    opening = Opening(lambda: policy, roster(here))
    assert opening.over(time.monotonic() + after) is begins


def test_the_answer_of_the_policy_may_change() -> None:
    policies = [StartPolicy(count=3), StartPolicy(count=2)]
    opening = Opening(lambda: policies.pop(0), roster(2))
    now = time.monotonic()
    assert (opening.over(now), opening.over(now)) == (False, True)


def test_it_waits_a_moment_for_a_station_to_hear_the_probe() -> None:
    waiting = roster(3, received=0)
    opening = Opening(StartPolicy, waiting)
    now = time.monotonic()
    assert not opening.over(now)
    for station in waiting.ready():
        station.heard = now + 2  # it says again that it heard nothing
    assert opening.over(now + 2)


def test_who_said_nothing_for_a_moment_is_not_taken_for_deaf() -> None:
    opening = Opening(StartPolicy, roster(3, received=0))
    assert not opening.over(time.monotonic() + 5)


def test_who_did_not_come_is_named_when_it_gives_up() -> None:
    opening = Opening(lambda: StartPolicy(give_up=60), roster(1))
    with pytest.raises(MulticastError, match=r"1 receivers came in 61 s, of 3 that the session needs; missing: pc01, pc02"):
        opening.over(time.monotonic() + 61)
