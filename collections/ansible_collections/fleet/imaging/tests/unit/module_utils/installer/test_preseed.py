# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers for Debian's installer."""

from __future__ import annotations

import base64
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.imaging.plugins.module_utils.installer import preseed, programs
from ansible_collections.fleet.imaging.plugins.module_utils.installer.request import Installation


def answers(text: str) -> dict[str, str]:
    return dict(re.findall(r"^[^# ]\S* (\S+) \S+ ?(.*)$", text, re.MULTILINE))


@pytest.mark.parametrize("desktop", ["none", "gnome", "lxde", "lxqt", "mate", "xfce"])
def test_debconf_accepts_it(asked: Callable[..., Installation], desktop: str, tmp_path: Path) -> None:
    domain = {"name": "example.org", "join": "ad", "one_time_password": "é'\"$(x)"}
    text = preseed.render(asked(desktop=desktop, domain=domain, partitioning="lvm", proxy="http://10.77.0.1:3128"))
    (tmp_path / "preseed.cfg").write_text(text)
    done = subprocess.run(["debconf-set-selections", "--checkonly", tmp_path / "preseed.cfg"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    said = answers(text)
    assert said["tasksel/first"] == ("standard" if desktop == "none" else f"standard, {desktop}-desktop")
    assert said["partman-auto/method"] == "lvm"
    assert said["mirror/http/proxy"] == "http://10.77.0.1:3128"
    assert "sssd-ad" in said["pkgsel/include"].split()


def test_it_says_what_the_inventory_says(asked: Callable[..., Installation]) -> None:
    said = answers(preseed.render(asked(packages=["gimp", "g++"], mirror="https://mirror.example:8443/debian/", updates=False)))
    assert said["debian-installer/locale"] == "fr_FR.UTF-8"
    assert said["keyboard-configuration/xkb-keymap"] == "fr"
    assert said["time/zone"] == "Europe/Paris"
    assert (said["mirror/protocol"], said["mirror/https/hostname"], said["mirror/https/directory"]) == (
        "https",
        "mirror.example:8443",
        "/debian",
    )
    assert said["pkgsel/include"] == "openssh-server python3 sudo gimp g++"
    assert (said["apt-setup/services-select"], said["pkgsel/upgrade"]) == ("", "none")


def test_without_the_right_disk_partman_has_none(asked: Callable[..., Installation]) -> None:
    """With a method and no disk it would take the only one there is (partman-auto, initial_auto)."""
    said = answers(preseed.render(asked()))
    assert said["partman-auto/disk"] == said["grub-installer/bootdev"] == "/dev/fleet-disk"
    assert said["partman/early_command"].startswith('disk=$(sh /tmp/fleet/disk "FLEET 07" "" "" 2>/tmp/fleet/why) || sh /tmp/fleet/stop ')


def test_nothing_secret_is_in_it_or_on_the_kernels_command_line(asked: Callable[..., Installation]) -> None:
    secrets: dict[str, Any] = {
        "root_password_hash": "$6$rootroot$aaaaaaaaaaaa",
        "account": {"login": "zoe", "password_hash": "$6$zoezoezo$bbbbbbbbbbbb"},
        "domain": {"name": "example.org", "join": "ad", "one_time_password": "once-only"},
    }
    station = asked(**secrets)
    shown = preseed.render(station) + " ".join(preseed.arguments(station))
    decoded = "".join(base64.b64decode(found).decode() for found in re.findall(r"echo ([A-Za-z0-9+/=]+) \|", shown))
    for secret in ("rootroot", "zoezoe", "once-only", "AAAAC3"):
        assert secret not in shown + decoded


def test_the_programs_arrive_as_they_are(asked: Callable[..., Installation], tmp_path: Path) -> None:
    command = answers(preseed.render(asked()))["preseed/early_command"].replace("/tmp/fleet", str(tmp_path))
    subprocess.run(["sh", "-ec", command], check=True)
    assert (tmp_path / "disk").read_text() == programs.DISK
    assert (tmp_path / "stop").read_text() == programs.STOP
    assert (tmp_path / "files").read_text() == programs.FILES
    assert (tmp_path / "ca.pem").read_text() == asked().authority


def test_the_kernel_is_told_where_the_answers_are(asked: Callable[..., Installation]) -> None:
    told = preseed.arguments(asked(arguments=["console=ttyS0,115200"]))
    assert "url=http://10.77.0.1/install/52-54-00-77-00-01/preseed.cfg" in told
    assert told[-1] == "console=ttyS0,115200"
    assert len(" ".join(told)) < 1000  # of the 2048 that a kernel takes


def test_on_a_serial_line_the_installer_speaks_english_and_the_system_french(asked: Callable[..., Installation]) -> None:
    """It would ask for a language that it can show there (localechooser, display level 0)."""
    station = asked(arguments=["console=ttyS0,115200"])
    assert {"locale=fr_FR.UTF-8", "language=en", "country=FR"} <= set(preseed.arguments(station))
    assert answers(preseed.render(station))["debian-installer/language"] == "en"
    assert "debian-installer/language" not in answers(preseed.render(asked()))
