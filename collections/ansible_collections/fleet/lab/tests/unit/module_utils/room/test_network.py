# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Namespaces are made once, repaired when half made, and removed with whatever still runs in them."""

from __future__ import annotations

import ipaddress
import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace

import pytest

from ansible_collections.fleet.lab.plugins.module_utils.room.network import NAMESPACES, Network, remove_namespace
from ansible_collections.fleet.lab.plugins.module_utils.room.station import Station

CONTROLLER = ipaddress.IPv4Interface("10.78.0.1/24")
PC = Station("pc", address="10.78.0.2", mac="52:54:00:00:00:01", rate="10mbit", loss=5.0)


@pytest.fixture
def network() -> Iterator[Network]:
    network = Network("fleet-testnet")
    yield network
    network.remove()
    assert network.namespaces() == []


def shown(*argv: str) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def links() -> list[tuple[int, str]]:
    return [(link["ifindex"], link["ifname"]) for link in json.loads(shown("ip", "-n", "fleet-testnet", "-j", "link"))]


def test_the_hosts_own_network_gets_nothing(network: Network) -> None:
    before = shown("ip", "-br", "link") + shown("ip", "route") + shown("nft", "list", "ruleset")
    network.ensure(CONTROLLER)
    network.attach(PC, 24)
    assert shown("ip", "-br", "link") + shown("ip", "route") + shown("nft", "list", "ruleset") == before


def test_a_station_reaches_the_controller(network: Network) -> None:
    network.ensure(CONTROLLER)
    network.attach(replace(PC, loss=0.0), 24)
    assert ":01" in shown("ip", "-n", "fleet-testnet-pc", "link", "show", "eth0")
    listener = subprocess.Popen(["ip", "netns", "exec", "fleet-testnet", "nc.openbsd", "-l", "9"], stdin=subprocess.DEVNULL)
    try:
        for _attempt in range(20):
            probe = ["ip", "netns", "exec", "fleet-testnet-pc", "nc.openbsd", "-z", "-w", "1", "10.78.0.1", "9"]
            if subprocess.run(probe, check=False, stderr=subprocess.DEVNULL).returncode == 0:
                return
        raise AssertionError("no connection")
    finally:
        listener.kill()
        listener.wait()


def test_making_it_again_changes_nothing(network: Network) -> None:
    network.ensure(CONTROLLER)
    network.attach(PC, 24)
    before = links()
    inodes = [(NAMESPACES / name).stat().st_ino for name in network.namespaces()]
    network.ensure(CONTROLLER)
    network.attach(PC, 24)
    assert links() == before
    assert [(NAMESPACES / name).stat().st_ino for name in network.namespaces()] == inodes


def test_a_namespace_that_was_only_half_made_is_made_anew(network: Network) -> None:
    subprocess.run(["ip", "netns", "add", "fleet-testnet"], check=True)
    subprocess.run(["ip", "netns", "add", "fleet-testnet-pc"], check=True)
    network.ensure(CONTROLLER)
    network.attach(PC, 24)
    assert "10.78.0.2/24" in shown("ip", "-n", "fleet-testnet-pc", "addr")


def test_rate_and_loss_can_be_changed_and_lifted(network: Network) -> None:
    network.ensure(CONTROLLER)
    network.attach(PC, 24)

    def limits() -> str:
        rules = shown("ip", "netns", "exec", "fleet-testnet", "nft", "list", "ruleset")
        return shown("tc", "-n", "fleet-testnet", "qdisc") + shown("tc", "-n", "fleet-testnet-pc", "qdisc") + rules

    assert limits().count("rate 10Mbit") == 2 and "< 5000" in limits()
    network.shape(replace(PC, rate="20mbit", loss=0.125))
    assert limits().count("rate 20Mbit") == 2 and "< 125" in limits() and limits().count("numgen") == 1
    network.shape(replace(PC, rate="", loss=0.0))
    assert "rate" not in limits() and "numgen" not in limits()


def test_removal_ends_what_runs_inside(network: Network) -> None:
    network.ensure(CONTROLLER)
    sleeper = subprocess.Popen(["ip", "netns", "exec", "fleet-testnet", "sleep", "1000"])
    while not shown("ip", "netns", "pids", "fleet-testnet"):
        assert sleeper.poll() is None
    network.remove()
    assert sleeper.wait(5) == -9


def test_the_name_of_a_namespace_that_never_came_to_be_is_removed_too(network: Network) -> None:
    (NAMESPACES / "fleet-testnet-pc").touch()
    remove_namespace("fleet-testnet-pc")
    assert network.namespaces() == []
