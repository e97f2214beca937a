# SPDX-License-Identifier: GPL-3.0-or-later
"""The top level hangs together: every playbook is found, parsed, and finds its roles through ansible.cfg."""

from __future__ import annotations

import os
import shutil
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


def test_without_an_inventory_localhost_is_there(tmp_path: Path) -> None:
    """README.md adds a site with "ansible localhost" in a fresh clone, which has no demo."""
    shutil.copy(ROOT / "ansible.cfg", tmp_path)
    shutil.copytree(ROOT / "inventories", tmp_path / "inventories")
    (tmp_path / "collections").symlink_to(ROOT / "collections")
    done = subprocess.run(
        [Path(sys.executable).with_name("ansible"), "localhost", "-m", "ansible.builtin.ping"],
        cwd=tmp_path,
        env={**os.environ, "ANSIBLE_CONFIG": str(tmp_path / "ansible.cfg")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
