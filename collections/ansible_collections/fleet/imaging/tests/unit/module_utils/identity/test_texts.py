# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts files and network settings of many kinds, as text."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fleet.imaging.plugins.module_utils.identity import address, bindings
from ansible_collections.fleet.imaging.plugins.module_utils.identity.names import hosts
from ansible_collections.fleet.imaging.plugins.module_utils.identity.request import Request, StaticAddress
from ansible_collections.fleet.imaging.plugins.module_utils.installed.record import Record
from ansible_collections.fleet.imaging.plugins.module_utils.installed.tree import Tree
from ansible_collections.fleet.imaging.plugins.module_utils.installed.volume import InstalledError

MODEL, OWN = "52:54:00:aa:bb:cc", "52:54:00:11:22:33"
STATIC = StaticAddress("10.0.0.5/24", "10.0.0.1", ("10.0.0.1", "10.0.0.2"), ("example.org",))


@pytest.mark.parametrize(
    "before, after",
    [
        ("", "127.0.0.1\tlocalhost\n127.0.1.1\tpc07\n::1\tlocalhost ip6-localhost ip6-loopback\n"),
        ("127.0.0.1 localhost\n", "127.0.0.1 localhost\n127.0.1.1\tpc07\n"),
        ("127.0.1.1 model\n", "127.0.1.1\tpc07\n"),
        ("127.0.1.1 model printer # ours\n", "127.0.1.1\tpc07 printer # ours\n"),
        ("127.0.1.1 model\n10.1.1.1 model.old.org model\n", "127.0.1.1\tpc07\n10.1.1.1 pc07.old.org pc07\n"),
        ("127.0.1.1 model\n10.1.1.1 model-2 xmodel model.\n", "127.0.1.1\tpc07\n10.1.1.1 model-2 xmodel model.\n"),
        ("127.0.1.1 model\n127.0.1.1 model.example.org\n", "127.0.1.1\tpc07\n"),
        ("# model is a comment\n127.0.1.1 model\n", "# model is a comment\n127.0.1.1\tpc07\n"),
    ],
)
def test_the_old_name_goes_from_a_hosts_file_and_all_else_stays(before: str, after: str) -> None:
    assert hosts(before, "model", "pc07") == after
    assert hosts(after, "pc07", "pc07") == after


@given(st.text(alphabet="127.0.1model pc07\t#\n:ablx-"), st.sampled_from(["model", "pc07", ""]))
def test_a_hosts_file_that_was_done_stays(text: str, before: str) -> None:
    once = hosts(text, before, "pc07", "pc07.example.org")
    assert hosts(once, "pc07", "pc07", "pc07.example.org") == once


@given(st.text(max_size=300))
def test_no_text_breaks_the_readers_of_settings(text: str) -> None:
    for reader in (bindings.keyfile, bindings.netplan, bindings.networkd, bindings.ifupdown, bindings.ifcfg):
        for mac in ("", OWN):
            once = reader(text, mac)
            assert reader(once, mac) == once


NETWORKD = f"[Match]\nMACAddress={MODEL}\n\n[Link]\nMACAddress={MODEL}\nMTUBytes=9000\n\n[Network]\nDHCP=yes\n"


def test_a_network_of_systemd_is_bound_to_the_stations_card_or_to_any() -> None:
    assert bindings.networkd(NETWORKD, OWN) == f"[Match]\nMACAddress={OWN}\n\n[Link]\nMTUBytes=9000\n\n[Network]\nDHCP=yes\n"
    assert bindings.networkd(NETWORKD, "") == "[Match]\nType=ether\n\n[Link]\nMTUBytes=9000\n\n[Network]\nDHCP=yes\n"
    named = f"[Match]\nName=en*\nMACAddress={MODEL}\n[Network]\nDHCP=yes\n"
    assert bindings.networkd(named, "") == "[Match]\nName=en*\n[Network]\nDHCP=yes\n"


NETPLAN = f"""\
network:
  version: 2
  ethernets:
    eth0:
      match:
        macaddress: "{MODEL}"
      set-name: lan0
      dhcp4: true
    eth1:
      macaddress: {MODEL}
      dhcp4: false
"""


def test_netplan_stays_yaml_and_is_bound_to_the_stations_card_or_to_any() -> None:
    own = yaml.safe_load(bindings.netplan(NETPLAN, OWN))["network"]["ethernets"]
    assert own["eth0"] == {"match": {"macaddress": OWN}, "set-name": "lan0", "dhcp4": True}
    free = yaml.safe_load(bindings.netplan(NETPLAN, ""))["network"]["ethernets"]
    assert free == {"eth0": {"match": {"name": "e*"}, "dhcp4": True}, "eth1": {"dhcp4": False}}


