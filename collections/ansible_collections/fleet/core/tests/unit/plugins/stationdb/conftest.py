# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A running station database for tests: a process of its own on SQLite, asked over HTTP only; and Ansible's real commands against it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.fleet.core.plugins.module_utils.stationdb.access import Access
from ansible_collections.fleet.core.plugins.module_utils.stationdb.client import Client, Conflict
from tests.ports import free_port

ROOT = Path(__file__).parents[8]
BIN = Path(sys.executable).parent

SEED = """
import json
from datetime import timedelta
from stationdb.accounts.models import Assignment, Role, Token, User
from stationdb.accounts.rights import Right
from stationdb.registry.models import Site

everything = [right.value for right in Right]
admin = User.objects.create(username="admin", is_superuser=True)
lyon = Site.objects.create(slug="lyon", name="Lyon", content_url="https://relay.lyon.example/content")
role = Role.objects.create(name="local", rights=["stations.view", "stations.edit"])
local = User.objects.create(username="local")
Assignment.objects.create(user=local, role=role, site=lyon)
issue = lambda user, name, scopes, days: Token.issue(user, name, scopes, timedelta(days=days))[1]
print(json.dumps({
    "admin": issue(admin, "admin", everything, 1),
    "viewer": issue(admin, "viewer", ["stations.view"], 1),
    "local": issue(local, "local", ["stations.view", "stations.edit"], 1),
    "expired": issue(admin, "expired", everything, -1),
}))
"""


@dataclass
class StationDatabase:
    """Where it is, and tokens by what they are for."""

    url: str
    home: Path
    tokens: dict[str, str] = field(default_factory=dict)

    environment: dict[str, str] = field(default_factory=dict)

    def client(self, token: str = "admin") -> Client:
        return Client(Access(self.url, self.tokens[token], timeout=20))

    def manage(self, *command: str) -> str:
        """Run a command of the server."""
        argv = [sys.executable, "-m", "stationdb", *command]
        return subprocess.run(argv, cwd=ROOT, env=self.environment, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="session")
def served() -> Iterator[StationDatabase]:
    """One server for all tests; it begins with a site lyon and tokens."""
    home = Path(tempfile.mkdtemp(prefix="fleet-stationdb-"))
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("STATIONDB_", "DJANGO_", "FLEET_"))}
    environment = {**clean, "STATIONDB_HOME": str(home), "STATIONDB_INSECURE": "1", "DJANGO_SETTINGS_MODULE": "stationdb.settings"}
    process = None
    try:
        for command in (["migrate", "--verbosity=0"], ["shell", "--verbosity=0", "-c", SEED]):
            said = subprocess.run(
                [sys.executable, "-m", "stationdb", *command], cwd=ROOT, env=environment, check=True, capture_output=True, text=True
            ).stdout
        port = free_port()
        argv = [sys.executable, "-m", "gunicorn", "stationdb.wsgi", "--bind", f"127.0.0.1:{port}", "--threads", "4", "--no-control-socket"]
        with (home / "log").open("wb") as log:
            process = subprocess.Popen(argv, cwd=ROOT, env=environment, stdout=log, stderr=log)
        _wait(port, process, home / "log")
        yield StationDatabase(f"http://127.0.0.1:{port}", home, json.loads(said.splitlines()[-1]), environment)
    finally:
        if process is not None:
            process.terminate()
            process.wait(20)
        shutil.rmtree(home, ignore_errors=True)


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert process.poll() is None and time.monotonic() < deadline, log.read_text(errors="replace")
        time.sleep(0.05)


@pytest.fixture
def database(served: StationDatabase) -> Iterator[StationDatabase]:
    """The server with the site lyon and nothing else."""
    yield served
    with served.client() as client:
        for collection, key in (("stations", "name"), ("groups", "name"), ("sites", "slug")):
            rows = [row[key] for row in client.pages(f"/{collection}") if row[key] != "lyon"]
            while rows:  # a site goes when those below it are gone
                rows = [name for name in rows if not _removed(client, f"/{collection}/{name}")]
        client.patch("/sites/lyon", {"subnets": [], "variables": {}})


def _removed(client: Client, path: str) -> bool:
    try:
        client.delete(path)
    except Conflict:
        return False
    return True


