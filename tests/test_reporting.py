# SPDX-License-Identifier: GPL-3.0-or-later
"""A station reports by itself: the role on a station with systemd, a real sshd at the centre, and ``stationdb receive`` behind it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from ansible_collections.fleet.core.plugins.module_utils.progress import Progress
from ansible_collections.fleet.lab.plugins.module_utils.room import connection, host
from ansible_collections.fleet.lab.plugins.module_utils.room.room import Request, Room

ROOT = Path(__file__).parents[1]
XSD = ROOT / "stationdb/reports/schema/fleet-report-1.xsd"
pytestmark = pytest.mark.slow

CENTRE = "10.83.0.1"
PORT = 2022


@dataclass
class Centre:
    """An sshd in the room's network whose keys may report and nothing else, on a station database's spool."""

    folder: Path
    namespace: str
    daemon: subprocess.Popen[bytes] | None = None
    key: str = ""

    def __post_init__(self) -> None:
        self.folder.mkdir()
        # sshd runs as root only from folders that nobody else can write to, and reads keys from where it is told.
        for name in ("host", "other"):
            keygen = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.folder / name]
            subprocess.run(keygen, check=True)
        self.authorized_keys = self.folder / "authorized_keys"
        self.authorized_keys.touch()

    @property
    def known_hosts(self) -> str:
        return f"[{CENTRE}]:{PORT} {(self.folder / 'host.pub').read_text()}"

    @property
    def receive(self) -> str:
        return f"env STATIONDB_HOME={self.folder / 'home'} PYTHONPATH={ROOT} {sys.executable} -m stationdb receive"

    def start(self, key: str = "host") -> None:
        self.key = key
        configuration = self.folder / "sshd_config"
        lines = [
            f"ListenAddress {CENTRE}:{PORT}",
            f"HostKey {self.folder / key}",
            f"AuthorizedKeysFile {self.authorized_keys}",
            "PidFile none",
            "StrictModes no",
            "UsePAM no",
            "PasswordAuthentication no",
            "PermitRootLogin yes",
            "AllowTcpForwarding yes",
        ]
        configuration.write_text("\n".join(lines) + "\n")
        Path("/run/sshd").mkdir(exist_ok=True)
        command = ["ip", "netns", "exec", self.namespace, "/usr/sbin/sshd", "-D", "-e", "-f", configuration]
        self.daemon = subprocess.Popen(command, stderr=(self.folder / "log").open("ab"))
        probe = ["ip", "netns", "exec", self.namespace, "nc", "-z", CENTRE, str(PORT)]
        eventually(lambda: subprocess.run(probe, check=False, capture_output=True).returncode == 0)

    def stop(self) -> None:
        if self.daemon:
            self.daemon.terminate()
            self.daemon.wait(10)
            self.daemon = None

    def documents(self) -> list[tuple[dict[str, Any], bytes]]:
        """What was received: envelopes and documents, in the order of receipt."""
        files = sorted((self.folder / "home/spool/incoming").glob("*.report"))
        parts = (file.read_bytes().partition(b"\n") for file in files)
        return sorted(((json.loads(head), document) for head, _end, document in parts), key=lambda each: each[0]["received"])

    def forget(self) -> None:
        for file in (self.folder / "home/spool/incoming").glob("*.report"):
            file.unlink()


@dataclass
class Station:
    """The station under test."""

    room: Path
    address: str
    mac: str

    def run(self, command: str, *, check: bool = True) -> str:
        options = [f"-o{name}={value}" for name, value in connection.ssh_options(self.room).items()]
        argv = ["ssh", "-F", "none", "-o", "BatchMode=yes", "-i", self.room / connection.KEY, *options, f"root@{self.address}", command]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False, stdin=subprocess.DEVNULL)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return (done.stdout + done.stderr).strip()

    def report(self) -> None:
        """Gather and push, as the timer does, and wait until both have ended."""
        self.run("systemctl start fleet-report.service")
        eventually(lambda: self.run("systemctl show -P ActiveState fleet-report-push.service") in ("inactive", "failed"))

    def waiting(self) -> list[str]:
        return self.run("ls /var/spool/fleet-report/new").split()


def eventually(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never becomes so"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    room = Room(str(tmp_path_factory.mktemp("reporting") / "room"))
    cache = Path(os.environ.get("FLEET_CACHE") or ROOT / ".cache")
    with ExitStack() as stack:
        stack.callback(room.remove)
        request = Request(name="", subnet="10.83.0.0/24", stations=({"name": "pc01", "disk": "160M"},), central=False)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PATH", f"{os.environ['PATH']}:/usr/sbin:/sbin")
            room.create(request, cache, Progress())
        yield room


@pytest.fixture(scope="module")
def centre(room: Room) -> Iterator[Centre]:
    centre = Centre(room.path.parent / "centre", host.label(room.path))
    try:
        centre.start()
        yield centre
    finally:
        centre.stop()


Play = Callable[..., str]


@pytest.fixture(scope="module")
def play(room: Room, centre: Centre) -> Play:
    """Run the playbook reporting.yml for the station."""
    inventory = room.path.parent / "inventory"
    inventory.mkdir()
    (inventory / "test.room.yml").write_text(f"plugin: fleet.lab.room\npath: {room.path}\n")
    hosts = {"all": {"hosts": {"centre": {"ansible_connection": "local", "ansible_python_interpreter": "/usr/bin/python3"}}}}
    (inventory / "centre.yml").write_text(json.dumps(hosts))
    settings = {
        "reporting_centre": f"root@{CENTRE}",
        "reporting_port": PORT,
        "reporting_known_hosts": centre.known_hosts,
        "reporting_receive": centre.receive,
        "reporting_authorize_on": "centre",
        "reporting_authorized_keys": str(centre.authorized_keys),
        "reporting_tag": "SALLE-12",
        "reporting_keep": 2,
        "reporting_schedule": "2040-01-01",
        "reporting_retry_schedule": "2040-01-01",
        "reporting_random_delay": "0",
    }

    def run(*more: str, ok: bool = True, **changes: Any) -> str:
        extra = room.path.parent / "settings.json"
        extra.write_text(json.dumps({**settings, **changes}))
        command = [ROOT / ".venv/bin/ansible-playbook", "-i", inventory, ROOT / "playbooks/reporting.yml", "-e", f"@{extra}", *more]
        environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_FORCE_COLOR": "0"}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)
        assert (done.returncode == 0) == ok, done.stdout[-8000:] + done.stderr[-2000:]
        return done.stdout

    return run


@pytest.fixture(scope="module")
def station(room: Room, play: Play) -> Station:
    """The station once the role has run."""
    known = room.load().station("pc01")
    station = Station(room.path, known.address, known.mac)
    play("--check")
    assert station.run("ls -d /etc/fleet /etc/systemd/system/fleet-* 2>/dev/null", check=False) == "", "check mode changes nothing"
    play()
    return station


@pytest.fixture(autouse=True)
def _in_order(centre: Centre, station: Station) -> Iterator[None]:
    """Leave the centre running and nothing waiting, whatever a test did."""
    yield
    if centre.daemon is None or centre.key != "host":
        centre.stop()
        centre.start()
    centre.forget()
    station.run("rm -f /var/spool/fleet-report/*/*; systemctl reset-failed")


def test_the_second_run_changes_nothing(station: Station, play: Play) -> None:
    assert "changed=0" in play()


def test_check_mode_changes_nothing(station: Station, play: Play) -> None:
    play("--check", reporting_tag="other")
    assert "other" not in station.run("cat /etc/fleet/report/settings.json")


def test_a_report_arrives_whole_and_valid_under_the_stations_name(station: Station, centre: Centre) -> None:
    station.report()
    ((envelope, document),) = centre.documents()
    assert (envelope["station"], envelope["way"], envelope["address"]) == ("pc01", "ssh", station.address)
    report = etree.fromstring(document)
    etree.XMLSchema(etree.parse(XSD)).assertValid(report)
    assert (report.get("station"), report.get("tag")) == ("pc01", "SALLE-12")
    assert [item.get("version") for item in report.iterfind("softwares/item[@name='dpkg']")] == [
        station.run("dpkg-query --show --showformat '${Version}' dpkg")
    ]
    assert [item.get("ipaddress") for item in report.iterfind("networks/item[@ipaddress]")] == [station.address]
    assert {item.get("mac") for item in report.iterfind("networks/item")} == {station.mac}
    assert report.find("warnings") is None, etree.tostring(report.find("warnings"))
    assert station.waiting() == []


def test_the_timer_reports_by_itself(station: Station, centre: Centre) -> None:
    sooner = "/etc/systemd/system/fleet-report.timer.d"
    restart = "systemctl daemon-reload && systemctl restart fleet-report.timer"
    station.run(f"mkdir {sooner} && printf '[Timer]\\nOnCalendar=*-*-* *:*:0/2\\n' > {sooner}/test.conf && {restart}")
    try:
        eventually(lambda: len(centre.documents()) > 0)
    finally:
        station.run(f"rm -r {sooner} && {restart}")
    assert "Persistent=yes" in station.run("systemctl show fleet-report.timer")


def test_the_same_facts_are_told_when_ansible_asks(station: Station, room: Room) -> None:
    inventory, arguments = room.path.parent / "inventory", "sections=networks,operatingsystem"
    command = [ROOT / ".venv/bin/ansible", "-i", inventory, "pc01", "-m", "fleet.core.station_facts", "-a", arguments, "-o"]
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_FORCE_COLOR": "0"}
    said = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=True).stdout
    facts = json.loads(said.partition("=>")[2])["ansible_facts"]["fleet_station"]
    assert set(facts) == {"networks", "operatingsystem"}
    assert {row["mac"] for row in facts["networks"]} == {station.mac}


def test_reports_wait_while_the_centre_is_away_and_catch_up_oldest_first(station: Station, centre: Centre) -> None:
    centre.stop()
    seen = []
    for _time in range(3):
        station.report()
        seen.append(station.waiting()[-1])
    assert station.waiting() == seen[1:], "at most two wait, and the newest stay"
    assert station.run("systemctl is-failed fleet-report-push.service", check=False) == "inactive", "a centre that is away is no failure"
    created = [etree.fromstring(station.run(f"cat /var/spool/fleet-report/new/{name}").encode()).get("created") for name in seen[1:]]
    centre.start()
    station.run("systemctl start fleet-report-push.service")
    assert [etree.fromstring(document).get("created") for _envelope, document in centre.documents()] == created
    assert station.waiting() == []


def test_a_centre_with_another_key_gets_nothing(station: Station, centre: Centre) -> None:
    centre.stop()
    centre.start("other")
    station.report()
    assert len(station.waiting()) == 1
    assert "Host key verification failed" in station.run("journalctl -u fleet-report-push.service -n 20")
    assert centre.documents() == []


def test_what_the_centre_refuses_is_put_aside_with_the_reason_and_the_rest_goes_on(station: Station, centre: Centre) -> None:
    station.run("install -m 640 -g fleet-report /dev/null /var/spool/fleet-report/new/20200101T000000.000000Z.xml")
    station.report()
    assert len(centre.documents()) == 1
    assert station.waiting() == []
    assert "The document is empty" in station.run("cat /var/spool/fleet-report/refused/20200101T000000.000000Z.why")
    assert station.run("systemctl is-failed fleet-report-push.service", check=False) == "failed", "somebody should look"


def test_the_key_can_report_and_nothing_else(station: Station, centre: Centre) -> None:
    ssh = (
        f"runuser -u fleet-report -- ssh -F none -o BatchMode=yes -o UserKnownHostsFile=/etc/fleet/report/known_hosts "
        f"-i /etc/fleet/report/id_ed25519 -p {PORT} root@{CENTRE}"
    )
    assert "This key takes reports only" in station.run(f"{ssh} id </dev/null", check=False)
    assert "uid=" not in station.run(f"{ssh} id </dev/null", check=False)
    forwarding = f"{ssh} -o ExitOnForwardFailure=yes -R 4000:127.0.0.1:22 </dev/null"
    assert "forwarding failed" in station.run(forwarding, check=False)
    assert "administratively prohibited" in station.run(f"{ssh} -W 127.0.0.1:22 </dev/null", check=False)
    assert centre.documents() == []


def test_pushing_has_no_privileges_and_the_key_is_nobody_elses(station: Station) -> None:
    assert station.run("stat -c '%U %a' /etc/fleet/report/id_ed25519") == "fleet-report 400"
    assert station.run("stat -c '%U:%G %a' /var/spool/fleet-report/new") == "root:fleet-report 2770"
    assert station.run("find /usr/local/lib/fleet-report /etc/fleet/report ! -user root ! -name id_ed25519") == ""
    assert "User=fleet-report" in station.run("systemctl show -p User fleet-report-push.service")
    assert station.run("getent passwd fleet-report").endswith(":/usr/sbin/nologin")


def test_a_new_key_of_a_station_replaces_the_old_one(station: Station, centre: Centre, play: Play) -> None:
    before = centre.authorized_keys.read_text()
    station.run("rm /etc/fleet/report/id_ed25519*")
    play()
    after = centre.authorized_keys.read_text()
    assert before != after
    assert len(after.splitlines()) == 1
    assert after.startswith('restrict,command="env STATIONDB_HOME=')
    assert 'receive --station pc01" ssh-ed25519 ' in after
    station.report()
    assert len(centre.documents()) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"reporting_centre": "-oProxyCommand=x@h"},
        {"reporting_known_hosts": " "},
        {"reporting_station": "pc 01"},
        {"reporting_authorize_on": ""},
    ],
    ids=lambda change: next(iter(change)),
)
def test_half_a_destination_is_refused(play: Play, change: dict[str, str]) -> None:
    assert "reporting_centre is user@host" in play(ok=False, **change)


def test_removal_leaves_nothing(station: Station, centre: Centre, play: Play) -> None:
    play(reporting_state="absent")
    found = station.run(
        "find / -xdev -name '*fleet-report*' -not -path '/proc/*' -not -path '/var/log/*' -not -path '/sys/*'; ls /etc/fleet"
    )
    assert [line for line in found.splitlines() if line and "/var/lib/systemd/timers" not in line] == []
    assert station.run("getent passwd fleet-report", check=False) == ""
    assert centre.authorized_keys.read_text() == ""
    assert "changed=0" in play(reporting_state="absent")