def test_ifupdown_and_red_hats_scripts_lose_the_models_address() -> None:
    text = f"auto eth0\niface eth0 inet dhcp\n    hwaddress ether {MODEL}\n    mtu 9000\n"
    assert bindings.ifupdown(text, "") == "auto eth0\niface eth0 inet dhcp\n    mtu 9000\n"
    assert bindings.ifcfg(f'HWADDR="{MODEL.upper()}"\nMACADDR={MODEL}\nBOOTPROTO=dhcp\n', "") == "BOOTPROTO=dhcp\n"
    assert bindings.ifcfg(f"HWADDR={MODEL}\nBOOTPROTO=dhcp\n", OWN) == f"HWADDR={OWN}\nBOOTPROTO=dhcp\n"


@pytest.mark.parametrize("mac", ["", OWN])
def test_netplans_static_address_is_what_netplan_reads(mac: str) -> None:
    [card] = yaml.safe_load(address.netplan(STATIC, mac))["network"]["ethernets"].values()
    assert card["match"] == ({"macaddress": mac} if mac else {"name": "e*"})
    assert card["addresses"] == ["10.0.0.5/24"] and card["routes"] == [{"to": "0.0.0.0/0", "via": "10.0.0.1"}]
    assert card["nameservers"] == {"addresses": ["10.0.0.1", "10.0.0.2"], "search": ["example.org"]}


def test_systemds_static_address() -> None:
    expected = "[Match]\nMACAddress=52:54:00:11:22:33\n\n[Network]\nAddress=10.0.0.5/24\nGateway=10.0.0.1\n"
    assert address.networkd(STATIC, OWN) == expected + "DNS=10.0.0.1\nDNS=10.0.0.2\nDomains=example.org\n"


def test_the_stanza_of_an_interface_is_replaced_and_the_others_stay() -> None:
    text = "source x.d/*\nauto lo\niface lo inet loopback\n\nallow-hotplug eth0\niface eth0 inet dhcp\n    mtu 9000\n# six\n"
    text += "iface eth0 inet6 auto\n"
    once = address.ifupdown(text, "eth0", StaticAddress("10.0.0.5/24", "10.0.0.1"))
    assert once == (
        "source x.d/*\nauto lo\niface lo inet loopback\n\nallow-hotplug eth0\niface eth0 inet static\n    address 10.0.0.5/24\n"
        "    gateway 10.0.0.1\n# six\niface eth0 inet6 auto\n"
    )
    assert address.ifupdown(once, "eth0", StaticAddress("10.0.0.5/24", "10.0.0.1")) == once
    added = address.ifupdown("auto lo\n", "eth1", StaticAddress("fd00::5/64"))
    assert added == "auto lo\n\nauto eth1\niface eth1 inet6 static\n    address fd00::5/64\n"


@pytest.mark.parametrize(
    "files, who, path",
    [
        ({"etc/netplan/01.yaml": "", "usr/sbin/NetworkManager": ""}, "netplan", address.NETPLAN),
        ({"usr/sbin/NetworkManager": ""}, "NetworkManager", address.NETWORK_MANAGER),
        ({"etc/systemd/network/80.network": ""}, "systemd-networkd", address.NETWORKD),
        ({"etc/network/interfaces": "iface eth0 inet dhcp\n"}, "ifupdown", address.INTERFACES),
    ],
)
def test_the_address_goes_to_who_manages_the_network(files: dict[str, str], who: str, path: str, tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    tree = Tree(tmp_path)
    assert address.stage(tree, Request("pc07", static=STATIC)) == who
    assert [change.path for change in tree.changes()] == [path]


def test_several_interfaces_are_named_and_one_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "etc/network").mkdir(parents=True)
    (tmp_path / "etc/network/interfaces").write_text("iface eth0 inet dhcp\niface eth1 inet dhcp\n")
    with pytest.raises(InstalledError, match="eth0, eth1"):
        address.stage(Tree(tmp_path), Request("pc07", static=STATIC))
    tree = Tree(tmp_path)
    address.stage(tree, Request("pc07", static=StaticAddress("10.0.0.5/24", interface="eth1")))
    assert "iface eth0 inet dhcp\niface eth1 inet static\n" in tree.text(address.INTERFACES)


@pytest.mark.parametrize(
    "text", ["", "[]", "{", "null", '{"hooks": 3}', '{"host_keys": {"a": {}}}', "[" * 100_000, "\0", '{"initramfs": 1}']
)
def test_a_record_of_unknown_origin_is_read_or_taken_for_none(text: str, tmp_path: Path) -> None:
    (tmp_path / "etc/fleet").mkdir(parents=True)
    (tmp_path / "etc/fleet/identity.json").write_text(text)
    record = Record.of(Tree(tmp_path))
    assert record.station == "" and not record.initramfs
    record.stage(Tree(tmp_path))
