# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import itertools
import re
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stationdb.versions import MAX_KEY, version_key

PART = st.from_regex(r"[0-9][0-9a-zA-Z.+~]{0,12}", fullmatch=True)
PIECES = st.lists(st.sampled_from(["0", "00", "1", "9", "10", ".", "~", "~~", "+", "a", "Z", "rc", "dfsg"]), max_size=6).map("".join)
VERSION = st.builds(
    lambda epoch, upstream, more, revision: f"{epoch}{upstream}{more}{revision}",
    st.sampled_from(["", "0:", "1:", "12:"]),
    PART,
    st.one_of(PIECES, PIECES.map(lambda text: f"-{text}")),
    st.one_of(st.just(""), st.builds(lambda text: f"-{text}", st.from_regex(r"[0-9a-zA-Z+.~]{1,6}", fullmatch=True))),
).filter(lambda text: re.fullmatch(r"([0-9]+:)?[0-9][0-9a-zA-Z.+~-]*[0-9a-zA-Z.+~]", text))


def dpkg(first: str, second: str) -> int:
    """-1, 0 or 1, as dpkg says."""
    for operator, answer in (("lt", -1), ("eq", 0)):
        if not subprocess.run(["dpkg", "--compare-versions", first, operator, second], check=False, stderr=subprocess.DEVNULL).returncode:
            return answer
    return 1


def ours(first: str, second: str) -> int:
    a, b = version_key(first), version_key(second)
    return (a > b) - (a < b)


@settings(max_examples=400, deadline=None)
@given(VERSION, VERSION)
def test_the_order_of_keys_is_that_of_dpkg(first, second):
    assert ours(first, second) == dpkg(first, second)


@settings(max_examples=200, deadline=None)
@given(st.from_regex(r"[0-9][0-9a-zA-Z.+~-]{0,8}[0-9a-zA-Z.+~]", fullmatch=True), PIECES)
def test_versions_with_a_common_beginning_too(first, more):
    assert ours(first, first + more) == dpkg(first, first + more)


ORDERED = [
    "",
    "0~~",
    "0~",
    "0",
    "1.0~beta1~svn1245",
    "1.0~beta1",
    "1.0~rc1",
    "1.0",
    "1.0-1",
    "1.0-1+b2",
    "1.0-1.1",
    "1.0-2",
    "1.0^20240101",
    "1.0a",
    "1.0.1",
    "1.2",
    "1.10",
    "5.2.15-2+b2",
    "10.0.19045",
    "10.0.26100.1742",
    "24.2",
    "24.2.1 (x64)",
    "24.10",
    "2024-01-15",
    "1:0.5",
    "2:0.1",
]


def test_versions_of_all_kinds_are_in_order():
    assert sorted(ORDERED, key=version_key) == ORDERED
    assert all(version_key(first) < version_key(second) for first, second in itertools.pairwise(ORDERED))


@pytest.mark.parametrize(
    ("first", "second"), [("1.0", "1.0-0"), ("1.0", "0:1.0"), ("1.01", "1.1"), ("v2.39", "2.39"), (" 1.0\n", "1.0"), ("1a", "1a0")]
)
def test_versions_that_are_the_same(first, second):
    assert version_key(first) == version_key(second)


@given(st.text(max_size=60), st.text(max_size=60))
def test_nothing_is_an_error_and_a_longer_text_is_the_same_or_after_its_cut(first, second):
    assert len(version_key(first)) <= MAX_KEY
    assert version_key(first) == version_key(first)
    assert ours(first, second) == -ours(second, first)


@pytest.mark.parametrize("text", [*(each * 100_000 for each in ("9", "1.", "0", "é", "~", "-", "a:")), "\ud800"])
def test_hostile_versions_are_cut(text):
    assert 0 < len(version_key(text)) <= MAX_KEY


def test_a_version_of_255_characters_keeps_its_end():
    long = "1." * 127
    assert ours(long + "1", long + "2") == -1
