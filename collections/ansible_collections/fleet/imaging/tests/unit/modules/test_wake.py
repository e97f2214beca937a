# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Magic packets of fleet.imaging.wake as a network card sees them: in network namespaces, by whoever listens at the cable."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.imaging.plugins.module_utils.wake.destination import broadcasting, destinations
from ansible_collections.fleet.imaging.plugins.module_utils.wake.packet import cards, magic_packet, secure_on
from ansible_collections.fleet.imaging.tests.unit.conftest import command
from ansible_collections.fleet.imaging.tests.unit.modules.conftest import Run

PROCESS = Path(__file__).with_name("process.py")
COLLECTIONS = Path(__file__).parents[6]
TIMEOUT = 120.0
PC01, PC02 = "52:54:00:77:00:01", "52:54:00:77:00:02"

LISTENER = """
import json, socket, struct
card = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
card.bind(("lan", 0))
print(json.dumps({"listening": True}), flush=True)
while True:
    frame = card.recv(2048)
    header = (frame[14] & 15) * 4
    if frame[23] == 17:
        port = struct.unpack("!H", frame[14 + header + 2 : 14 + header + 4])[0]
        to = socket.inet_ntoa(frame[30:34])
        print(json.dumps({"ethernet": frame[:6].hex(), "to": to, "port": port, "payload": frame[14 + header + 8 :].hex()}), flush=True)
"""

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")


class Site:
    """The centre, behind a router that passes directed broadcasts on; the router is also a relay in the stations' subnet."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self.names = {each: f"fwk{os.getpid()}{each[0]}" for each in ("centre", "relay", "station")}
        for name in self.names.values():
            command("ip", "netns", "add", name)
            stack.callback(subprocess.run, ["ip", "netns", "del", name], check=False)
        self._cable("centre", "wan", "10.92.1.1/24", "relay", "wan", "10.92.1.254/24")
        self._cable("relay", "lan", "10.92.2.254/24", "station", "lan", "10.92.2.10/24")
        command("ip", "-n", self.names["centre"], "route", "add", "default", "via", "10.92.1.254")
        command("ip", "-n", self.names["station"], "route", "add", "default", "via", "10.92.2.254")
        for setting in ("ip_forward", "conf/all/bc_forwarding", "conf/wan/bc_forwarding"):
            command("ip", "netns", "exec", self.names["relay"], "sh", "-c", f"echo 1 > /proc/sys/net/ipv4/{setting}")
        argv = ["ip", "netns", "exec", self.names["station"], sys.executable, "-c", LISTENER]
        self.listener = stack.enter_context(subprocess.Popen(argv, stdout=subprocess.PIPE, text=True))
        stack.callback(self.listener.kill)
        assert self.hear() == {"listening": True}

    def _cable(self, one: str, link: str, address: str, other: str, other_link: str, other_address: str) -> None:
        ends = ["ip", "link", "add", link, "netns", self.names[one], "type", "veth", "peer", "name", other_link, "netns", self.names[other]]
        command(*ends)
        for host, name, own in ((one, link, address), (other, other_link, other_address)):
            command("ip", "-n", self.names[host], "addr", "add", own, "brd", "+", "dev", name)
            command("ip", "-n", self.names[host], "link", "set", name, "up")

    def hear(self) -> dict[str, Any]:
        """The next packet that the station's card sees."""
        assert self.listener.stdout
        late = threading.Timer(TIMEOUT, self.listener.kill)
        late.start()
        try:
            line = self.listener.stdout.readline()
        finally:
            late.cancel()
        assert line, "the card saw nothing"
        heard: dict[str, Any] = json.loads(line)
        return heard

    def wake(self, host: str, **arguments: Any) -> dict[str, Any]:
        """Run the module on a host."""
        argv = ["ip", "netns", "exec", self.names[host], sys.executable, str(PROCESS), "wake", json.dumps(arguments)]
        environment = {**os.environ, "PYTHONPATH": str(COLLECTIONS)}
        done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=TIMEOUT, check=False)
        result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return result


@pytest.fixture
def site() -> Iterator[Site]:
    with contextlib.ExitStack() as stack:
        yield Site(stack)


@needs_root
def test_the_card_sees_a_directed_broadcast_from_another_subnet(site: Site) -> None:
    result = site.wake("centre", macs=[PC01], subnets=["10.92.2.0/24"], ports=[9], repeat=1)
    heard = site.hear()
    assert (heard["ethernet"], heard["to"], heard["port"]) == ("ff" * 6, "10.92.2.255", 9)
    assert heard["payload"] == "ff" * 6 + "525400770001" * 16
    assert result["sent"] == [{"mac": PC01, "address": "10.92.2.255", "interface": "", "port": 9, "packets": 1}]
    assert "awake" not in result and "woken" not in result


