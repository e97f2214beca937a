# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports as text. A report comes from a station and may be anything."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fleet.core.plugins.plugin_utils.progress_bar import BAR_WIDTH, Report, duration

MIB = 1 << 20
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)
number = st.integers(0, 1 << 50) | st.floats(0, 1e15)
reports = st.fixed_dictionaries(
    {"operation": st.text(), "done": number, "total": number, "unit": st.just("B") | st.text(), "rate": number},
    optional={"note": st.text()},
)


def report(**values: Any) -> Report:
    made = Report.of({"operation": "restore", "done": 0, "total": 0, "unit": "B", "rate": 0, **values})
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"done": 1229 * MIB, "total": 2867 * MIB, "rate": 112 * MIB}, "1.2/2.8 GiB  112.0 MiB/s  0:15 left"),
        ({"done": 2867 * MIB, "total": 2867 * MIB, "rate": 112 * MIB}, "2.8/2.8 GiB  112.0 MiB/s"),
        ({"done": 500, "total": 1000}, "500/1000 B"),
        ({"done": 3 * MIB, "rate": 2048}, "3.0 MiB  2.0 KiB/s"),
        ({"done": 37, "total": 120, "unit": "files", "rate": 4}, "37/120 files  4 files/s  0:21 left"),
        ({"done": 1, "total": 2, "note": "partition 3"}, "1/2 B  partition 3"),
        ({"done": 1, "total": 2, "rate": 5e-324}, "1/2 B  0 B/s"),
    ],
)
def test_amounts_are_said_as_people_say_them(values: dict[str, Any], said: str) -> None:
    assert report(**values).amounts() == said


@pytest.mark.parametrize(("seconds", "said"), [(0, "0:00"), (14.4, "0:14"), (59.6, "1:00"), (7394, "2:03:14")])
def test_durations(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_a_hundred_percent_is_the_end_and_nothing_else() -> None:
    assert report(done=999, total=1000).percent() == " 99 %"
    assert report(done=1000, total=1000).percent() == "100 %"
    assert report(done=1100, total=1000).percent() == "100 %"
    assert report(done=5, total=0).percent().strip() == ""


def test_bars_grow_by_eighths_or_by_signs_of_any_terminal() -> None:
    half = report(done=50, total=100)
    assert half.drawing(fine=True) == "█" * 12 + " " * 12
    assert half.drawing(fine=False) == "#" * 12 + "." * 12
    assert report(done=51, total=100).drawing(fine=True).strip() == "█" * 12 + "▎"


@given(reports)
def test_every_report_has_a_bar_of_the_same_width_and_one_line_of_text(values: dict[str, Any]) -> None:
    made = Report.of(values)
    assert made is not None
    for fine in (True, False):
        assert len(made.drawing(fine)) == BAR_WIDTH
    assert made.drawing(fine=False).isascii()
    for text in (made.operation, made.percent(), made.amounts()):
        assert text.isprintable()


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan"), "x", [], None])
@pytest.mark.parametrize("key", ["done", "total", "rate"])
def test_a_number_that_is_none_makes_no_report(key: str, value: Any) -> None:
    assert Report.of({"operation": "restore", "done": 1, "total": 2, "unit": "B", "rate": 1, key: value}) is None


@given(anything | st.dictionaries(st.sampled_from(["operation", "done", "total", "unit", "rate", "note"]), anything))
def test_nonsense_is_a_report_that_can_be_shown_or_none(values: Any) -> None:
    made = Report.of(values)
    if made is not None:
        assert (made.operation + made.percent() + made.amounts()).isprintable()
        assert len(made.drawing(fine=True)) == BAR_WIDTH
