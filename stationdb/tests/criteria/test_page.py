# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page about criteria: each of its examples is one, and each field stands on it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stationdb.accounts.perimeter import Perimeter
from stationdb.criteria import CriteriaError, compile, pointed
from stationdb.criteria.fields import FIELDS
from stationdb.criteria.kinds import ChoiceField
from stationdb.criteria.values import SIZE_UNITS
from stationdb.registry.models import Group, Station

PAGE = (Path(__file__).parents[3] / "docs/station-database/criteria.md").read_text(encoding="utf-8")
EXAMPLES = [line for block in re.findall(r"^```criteria\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE) for line in block.splitlines()]


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_criteria(stations, example):
    for name in ("kiosks", "classrooms"):
        Group.objects.create(name=name)
    Station.objects.filter(compile(example, Perimeter.everything())).count()


def test_there_are_examples_and_every_field_is_told():
    assert len(EXAMPLES) > 15
    for name, field in FIELDS.items():
        assert f"`{name}`" in PAGE
        for choice in field.choices if isinstance(field, ChoiceField) else ():
            assert f"`{choice}`" in PAGE
    assert all(unit in PAGE for unit in SIZE_UNITS)


def test_the_error_is_shown_as_it_is(db):
    text = re.findall(r"^```text\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)[0].rstrip("\n")
    with pytest.raises(CriteriaError) as caught:
        compile(text.splitlines()[0], Perimeter.everything())
    assert pointed(text.splitlines()[0], caught.value) == text
