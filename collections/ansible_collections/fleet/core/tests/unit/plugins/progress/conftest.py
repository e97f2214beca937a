# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A project with two hosts and a module that works for a while, run by the real ansible-playbook."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

import pytest

BIN = Path(sys.executable).parent
COLLECTIONS = Path(__file__).parents[7]

WORK_MODULE = """\
#!/usr/bin/python
from __future__ import annotations

import os
import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress


def main():
    module = AnsibleModule(
        argument_spec={
            "seconds": {"type": "float", "default": 2},
            "die": {"type": "bool", "default": False},
            "fail": {"type": "bool", "default": False},
            "secret": {"type": "str", "no_log": True},
            "pid_file": {"type": "path"},
        },
        supports_check_mode=True,
    )
    if module.check_mode:
        module.exit_json(changed=True, as_job=bool(os.environ.get("ANSIBLE_ASYNC_DIR")))
    if module.params["pid_file"]:
        with open(module.params["pid_file"], "w") as file:
            file.write(str(os.getpid()))
    progress = Progress.from_module(module)
    progress.begin("working", 10 << 20)
    for _step in range(10):
        progress.advance(1 << 20)
        time.sleep(module.params["seconds"] / 10)
        if module.params["die"]:
            os.kill(os.getppid(), 9)
            os.kill(os.getpid(), 9)
    if module.params["fail"]:
        module.fail_json(msg="the disk is on fire", remedy="extinguish it")
    module.warn("hot")
    module.exit_json(changed=True, answer=42, as_job=True, secret=module.params["secret"])


main()
"""

WORK_ACTION = """\
from ansible_collections.fleet.core.plugins.plugin_utils.progress_action import ProgressActionBase


class ActionModule(ProgressActionBase):
    pass
"""


@dataclass
class Project:
    """A folder in which ansible-playbook runs."""

    root: Path
    variables: dict[str, Any] = field(default_factory=dict)

    def playbook(self, *tasks: dict[str, Any], hosts: str = "stations", **play: Any) -> Path:
        """Write a play of these tasks and return its path."""
        path = self.root / "play.yml"
        path.write_text(json.dumps([{"hosts": hosts, "gather_facts": False, "vars": self.variables, "tasks": list(tasks), **play}]))
        return path

    def command(self, playbook: Path, *arguments: str) -> list[str]:
        return [str(BIN / "ansible-playbook"), str(playbook), *arguments]

    def environment(self) -> dict[str, str]:
        return {
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "HOME": str(self.root / "home"),
            "LANG": "C.UTF-8",
            "ANSIBLE_CONFIG": str(self.root / "ansible.cfg"),
            "ANSIBLE_LOCAL_TEMP": str(self.root / "tmp"),
        }

    def run(self, *tasks: dict[str, Any], arguments: tuple[str, ...] = (), ok: bool = True, **more: str) -> str:
        """Run a play of these tasks and return what was printed."""
        done = subprocess.run(
            self.command(self.playbook(*tasks), *arguments),
            cwd=self.root,
            env={**self.environment(), **more},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert (done.returncode == 0) is ok, done.stdout + done.stderr
        return done.stdout + done.stderr

    def jobs(self) -> list[Path]:
        """Return the job files that are left."""
        folder = self.root / "async"
        return sorted(folder.iterdir()) if folder.exists() else []


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    for kind, text in (("modules", WORK_MODULE), ("action", WORK_ACTION)):
        folder = tmp_path / "collections/ansible_collections/fleet_test/work/plugins" / kind
        folder.mkdir(parents=True)
        (folder / "work.py").write_text(text)
    (tmp_path / "ansible.cfg").write_text(
        f"[defaults]\ncollections_path = collections:{COLLECTIONS}\ninventory = hosts.json\nhome = home\n"
        "stdout_callback = fleet.core.progress\ninterpreter_python = /usr/bin/python3\n"
    )
    host = {"ansible_connection": "local", "ansible_remote_tmp": f"{tmp_path}/remote", "ansible_async_dir": f"{tmp_path}/async"}
    stations = {"hosts": {"room1-01": {}, "room1-02": {}}, "vars": host}
    (tmp_path / "hosts.json").write_text(json.dumps({"all": {"children": {"stations": stations}}}))
    yield Project(tmp_path, {"fleet_progress_poll": 0.5})


def work(register: Optional[str] = None, **arguments: Any) -> dict[str, Any]:
    """Return a task that works."""
    task: dict[str, Any] = {"name": "Work", "fleet_test.work.work": arguments}
    return {**task, "register": register} if register else task
