# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks that wait for one another, under the real ansible-playbook with one fork."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

COLLECTIONS = Path(__file__).parents[6]

MEET_MODULE = """\
#!/usr/bin/python
from __future__ import annotations

import os
import time
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress


def main():
    module = AnsibleModule(argument_spec={
        "folder": {"type": "path"}, "name": {"type": "str"}, "count": {"type": "int"}, "secret": {"type": "str", "no_log": True}})
    name = module.params["name"]
    if name == "sick":
        module.fail_json(msg="has a fever", temperature=40)
    Progress.from_module(module).begin("meet", module.params["count"], "stations")
    (Path(module.params["folder"]) / name).touch()
    for _try in range(1200):
        if len(list(Path(module.params["folder"]).iterdir())) == module.params["count"]:
            module.exit_json(changed=True, met=module.params["secret"] == "hunter2", mood=os.environ.get("MOOD"))
        time.sleep(0.1)
    module.fail_json(msg="met nobody")


main()
"""

MEET_ACTION = """\
from ansible_collections.fleet.core.plugins.plugin_utils.progress_action import ProgressActionBase


class ActionModule(ProgressActionBase):
    def _execute_module(self, module_name=None, module_args=None, task_vars=None, **more):
        if module_name is None:
            module_args = {**self._task.args, "secret": task_vars["the_secret"]}
        return super()._execute_module(module_name, module_args, task_vars=task_vars, **more)
"""

TOGETHER_ACTION = """\
from ansible.plugins.action import ActionBase
from ansible_collections.fleet.imaging.plugins.plugin_utils.station_tasks import StationTasks


class ActionModule(ActionBase):
    BYPASS_HOST_LOOP = True

    @classmethod
    def finalize_task_arg(cls, name, value, templar, context):
        return value if name == "each" else super().finalize_task_arg(name, value, templar, context)

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        with StationTasks(self, task_vars) as tasks:
            for station in task_vars["ansible_play_hosts_all"]:
                tasks.start(station, "fleet_test.work.meet", self._task.args["each"], {"the_secret": "hunter2"})
            return {**result, "stations": dict(tasks.next()[1:] for _task in range(len(tasks)))}
"""


@pytest.fixture
def play(tmp_path: Path) -> Any:
    plugins = tmp_path / "collections/ansible_collections/fleet_test/work/plugins"
    for kind, name, text in (("modules", "meet", MEET_MODULE), ("action", "meet", MEET_ACTION), ("action", "together", TOGETHER_ACTION)):
        (plugins / kind).mkdir(parents=True, exist_ok=True)
        (plugins / kind / f"{name}.py").write_text(text)
    (plugins / "modules/together.py").write_text("")
    (tmp_path / "meeting").mkdir()
    host = {"ansible_connection": "local", "ansible_remote_tmp": f"{tmp_path}/remote", "ansible_async_dir": f"{tmp_path}/async"}
    hosts = {name: {"called": called} for name, called in (("pc01", "one"), ("pc02", "two"), ("pc03", "three"), ("pc04", "sick"))}
    (tmp_path / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts, "vars": host}}))

    def run(*arguments: str, keywords: dict[str, Any] | None = None) -> tuple[dict[str, Any], str]:
        task = {
            "fleet_test.work.together": {"each": {"folder": f"{tmp_path}/meeting", "name": "{{ called }}", "count": 3}},
            "register": "met",
            "run_once": True,
            **(keywords or {}),
        }
        show = {"ansible.builtin.copy": {"content": "{{ met | to_json }}", "dest": f"{tmp_path}/met.json"}, "run_once": True}
        (tmp_path / "play.yml").write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": [task, show]}]))
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "LANG": "C.UTF-8",
            "ANSIBLE_COLLECTIONS_PATH": f"{tmp_path}/collections:{COLLECTIONS}",
            "ANSIBLE_STDOUT_CALLBACK": "fleet.core.progress",
            "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3",
            "ANSIBLE_HOME": str(tmp_path / "home"),
        }
        argv = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "hosts.json", "--forks=1", *arguments, "play.yml"]
        done = subprocess.run(argv, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads((tmp_path / "met.json").read_text()), done.stdout + done.stderr

    return run


def test_given_one_fork_then_stations_meet_and_one_that_fails_has_its_own_result(play: Any) -> None:
    met, _said = play()
    assert {name: each.get("met") for name, each in met["stations"].items()} == {"pc01": True, "pc02": True, "pc03": True, "pc04": None}
    assert met["stations"]["pc04"]["failed"] and met["stations"]["pc04"]["msg"] == "has a fever"
    assert met["stations"]["pc04"]["temperature"] == 40


def test_what_only_the_tasks_see_is_not_told_however_much_is_asked_for(play: Any) -> None:
    _met, said = play("-vvvv")
    assert "hunter2" not in said


def test_what_the_task_says_of_itself_goes_for_each_station_with_its_own_variables(play: Any) -> None:
    met, _said = play(keywords={"environment": {"MOOD": "{{ called }} is glad"}})
    assert [met["stations"][name]["mood"] for name in ("pc01", "pc02", "pc03")] == ["one is glad", "two is glad", "three is glad"]
