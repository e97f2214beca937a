# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook builds the imaging environment of a site and puts it on its boot server; a second run changes nothing."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.playbooks import ROOT, ansible_playbook

pytestmark = pytest.mark.slow


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """An inventory whose boot server is a folder of this host."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "admin@site", "-f", tmp_path / "id"], check=True)
    hosts = {"boot1": {"ansible_connection": "local", "boot_server_path": str(tmp_path / "srv")}}
    variables = {
        "imaging_cache": os.environ.get("FLEET_CACHE") or str(ROOT / ".cache"),
        "imaging_folder": str(tmp_path / "built"),
        "imaging_key": str(tmp_path / "id.pub"),
        "fleet_language": "fr",
    }
    inventory = {"all": {"vars": variables, "children": {"boot_servers": {"hosts": hosts}}}}
    (tmp_path / "site.json").write_text(json.dumps(inventory))
    return tmp_path


def changes(done: subprocess.CompletedProcess[str]) -> list[int]:
    """The number of changed tasks of each host."""
    return [int(count) for count in re.findall(r"changed=(\d+)", done.stdout)]


def test_it_is_built_and_put_on_the_boot_server(site: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        done = ansible_playbook(site / "site.json", "playbooks/imaging_environment.yml", *arguments, home=site / "ansible")
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    said = run().stdout
    assert re.search(r"Kernel 6\S+-amd64, \d+\.\d MiB for each station", said), said
    web, tftp = site / "srv/http/environment", site / "srv/tftp/environment"
    described = json.loads((web / "environment.json").read_text())["files"]
    assert {name: (web / name).stat().st_size for name in described} == {name: each["size"] for name, each in described.items()}
    for name in ("vmlinuz", "initrd.img"):
        assert (tftp / name).samefile(web / name)
    assert b"admin@site" in (web / "initrd.img").read_bytes()
    assert sum(changes(run())) == 0
    (site / "id.pub").write_text((site / "id.pub").read_text().replace("admin@site", "other@site"))
    run()
    assert (tftp / "initrd.img").samefile(web / "initrd.img") and b"other@site" in (tftp / "initrd.img").read_bytes()
