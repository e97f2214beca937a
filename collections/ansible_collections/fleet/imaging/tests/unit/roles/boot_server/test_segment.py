# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each kind of firmware is told, by real dnsmasq and nginx in network namespaces, from the role's own templates."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ansible_collections.fleet.core.plugins.module_utils.lease.reader import read_files
from ansible_collections.fleet.imaging.plugins.module_utils.netboot import change
from ansible_collections.fleet.imaging.plugins.module_utils.netboot.change import Request
from ansible_collections.fleet.imaging.tests.unit.roles.boot_server.segment import OTHER, ROLE, SERVER, Segment, eventually

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")]
MAC, NAME = "52:54:00:77:00:01", "52-54-00-77-00-01"
ISO = f"http://{SERVER}/environment/imaging.iso"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43


@pytest.fixture
def segment(tmp_path: Path) -> Iterator[Segment]:
    with ExitStack() as stack:
        yield Segment(stack, tmp_path)


def test_our_own_dhcp_tells_each_firmware_what_to_load(segment: Segment) -> None:
    segment.dnsmasq(
        boot_server_pool="10.77.0.100-10.77.0.109", hosts=[{"macs": [MAC, "52:54:00:77:00:11"], "address": "10.77.0.11", "name": "pc01"}]
    )
    one, two = segment.station(1), segment.station(2)
    wanted = {
        "bios": ("undionly.kpxe", ""),
        "ipxe": (f"http://{SERVER}/boot.ipxe", ""),
        "efi": ("shimx64.efi", ""),
        "efi-bc": ("shimx64.efi", ""),
        "efihttp": (ISO, "HTTPClient"),
        "arm": ("", ""),
        "system": ("", ""),
    }
    for kind, (boot, vendor) in wanted.items():
        said = segment.dhcp(one, kind)["ack"]
        assert (said["address"], said["boot"], said["server"], said["name"]) == ("10.77.0.11", boot, SERVER, "pc01"), kind
        assert said["class"] == vendor or kind != "efihttp", kind
        assert said["router"] == "0a4d00fe", kind
        if boot and kind != "efihttp":
            assert said["next"] == SERVER, kind
    found = segment.dhcp(two, "bios")["ack"]["address"]
    assert found in {f"10.77.0.{number}" for number in range(100, 110)}
    seen = {each.mac: each.address for each in read_files([segment.folder / "leases"], "auto").sightings}
    assert seen == {MAC: "10.77.0.11", "52:54:00:77:00:02": found}, "playbooks/register.yml reads this"


