# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/netboot.yml: stations go into the imaging environment and back, each proving who it is, and whoever does not is named.

A station is a real sshd in a root of its own, and a thread that is its firmware: it asks the real boot service's store what to start, and
registers there what fleet.imaging.boot_registration reads. They and the playbook share a network namespace with loopback alone, in which
they also hear magic packets.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.playbooks import ROOT, ansible_playbook

IMAGING = ROOT / "collections/ansible_collections/fleet/imaging"
pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.geteuid() != 0, reason="namespaces need root")]

MACHINE = """\
set -eu
folder=$1 system=$2
mount --make-rprivate /
root=
if [ $system = imaging ]; then
    mkdir -p $folder/upper $folder/work $folder/root
    mount -t overlay fleet -o lowerdir=/,upperdir=$folder/upper,workdir=$folder/work $folder/root
    root=$folder/root
    mount -t proc proc $root/proc
    mount --rbind /dev $root/dev
    mkdir -p $root$folder
    mount --bind $folder $root$folder
fi
mount -t tmpfs fleet $root/run
mkdir -p $root/run/sshd $root/run/fleet
[ $system = own ] || echo '{"state": "of a test"}' > $root/run/fleet/status.json
mount --bind $folder/boot_id $root/proc/sys/kernel/random/boot_id
exec ${root:+chroot $root} /usr/sbin/sshd -D -e -f $folder/sshd_config -h $folder/$system.key
"""
CONFIG = """\
ListenAddress {address}:22
AuthorizedKeysFile {folder}/authorized_keys
StrictModes no
UsePAM no
PidFile none
"""
EARS = """
import socket
ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
ear.bind(("", 9))
print("ready", flush=True)
while True:
    print(ear.recv(2048)[6:12].hex("-"), flush=True)
"""


def key(path: Path) -> str:
    """A new key pair; its public half."""
    for each in (path, path.with_name(f"{path.name}.pub")):
        each.unlink(missing_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)], check=True)
    return " ".join(path.with_name(f"{path.name}.pub").read_text().split()[:2])


