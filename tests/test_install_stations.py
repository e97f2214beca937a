# SPDX-License-Identifier: GPL-3.0-or-later
"""The role unattended for the stations of an inventory: answers, files and boot entries on the boot server, and who is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from ansible_collections.fleet.imaging.plugins.module_utils.installer.bundle import unpack
from tests.playbooks import ansible_playbook

pytestmark = pytest.mark.slow

PLAY = """
- hosts: stations
  gather_facts: false
  tasks:
    - name: Write its answers
      ansible.builtin.include_role:
        name: fleet.imaging.unattended
        tasks_from: station.yml
"""
KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0aVJ7c0xPDZsXKD7xKR5XBC1kkPYaSVGEZYOYK0gHl L\'été "çà"'


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site with a boot server, which is this host, and a room of two stations."""
    for folder in ("boot/http/stations", "boot/tftp/stations", "boot/http/installers", "etc/boot", "state/stations", "state/host-keys"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "state/lock").touch()
    told = {"address": "10.77.0.1", "root": str(tmp_path / "boot"), "state": str(tmp_path / "state"), "user": "root", "language": "fr"}
    (tmp_path / "etc/boot/boot.json").write_text(json.dumps({**told, "arguments": ["console=tty0"]}))
    place = "installers/debian-12"
    exports = {
        "url": "http://10.77.0.1",
        "https": "https://10.77.0.1",
        "authority": "-----BEGIN CERTIFICATE-----\nMIIB0zCC\n-----END CERTIFICATE-----\n",
        "account": "root",
        "state": str(tmp_path / "install"),
        "installers": {"debian-12": {"kernel": f"{place}/linux", "initrd": f"{place}/initrd.gz", "medium": ""}},
    }
    stations = {
        "pc01.lyon.example.org": {
            "fleet_macs": ["52:54:00:77:00:01"],
            "fleet_disk_identity": "serial:S4EV NX0M",
            "fleet_secrets": {"root_password_hash": "$6$saltsalt$abcdefghijkl", "domain_one_time_password": "une fois; 'é'"},
            "unattended_join": "ad",
            "unattended_user": {"login": "zoe", "full_name": 'Zoé d\'Été "$(reboot)"'},
        },
        "pc02": {"fleet_macs": ["52:54:00:77:00:02"], "fleet_disk_identity": "wwn:0x5002538e40", "ansible_host": "10.77.0.12"},
    }
    room = {
        "unattended_desktop": "mate",
        "unattended_packages": ["gimp"],
        "unattended_language": "fr",
        "unattended_time_zone": "Europe/Paris",
        "unattended_partitioning": "lvm",
        "unattended_ssh_keys": [KEY],
        "unattended_known_hosts": str(tmp_path / "known_hosts"),
        "unattended_config_path": str(tmp_path / "etc"),
        "fleet_site": "lyon",
    }
    boot = {"ansible_connection": "local", "fleet_site": "lyon", "unattended_exports": exports}
    groups = {"boot_servers": {"hosts": {"boot": boot}}, "stations": {"hosts": stations, "vars": room}}
    (tmp_path / "site.yml").write_text(yaml.safe_dump({"all": {"children": groups}}, allow_unicode=True))
    (tmp_path / "play.yml").write_text(PLAY)
    return tmp_path


def play(site: Path, *arguments: str) -> tuple[int, str]:
    done = ansible_playbook(site / "site.yml", site / "play.yml", *arguments, home=site / "ansible")
    return done.returncode, done.stdout + done.stderr


def test_each_station_is_served_what_its_inventory_says(site: Path) -> None:
    code, said = play(site, "--diff")
    assert code == 0, said
    assert not [secret for secret in ("abcdefghijkl", "une fois", "PRIVATE") if secret in said]
    one, two = site / "install/52-54-00-77-00-01", site / "install/52-54-00-77-00-02"
    text = (one / "preseed.cfg").read_text()
    for line in (
        "d-i netcfg/get_hostname string pc01",
        "d-i netcfg/get_domain string lyon.example.org",
        "d-i keyboard-configuration/xkb-keymap select fr",
        "d-i partman-auto/method string lvm",
        "tasksel tasksel/first multiselect standard, mate-desktop",
    ):
        assert line in text.splitlines()
    assert 'sh /tmp/fleet/disk "S4EV NX0M" "" ""' in text
    assert 'sh /tmp/fleet/disk "" "0x5002538e40" ""' in (two / "preseed.cfg").read_text()
    files = unpack((one / "files.tar").read_bytes())
    assert files["etc/fleet/install/join"].contents == "lyon.example.org\nune fois; 'é'\n"
    assert files["etc/fleet/install/accounts"].contents == 'zoe:Zoé d\'Été "$(reboot)"\n'
    assert files["root/.ssh/authorized_keys"].contents == f"{KEY}\n"
    assert "etc/sssd/sssd.conf" not in unpack((two / "files.tar").read_bytes())
    # What iPXE and GRUB are told.
    for path in (site / "boot/http/stations/52-54-00-77-00-01.ipxe", *(site / "boot/tftp/stations").glob("52-54-00-77-00-01*")):
        loader = path.read_text()
        assert "installers/debian-12/linux" in loader and "installers/debian-12/initrd.gz" in loader
        assert "url=http://10.77.0.1/install/52-54-00-77-00-01/preseed.cfg" in loader
        assert not [secret for secret in ("abcdefghijkl", "une fois") if secret in loader]
    known = (site / "known_hosts").read_text().splitlines()
    assert [line.split()[0] for line in known] == ["pc01.lyon.example.org", "10.77.0.12,pc02"]
    assert known[0].split()[2] in files["etc/ssh/ssh_host_ed25519_key.pub"].contents
    code, said = play(site)
    assert code == 0 and said.count("changed=0") == 2, said


def test_a_station_that_cannot_be_told_apart_is_refused_and_the_others_go_on(site: Path) -> None:
    inventory = yaml.safe_load((site / "site.yml").read_text())
    stations = inventory["all"]["children"]["stations"]["hosts"]
    stations["pc02"]["fleet_macs"] = ["52:54:00:77:00:02", "52:54:00:77:00:03"]
    stations["pc03"] = {"fleet_macs": ["52:54:00:77:00:04"]}
    stations["pc04"] = {"fleet_macs": ["52:54:00:77:00:05"], "fleet_disk_identity": "serial:A\nd-i preseed/late_command string reboot"}
    (site / "site.yml").write_text(yaml.safe_dump(inventory, allow_unicode=True))
    code, said = play(site)
    assert code != 0
    assert "fleet_macs has 2" in said
    assert "pc03 needs unattended_mac" in said
    assert "is not one line" in said or "is not a disk identity" in said or "cannot be told" in said, said
    assert [path.name for path in (site / "install").iterdir()] == ["52-54-00-77-00-01"]
