# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file by which a session's start is changed while it waits: whose it is, and what of it counts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.fleet.imaging.plugins.module_utils.clone.control import Control, session_id
from ansible_collections.fleet.imaging.plugins.module_utils.multicast.interface import StartPolicy

OURS, OTHER = session_id(b"ours"), session_id(b"other")


def test_given_a_count_that_was_written_before_the_sender_was_there_then_it_counts(tmp_path: Path) -> None:
    path = tmp_path / "control.json"
    path.write_text(json.dumps({"count": 4, "session": OURS}))
    with Control(StartPolicy(count=0, give_up=60), path, OURS) as control:
        assert control.policy() == StartPolicy(count=4, give_up=60)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("left", [json.dumps({"count": 4, "session": OTHER}), json.dumps({"count": 4}), "[]", "{"])
def test_given_what_another_session_left_then_it_does_not_count(left: str, tmp_path: Path) -> None:
    path = tmp_path / "new" / "control.json"
    path.parent.mkdir()
    path.write_text(left)
    with Control(StartPolicy(count=7), path, OURS) as control:
        assert control.policy() == StartPolicy(count=7) and path.stat().st_mode & 0o777 == 0o600
        path.write_text(json.dumps({"count": 2}))  # as the admin writes it
        assert control.policy() == StartPolicy(count=2)
    assert list(path.parent.iterdir()) == []


def test_a_folder_that_is_not_there_is_made(tmp_path: Path) -> None:
    with Control(StartPolicy(count=7), tmp_path / "run" / "control.json", OURS):
        assert json.loads((tmp_path / "run" / "control.json").read_text())["count"] == 7
