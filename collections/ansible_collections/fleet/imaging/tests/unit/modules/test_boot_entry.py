# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""fleet.imaging.boot_entry and fleet.imaging.boot_menu as Ansible runs them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROCESS = Path(__file__).with_name("process.py")
COLLECTIONS = Path(__file__).parents[6]
MAC = "52:54:00:77:00:01"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    for folder in ("srv/http/stations", "srv/tftp/stations", "srv/tftp/grub", "state/stations", "state/host-keys", "state/maintenance"):
        (tmp_path / folder).mkdir(parents=True)
    said = {"address": "10.77.0.1", "root": str(tmp_path / "srv"), "state": str(tmp_path / "state"), "user": "", "language": "fr"}
    path = tmp_path / "boot.json"
    path.write_text(json.dumps(said))
    return path


def run(module: str, **options: Any) -> tuple[dict[str, Any], str]:
    """The result, and all that the module printed."""
    argv = [
        sys.executable,
        str(PROCESS),
        module,
        json.dumps({key: str(value) if isinstance(value, Path) else value for key, value in options.items()}),
    ]
    done = subprocess.run(
        argv, capture_output=True, text=True, check=False, env={"PYTHONPATH": f"{COLLECTIONS}", "PATH": "/usr/bin:/bin"}, timeout=120
    )
    return json.loads(done.stdout.splitlines()[-1]), done.stdout + done.stderr


def test_an_entry_is_set_once_and_its_token_is_in_no_output(config: Path) -> None:
    options = {"mac": "5254.0077.0001", "station": "pc01", "entry": "imaging-once", "config": config, "_ansible_diff": True}
    would, _output = run("boot_entry", **options, _ansible_check_mode=True)
    assert would["changed"] and list((config.parent / "srv/http/stations").iterdir()) == []
    first, output = run("boot_entry", **options)
    state = json.loads((config.parent / "state/stations/52-54-00-77-00-01.json").read_text())
    assert first["changed"] and first["mac"] == MAC and first["entry"] == "imaging-once" and first["expires"] == state["expires"]
    assert state["language"] == "fr" and "diff" in first
    again, more = run("boot_entry", **options)
    assert not again["changed"]
    assert state["token"] and state["token"] not in output + more


@pytest.mark.parametrize("mac", ["../../../etc/cron.d/x", "52:54:00:77:00", "ff:ff:ff:ff:ff:ff"])
def test_a_hostile_card_is_refused(config: Path, mac: str) -> None:
    refused, _output = run("boot_entry", mac=mac, station="pc01", entry="disk", config=config)
    assert refused["failed"] and "is no MAC address" in refused["msg"] and not refused.get("changed")


def test_elsewhere_than_on_a_boot_server_it_says_what_to_do(tmp_path: Path) -> None:
    refused, _output = run("boot_entry", mac=MAC, station="pc01", entry="disk", config=tmp_path / "none")
    assert refused["failed"] and "playbooks/boot_server.yml" in refused["msg"]


def test_a_menu_is_written_once(config: Path) -> None:
    first, _output = run("boot_menu", title="Lycée Jules Ferry", config=config)
    again, _output = run("boot_menu", title="Lycée Jules Ferry", config=config)
    assert first["changed"] and not again["changed"] and again["files"] == []
    assert "Lycée Jules Ferry" in (config.parent / "srv/tftp/grub/theme.txt").read_text()
    assert "Lycee Jules Ferry" in (config.parent / "srv/http/menu.ipxe").read_text()


def test_a_password_that_is_no_hash_is_refused_and_not_shown(config: Path) -> None:
    refused, output = run("boot_menu", password_hash="summer2026", config=config)
    assert refused["failed"] and "grub-mkpasswd-pbkdf2" in refused["msg"] and "summer2026" not in refused["msg"]
    assert output.count("summer2026") == 0