@dataclass
class Station:
    """One machine. fault: what its firmware does wrong."""

    name: str
    number: int
    folder: Path
    namespace: str
    store: Any
    fault: str = ""
    started: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir()
        self.mac = f"52-54-00-77-00-{self.number:02x}"
        self.address = f"127.0.77.{self.number}"
        self.own_key = key(self.folder / "own.key")
        (self.folder / "sshd_config").write_text(CONFIG.format(address=self.address, folder=self.folder))
        self._machine: subprocess.Popen[bytes] | None = None
        self._ended = threading.Event()
        self._firmware = threading.Thread(target=self._watch)
        self._firmware.start()

    def start(self, system: str) -> None:
        """Switch it on."""
        self.started.append(system)
        (self.folder / "boot_id").write_text(f"{uuid.uuid4()}\n")
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
        argv = ["ip", "netns", "exec", self.namespace, "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        with (self.folder / "console").open("ab") as console:
            self._machine = subprocess.Popen([*argv, "sh", "-c", MACHINE, "sh", self.folder, system], env=environment, stderr=console)

    def network_start(self) -> None:
        """Start what the boot server says, as the loaders, the first stage and the imaging environment do together."""
        from fleet_boot.store import Refused

        if self.fault == "dead":
            return
        state = self.folder.parent / "state/stations" / f"{self.mac}.json"
        entry = json.loads(state.read_text())["entry"] if state.exists() else "menu"
        with contextlib.suppress(Refused):
            self.store.fetch(self.mac)
        if self.fault == "disk first" or (not entry.startswith("imaging") and self.fault != "imaging for ever"):
            return self.start("own")
        public = key(self.folder / "imaging.key")
        with contextlib.suppress(Refused):
            if self.fault == "late":
                while json.loads(state.read_text())["expires"] > time.time():
                    self._ended.wait(0.1)
            self.store.register(self.mac, self.store.station(self.mac)["token"], public)
        if self.fault == "impostor":
            key(self.folder / "imaging.key")
        return self.start("imaging")

    def wake(self) -> None:
        """A magic packet came."""
        if self._machine is None:
            self.network_start()

    def _watch(self) -> None:
        asked = self.folder / "restart"
        while not self._ended.wait(0.1):
            if asked.exists():
                asked.unlink()
                self._stop()
                self.network_start()

    def _stop(self) -> None:
        if self._machine:
            self._machine.kill()
            self._machine.wait()

    def close(self) -> None:
        self._ended.set()
        self._firmware.join()
        self._stop()


@dataclass
class Site:
    """Stations and a boot server, all of one host, and what an admin has."""

    folder: Path
    namespace: str
    stations: dict[str, Station] = field(default_factory=dict)

    def play(self, *plays: dict[str, Any], hosts: dict[str, dict[str, Any]], arguments: tuple[str, ...] = ()) -> tuple[int, str]:
        """Run plays on stations with variables of their own; exit code and output."""
        everybody = {
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(self.folder / "admin.key"),
            "ansible_ssh_common_args": f"-o UserKnownHostsFile={self.folder}/known_hosts -o StrictHostKeyChecking=yes",
            "ansible_python_interpreter": "/usr/bin/python3",
            "ansible_remote_tmp": "/tmp/.ansible-fleet-wake",
            "netboot_config": str(self.folder / "boot.json"),
            "netboot_wake_subnets": ["127.0.0.0/8"],
            "netboot_timeout": 100,
        }
        stations = {}
        for name, more in hosts.items():
            station = self.stations[name]
            own = {
                "ansible_host": station.address,
                "fleet_macs": [station.mac.upper()],
                "netboot_restart_command": ["touch", str(station.folder / "restart")],
            }
            stations[name] = {**own, **more}
        servers = {"boot": {"ansible_connection": "local"}}
        groups = {"stations": {"hosts": stations}, "boot_servers": {"hosts": servers}}
        (self.folder / "hosts.json").write_text(json.dumps({"all": {"children": groups, "vars": everybody}}))
        (self.folder / "play.yml").write_text(json.dumps(plays))
        within = ("ip", "netns", "exec", self.namespace)
        done = ansible_playbook(self.folder / "hosts.json", *arguments, self.folder / "play.yml", home=self.folder / "home", within=within)
        return done.returncode, done.stdout + done.stderr

    def entry(self, name: str) -> str:
        """What the boot server would start next on a station."""
        state = self.folder / "state/stations" / f"{self.stations[name].mac}.json"
        return str(json.loads(state.read_text())["entry"]) if state.exists() else "menu"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Stations pc01 to pc05, all off, and one that is a copy of nobody."""
    monkeypatch.syspath_prepend(str(IMAGING / "roles/boot_server/files"))
    from fleet_boot.store import Store

    for folder in ("srv/http/stations", "srv/tftp/stations", "srv/tftp/grub", "state/stations", "state/host-keys", "state/maintenance"):
        (tmp_path / folder).mkdir(parents=True)
    told = {"address": "10.77.0.1", "root": str(tmp_path / "srv"), "state": str(tmp_path / "state"), "user": ""}
    (tmp_path / "boot.json").write_text(json.dumps(told))
    public = key(tmp_path / "admin.key")
    with contextlib.ExitStack() as stack:
        site = Site(tmp_path, f"fwk{os.getpid()}n")
        subprocess.run(["ip", "netns", "add", site.namespace], check=True)
        stack.callback(subprocess.run, ["ip", "netns", "del", site.namespace], check=False)
        subprocess.run(["ip", "-n", site.namespace, "link", "set", "lo", "up"], check=True)
        known = ""
        for number in range(1, 6):
            store = Store(tmp_path / "srv", tmp_path / "state")
            station = Station(f"pc{number:02}", number, tmp_path / f"pc{number:02}", site.namespace, store)
            stack.callback(station.close)
            (station.folder / "authorized_keys").write_text(f"{public}\n")
            known += f"{station.address} {station.own_key}\n"
            site.stations[station.name] = station
        (tmp_path / "known_hosts").write_text(known)
        argv = ["ip", "netns", "exec", site.namespace, sys.executable, "-c", EARS]
        ears = stack.enter_context(subprocess.Popen(argv, stdout=subprocess.PIPE, text=True))
        listener = threading.Thread(target=listen, args=(ears, site))
        stack.callback(listener.join)
        stack.callback(ears.kill)
        assert ears.stdout and ears.stdout.readline() == "ready\n"
        listener.start()
        yield site


def listen(ears: subprocess.Popen[str], site: Site) -> None:
    """Wake the station whose address is in a magic packet."""
    assert ears.stdout
    for line in ears.stdout:
        for station in site.stations.values():
            if station.mac == line.strip():
                station.wake()


def show(text: str) -> dict[str, Any]:
    """A play that lets each station say what it is, and whom Ansible takes it for."""
    command = "findmnt -n -o FSTYPE /; cat /run/fleet/status.json || true"
    said = f"{text} {{{{ inventory_hostname }}}}: {{{{ said.stdout_lines | join(' ') }}}}."
    tasks = [
        {"ansible.builtin.shell": command, "register": "said", "changed_when": False},
        {"ansible.builtin.debug": {"msg": said}},
    ]
    return {"hosts": "stations", "gather_facts": False, "tasks": tasks}


INTO = {"import_playbook": f"{ROOT}/playbooks/netboot.yml"}
BACK = {"import_playbook": f"{ROOT}/playbooks/netboot.yml", "vars": {"netboot_to": "own"}}


def test_a_station_that_runs_and_one_that_is_off_go_into_the_imaging_environment_and_back(site: Site) -> None:
    site.stations["pc01"].start("own")
    code, said = site.play(INTO, show("there"), INTO, BACK, show("back"), hosts={"pc01": {}, "pc02": {}})
    assert code == 0, said
    for name in ("pc01", "pc02"):
        assert re.search(rf"there {name}: overlay .*of a test", said) and re.search(rf"back {name}: (?!overlay)\w+\.", said), said
    assert re.search(r"pc01 +own system +restarted +imaging +\d+ +127.0.77.1", said), said
    assert re.search(r"pc02 +silent +wake sent +imaging +\d+ +127.0.77.2", said), said
    assert re.search(r"pc01 +imaging +restarted +own system", said), said
    # The second run finds both where they are.
    assert [each.started for each in (site.stations["pc01"], site.stations["pc02"])] == [["own", "imaging", "own"], ["imaging", "own"]]
    assert [site.entry(name) for name in ("pc01", "pc02")] == ["menu", "menu"]


@pytest.mark.whole
def test_stations_that_do_not_come_are_named_and_the_play_goes_on_for_the_others(site: Site) -> None:
    faults = {"pc02": "dead", "pc03": "disk first", "pc04": "impostor", "pc05": "late"}
    for name, fault in faults.items():
        site.stations[name].fault = fault
    for name in ("pc01", "pc03", "pc04", "pc05"):
        site.stations[name].start("own")
    hosts: dict[str, dict[str, Any]] = {name: {"netboot_timeout": 30} for name in faults}
    hosts["pc05"]["netboot_token_lifetime"] = 60
    hosts["pc05"]["netboot_timeout"] = 75
    hosts["pc03"]["netboot_timeout"] = 400
    code, said = site.play(INTO, show("there"), hosts={"pc01": {}, **hosts})
    assert code != 0
    assert "there pc01: overlay" in said and not re.search(r"there pc0[2345]", said), said
    table = said[said.index("station          was") :]
    assert "pc02: The station did not reach the imaging environment in time" in table and "wake-on-LAN" in table, said
    assert "pc03: The station started its own system, not the imaging environment" in table, said
    assert re.search(r"pc04: The station did not reach .*a host key that is not the station's; nothing was said to it", table), said
    assert re.search(r"pc05: The station did not reach .*its token was good until \d{4}-", table), said
    assert re.search(r"pc02 +silent +wake sent +FAILED", said) and re.search(r"pc03 +own system +restarted +FAILED", said), said
    # Nobody of them starts the imaging environment hours later.
    assert [site.entry(name) for name in faults] == ["disk"] * 4


@pytest.mark.whole
def test_a_station_that_comes_back_into_the_imaging_environment_is_not_said_to_run_its_own(site: Site) -> None:
    site.stations["pc01"].start("own")
    code, said = site.play(INTO, hosts={"pc01": {}})
    assert code == 0, said
    site.stations["pc01"].fault = "imaging for ever"
    code, said = site.play(BACK, show("back"), hosts={"pc01": {"netboot_timeout": 30}})
    assert code != 0 and "back pc01" not in said
    assert re.search(r"pc01: The station did not reach its own system in time: .*host key", said), said
    assert re.search(r"pc01 +imaging +nothing +FAILED", said), said


def test_what_cannot_work_is_said_before_anything_is_done(site: Site) -> None:
    site.stations["pc01"].start("own")
    site.stations["pc02"].start("own")
    site.stations["pc03"].start("own")
    wrong = {"pc01": {"fleet_macs": []}, "pc02": {"netboot_config": "/nowhere/boot.json"}, "pc03": {"fleet_macs": ["52:54:00"]}}
    code, said = site.play(INTO, hosts=wrong)
    assert code != 0
    assert "The MAC address of pc01 is not known" in said
    assert re.search(r"The boot server boot does not say what pc02 registered: /nowhere/boot.json .*boot_server.yml", said), said
    assert "'52:54:00', is not the MAC address of one network card" in said
    assert all(site.stations[name].started == ["own"] for name in wrong)


def test_a_check_restarts_nobody(site: Site) -> None:
    site.stations["pc01"].start("own")
    code, said = site.play(INTO, hosts={"pc01": {}}, arguments=("--check",))
    assert code == 0 and re.search(r"pc01 +own system +restarted +own system", said), said
    restore = {"import_playbook": f"{ROOT}/playbooks/restore.yml", "vars": {"restore_image": "room"}}
    code, said = site.play(restore, hosts={"pc01": {}}, arguments=("--check",))
    assert code != 0 and "a check does not restart it" in said, said
    assert site.stations["pc01"].started == ["own"] and site.entry("pc01") == "menu"
