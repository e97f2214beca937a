# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module station_facts as Ansible runs it: facts of this machine, check mode, refusals."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.testing import patch_module_args

from ansible_collections.fleet.core.plugins.module_utils.station.report import COLLECTORS
from ansible_collections.fleet.core.plugins.modules import station_facts


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    """Run fleet.core.station_facts with arguments; its result."""

    def call(*, check: bool = False, **arguments: Any) -> dict[str, Any]:
        with patch_module_args({**arguments, "_ansible_check_mode": check}), pytest.raises(SystemExit):
            station_facts.main()
        return json.loads(capsys.readouterr().out)

    return call


@pytest.mark.parametrize("check", [False, True], ids=["", "check mode"])
def test_the_sections_that_were_asked_for_are_told_and_no_others(run: Any, check: bool) -> None:
    result = run(sections=["hardware", "softwares"], check=check)
    facts = result["ansible_facts"]["fleet_station"]
    assert set(facts) == {"hardware", "softwares"}
    assert facts["hardware"][0]["memory"] > 0
    assert {"from", "name", "version"} <= set(facts["softwares"][0])
    assert (result["changed"], result["failed_sections"]) == (False, {})


def test_a_section_that_fails_is_a_warning(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_root: object) -> list[Any]:
        raise OSError("unplugged")

    warnings: list[str] = []
    monkeypatch.setattr(AnsibleModule, "warn", lambda _module, text: warnings.append(text))
    monkeypatch.setitem(COLLECTORS, "monitors", broken)
    result = run(sections=["monitors", "local_users"])
    assert result["failed_sections"] == {"monitors": "OSError: unplugged"}
    assert warnings == ["The section monitors could not be gathered. OSError: unplugged"]
    assert result["ansible_facts"]["fleet_station"]["local_users"]


def test_a_section_that_there_is_none_of_is_refused(run: Any) -> None:
    assert "processes" in run(sections=["processes"])["msg"]


def test_the_documentation_lists_the_sections() -> None:
    import yaml

    assert yaml.safe_load(station_facts.DOCUMENTATION)["options"]["sections"]["choices"] == list(COLLECTORS)
