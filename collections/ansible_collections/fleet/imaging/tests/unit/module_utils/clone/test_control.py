# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file by which a session's start is changed while it waits: whose it is, and what of it counts."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest

from ansible_collections.fleet.core.plugins.module_utils import progress
from ansible_collections.fleet.core.plugins.module_utils.errors import InputError
from ansible_collections.fleet.imaging.plugins.module_utils.clone.control import Control, absent_path, session_id
from ansible_collections.fleet.imaging.plugins.module_utils.clone.sender import _Teller
from ansible_collections.fleet.imaging.plugins.module_utils.multicast.interface import SessionState, StartPolicy
from ansible_collections.fleet.imaging.tests.unit.module_utils.image.faults import tmpfs

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


STATIONS = ("pc01", "pc02", "pc03", "pc04")


def say_absent(path: Path, absent: object, session: str = OURS) -> None:
    """As the controller says it."""
    Path(absent_path(str(path))).write_text(json.dumps({"session": session, "absent": absent}))


def test_given_what_an_admin_wrote_then_a_station_that_refuses_does_not_undo_it(tmp_path: Path) -> None:
    path = tmp_path / "control.json"
    with Control(StartPolicy(give_up=60), path, OURS, STATIONS) as control:
        assert control.policy() == StartPolicy(count=4, give_up=60)
        path.write_text(json.dumps({"count": 2}))  # two suffice to the admin
        say_absent(path, ["pc01"])
        assert control.policy().count == 2
        path.write_text(json.dumps({"count": 0}))  # all, after all
        assert control.policy().count == 3 and control.absent() == {"pc01"}
    assert list(tmp_path.iterdir()) == []


def test_given_a_count_that_can_no_longer_be_reached_then_those_who_can_come_suffice(tmp_path: Path) -> None:
    path = tmp_path / "control.json"
    with Control(StartPolicy(count=3, minimum=3, wait=1), path, OURS, STATIONS) as control:
        say_absent(path, ["pc01", "pc02"])
        assert control.policy() == StartPolicy(count=2, minimum=2, wait=1)
        say_absent(path, list(STATIONS))  # nobody will: there is nothing to begin
        assert control.policy() == StartPolicy(count=3, minimum=3, wait=1)


def test_given_more_than_there_are_then_all_suffice() -> None:
    assert Control(StartPolicy(minimum=5, wait=9), None, OURS, STATIONS).policy() == StartPolicy(count=4, minimum=4, wait=9)


@pytest.mark.parametrize("text", ["{", "[]", '{"absent": ["pc01"]}', json.dumps({"session": OURS, "absent": "pc01"}), "\xff"])
def test_given_what_does_not_say_who_is_absent_for_this_session_then_all_are_waited_for(text: str, tmp_path: Path) -> None:
    path = tmp_path / "control.json"
    with Control(StartPolicy(), path, OURS, STATIONS) as control:
        Path(absent_path(str(path))).write_bytes(text.encode("latin-1"))
        assert control.policy().count == 4
        say_absent(path, ["pc01", "pc09", 7, None])
        assert control.absent() == {"pc01"}
        say_absent(path, ["pc01"], OTHER)
        assert control.policy().count == 4


def test_while_it_waits_the_missing_are_named_and_who_refused_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "INTERVAL", 0.0)
    told: list[progress.Report] = []
    path = tmp_path / "control.json"
    with Control(StartPolicy(), path, OURS, STATIONS) as control:
        teller = _Teller(progress.Progress(told.append), control)
        teller.tell(SessionState("waiting", present=("pc01",), missing=("pc02", "pc03", "pc04")))
        say_absent(path, ["pc03"])
        teller.tell(SessionState("waiting", present=("pc01", "pc02"), missing=("pc03", "pc04")))
        teller.tell(SessionState("sending", done=5, total=9))
    seen = [(each["operation"], each["done"], each["total"], each.get("note", "")) for each in told]
    assert ("wait for stations", 1, 4, "missing: pc02, pc03, pc04") in seen
    assert ("wait for stations", 2, 3, "missing: pc04") in seen
    assert ("send", 5, 9, "") in seen


def test_given_no_room_or_no_folder_for_it_then_that_is_said_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with tmpfs(tmp_path / "small", 16384) as full:
        with contextlib.suppress(OSError), (full / "all").open("wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass
        for folder, why in ((tmp_path / "file", "Not a directory|File exists"), (full, "No space left on device")):
            with pytest.raises(InputError, match=f"control file {folder}/c.json cannot be made: ({why}).*Make room"):
                Control(StartPolicy(), folder / "c.json").__enter__()
        assert [path.name for path in full.iterdir()] == ["all"]
