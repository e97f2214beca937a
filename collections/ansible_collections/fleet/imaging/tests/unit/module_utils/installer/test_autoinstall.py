# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers for Ubuntu's installer, against what its reference manual says (autoinstall reference, read in November 2026)."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from ansible_collections.fleet.imaging.plugins.module_utils.installer import autoinstall, programs
from ansible_collections.fleet.imaging.plugins.module_utils.installer.request import Installation

COMMANDS = {"type": "array", "items": {"type": ["string", "array"], "items": {"type": "string"}}}
TEXT = {"type": "string"}


def an_object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


SCHEMA = {
    **an_object(
        version={"const": 1},
        **dict.fromkeys(("early-commands", "late-commands", "error-commands"), COMMANDS),
        **{"refresh-installer": an_object(update={"type": "boolean"}, channel=TEXT)},
        locale={"type": "string", "pattern": r"^\w+\.UTF-8$"},
        keyboard={**an_object(layout=TEXT, variant=TEXT, toggle={"type": ["string", "null"]}), "required": ["layout"]},
        timezone=TEXT,
        proxy={"type": ["string", "null"], "format": "uri"},
        apt=an_object(
            preserve_sources_list={"type": "boolean"},
            geoip={"type": "boolean"},
            primary={"type": "array", "items": an_object(arches={"type": "array", "items": TEXT}, uri=TEXT)},
        ),
        storage=an_object(layout=an_object(name={"enum": ["lvm", "direct", "zfs", "hybrid"]}, match=an_object(path=TEXT))),
        **{"user-data": {"type": "object"}},
        ssh=an_object(**{"install-server": {"type": "boolean"}, "allow-pw": {"type": "boolean"}}),
        packages={"type": "array", "items": TEXT},
        updates={"enum": ["security", "all"]},
        shutdown={"enum": ["reboot", "poweroff"]},
    ),
    "required": ["version"],
}
"""Our reading of the manual. It is closed, which subiquity's own is not: a key that is misspelt there is ignored."""


def read(text: str) -> dict[str, Any]:
    head, rest = text.split("\n", 1)
    assert head == "#cloud-config"
    document = yaml.safe_load(rest)
    assert isinstance(document, dict)
    return dict(document["autoinstall"])


@pytest.mark.parametrize("system", ["ubuntu-22.04", "ubuntu-24.04"])
@pytest.mark.parametrize("desktop", ["none", "gnome", "lxqt", "mate", "xfce"])
def test_it_is_as_the_manual_says(asked: Callable[..., Installation], system: str, desktop: str) -> None:
    station = asked(system=system, desktop=desktop, partitioning="lvm", proxy="http://10.77.0.1:3128", keyboard="fr(latin9)")
    document = read(autoinstall.render(station))
    jsonschema.validate(document, SCHEMA)
    assert document == autoinstall.document(station)  # JSON is read as YAML, and says the same
    assert document["keyboard"] == {"layout": "fr", "variant": "latin9", "toggle": None}
    assert document["storage"]["layout"]["name"] == "lvm"
    assert document["packages"][-3:] == ["openssh-server", "python3", "sudo"]


def test_without_the_right_disk_there_is_none(asked: Callable[..., Installation], tmp_path: Path) -> None:
    """The second command puts the device into the answers; when it fails, subiquity ends, and the answers name no disk."""
    document = read(autoinstall.render(asked(system="ubuntu-24.04")))
    assert document["storage"]["layout"]["match"] == {"path": "/dev/fleet-disk"}
    (tmp_path / "disk").write_text('[ "$1" = "FLEET 07" ] && echo /dev/vdb')
    (tmp_path / "answers").write_text(autoinstall.render(asked(system="ubuntu-24.04")))
    command = document["early-commands"][1][2].replace("/run/fleet", str(tmp_path)).replace("/autoinstall.yaml", str(tmp_path / "answers"))
    subprocess.run(["sh", "-c", command], check=True)
    assert read((tmp_path / "answers").read_text())["storage"]["layout"]["match"] == {"path": "/dev/vdb"}
    (tmp_path / "disk").write_text("exit 1")
    assert subprocess.run(["sh", "-c", command], check=False).returncode == 1


def test_the_programs_arrive_as_they_are(asked: Callable[..., Installation], tmp_path: Path) -> None:
    station = asked(system="ubuntu-24.04")
    command = read(autoinstall.render(station))["early-commands"][0]
    subprocess.run([*command[:2], command[2].replace("/run/fleet", str(tmp_path))], check=True)
    assert (tmp_path / "disk").read_text() == programs.DISK
    assert (tmp_path / "ca.pem").read_text() == station.authority


def test_nothing_secret_is_in_it(asked: Callable[..., Installation]) -> None:
    domain = {"name": "example.org", "join": "ad", "one_time_password": "once-only"}
    station = asked(system="ubuntu-24.04", root_password_hash="$6$rootroot$aaaaaaaaaaaa", domain=domain)
    shown = autoinstall.render(station) + " ".join(autoinstall.arguments(station))
    assert not [secret for secret in ("rootroot", "once-only", "AAAAC3") if secret in shown]
    assert "ds=nocloud-net;s=http://10.77.0.1/install/52-54-00-77-00-01/" in autoinstall.arguments(station)
    assert "url=http://10.77.0.1/installers/ubuntu.iso" in autoinstall.arguments(station)