def test_a_pool_that_is_exhausted_is_seen(segment: Segment) -> None:
    segment.dnsmasq(boot_server_pool="10.77.0.100-10.77.0.101")
    stations = [segment.station(number) for number in (1, 2, 3)]
    acks = [segment.dhcp(station, "bios", offers)["ack"] for station, offers in zip(stations, (1, 1, 0))]
    assert acks[2] is None and acks[0] and acks[1]
    eventually(lambda: "no address available" in segment.log(), "dnsmasq says nothing")
    argv = [sys.executable, "-m", "fleet_boot", "status", "--json", f"--config={segment.folder / 'dnsmasq.conf'}"]
    done = subprocess.run(argv, env={"PYTHONPATH": str(ROLE / "files")}, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert json.loads(done.stdout) == {
        "ranges": ["10.77.0.100-10.77.0.101"],
        "addresses": 2,
        "used": 2,
        "refused": ["52:54:00:77:00:03"],
        "full": True,
    }


@pytest.mark.whole
def test_without_a_pool_only_who_is_known_gets_an_address(segment: Segment) -> None:
    segment.dnsmasq(hosts=[{"macs": [MAC], "address": "10.77.0.11", "name": "pc01"}])
    assert segment.dhcp(segment.station(1), "efi")["ack"]["address"] == "10.77.0.11"
    assert segment.dhcp(segment.station(2), "efi", 0)["ack"] is None


@pytest.mark.parametrize("kind", [pytest.param("bios", marks=pytest.mark.whole), "efi", pytest.param("efihttp", marks=pytest.mark.whole)])
def test_beside_the_sites_dhcp_addresses_are_its_and_files_are_ours(segment: Segment, kind: str) -> None:
    segment.sites_dhcp(segment.other())
    segment.dnsmasq(boot_server_dhcp="proxy", boot_server_firmware_pool="10.77.0.240-10.77.0.247")
    station = segment.station(1)
    said = segment.dhcp(station, kind, 2)
    ours = [each for each in said["offers"] if each["server"] == SERVER]
    if kind == "bios":
        assert said["ack"]["server"] == OTHER and said["ack"]["address"].startswith("10.77.0.2")
        assert [each["address"] for each in ours] == ["0.0.0.0"] and ours[0]["class"] == "PXEClient"
        assert ours[0]["boot"] == "undionly.kpxe" and ours[0]["next"] == SERVER
        again = [each for each in segment.dhcp(station, "ipxe", 2)["offers"] if each["server"] == SERVER]
        assert [(each["address"], each["boot"]) for each in again] == [("0.0.0.0", f"http://{SERVER}/boot.ipxe")]
    elif kind == "efi":
        assert said["ack"]["server"] == SERVER and said["ack"]["address"].startswith("10.77.0.24"), "GRUB asks whom it has its address from"
        assert said["ack"]["boot"] == "shimx64.efi" and said["ack"]["next"] == SERVER
    else:
        assert said["ack"]["server"] == OTHER
        assert [(each["address"], each["boot"], each["class"]) for each in ours] == [("0.0.0.0", ISO, "HTTPClient")]
    system = segment.dhcp(station, "system", 0)
    assert [each["server"] for each in system["offers"]] == [OTHER] and system["ack"]["server"] == OTHER, (
        "a system's address is the site's business"
    )


@pytest.mark.whole
@pytest.mark.parametrize("named", [False, True])
def test_without_a_pool_uefi_is_offered_something_only_where_grub_finds_its_files(segment: Segment, named: bool) -> None:
    segment.sites_dhcp(segment.other())
    segment.dnsmasq(boot_server_dhcp="proxy", boot_server_next_server=named)
    station = segment.station(1)
    for kind, boot in (("bios", "undionly.kpxe"), ("efihttp", ISO), ("efi", "shimx64.efi" if named else None)):
        offers = segment.dhcp(station, kind, 2 if boot else 0)["offers"]
        assert [each["boot"] for each in offers if each["server"] == SERVER] == ([boot] if boot else []), kind


def test_other_servers_are_found_and_named(segment: Segment) -> None:
    def probe() -> list[tuple[str, str]]:
        done = segment.run(
            segment.server, "env", f"PYTHONPATH={ROLE / 'files'}", sys.executable, "-m", "fleet_boot", "probe", "lan", "--seconds", "3"
        )
        return [(each["server"], each["boot"]) for each in json.loads(done.stdout)]

    assert probe() == []
    segment.sites_dhcp(segment.other(), "dhcp-boot=other.0,,10.77.0.254")
    assert probe() == [(OTHER, "other.0")]


def test_once_is_once_over_tftp_and_bytes_are_few(segment: Segment) -> None:
    segment.loaders()
    segment.service()
    segment.dnsmasq(boot_server_dhcp="none")
    station = segment.station(1, "10.77.0.11")
    sizes = {
        name: segment.ask(station, "tftp", SERVER, name)["bytes"]
        for name in ("undionly.kpxe", "shimx64.efi", "grubx64.efi", "grub/grub.cfg")
    }
    assert sizes["undionly.kpxe"] < 1_000_000 and sizes["shimx64.efi"] + sizes["grubx64.efi"] + sizes["grub/grub.cfg"] < 5_000_000
    change.apply(segment.site, Request(MAC, "pc01", "imaging-once"), check=False)
    stranger = segment.station(2, "10.77.0.12")
    segment.ask(stranger, "tftp", SERVER, f"stations/{NAME}.cfg")
    eventually(lambda: "403" in (segment.folder / "service.err").read_text(), "the boot service did not hear of the stranger")
    assert "environment/vmlinuz" in segment.ask(station, "tftp", SERVER, f"stations/{NAME}.cfg")["text"], "nobody uses up another's entry"
    eventually(lambda: not (segment.site.tftp / f"stations/{NAME}.cfg").exists(), "the boot service did not hear of it")
    assert "error" in segment.ask(station, "tftp", SERVER, f"stations/{NAME}.cfg")


def test_nothing_else_is_served_over_tftp(segment: Segment) -> None:
    (segment.site.state / "secret").write_text("secret")
    (segment.folder / "srv/secret").write_text("secret")
    segment.dnsmasq(boot_server_dhcp="none")
    station = segment.station(1, "10.77.0.11")
    for path in (
        "../secret",
        "/etc/hostname",
        "grub/../../secret",
        "..\\secret",
        str(segment.site.state / "secret"),
        "stations/../../../state/secret",
    ):
        said = segment.ask(station, "tftp", SERVER, path)
        assert "error" in said, path


def test_http_serves_files_and_the_boot_service_and_nothing_else(segment: Segment) -> None:
    segment.loaders()
    (segment.site.http / "environment/root.img").write_text("root")
    (segment.folder / "srv/secret").write_text("secret")
    (segment.site.http / "stations/.52.tmp").write_text("half")
    segment.service()
    segment.nginx()
    one, two = segment.station(1, "10.77.0.11"), segment.station(2, "10.77.0.12")
    http, https = f"http://{SERVER}", f"https://{SERVER}"
    assert segment.curl(one, f"{http}/boot.ipxe")[1].startswith("#!ipxe")
    assert segment.curl(one, f"{http}/environment/root.img") == (200, "root")
    for path in (
        "/",
        "/environment/",
        "/stations/",
        "/../secret",
        "/%2e%2e/secret",
        "/stations/.52.tmp",
        f"/station/{NAME}",
        "/tftp",
        "/environment/../../secret",
    ):
        assert segment.curl(one, f"{http}{path}")[0] in (400, 403, 404), path
    assert segment.curl(one, "-X", "PUT", "-d", "x", f"{http}/menu.ipxe")[0] == 403
    change.apply(segment.site, Request(MAC, "pc01", "imaging-once"), check=False)
    assert segment.curl(two, f"{http}/stations/{NAME}.ipxe")[0] == 403, "its card is another's, by the kernel's own table"
    assert segment.curl(two, "-H", "X-Real-IP: 10.77.0.11", f"{http}/stations/{NAME}.ipxe")[0] == 403
    assert "environment/vmlinuz" in segment.curl(one, f"{http}/stations/{NAME}.ipxe")[1]
    assert segment.curl(one, f"{http}/stations/{NAME}.ipxe")[0] == 404
    status, body = segment.curl(one, f"{https}/station/{NAME}")
    token = json.loads(body)["token"]
    said = json.dumps({"token": token, "host_key": KEY})
    assert status == 200
    assert segment.curl(two, "-d", said, f"{https}/station/{NAME}/host-key")[0] == 403
    assert segment.curl(one, "-d", "x" * 100_000, f"{https}/station/{NAME}/host-key")[0] == 413
    assert segment.curl(one, "-X", "POST", f"{https}/tftp")[0] == 404
    assert segment.curl(one, "-d", said, f"{https}/station/{NAME}/host-key")[0] == 201
    assert segment.curl(one, "-d", said, f"{https}/station/{NAME}/host-key")[0] == 403
    assert (segment.site.state / f"host-keys/{NAME}").read_text() == KEY + "\n"


@pytest.mark.whole
def test_slow_clients_keep_nobody_waiting(segment: Segment) -> None:
    segment.loaders()
    segment.service()
    segment.nginx()
    one, two = segment.station(1, "10.77.0.11"), segment.station(2, "10.77.0.12")
    slow = (
        "import socket, ssl, time\nsockets = []\nfor number in range(100):\n"
        f"    sockets.append(socket.create_connection(('{SERVER}', 80)))\n    sockets[-1].sendall(b'GET /menu.ipxe HTTP/1.1\\r\\nX')\n"
        "print('ready', flush=True)\ntime.sleep(600)\n"
    )
    process = segment.start(two, sys.executable, "-c", slow, log="slow.err")
    change.apply(segment.site, Request(MAC, "pc01", "imaging"), check=False)
    assert segment.curl(one, f"http://{SERVER}/stations/{NAME}.ipxe")[0] == 200
    assert process.poll() is None


def test_an_invalid_configuration_is_found_before_it_is_used(segment: Segment) -> None:
    for wrong in ("dhcp-range=10.77.0.300,10.77.0.400", "no-such-option", "dhcp-host=52:54:00:77:00:zz,10.77.0.999"):
        config = segment.folder / "wrong.conf"
        config.write_text(segment.configuration(boot_server_extra=[wrong]))
        done = subprocess.run(["dnsmasq", "--test", "-C", config], check=False, capture_output=True, text=True)
        assert done.returncode != 0, wrong


def test_who_solicits_a_router_hears_at_once_that_there_is_none(segment: Segment) -> None:
    segment.advertise()
    station = segment.station(1)
    solicit = (
        "import socket, struct, time\n"
        "wire = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)\n"
        "wire.setsockopt(socket.IPPROTO_ICMPV6, 1, struct.pack('=8I', *[0xFFFFFFFF] * 4, 0xFFFFFFFF & ~(1 << 6), *[0xFFFFFFFF] * 3))\n"
        "index = socket.if_nametoindex('lan')\n"
        "wire.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)\n"
        "wire.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)\n"
        "wire.settimeout(1)\n"
        "for _try in range(60):\n"
        "    try:\n"
        "        wire.sendto(struct.pack('!BBHI', 133, 0, 0, 0), ('ff02::2', 0, 0, index))\n"
        "        message, sender = wire.recvfrom(1500)\n"
        "    except OSError:\n"  # no address yet, or no answer
        "        time.sleep(0.5)\n"
        "        continue\n"
        "    print(message.hex()[8:])\n"
        "    break\n"
    )
    said = segment.run(station, sys.executable, "-c", solicit).stdout.strip()
    assert said == "40" + "00" * 11, "hop limit 64; no flags, no lifetime, no prefix"
