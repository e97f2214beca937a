# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What cannot be installed is refused before anything is written, and says what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fleet.core.plugins.module_utils.errors import InputError
from ansible_collections.fleet.imaging.plugins.module_utils.installer.request import Installation

LISTS, DEFAULTED = ("packages", "arguments"), ("locale", "keyboard", "time_zone", "mirror", "proxy")
HOSTILE = [
    "a\nd-i preseed/late_command string reboot",
    "a\r\nb",
    "x; reboot",
    "$(reboot)",
    "`reboot`",
    "a b",
    'a"b',
    "a'b",
    "a\\",
    "é",
    "",
    "../../etc",
    "a\0b",
    "a\u2028b",
]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("option", [*LISTS, "hostname", "mac", "disk_identity", "boot_server", *DEFAULTED])
def test_no_text_breaks_out_of_its_place(asked: Callable[..., Installation], option: str, text: str) -> None:
    if not text and option in DEFAULTED:
        return  # empty means the default
    value: Any = [text] if option in LISTS else f"serial:{text}" if option == "disk_identity" else text
    if (option, text) == ("disk_identity", "a b") or (option, text) == ("disk_identity", "../../etc"):
        assert asked(disk_identity=value).disk.serial == text  # serial numbers have spaces, full stops and slashes
        return
    with pytest.raises(InputError):
        asked(**{option: value})


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"system": "debian-11"}, "debian-12, ubuntu-22.04"),
        ({"hostname": "pc07.example.org"}, "without a domain"),
        ({"hostname": "007"}, "needs a letter"),
        ({"mac": "ff:ff:ff:ff:ff:ff"}, "not a network card's"),
        ({"disk_identity": "/dev/sda"}, "not a disk identity"),
        ({"disk_identity": "size:500107862016"}, "may mean another disk"),
        ({"disk_identity": "serial:a`reboot`"}, "cannot be told"),
        ({"system": "ubuntu-24.04", "desktop": "lxde"}, "Choose one of gnome, lxqt, mate, none, xfce"),
        ({"ssh_keys": []}, "Nobody could log in"),
        ({"ssh_keys": ['command="sh" ssh-ed25519 AAAA']}, "without options"),
        ({"ssh_keys": ["ssh-ed25519 AAAA\nssh-ed25519 BBBB"]}, "one line"),
        ({"root_password_hash": "hunter2"}, "openssl passwd"),
        ({"account": {"login": "root"}}, "root_password_hash"),
        ({"account": {"login": "zoe", "full_name": "Zoé:0:0"}}, "colon"),
        ({"partitioning": "btrfs"}, "atomic, lvm"),
        ({"domain": {"name": "example.org", "join": "ad"}}, "one_time_password"),
        ({"domain": {"name": "example.org", "join": "ldap"}}, "uri, base"),
        ({"domain": {"name": "ex ample"}}, "not a domain"),
        ({"authority": "-----BEGIN CERTIFICATE-----\nAA'; reboot\n-----END CERTIFICATE-----"}, "PEM"),
        ({"boot_server": "https://10.77.0.1"}, "http://HOST"),
    ],
)
def test_a_refusal_says_what_is_wrong(asked: Callable[..., Installation], options: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        asked(**options)


def test_secrets_are_in_no_message(asked: Callable[..., Installation]) -> None:
    for options in (
        {"root_password_hash": "hunter2"},
        {"account": {"login": "zoe", "password_hash": "hunter2"}},
        {"domain": {"name": "example.org", "join": "ad", "one_time_password": "hunter2\nx"}},
    ):
        with pytest.raises(InputError) as refused:
            asked(**options)
        assert "hunter2" not in str(refused.value)
    station = asked(domain={"name": "example.org", "join": "ad", "one_time_password": "hunter2"})
    assert "hunter2" not in repr(station)


@given(text=st.text(max_size=40))
def test_whatever_a_disk_is_called_the_command_has_the_words_that_it_should(text: str) -> None:
    import shlex

    from ansible_collections.fleet.imaging.plugins.module_utils.installer import preseed

    from . import conftest  # type: ignore[attr-defined]

    try:
        station = Installation.parse({**conftest.STATION, "disk_identity": f"serial:{text}"})
    except InputError:
        return
    (line,) = [line for line in preseed.render(station).splitlines() if line.startswith("d-i partman/early_command")]
    words = shlex.split(line.split("disk=$(", 1)[1].split(" 2>", 1)[0])
    assert words == ["sh", "/tmp/fleet/disk", station.disk.serial, station.disk.wwn, str(station.disk.size or "")]
