# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volume groups of two disks with the same image, as sysfs shows them: kernels of containers have no device mapper."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.fleet.core.plugins.module_utils import stop
from ansible_collections.fleet.core.plugins.module_utils.errors import ToolError
from ansible_collections.fleet.imaging.plugins.module_utils.installed import lvm
from ansible_collections.fleet.imaging.plugins.module_utils.installed.volume import InstalledError

GROUP, VOLUME = "aBcDeF-1234-5678-9abc-def0-1234-567890", "zzzzzz-1234-5678-9abc-def0-1234-567890"


def mapped(sysfs: Path, name: str, uuid: str, *slaves: str) -> None:
    (sysfs / name / "dm").mkdir(parents=True)
    (sysfs / name / "dm/uuid").write_text(uuid + "\n")
    for slave in slaves:
        (sysfs / name / "slaves" / slave).mkdir(parents=True)


@pytest.fixture
def sysfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(lvm, "SYS_BLOCK", tmp_path)
    return tmp_path


def active(group: str, volume: str) -> str:
    return "LVM-" + (group + volume).replace("-", "")


def test_a_group_that_is_active_on_another_disk_is_refused(sysfs: Path) -> None:
    mapped(sysfs, "dm-0", active(GROUP, VOLUME), "dm-1", "sda2")
    mapped(sysfs, "dm-1", active(GROUP, VOLUME) + "-tdata", "sdb2")
    with pytest.raises(InstalledError, match="model of this disk cannot be told from the one on sdb2.*Take the other disk out"):
        lvm.refuse_if_elsewhere("model", GROUP, [Path("/dev/sda2")])


def test_its_own_volumes_and_those_of_other_groups_are_no_reason(sysfs: Path) -> None:
    mapped(sysfs, "dm-0", active(GROUP, VOLUME), "sda2", "sda3")
    mapped(sysfs, "dm-1", active(VOLUME, GROUP), "sdb2")
    mapped(sysfs, "dm-2", "CRYPT-LUKS2-0", "sdb3")
    (sysfs / "sda").mkdir()
    lvm.refuse_if_elsewhere("model", GROUP, [Path("/dev/sda2"), Path("/dev/sda3")])


def _tools(monkeypatch: pytest.MonkeyPatch, fails: str) -> list[tuple[str, ...]]:
    """Let lvm say that there are two groups; the commands that it was given."""
    said: list[tuple[str, ...]] = []

    def tool(_devices: Sequence[Path], *argv: str) -> str:
        said.append(argv)
        if argv[1:] == ("--activate", "y", fails):
            raise ToolError("no")
        return ""

    monkeypatch.setattr(lvm, "usable", lambda: True)
    monkeypatch.setattr(lvm, "available", lambda _tool: True)
    monkeypatch.setattr(lvm, "rows", lambda *_: [{"vg_name": "one", "vg_uuid": VOLUME}, {"vg_name": "two", "vg_uuid": GROUP}])
    monkeypatch.setattr(lvm, "lvm", tool)
    return said


def _volumes() -> Any:
    return [SimpleNamespace(device=Path("/dev/sda2"), is_physical=True)]


def test_what_was_activated_is_deactivated_when_the_next_cannot_be(sysfs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = _tools(monkeypatch, fails="two")
    with pytest.raises(ToolError), lvm.activated(_volumes()):
        pass
    assert [argv[1:] for argv in said] == [("--activate", each, group) for each in "yn" for group in ("one", "two")]


def test_nothing_is_activated_or_deactivated_when_one_is_active_elsewhere(sysfs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = _tools(monkeypatch, fails="")
    mapped(sysfs, "dm-0", active(GROUP, VOLUME), "sdb2")
    with pytest.raises(InstalledError), lvm.activated(_volumes()):
        pass
    assert said == []


@pytest.mark.parametrize("when", ["at work", "at its end"])
def test_what_was_activated_is_deactivated_when_the_module_is_stopped(when: str, sysfs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = _tools(monkeypatch, fails="")
    real = lvm.lvm
    monkeypatch.setattr(lvm, "lvm", lambda *arguments: stop.check() or real(*arguments))  # as each tool does before it is started
    groups = lvm.rows([], "vgs")
    monkeypatch.setattr(lvm, "rows", lambda _devices, command, *_columns: groups if command == "vgs" else [])
    before = {number: signal.signal(number, signal.SIG_DFL) for number in stop.SIGNALS}
    try:
        with pytest.raises(stop.Stopped), stop.stoppable():
            with lvm.activated(_volumes()):
                signal.raise_signal(signal.SIGTERM)
                if when == "at work":
                    stop.check()
            stop.check()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert [argv[1:] for argv in said] == [("--activate", each, group) for each in "yn" for group in ("one", "two")]
