# SPDX-License-Identifier: GPL-3.0-or-later
"""The role identity with a real disk: values from a CSV file, hooks, keys for the control node and for a real station database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.imaging.tests.unit.conftest import loop_device, loop_disk, mounted  # noqa: F401 - fixtures
from ansible_collections.fleet.imaging.tests.unit.installation import Installed, install
from stationdb.tests.serving.server import environment_of, served

ROOT = Path(__file__).parents[1]
pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.geteuid() != 0, reason="disks need root")]

REGISTER = """\
- hosts: localhost
  gather_facts: false
  module_defaults:
    group/fleet.core.stationdb: {url: "{{ url }}", token_file: "{{ token }}"}
  tasks:
    - fleet.core.site: {slug: lyon, name: Lyon}
    - fleet.core.station: {name: pc07.example.org, site: lyon, variables: {room: b204}}
"""
GIVE = """\
- hosts: pc07.example.org
  gather_facts: false
  tasks:
    - ansible.builtin.include_role: {name: fleet.imaging.identity}
    - ansible.builtin.copy:
        content: "{{ {'given': identity_result, 'boot': identity_boot} | to_json }}"
        dest: "{{ out }}"
        mode: "0600"
      changed_when: false
      check_mode: false
"""
READ = """\
- hosts: localhost
  gather_facts: false
  tasks:
    - fleet.core.station: {url: "{{ url }}", token_file: "{{ token }}", name: pc07.example.org, variables: {}}
      check_mode: true
      register: found
    - ansible.builtin.copy: {content: "{{ found | to_json }}", dest: "{{ out }}", mode: "0600"}
"""


def play(folder: Path, text: str, *, fails: bool = False, check: bool = False, **variables: Any) -> str:
    """Run a playbook from a folder; return what it said."""
    (folder / "play.yml").write_text(text)
    (folder / "hosts.yml").write_text(json.dumps({"all": {"hosts": {"pc07.example.org": {"ansible_connection": "local"}}}}))
    argv = [
        Path(sys.executable).with_name("ansible-playbook"),
        "-i",
        folder / "hosts.yml",
        folder / "play.yml",
        "-e",
        json.dumps(variables),
    ]
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_PYTHON_INTERPRETER": sys.executable}
    done = subprocess.run(
        [*argv, *(["--check", "--diff"] if check else [])],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert (done.returncode != 0) == fails, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def system(loop_disk: Any, mounted: Any) -> Installed:  # noqa: F811
    """A model's system, restored to a station's disk."""
    return install(loop_disk, mounted)


def test_a_station_gets_its_values_and_everybody_its_keys(system: Installed, tmp_path: Path) -> None:
    (tmp_path / "stations.csv").write_text('name,licence,seat\npc06,AAA-1,1\npc07,"BBB,2",14\n')
    (tmp_path / "licence.j2").write_text(
        "licence={{ identity_row.licence }}\nseat={{ identity_row.seat }}\nhost={{ inventory_hostname }}\n"
    )
    (tmp_path / "hooks").mkdir()
    (tmp_path / "hooks/10-seat").write_text('#!/bin/sh\ncat > "$FLEET_ROOT/etc/seat"\n')
    (tmp_path / "hooks/10-seat").chmod(0o755)
    (tmp_path / "known_hosts").write_text("10.0.0.1 ssh-ed25519 AAAA imaging\n")
    home, out = tmp_path / "home", tmp_path / "out"
    with served(home) as server:
        token = tmp_path / "token"
        scopes = [word for scope in ("stations.view", "stations.edit", "sites.edit") for word in ("--scope", scope)]
        argv = [sys.executable, "-m", "stationdb", "token", "issue", "--user", "admin", "--name", "trial", *scopes]
        url = server.url.rstrip("/")
        token.touch(mode=0o600)
        token.write_text(subprocess.run(argv, cwd=ROOT, env=environment_of(home), capture_output=True, text=True, check=True).stdout)
        play(tmp_path, REGISTER, url=url, token=str(token))
        asked = {
            "fleet_disk": str(system.disk.path),
            "fleet_disk_identity": system.identity,
            "identity_csv": str(tmp_path / "stations.csv"),
            "identity_templates": [{"src": str(tmp_path / "licence.j2"), "dest": "/etc/cad/licence"}],
            "identity_hooks": str(tmp_path / "hooks"),
            "identity_known_hosts": str(tmp_path / "known_hosts"),
            "identity_stationdb_url": url,
            "identity_stationdb_token_file": str(token),
            "out": str(out),
        }
        before = system.bytes()
        said = play(tmp_path, GIVE, check=True, **asked)
        assert system.bytes() == before and "+pc07" in said and "BBB" not in said
        removed = Path("/run/fleet-hooks/99-removed")  # from the site's folder, since this station got it
        removed.write_text("#!/bin/sh\n")
        removed.chmod(0o755)
        said = play(tmp_path, GIVE, **asked)
        assert "BBB" not in said
        given = json.loads(out.read_text())["given"]
        assert [hook["name"] for hook in given["hooks"]] == ["10-seat"] and not removed.exists()
        assert "changed=0" in play(tmp_path, GIVE, **asked)
        play(tmp_path, READ, url=url, token=str(token), out=str(out))
        [change] = json.loads(out.read_text())["stations"][0]["changes"]
        assert change["before"]["room"] == "b204" and change["before"]["fleet_machine_id"] == given["machine_id"]
        assert change["before"]["fleet_ssh_host_keys"] == given["ssh_host_keys"]
    with system.files("ro") as root:
        assert (root / "etc/hostname").read_text() == "pc07\n" and "pc07.example.org pc07" in (root / "etc/hosts").read_text()
        assert (root / "etc/cad/licence").read_text() == "licence=BBB,2\nseat=14\nhost=pc07.example.org\n"
        assert (root / "etc/cad/licence").stat().st_mode & 0o777 == 0o600
        assert json.loads((root / "etc/seat").read_text())["seat"] == "14"
    known = (tmp_path / "known_hosts").read_text().splitlines()
    assert known[0] == "10.0.0.1 ssh-ed25519 AAAA imaging" and len(known) == 1 + len(given["ssh_host_keys"])
    found = subprocess.run(
        ["ssh-keygen", "-F", "pc07.example.org", "-f", tmp_path / "known_hosts"], capture_output=True, text=True, check=True
    ).stdout
    assert all(key["public"] in found for key in given["ssh_host_keys"])


def test_a_station_that_the_file_lacks_fails_and_its_disk_stays(system: Installed, tmp_path: Path) -> None:
    (tmp_path / "stations.csv").write_text("name,licence\npc06,AAA-1\n")
    before = system.bytes()
    disk = {"fleet_disk": str(system.disk.path), "fleet_disk_identity": system.identity, "out": str(tmp_path / "out")}
    assert "has no line for pc07" in play(tmp_path, GIVE, fails=True, identity_csv=str(tmp_path / "stations.csv"), **disk)
    assert system.bytes() == before
