# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read of a station on its boot server, and what is not believed."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.imaging.plugins.module_utils.restart.registration import host_key, look, wait

MAC = "52:54:00:77:00:01"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0aVJ7c0xPDZsXKD7xKR5XBC1kkPYaSVGEZYOYK0gHl"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    for folder in ("host-keys", "stations"):
        (tmp_path / folder).mkdir()
    return tmp_path


def test_what_the_boot_service_keeps_is_told_without_the_token(state: Path) -> None:
    said = {"entry": "imaging-once", "token": "hunter2", "expires": int(time.time()) - 5, "registered": False, "station": "pc01"}
    (state / "stations/52-54-00-77-00-01.json").write_text(json.dumps(said))
    (state / "host-keys/52-54-00-77-00-01").write_text(f"{KEY} root@imaging\n")
    (found,) = look(state, [MAC])
    assert (found.host_key, found.entry, found.is_expired, found.was_used) == (KEY, "imaging-once", True, False)
    assert "hunter2" not in repr(found)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"entry": 7, "expires": "soon"}'])
def test_a_state_that_cannot_be_read_is_none(state: Path, text: str) -> None:
    (state / "stations/52-54-00-77-00-01.json").write_text(text)
    (found,) = look(state, [MAC])
    assert (found.host_key, found.is_expired, found.was_used) == ("", False, False)


@pytest.mark.parametrize(
    "text",
    [f"{KEY}\n@cert-authority * {KEY}\n", "@cert-authority * ssh-ed25519 AAAA", "ssh-ed25519", "ssh-ed25519 " + "A" * 10, f"* {KEY}", "\n"],
)
def test_a_host_key_never_brings_a_line_of_its_own_into_known_hosts(state: Path, text: str) -> None:
    path = state / "host-keys/52-54-00-77-00-01"
    path.write_text(text)
    with pytest.raises(FleetError, match="does not hold one SSH host key"):
        host_key(path)


def test_another_host_key_than_those_known_is_waited_for(state: Path) -> None:
    path = state / "host-keys/52-54-00-77-00-01"
    path.write_text(KEY)
    assert wait(state, [MAC], [KEY], 0)[0].host_key == KEY
    later = KEY.replace("gHl", "gHk")
    threading.Timer(0.2, path.write_text, [later]).start()
    assert wait(state, [MAC], [KEY], 120)[0].host_key == later


def test_a_host_that_is_no_boot_server_says_so(tmp_path: Path) -> None:
    with pytest.raises(FleetError, match="no boot server"):
        look(tmp_path / "nothing", [MAC])
