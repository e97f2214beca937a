# SPDX-License-Identifier: GPL-3.0-or-later
"""The top level hangs together: every playbook is found, parsed, and finds its roles through ansible.cfg."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PLAYBOOKS = sorted((ROOT / "playbooks").glob("*.yml"))


def ansible_playbook(*arguments: str | Path) -> str:
    done = subprocess.run(
        [Path(sys.executable).with_name("ansible-playbook"), "--inventory=central,", *arguments],
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("playbook", PLAYBOOKS, ids=lambda path: path.stem)
def test_every_playbook_is_valid(playbook: Path) -> None:
    ansible_playbook("--syntax-check", playbook)


def test_the_central_site_has_a_content_store() -> None:
    tasks = ansible_playbook("--list-tasks", ROOT / "playbooks/content_store.yml")
    assert "content_store" in tasks