@dataclass
class Ansible:
    """Ansible's commands, with an environment that knows the collections and a token and nothing else."""

    folder: Path
    environment: dict[str, str]

    def run(self, program: str, *arguments: str, code: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run one of Ansible's commands; it must end with the exit code."""
        done = subprocess.run(
            [BIN / program, *arguments],
            cwd=self.folder,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == code, done.stdout[-6000:] + done.stderr[-3000:]
        return done

    def source(self, name: str = "site", **options: Any) -> Path:
        """An inventory file."""
        path = self.folder / f"{name}.stations.yml"
        path.write_text(yaml.safe_dump({"plugin": "fleet.core.stations", **options}))
        return path

    def inventory(self, source: Path, **environment: str) -> dict[str, Any]:
        """What ``ansible-inventory --list`` says."""
        return dict(plain(json.loads(self.run("ansible-inventory", "-i", str(source), "--list", **environment).stdout)))

    def play(self, *tasks: dict[str, Any], hosts: str = "localhost", more: tuple[str, ...] = (), code: int = 0, **play: Any) -> Played:
        """Run tasks in a play of their own."""
        path = self.folder / "play.yml"
        header = {"hosts": hosts, "gather_facts": False, "connection": "local", **play}
        path.write_text(yaml.safe_dump([{**header, "tasks": list(tasks)}], sort_keys=False))
        return self.playbook(path, *more, code=code)

    def playbook(self, path: Path, *more: str, code: int = 0, **environment: str) -> Played:
        """Run a playbook."""
        results = self.folder / "results"
        results.unlink(missing_ok=True)
        said = self.run("ansible-playbook", str(path), *more, code=code, RESULTS=str(results), **environment)
        lines = results.read_text().splitlines() if results.exists() else []
        return Played(said.stdout + said.stderr, [json.loads(line) for line in lines])


@dataclass
class Played:
    """What a play said, and its results."""

    text: str
    results: list[dict[str, Any]]

    def __getitem__(self, task: str) -> dict[str, Any]:
        """The result of a task, of the first host."""
        return next(each["result"] for each in self.results if each["task"] == task)


def plain(said: Any) -> Any:
    """Without the marks of texts that are never templated."""
    if isinstance(said, dict):
        return said["__ansible_unsafe"] if set(said) == {"__ansible_unsafe"} else {key: plain(value) for key, value in said.items()}
    return [plain(each) for each in said] if isinstance(said, list) else said


CALLBACK = """
DOCUMENTATION = '''
name: results
type: aggregate
short_description: Results as lines of JSON
description: For tests.
'''
import json, os
from ansible.plugins.callback import CallbackBase

class CallbackModule(CallbackBase):
    CALLBACK_VERSION, CALLBACK_TYPE, CALLBACK_NAME = 2.0, "aggregate", "results"

    def v2_runner_on_ok(self, result, **_more):
        said = {"task": result.task.name, "host": result.host.name, "result": result.result}
        with open(os.environ["RESULTS"], "a") as file:
            file.write(json.dumps(said, default=str) + "\\n")

    v2_runner_on_failed = v2_runner_on_ok
"""


@pytest.fixture
def ansible(database: StationDatabase, tmp_path: Path) -> Ansible:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "FLEET_", "STATIONDB_"))}
    (tmp_path / "ansible.cfg").write_text("[defaults]\nlocalhost_warning = false\n[inventory]\ninventory_unparsed_warning = false\n")
    (tmp_path / "callbacks").mkdir()
    (tmp_path / "callbacks/results.py").write_text(CALLBACK)
    settings = {
        "ANSIBLE_CONFIG": str(tmp_path / "ansible.cfg"),
        "ANSIBLE_HOME": str(tmp_path / "home"),
        "ANSIBLE_CALLBACK_PLUGINS": str(tmp_path / "callbacks"),
        "ANSIBLE_CALLBACKS_ENABLED": "results",
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true",
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
        "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
        "ANSIBLE_FORCE_COLOR": "0",
        "FLEET_STATIONDB_URL": database.url,
        "FLEET_STATIONDB_TOKEN": database.tokens["admin"],
        "LC_ALL": "C.UTF-8",
    }
    return Ansible(tmp_path, {**clean, **settings})
