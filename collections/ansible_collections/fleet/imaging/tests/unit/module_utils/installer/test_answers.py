# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A station's answers on the boot server, and its files, which it gets once."""

from __future__ import annotations

import io
import os
import stat
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.imaging.plugins.module_utils.installer import answers, bundle
from ansible_collections.fleet.imaging.plugins.module_utils.installer.request import Installation

from .conftest import HASH, KEY

MAC = "52-54-00-77-00-01"


def test_they_are_written_once_and_changed_as_a_whole(asked: Callable[..., Installation], tmp_path: Path) -> None:
    folder = tmp_path / "install"
    preview = answers.write(asked(), folder, check=True)
    assert (preview.changed, preview.host_key, folder.exists()) == (True, "", False)
    first = answers.write(asked(), folder)
    assert first.changed
    assert first.host_key.startswith("ssh-ed25519 ")
    again = answers.write(asked(), folder)
    assert (again.changed, again.host_key) == (False, first.host_key)
    other = answers.write(asked(time_zone="Indian/Reunion"), folder)
    assert (other.changed, other.host_key) == (True, first.host_key)
    assert "Indian/Reunion" in other.after and "Indian/Reunion" not in other.before
    assert sorted(path.name for path in folder.iterdir()) == [MAC]
    assert sorted(path.name for path in (folder / MAC).iterdir()) == ["files.tar", "preseed.cfg"]
    ubuntu = answers.write(asked(system="ubuntu-24.04"), folder)
    assert ubuntu.host_key == first.host_key
    assert sorted(path.name for path in (folder / MAC).iterdir()) == ["files.tar", "meta-data", "user-data", "vendor-data"]
    assert answers.remove(MAC, folder).changed
    assert not answers.remove(MAC, folder).changed
    assert list(folder.iterdir()) == []


def test_nobody_else_reads_them_and_no_secret_is_shown(asked: Callable[..., Installation], tmp_path: Path) -> None:
    domain = {
        "name": "example.org",
        "join": "ldap",
        "uri": "ldaps://ldap.example.org",
        "base": "dc=example",
        "bind_password": "b1nd pass",
    }
    written = answers.write(asked(root_password_hash=HASH, domain=domain), tmp_path / "install", (os.getuid(), os.getgid()))
    for path in [tmp_path / "install", *(tmp_path / "install").rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    for secret in (HASH, "b1nd", "PRIVATE KEY", "AAAAC3NzaC1lZDI1NTE5AAAAIJ0aVJ7"):
        assert secret not in str(written.as_dict())
    assert "etc/sssd/sssd.conf" in written.after


def test_the_files_are_those_of_the_station(asked: Callable[..., Installation], tmp_path: Path) -> None:
    domain = {"name": "Example.org", "join": "ad", "one_time_password": "o'n\"c é$(x)"}
    account = {"login": "zoe", "full_name": 'Zoé d\'Été "$(reboot)"', "password_hash": HASH}
    key = answers.write(asked(domain=domain, account=account, root_password_hash=HASH), tmp_path).host_key
    data = (tmp_path / MAC / "files.tar").read_bytes()
    files = bundle.unpack(data)
    assert files["root/.ssh/authorized_keys"].contents == KEY + "\n"
    assert files["etc/fleet/install/accounts"].contents == 'zoe:Zoé d\'Été "$(reboot)"\n'
    assert files["etc/fleet/install/passwords"].contents == f"root:{HASH}\nzoe:{HASH}\n"
    assert files["etc/fleet/install/join"].contents == "example.org\no'n\"c é$(x)\n"
    assert "ad_domain = example.org\nkrb5_realm = EXAMPLE.ORG\n" in files["etc/sssd/sssd.conf"].contents
    assert files["etc/ssh/ssh_host_ed25519_key.pub"].contents.startswith(key)
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        modes = {entry.name: entry.mode for entry in tar}
        assert {entry.uid for entry in tar} == {0}
    assert modes["root/.ssh"] == modes["etc/fleet/install"] == 0o700
    closed = ("root/.ssh/authorized_keys", "etc/fleet/install/passwords", "etc/fleet/install/join", "etc/ssh/ssh_host_ed25519_key")
    assert {modes[each] for each in (*closed, "etc/sssd/sssd.conf")} == {0o600}


def test_what_was_handed_out_is_made_anew(asked: Callable[..., Installation], tmp_path: Path) -> None:
    first = answers.write(asked(), tmp_path)
    for path in (tmp_path / MAC).iterdir():
        path.unlink()
    (tmp_path / MAC / "taken.json").write_text("{}")
    again = answers.write(asked(), tmp_path)
    assert again.changed
    assert again.host_key != first.host_key
    assert not (tmp_path / MAC / "taken.json").exists()


def test_a_full_disk_leaves_what_was_there(asked: Callable[..., Installation], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers.write(asked(), tmp_path)
    before = (tmp_path / MAC / "preseed.cfg").read_text()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FleetError, match="No space left"):
        answers.write(asked(time_zone="Indian/Reunion"), tmp_path)
    assert (tmp_path / MAC / "preseed.cfg").read_text() == before
    assert [path.name for path in tmp_path.iterdir()] == [MAC]


def test_the_new_system_does_what_its_files_say(asked: Callable[..., Installation], tmp_path: Path) -> None:
    """finish.sh, with programs that write down what they are told instead of those that change the system."""
    account = {"login": "zoe", "full_name": 'Zoé d\'Été "$(reboot)"'}
    domain = {"name": "example.org", "join": "ad", "one_time_password": "once"}
    answers.write(asked(domain=domain, account=account), tmp_path / "install")
    root, tools = tmp_path / "root", tmp_path / "bin"
    root.mkdir(), tools.mkdir()
    subprocess.run(["tar", "-x", "-f", tmp_path / "install" / MAC / "files.tar", "-C", root], check=True)
    for tool in ("useradd", "usermod", "chpasswd", "id", "getent", "pam-auth-update", "systemctl", "chown"):
        refuses = "exit 1" if tool in ("id", "getent") else ""
        (tools / tool).write_text(f'#!/bin/sh\necho {tool} "$@" >>"{tmp_path}/told"\n{refuses}\n')
        (tools / tool).chmod(0o755)
    (root / "etc/ssh/ssh_host_rsa_key").touch()
    program = (root / "etc/fleet/install/finish.sh").read_text()
    for place in ("/etc/fleet", "/etc/ssh", "/etc/sssd", "/etc/systemd"):
        program = program.replace(place, f"{root}{place}")
    subprocess.run(["sh", "-c", program], env={"PATH": f"{tools}:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}, check=True)
    told = (tmp_path / "told").read_text()
    assert 'usermod --comment Zoé d\'Été "$(reboot)" zoe\n' in told
    assert "usermod --lock root\n" in told
    assert "systemctl enable fleet-join.service\n" in told
    assert "chpasswd" not in told
    assert not (root / "etc/ssh/ssh_host_rsa_key").exists()
    assert sorted(path.name for path in (root / "etc/fleet/install").iterdir()) == ["finish.sh", "join", "join.sh"]
