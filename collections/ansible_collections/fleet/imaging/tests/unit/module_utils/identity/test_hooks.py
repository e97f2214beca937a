# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a hook of the site prints, and the example that is in the documentation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ansible_collections.fleet.imaging.plugins.module_utils.identity import hooks

TOLD = {"FLEET_STATION": "pc07", "FLEET_ROOT": "/nowhere"}
VALUES = {"name": "pc07", "room": "b2", "key": "ABCD", "licences": [{"cad": "ABCD-1234"}], "seats": 1000}
DOCUMENT = Path(__file__).parents[8] / "docs/identity.md"


def hook(folder: Path, text: str) -> hooks.Hook:
    path = folder / "10-hook"
    path.write_text(text)
    path.chmod(0o755)
    return hooks.Hook(path, "")


def test_values_are_hidden_in_what_a_hook_prints(tmp_path: Path) -> None:
    said = hooks.run(hook(tmp_path, "#!/bin/sh\necho pc07 b2 ABCD-1234 xABCDx\n"), TOLD, VALUES)
    assert said == "pc07 b2 ******** x********x"


def test_values_are_hidden_in_what_a_failed_hook_prints(tmp_path: Path) -> None:
    with pytest.raises(hooks.HookFailed, match="for pc07 ended with code 3") as refused:
        hooks.run(hook(tmp_path, "#!/bin/sh\ncat\nexit 3\n"), TOLD, VALUES)
    assert "ABCD" not in f"{refused.value} {refused.value.details}" and "1000" in str(refused.value)


def test_the_example_writes_into_the_system_and_not_through_a_link_out_of_it(tmp_path: Path) -> None:
    example = re.search(r"```sh\n(#!/bin/sh\n# 10-cad.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert example
    program, root = hook(tmp_path, example.group(1)), tmp_path / "root"
    (root / "etc/cad").mkdir(parents=True)
    told, values = {**TOLD, "FLEET_ROOT": str(root)}, {"licence_server": "licences.example.org"}
    hooks.run(program, told, values)
    settings = root / "etc/cad/server.conf"
    assert settings.read_text() == "server = licences.example.org\n"
    settings.unlink()
    settings.symlink_to(tmp_path / "outside")
    with pytest.raises(hooks.HookFailed, match="is not in the station's system"):
        hooks.run(program, told, values)
    assert not (tmp_path / "outside").exists()
