# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules installer_answers and installer_files, as Ansible runs them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., dict[str, Any]]

STATION: dict[str, Any] = {
    "system": "debian-12",
    "hostname": "pc07",
    "mac": "5254.0077.0001",
    "disk_identity": "wwn:naa.5002538E40",
    "boot_server": "http://10.77.0.1",
    "authority": "-----BEGIN CERTIFICATE-----\nMIIB0zCC\n-----END CERTIFICATE-----\n",
    "ssh_keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0aVJ7c0xPDZsXKD7xKR5XBC1kkPYaSVGEZYOYK0gHl site"],
}


def test_a_stations_answers_come_and_go(run: Run, tmp_path: Path) -> None:
    preview = run("installer_answers", check=True, folder=str(tmp_path / "install"), **STATION)
    assert preview["changed"] and not (tmp_path / "install").exists()
    first = run("installer_answers", folder=str(tmp_path / "install"), **STATION)
    assert first["changed"]
    assert "url=http://10.77.0.1/install/52-54-00-77-00-01/preseed.cfg" in first["arguments"]
    assert 'sh /tmp/fleet/disk "" "0x5002538e40" ""' in (tmp_path / "install/52-54-00-77-00-01/preseed.cfg").read_text()
    again = run("installer_answers", folder=str(tmp_path / "install"), **STATION)
    assert (again["changed"], again["host_key"]) == (False, first["host_key"])
    gone = {"state": "absent", "mac": "52:54:00:77:00:01", "folder": str(tmp_path / "install")}
    assert run("installer_answers", check=True, **gone)["changed"]
    assert run("installer_answers", **gone)["changed"]
    assert not run("installer_answers", **gone)["changed"]


def test_bad_values_change_nothing_and_say_what_is_wrong(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "install"
    for options, said in (
        ({"mac": "pc07"}, "52:54:00:12:34:56"),
        ({"disk_identity": "/dev/sda"}, "serial:"),
        ({"owner": "nobody-there"}, "no account nobody-there"),
        ({"root_password_hash": "hunter2"}, "openssl passwd"),
        ({"packages": ["vim; reboot"]}, "package"),
        ({"system": "ubuntu-24.04"}, "medium"),
        ({"boot_server": None}, "boot_server"),
    ):
        result = run("installer_answers", folder=str(folder), **{**STATION, **options})
        assert result.get("failed") and said in result["msg"], result
        assert not folder.exists()


def test_no_secret_is_in_what_ansible_shows(ansible: Callable[..., tuple[int, dict[str, Any]]], tmp_path: Path) -> None:
    secrets = {
        "root_password_hash": "$6$rootroot$aaaaaaaaaaaa",
        "domain": {"name": "example.org", "join": "ad", "one_time_password": "once-only"},
    }
    code, result = ansible("installer_answers", folder=str(tmp_path / "install"), **STATION, **secrets)
    assert code == 0, result
    assert not [secret for secret in ("rootroot", "once-only", "PRIVATE") if secret in str(result)]


def test_an_installer_that_cannot_be_checked_is_refused(run: Run, tmp_path: Path) -> None:
    result = run("installer_files", system="debian-12", source="http://127.0.0.1:9/debian", served=str(tmp_path))
    assert result["failed"] and "cannot be fetched" in result["msg"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("check", [True, False])
def test_an_installer_is_provided(run: Run, tmp_path: Path, check: bool) -> None:
    folder = tmp_path / "text/debian-installer/amd64"
    folder.mkdir(parents=True)
    (folder / "linux").write_bytes(b"kernel")
    (folder / "initrd.gz").write_bytes(b"initrd")
    result = run("installer_files", check=check, system="debian-12", source=str(tmp_path / "text"), served=str(tmp_path / "served"))
    assert result["changed"] and result["kernel"] == "installers/debian-12/linux"
    assert (tmp_path / "served").exists() is not check
