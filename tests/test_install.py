# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's own installer, under emulation, with the answers and files that the boot server hands out.

The mirror is the one that apt uses on this machine, through a server that keeps what passes. How far the installation comes depends on it:
where it lacks components of the installer (``udeb``), the installer stops there, and so does this test.
"""

from __future__ import annotations

import hashlib
import http.server
import json
import shutil
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.fleet.imaging.plugins.module_utils.environment import sources
from ansible_collections.fleet.imaging.plugins.module_utils.installer import answers, images, preseed, programs
from ansible_collections.fleet.imaging.plugins.module_utils.installer.request import Installation
from ansible_collections.fleet.imaging.plugins.module_utils.installer.systems import SYSTEMS
from tests.ports import free_port

ROOT = Path(__file__).parents[1]
SERVICE = ROOT / "collections/ansible_collections/fleet/imaging/roles/unattended/files/fleet_install.py"
PACKAGE = "debian-installer-12-netboot-amd64"
HOST = "10.0.2.2"
"""This machine, as QEMU's user network calls it."""
MAC, FOLDER = "52:54:00:77:00:01", "52-54-00-77-00-01"
PATIENCE = 900
"""Seconds for each step."""

NGINX = """\
pid {0}/nginx.pid; error_log {0}/nginx.err; daemon off; events {{}}
http {{
  access_log off; client_body_temp_path {0}/t1; proxy_temp_path {0}/t2;
  fastcgi_temp_path {0}/t3; uwsgi_temp_path {0}/t4; scgi_temp_path {0}/t5;
  proxy_set_header X-Real-IP $remote_addr; proxy_set_header X-Forwarded-Proto $scheme;
  server {{ listen 127.0.0.1:{1}; location / {{ proxy_pass http://127.0.0.1:{3}; }} }}
  server {{ listen 127.0.0.1:{2} ssl; ssl_certificate {0}/server.pem; ssl_certificate_key {0}/server.key;
            location / {{ proxy_pass http://127.0.0.1:{3}; }} }}
}}
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.whole,
    pytest.mark.skipif(shutil.which("qemu-system-x86_64") is None, reason="QEMU is not installed"),
]


class Mirror(http.server.ThreadingHTTPServer):
    """The host's mirror, and what was asked of it: paths and statuses."""

    def __init__(self, origin: str, cache: Path) -> None:
        super().__init__(("127.0.0.1", free_port()), Passing)
        self.origin, self.cache, self.asked = origin, cache, list[tuple[str, int]]()
        cache.mkdir(parents=True, exist_ok=True)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server_address[1]}/debian"

    def statuses(self, part: str) -> list[int]:
        return [status for path, status in self.asked if part in path]


class Passing(http.server.BaseHTTPRequestHandler):
    """Hands on one file, and keeps those that never change."""

    server: Mirror

    def do_GET(self) -> None:
        path, status, data = self.path.removeprefix("/debian"), 200, b""
        kept = self.server.cache / hashlib.sha256(path.encode()).hexdigest()
        if path.startswith("/pool/") and kept.exists():
            data = kept.read_bytes()
        else:
            try:
                with urllib.request.urlopen(f"{self.server.origin}{path}", timeout=120) as answer:
                    data = answer.read()
            except urllib.error.HTTPError as error:
                status = error.code
            else:
                kept.write_bytes(data)
        self.server.asked.append((path, status))
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_args: object) -> None:
        pass


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    lines = [line.split() for line in sources.debian("bookworm")]
    origins = [word for words in lines for word in words if word.startswith("http") and "bookworm" in words]
    if not origins:
        pytest.skip("apt of this machine has no mirror of Debian 12 that is reached over HTTP")
    with Mirror(origins[0].rstrip("/"), ROOT / ".cache/lab/installer/mirror") as server:
        yield server
        server.shutdown()


@pytest.fixture
def installer(tmp_path: Path) -> Path:
    """The folder that a boot server serves, with Debian's installer."""
    cache = ROOT / ".cache/lab/installer"
    cache.mkdir(parents=True, exist_ok=True)
    if not list(cache.glob(f"{PACKAGE}_*.deb")):
        subprocess.run(["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", PACKAGE], cwd=cache, check=True, capture_output=True)
    subprocess.run(["dpkg-deb", "-x", max(cache.glob(f"{PACKAGE}_*.deb")), tmp_path / "package"], check=True)
    source = tmp_path / "package/usr/lib/debian-installer/images/12/amd64/text"
    images.provide(SYSTEMS["debian-12"], str(source), Path("/nowhere"), tmp_path / "served")
    shutil.rmtree(tmp_path / "package")
    return tmp_path / "served/http/installers/debian-12"


