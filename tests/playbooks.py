# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-playbook as an admin of this repository runs it, for tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

OWN_RUN = ("unshare", "--mount", "sh", "-c", 'mkdir -p /run/fleet && mount -t tmpfs fleet /run/fleet && exec "$@"', "sh")
"""The beginning of a command that has a /run/fleet of its own."""


def ansible_playbook(
    inventory: Path, *arguments: str | Path, home: Path, within: tuple[str, ...] = (), timeout: float = 1800
) -> subprocess.CompletedProcess[str]:
    """Run it to its end, with the repository's configuration; home: where Ansible keeps what is its own; within: see OWN_RUN."""
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
        "ANSIBLE_HOME": str(home),
    }
    argv = [*within, Path(sys.executable).with_name("ansible-playbook"), "-i", inventory, *arguments]
    return subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=timeout, check=False)