@needs_root
def test_a_relay_in_the_stations_subnet_sends_to_several_on_both_ports_with_a_password(site: Site) -> None:
    result = site.wake(
        "relay", macs=["52-54-00-77-00-01", "5254.0077.0002", PC01], interfaces=["lan"], repeat=2, password="01:23:45:67:89:AB"
    )
    heard = [site.hear() for _packet in range(8)]
    wanted = [(port, mac.replace(":", "")) for port in (9, 7) for mac in (PC01, PC02) for _time in range(2)]
    assert [(each["port"], each["payload"]) for each in heard] == [(port, "ff" * 6 + mac * 16 + "0123456789ab") for port, mac in wanted]
    assert {(each["ethernet"], each["to"]) for each in heard} == {("ff" * 6, "255.255.255.255")}
    assert [(each["mac"], each["port"], each["packets"]) for each in result["sent"]] == [
        (mac, port, 2) for port in (9, 7) for mac in (PC01, PC02)
    ]
    assert "0123456789ab" not in json.dumps(result).lower() and "01:23:45" not in json.dumps(result)


@needs_root
def test_without_a_destination_every_interface_of_the_host_is_taken(site: Site) -> None:
    result = site.wake("relay", macs=[PC02], ports=[7], repeat=1)
    assert site.hear()["payload"].endswith("525400770002")
    assert [each["interface"] for each in result["sent"]] == ["lan", "wan"]


@needs_root
def test_a_check_sends_nothing(site: Site) -> None:
    told = site.wake("relay", macs=[PC01], interfaces=["lan"], ports=[9], repeat=1, _ansible_check_mode=True)
    assert told["sent"] == site.wake("relay", macs=[PC01], interfaces=["lan"], ports=[9], repeat=1)["sent"]
    site.wake("relay", macs=[PC02], interfaces=["lan"], ports=[9], repeat=1)
    assert [site.hear()["payload"][12:24] for _packet in range(2)] == ["525400770001", "525400770002"]


@needs_root
def test_what_cannot_be_sent_is_said_with_what_was(site: Site) -> None:
    command("ip", "-n", site.names["station"], "route", "del", "default")
    result = site.wake("station", macs=[PC01], subnets=["10.92.2.0/24", "10.93.0.0/16"], ports=[9], repeat=1)
    assert result["failed"] and "A packet to 10.93.255.255 cannot be sent" in result["msg"] and "station's subnet" in result["msg"]
    assert [each["address"] for each in result["sent"]] == ["10.92.2.255"]


@pytest.mark.parametrize("said", ["52:54:00:77:00:01", "52-54-00-77-00-01", "5254.0077.0001", "525400770001", " 52:54:00:77:00:01\n"])
def test_a_mac_has_one_spelling(said: str) -> None:
    assert cards([said, said.upper()]) == [PC01]


BAD = [
    ({"macs": [PC01, "52:54:00"]}, "macs: number 2, '52:54:00'"),
    ({"macs": ["ff:ff:ff:ff:ff:ff"]}, "macs: number 1"),
    ({"macs": ["01:00:5e:00:00:01"]}, "not the MAC address of one network card"),
    ({"macs": []}, "macs is empty"),
    ({"macs": [PC01], "password": "hunter2"}, "password is not a SecureOn password"),
    ({"macs": [PC01], "subnets": ["fd77::/64"]}, "'fd77::/64' is no IPv4 subnet"),
    ({"macs": [PC01], "subnets": ["10.0.0.0/33"]}, "'10.0.0.0/33' is no IPv4 subnet"),
    ({"macs": [PC01], "subnets": ["10.0.0.0/31"]}, "10.0.0.0/31 has no broadcast address"),
    ({"macs": [PC01], "interfaces": ["../lo"]}, "this host has no '../lo'"),
    ({"macs": [PC01], "interfaces": ["lo"]}, "lo cannot broadcast"),
    ({"macs": [PC01], "ports": [70000]}, "ports: 70000"),
    ({"macs": [PC01], "ports": []}, "ports: none is given"),
    ({"macs": [PC01], "repeat": 0}, "repeat: 0"),
]


@pytest.mark.parametrize(("arguments", "said"), BAD, ids=[said for _arguments, said in BAD])
def test_what_is_wrong_is_said_with_what_where_and_the_remedy(arguments: dict[str, Any], said: str, run: Run) -> None:
    # loopback, so that nothing leaves this host should it be sent after all
    result = run("wake", **{"subnets": ["127.0.0.0/8"], **arguments})
    assert result["failed"] and said in result["msg"] and "Nothing was " in result["msg"]
    assert "hunter2" not in json.dumps(result["msg"])


def test_a_packet_has_the_card_sixteen_times_and_its_password_last() -> None:
    assert len(magic_packet(PC01)) == 102
    assert magic_packet(PC01, secure_on("01-23-45-67-89-ab"))[102:] == bytes.fromhex("0123456789ab")
    assert secure_on("") == b""


def test_an_address_of_a_subnet_is_its_broadcast_address_and_a_host_itself() -> None:
    assert [str(to) for to in destinations(["10.1.2.77/24", "10.1.2.0/24", "192.168.1.255"], [])] == ["10.1.2.255", "192.168.1.255"]


def test_only_interfaces_that_are_up_can_broadcast_and_send_for_themselves_are_taken(tmp_path: Path) -> None:
    for name, flags in (("lo", 0x9), ("br0", 0x1003), ("eth1", 0x1002), ("tun0", 0x1091), ("port0", 0x1003)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "flags").write_text(f"{flags:#x}\n")
    (tmp_path / "port0/master").symlink_to("../br0")
    assert broadcasting(tmp_path) == ["br0"]