@pytest.fixture
def boot_server(tmp_path: Path) -> Iterator[tuple[str, str, str]]:
    """Its address over HTTP and HTTPS, and its authority; the hand-out service is behind it, with tmp_path/install."""
    plain, secure, behind = free_port(), free_port(), free_port()
    (tmp_path / "names").write_text(f"subjectAltName=IP:{HOST},IP:127.0.0.1\n")
    for argv in (
        ["req", "-x509", "-subj", "/CN=Test", "-keyout", "ca.key", "-out", "ca.pem", "-days", "30"],
        ["req", "-subj", "/CN=boot", "-keyout", "server.key", "-out", "server.csr"],
    ):
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        subprocess.run(["openssl", argv[0], *key, *argv[1:]], cwd=tmp_path, check=True, capture_output=True)
    sign = ["x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30", "-extfile", "names"]
    subprocess.run(["openssl", *sign, "-out", "server.pem"], cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "nginx.conf").write_text(NGINX.format(tmp_path, plain, secure, behind))
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin") or "nginx"
    with (tmp_path / "service.log").open("wb") as log:
        service = subprocess.Popen([sys.executable, SERVICE, tmp_path / "install", f"127.0.0.1:{behind}"], stderr=log)
    processes = [service, subprocess.Popen([nginx, "-c", tmp_path / "nginx.conf"])]
    try:
        yield f"http://{HOST}:{plain}", f"https://{HOST}:{secure}", (tmp_path / "ca.pem").read_text()
    finally:
        for process in processes:
            process.terminate()
            process.wait()


@pytest.fixture
def start(tmp_path: Path, installer: Path) -> Iterator[Callable[[list[str]], subprocess.Popen[bytes]]]:
    """Call it with the arguments of the kernel; the console is written to tmp_path/console."""
    machines = []

    def call(arguments: list[str]) -> subprocess.Popen[bytes]:
        argv = ["nice", "-n", "10", "qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-m", "1024", "-display", "none"]
        argv += ["-no-user-config", "-no-reboot", "-monitor", "none", "-serial", f"file:{tmp_path}/console"]
        argv += ["-kernel", str(installer / images.KERNEL), "-initrd", str(installer / images.INITRD), "-append", " ".join(arguments)]
        argv += ["-netdev", "user,id=n0", "-device", f"virtio-net-pci,netdev=n0,mac={MAC}"]
        argv += ["-object", "rng-random,id=r,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=r"]
        machines.append(subprocess.Popen(argv))
        return machines[-1]

    yield call
    for machine in machines:
        machine.terminate()
        machine.wait()


def test_debians_installer_takes_its_answers_and_files_and_stops_without_the_disk(
    mirror: Mirror,
    boot_server: tuple[str, str, str],
    start: Callable[[list[str]], subprocess.Popen[bytes]],
    tmp_path: Path,
) -> None:
    station = Installation.parse(
        {
            "system": "debian-12",
            "hostname": "pc07",
            "mac": MAC,
            "disk_identity": "serial:FLEET07",
            **dict(zip(("boot_server", "files_server", "authority"), boot_server)),
            "ssh_keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0aVJ7c0xPDZsXKD7xKR5XBC1kkPYaSVGEZYOYK0gHl Zoé d'Été"],
            "locale": "fr_FR.UTF-8",
            "keyboard": "fr",
            "time_zone": "Europe/Paris",
            "mirror": mirror.url,
            "arguments": ["console=ttyS0,115200", "DEBIAN_FRONTEND=text"],
        }
    )
    answers.write(station, tmp_path / "install")
    # What comes at the end of an installation is done at its beginning: the installer comes no further than its mirror lets it.
    late = (
        f"; mkdir -p /tmp/root; sh {preseed.PLACE}/files {station.files_address} {preseed.PLACE}/ca.pem /tmp/root"
        f"; wget -O /dev/null {station.boot_server}/sum/$(sha256sum </tmp/root/etc/fleet/install/finish.sh | cut -c 1-64)"
        f"; sh {preseed.PLACE}/disk FLEET07 '' '' 2>/tmp/why"
        f' || (sh {preseed.PLACE}/stop "$(cat /tmp/why)" </dev/null >/dev/null 2>&1 &)'
    )
    path = tmp_path / "install" / FOLDER / "preseed.cfg"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(line + late * line.startswith("d-i preseed/early_command ") for line in lines) + "\n")

    machine = start(preseed.arguments(station))

    def until(what: str, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not done():
            console = (tmp_path / "console").read_text(errors="replace")[-3000:] if (tmp_path / "console").exists() else ""
            assert machine.poll() is None, f"the machine ended before {what}: {console}"
            assert time.monotonic() < deadline, f"no {what}: {console}\n{mirror.asked[-5:]}"
            time.sleep(1)

    def log() -> str:
        return (tmp_path / "service.log").read_text()

    until("answers", lambda: f"http '/install/{FOLDER}/preseed.cfg' 200" in log())
    until("files", lambda: f"https '/install/{FOLDER}/files.tar' 200" in log())
    assert json.loads((tmp_path / "install" / FOLDER / answers.TAKEN).read_text())["address"] == "127.0.0.1"
    unpacked = hashlib.sha256(programs.FINISH.encode()).hexdigest()
    until("unpacked files", lambda: f"/sum/{unpacked}" in log())
    until("stop without the disk", lambda: "0 disks are serial:FLEET07" in (tmp_path / "console").read_text(errors="replace"))
    until(
        "the mirror's index",
        lambda: 200 in mirror.statuses("/dists/bookworm/") and bool(mirror.statuses("/debian-installer/binary-amd64/")),
    )
    # The index was accepted, with Debian's signature: its components are fetched.
    until("components", lambda: bool(mirror.statuses(".udeb")))
