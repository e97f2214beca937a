# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A segment with a boot server in network namespaces: real dnsmasq, nginx and boot service, from the role's own templates."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import jinja2

from ansible_collections.fleet.imaging.plugins.module_utils.netboot import menu, reservations, site

ROLE = Path(__file__).parents[4] / "roles/boot_server"
FIRMWARE = Path(__file__).with_name("firmware.py")
TIMEOUT = 120.0
SERVER, OTHER = "10.77.0.1", "10.77.0.254"


def eventually(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, timeout=TIMEOUT)


def rendered(template: str, **variables: Any) -> str:
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(ROLE / "templates"), trim_blocks=True, keep_trailing_newline=True)
    environment.filters["dirname"] = os.path.dirname
    return environment.get_template(template).render(ansible_managed="test", **variables)


class Segment:
    """A bridge with the boot server on it, and stations and other servers in namespaces of their own."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self.stack, self.folder = stack, folder
        self.prefix = f"boot{os.getpid()}"
        self.server = self._namespace("s", SERVER, "02:f1:00:00:00:01")
        self.site = site.Site(SERVER, folder / "srv", folder / "state", user="", arguments=("console=ttyS0",))
        for below in ("http/stations", "http/environment", "tftp/stations", "tftp/grub", "tftp/environment"):
            (self.site.root / below).mkdir(parents=True)
        for below in ("stations", "host-keys", "maintenance"):
            (self.site.state / below).mkdir(parents=True)
        folder.chmod(0o755)

    def _namespace(self, name: str, address: str = "", mac: str = "") -> str:
        """A namespace with the interface lan; that of the first holds the bridge."""
        full = f"{self.prefix}{name}"
        ip("netns", "add", full)
        self.stack.callback(lambda: subprocess.run(["ip", "netns", "del", full], check=False, capture_output=True))
        ip("-n", full, "link", "set", "lo", "up")
        if name == "s":
            ip("-n", full, "link", "add", "lan", "address", mac, "type", "bridge", "forward_delay", "0")
        else:
            peer = f"v{name}"
            ip("-n", self.server, "link", "add", peer, "type", "veth", "peer", "name", "lan", "netns", full)
            ip("-n", self.server, "link", "set", peer, "master", "lan", "up")
            ip("-n", full, "link", "set", "lan", "address", mac)
        if address:
            ip("-n", full, "addr", "add", f"{address}/24", "brd", "+", "dev", "lan")
        ip("-n", full, "link", "set", "lan", "up")
        return full

    def station(self, number: int, address: str = "") -> str:
        """The namespace of a station with the card 52:54:00:77:00:NUMBER."""
        return self._namespace(f"c{number}", address, f"52:54:00:77:00:{number:02x}")

    def other(self) -> str:
        """The namespace of another server."""
        return self._namespace("o", OTHER, "02:f1:00:00:00:fe")

    def run(self, namespace: str, *argv: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["ip", "netns", "exec", namespace, *argv], check=check, capture_output=True, text=True, timeout=TIMEOUT)

    def ask(self, namespace: str, *argv: str) -> dict[str, Any]:
        """What firmware.py was told."""
        done = self.run(namespace, sys.executable, str(FIRMWARE), *argv)
        return dict(json.loads(done.stdout))

    def dhcp(self, namespace: str, kind: str, offers: int = 1) -> dict[str, Any]:
        """Ask until so many offers came; for none, wait some seconds for one that should not come."""
        return self.ask(namespace, "dhcp", "lan", kind, *((str(offers), "60") if offers else ("9", "4")))

    def start(self, namespace: str, *argv: str, log: str, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            ["ip", "netns", "exec", namespace, *argv],
            stdin=subprocess.DEVNULL,
            stderr=(self.folder / log).open("ab"),
            env={**os.environ, **(env or {})},
        )
        self.stack.callback(self._stop, process)
        return process

    def _stop(self, process: subprocess.Popen[bytes]) -> None:
        """Ask it to end first: the workers of an nginx that is killed stay."""
        process.terminate()
        try:
            process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def configuration(self, **variables: Any) -> str:
        """The role's dnsmasq.conf, for this folder and for root."""
        network = f"{SERVER}/255.255.255.0"
        said: dict[str, Any] = {
            "boot_server_dhcp": "own",
            "boot_server_pool": "",
            "boot_server_firmware_pool": "",
            "boot_server_next_server": False,
            "boot_server_router": "10.77.0.254",
            "boot_server_dns": ["10.77.0.253"],
            "boot_server_domain": "room.example",
            "boot_server_lease": "12h",
            "boot_server_extra": [],
            **variables,
        }
        pools = [said["boot_server_pool"], said["boot_server_firmware_pool"]]
        text = rendered(
            "dnsmasq.conf.j2",
            boot_server_interface="lan",
            boot_server_address=SERVER,
            boot_server_netmask="255.255.255.0",
            boot_server_path=str(self.site.root),
            boot_server_account="root",
            boot_server_leases=str(self.folder / "leases"),
            boot_server_log=str(self.folder / "dnsmasq.log"),
            boot_server_config_path=str(self.folder),
            boot_server_ranges=[list(reservations.pool(each, network)) if each else [] for each in pools],
            **said,
        )
        return text.replace("user=dnsmasq", "user=root").replace("/usr/local/lib/fleet-boot/tftp-event", str(self.folder / "tftp-event"))

    def dnsmasq(self, *, hosts: list[dict[str, Any]] | None = None, **variables: Any) -> None:
        """Start the boot server's dnsmasq."""
        (self.folder / "reservations").write_text(rendered("reservations.j2", boot_server_hosts=hosts or []))
        script = rendered("tftp-event.sh.j2").replace(
            "exec /usr/local/sbin/fleet-boot tftp", f"exec {sys.executable} -P -m fleet_boot tftp --socket={self.folder / 'socket'}"
        )
        (self.folder / "tftp-event").write_text(script.replace("#!/bin/sh", f"#!/bin/sh\nexport PYTHONPATH={ROLE / 'files'}"))
        (self.folder / "tftp-event").chmod(0o755)
        config = self.folder / "dnsmasq.conf"
        config.write_text(self.configuration(**variables))
        subprocess.run(["dnsmasq", "--test", "-C", config], check=True, capture_output=True)
        self.start(self.server, "dnsmasq", "--keep-in-foreground", "-C", str(config), log="dnsmasq.err")
        eventually(lambda: "started" in self.log(), "dnsmasq did not start")

    def log(self) -> str:
        path = self.folder / "dnsmasq.log"
        return path.read_text() if path.exists() else ""

    def sites_dhcp(self, namespace: str, *lines: str) -> None:
        """Start another DHCP server, of the site."""
        config = self.folder / "site.conf"
        settings = [
            "port=0",
            "no-ping",
            "interface=lan",
            "except-interface=lo",
            "bind-interfaces",
            "user=root",
            f"dhcp-leasefile={self.folder / 'site.leases'}",
        ]
        settings += ["dhcp-range=10.77.0.20,10.77.0.29,255.255.255.0,1h", f"log-facility={self.folder / 'site.log'}", "pid-file", *lines]
        config.write_text("\n".join(settings) + "\n")
        self.start(namespace, "dnsmasq", "--keep-in-foreground", "-C", str(config), log="site.err")
        eventually(
            lambda: (self.folder / "site.log").exists() and "started" in (self.folder / "site.log").read_text(),
            "the site's dnsmasq did not start",
        )

    def service(self) -> None:
        """Start the boot service."""
        argv = [
            sys.executable,
            "-m",
            "fleet_boot",
            "serve",
            f"--root={self.site.root}",
            f"--state={self.site.state}",
            f"--socket={self.folder / 'socket'}",
        ]
        self.start(self.server, *argv, log="service.err", env={"PYTHONPATH": str(ROLE / "files")})
        eventually((self.folder / "socket").exists, "the boot service did not start")

    def advertise(self) -> None:
        """Start what answers router solicitations."""
        self.start(
            self.server,
            sys.executable,
            "-m",
            "fleet_boot",
            "advertise",
            "lan",
            log="advertise.err",
            env={"PYTHONPATH": str(ROLE / "files")},
        )
        eventually(lambda: "answering" in (self.folder / "advertise.err").read_text(), "nobody answers router solicitations")

    def nginx(self) -> None:
        """Start nginx with the role's servers, HTTP and HTTPS."""
        key, certificate = self.folder / "key.pem", self.folder / "ca.pem"
        request = [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=boot",
            "-addext",
            f"subjectAltName=IP:{SERVER}",
        ]
        subprocess.run([*request, "-keyout", key, "-out", certificate], check=True, capture_output=True)
        (self.folder / "tls").mkdir()
        (self.folder / "tls/server.pem").write_text(key.read_text() + certificate.read_text())
        (self.folder / "beside").mkdir()
        said = {
            "boot_server_address": SERVER,
            "boot_server_names": [],
            "boot_server_path": str(self.site.root),
            "boot_server_https_port": 443,
        }
        for name, path in (("nginx-server.conf.j2", "beside/boot.server"), ("nginx.conf.j2", "http.conf")):
            text = rendered(name, boot_server_beside=False, boot_server_tls_path=str(self.folder), **said)
            text = text.replace("/run/fleet-boot.socket", str(self.folder / "socket")).replace("/var/log/nginx", str(self.folder))
            (self.folder / path).write_text(text)
        whole = self.folder / "nginx.conf"
        paths = "".join(f"{kind}_temp_path {self.folder}/{kind}; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        whole.write_text(
            f"user root; daemon off; worker_processes 1; pid {self.folder}/nginx.pid; error_log {self.folder}/nginx.err; events {{}}\n"
            f"http {{ {paths} include {self.folder}/http.conf; }}\n"
        )
        self.start(self.server, "nginx", "-c", str(whole), log="nginx.start")
        eventually(lambda: self.run(self.server, "nc", "-z", SERVER, "443", check=False).returncode == 0, "nginx did not start")

    def curl(self, namespace: str, *arguments: str) -> tuple[int, str]:
        """Status and body."""
        done = self.run(
            namespace,
            "curl",
            "--silent",
            "--max-time",
            "60",
            "--path-as-is",
            "--cacert",
            f"{self.folder / 'ca.pem'}",
            "-w",
            "\n%{http_code}",
            *arguments,
        )
        body, _newline, status = done.stdout.rpartition("\n")
        return int(status), body

    def loaders(self) -> None:
        """Debian's own, and a menu."""
        for source, target in (
            ("/usr/lib/ipxe/undionly.kpxe", "undionly.kpxe"),
            ("/usr/lib/shim/shimx64.efi.signed", "shimx64.efi"),
            ("/usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed", "grubx64.efi"),
        ):
            shutil.copy(source, self.site.tftp / target)
        menu.apply(self.site, menu.Menu("Test", 3, style="text"), check=False)
