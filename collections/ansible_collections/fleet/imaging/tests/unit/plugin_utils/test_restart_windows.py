# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""fleet.imaging.restart on Windows, as far as that goes without Windows: a fake one that understands what it is told, and answers."""

from __future__ import annotations

import base64
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail

from ansible_collections.fleet.imaging.plugins.action.restart import ActionModule

MENU = """\
Firmware Boot Manager
---------------------
identifier              {fwbootmgr}
displayorder            {bootmgr}
                        {0b1c0a11-1111-11ee-8000-000000000001}

Firmware Application (101fffff)
-------------------------------
identifier              {0b1c0a11-1111-11ee-8000-000000000001}
description             UEFI: PXE IPv4 Realtek PCIe GBE Family Controller
"""


class FakeWindows(ActionModule):
    """It has no host: what it would run there is kept, and answered from a list."""

    def __init__(self, answers: dict[str, tuple[int, str]], *, check: bool = False, **arguments: Any) -> None:
        self._task = SimpleNamespace(args=arguments, check_mode=check)
        self._answers = answers
        self.told: list[str] = []

    def _low_level_execute_command(self, command: str, *_more: Any, **_most: Any) -> dict[str, Any]:
        words = command.split()
        assert words[:-1] == ["powershell", "-NoProfile", "-NonInteractive", "-EncodedCommand"]
        script = base64.b64decode(words[-1]).decode("utf-16-le").removesuffix("\nexit $LASTEXITCODE")
        self.told.append(script)
        code, printed = next((answer for begin, answer in self._answers.items() if script.startswith(begin)), (0, ""))
        return {"rc": code, "stdout": printed, "stderr": "Access is denied." if code else ""}

    def restart(self) -> dict[str, Any]:
        return self._windows(bool(self._task.args.get("network")))


def test_it_starts_from_the_network_once_and_shuts_down() -> None:
    fake = FakeWindows({"(Get-CimInstance": (0, "134101\r\n"), "bcdedit /enum": (0, MENU)}, network=True)
    result = fake.restart()
    assert result["boot_id"] == "134101" and result["boot_entry"] == "{0b1c0a11-1111-11ee-8000-000000000001}"
    assert fake.told[2:] == [
        "bcdedit /set '{fwbootmgr}' bootsequence '{0b1c0a11-1111-11ee-8000-000000000001}'",
        "shutdown.exe /r /t 5",
    ]


def test_without_the_network_or_an_entry_for_it_the_order_stays() -> None:
    fake = FakeWindows({})
    fake.restart()
    assert fake.told[1:] == ["shutdown.exe /r /t 5"]
    bios = FakeWindows({"bcdedit /enum": (1, "The boot configuration data store could not be opened.")}, network=True)
    assert "own order decides" in bios.restart()["note"] and bios.told[-1] == "shutdown.exe /r /t 5"
    assert not any("/set" in each for each in bios.told)


def test_a_check_changes_nothing() -> None:
    fake = FakeWindows({"bcdedit /enum": (0, MENU)}, check=True, network=True)
    assert fake.restart()["boot_entry"] and [each.split()[0] for each in fake.told[1:]] == ["bcdedit"]
    assert "/set" not in fake.told[-1]


def test_a_refusal_is_told_and_the_station_is_not_restarted() -> None:
    fake = FakeWindows({"bcdedit /enum": (0, MENU), "bcdedit /set": (1, "")}, network=True)
    with pytest.raises(AnsibleActionFail, match="bcdedit /set .* ended with code 1: Access is denied"):
        fake.restart()
    assert not any(each.startswith("shutdown") for each in fake.told)
