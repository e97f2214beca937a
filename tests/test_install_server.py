# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles boot_server and unattended on a host with systemd and nginx: a station's files go through all of it, once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.playbooks import ROOT, ansible_playbook

pytestmark = [pytest.mark.slow, pytest.mark.whole]

ROOM = """
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - fleet.lab.room:
        path: "{{ room }}"
        cache: "{{ cache }}"
        stations: []
        state: "{{ state | default('present') }}"
        central_packages: [dnsmasq-base, openssl, ipxe, shim-signed, grub-efi-amd64-signed, gpgv, debian-archive-keyring, curl]
"""
PLAY = """
- hosts: central
  gather_facts: true
  tasks:
    - ansible.builtin.include_role:
        name: fleet.imaging.boot_server
    - ansible.builtin.file:
        path: /opt/text/debian-installer/amd64
        state: directory
        mode: "0755"
    - ansible.builtin.copy:
        content: "{{ item }}"
        dest: "/opt/text/debian-installer/amd64/{{ item }}"
        mode: "0644"
      loop: [linux, initrd.gz]
- ansible.builtin.import_playbook: "{{ root }}/playbooks/install.yml"
- hosts: central
  gather_facts: false
  tasks:
    - ansible.builtin.shell: |
        set -e
        cd /root
        at=$(python3 -c 'import json; print(json.load(open("/etc/fleet/boot/boot.json"))["address"])')
        ask() { curl -s -o /root/out -w '%{http_code}\\n' "$@"; }
        ask http://$at/installers/debian-12/linux
        curl -s -o /root/preseed http://$at/install/52-54-00-77-00-01/preseed.cfg
        grep -c fleet/disk /root/preseed
        ask http://$at/install/52-54-00-77-00-01/files.tar
        ask --cacert /etc/fleet/boot/ca.pem https://$at/install/52-54-00-77-00-01/files.tar
        tar -t -f /root/out | grep -c ssh_host_ed25519_key.pub
        ask --cacert /etc/fleet/boot/ca.pem https://$at/install/52-54-00-77-00-01/files.tar
        ask http://$at/install/52-54-00-77-00-01/preseed.cfg
        stat -c %a:%U /var/lib/fleet-install
        ls /var/lib/fleet-install/52-54-00-77-00-01
      args:
        executable: /bin/bash
      register: said
    - ansible.builtin.debug:
        msg: "SAID {{ said.stdout_lines | join(' ') }}."
"""


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Path]:
    """A room's folder, with a central host that runs."""
    (tmp_path / "room.yml").write_text(ROOM)
    told = ["-e", f"room={tmp_path / 'room'}", "-e", f"cache={ROOT / '.cache/lab'}"]
    try:
        done = ansible_playbook(Path("localhost,"), tmp_path / "room.yml", *told, home=tmp_path / "ansible")
        assert done.returncode == 0, done.stdout + done.stderr
        yield tmp_path / "room"
    finally:
        done = ansible_playbook(Path("localhost,"), tmp_path / "room.yml", *told, "-e", "state=absent", home=tmp_path / "ansible")
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_station_is_served_by_a_real_boot_server_once(room: Path, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "a.room.yml").write_text(f"plugin: fleet.lab.room\npath: {room}\n")
    (folder / "b.yml").write_text(
        """
all:
  children:
    boot_servers: {hosts: {central: {}}}
    stations:
      hosts:
        pc01: {fleet_macs: ["52:54:00:77:00:01"], fleet_disk_identity: "serial:A1", ansible_connection: local}
  vars:
    boot_server_interface: "{{ ansible_facts['interfaces'] | reject('match', 'lo|ifb') | first }}"
    boot_server_tasks: []
    boot_server_router: ""
    unattended_installers: [{system: debian-12, source: /opt/text}]
    unattended_ssh_keys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0aVJ7c0xPDZsXKD7xKR5XBC1kkPYaSVGEZYOYK0gHl site"]
"""
    )
    (tmp_path / "play.yml").write_text(PLAY)
    done = ansible_playbook(folder, tmp_path / "play.yml", "-e", f"root={ROOT}", home=tmp_path / "ansible")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SAID 200 2 403 200 1 410 410 700:fleet-install taken.json." in done.stdout, done.stdout
