# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role clone refuses stations of several senders before it asks for anything else, whichever station comes first."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
RELAY = {"clone_sender": "relay"}


def clone(folder: Path, stations: dict[str, dict[str, Any]], *arguments: str) -> str:
    """Run the role on stations with variables of their own; what it said. There is no image, so it always fails in the end."""
    local = {"ansible_connection": "local", "ansible_remote_tmp": f"{folder}/remote"}
    groups = {"stations": {"hosts": stations}, "content_stores": {"hosts": {"centre": {}}}, "relays": {"hosts": {"relay": {}}}}
    (folder / "hosts.json").write_text(json.dumps({"all": {"children": groups, "vars": local}}))
    options = {
        "clone_image": "room",
        "clone_store_path": f"{folder}/none",
        "clone_sources": [],
        "clone_disk": "none",
        "clone_erase": "none",
    }
    role = {"ansible.builtin.include_role": {"name": "fleet.imaging.clone"}, "vars": {**options, "clone_trust": str(folder)}}
    (folder / "play.yml").write_text(json.dumps([{"hosts": "stations", "gather_facts": False, "tasks": [role]}]))
    argv = [Path(sys.executable).with_name("ansible-playbook"), "-i", folder / "hosts.json", *arguments, folder / "play.yml"]
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
        "ANSIBLE_HOME": str(folder / "home"),
    }
    done = subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode != 0, done.stdout
    return done.stdout + done.stderr


@pytest.mark.parametrize("stations", [{"pc01": RELAY, "pc02": {}}, {"pc01": {}, "pc02": RELAY}])
def test_given_a_station_that_inherits_the_default_then_its_sender_is_not_that_of_the_first(
    stations: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    said = clone(tmp_path, stations)
    assert "These stations have several senders" in said and "See which versions the centre has" not in said


@pytest.mark.parametrize(
    ("stations", "arguments"),
    [({"pc01": RELAY, "pc02": RELAY}, []), ({"pc01": {}, "pc02": {}}, []), ({"pc01": {}, "pc02": RELAY}, ["-e", "clone_sender=relay"])],
)
def test_given_one_sender_then_it_goes_on_to_the_image(stations: dict[str, dict[str, Any]], arguments: list[str], tmp_path: Path) -> None:
    said = clone(tmp_path, stations, *arguments)
    assert "several senders" not in said.replace("Refuse stations of several senders", "") and "See which versions the centre has" in said
