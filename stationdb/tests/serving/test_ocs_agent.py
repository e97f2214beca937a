# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's OCS agent, run as its cron job runs it: without arguments, with a configuration file in which only the server was changed.

The file is laid over ``/etc/ocsinventory`` in a mount namespace of its own, so that the machine's own configuration stays as it is.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .server import Served, served, shell

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="a mount namespace needs root"),
    pytest.mark.skipif(not shutil.which("ocsinventory-agent"), reason="ocsinventory-agent is not installed: run make setup"),
]
KEY = "a-key-of-all-agents"
MAKE = """
from stationdb.registry.models import Site, Subnet
Subnet.objects.create(site=Site.objects.create(slug="root", name="All"), network="127.0.0.0/8")
"""
KNOWN = """
from stationdb.registry.models import Station
from stationdb.reports.models import Holding, Report
print(*Station.objects.values_list("tag", flat=True), Holding.objects.count(), *Report.objects.values_list("way", "agent"))
"""
AS_CRON = 'mount --make-rprivate / && mount --bind "$1" /etc/ocsinventory && exec ocsinventory-agent'


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority, a certificate that it gave to localhost, and another authority that nobody asked."""
    folder = tmp_path_factory.mktemp("authority")
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    for name in ("ca", "other"):
        argv = ["openssl", "req", "-x509", *curve, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem"]
        subprocess.run(argv, cwd=folder, check=True, capture_output=True)
    argv = ["openssl", "req", "-x509", *curve, "-subj", "/CN=stations", "-CA", "ca.pem", "-CAkey", "ca.key", "-addext", names]
    argv += ["-addext", "basicConstraints=critical,CA:false", "-keyout", "server.key", "-out", "server.pem"]
    subprocess.run(argv, cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def running(tmp_path: Path, authority: Path) -> Iterator[Served]:
    """The site over TLS, where agents need a key."""
    home = tmp_path / "home"
    tls = ["--bind", "127.0.0.1:0", "--certificate", str(authority / "server.pem"), "--key", str(authority / "server.key")]
    with served(home, *tls, STATIONDB_AGENT_KEY=KEY) as site:
        assert site.url.startswith("https://localhost:")
        shell(home, MAKE)
        yield site


def run(tmp_path: Path, *lines: str) -> subprocess.CompletedProcess[str]:
    """The agent with these lines in its configuration file, besides where it keeps what it remembers."""
    etc = tmp_path / "etc"
    if not etc.exists():
        shutil.copytree("/etc/ocsinventory", etc)
    memory = tmp_path / "var"
    memory.mkdir(exist_ok=True)
    (etc / "ocsinventory-agent.cfg").write_text("\n".join([*lines, f"basevardir={memory}", ""]))
    environment = {**os.environ, "LC_ALL": "C", "no_proxy": "*", "HOME": str(tmp_path)}
    argv = ["unshare", "--mount", "sh", "-c", AS_CRON, "sh", str(etc)]
    return subprocess.run(argv, env=environment, capture_output=True, text=True, check=False, timeout=300)


def test_an_admin_who_changes_the_servers_address_has_reports(running: Served, authority: Path, tmp_path: Path) -> None:
    before = sorted((path.name, path.read_bytes()) for path in Path("/etc/ocsinventory").iterdir())
    url, home = running.url, running.home
    ca, tag = f"ca={authority / 'ca.pem'}", "tag=ALPHA"

    # What must not be taken: no key, another key, an authority that the agent does not know.
    for lines in (
        [f"server={url}ocsinventory", ca],
        [f"server={url}ocsinventory/guess", ca],
        [f"server={url}ocsinventory/{KEY}", f"ca={authority / 'other.pem'}"],
    ):
        done = run(tmp_path, *lines, tag)
        assert not list((home / "spool").rglob("*.report")), done.stderr
    assert shell(home, KNOWN).split() == ["0"]

    done = run(tmp_path, f"server={url}ocsinventory/{KEY}", ca, tag)
    assert done.returncode == 0, done.stdout + done.stderr
    deadline = time.monotonic() + 120
    while "ocs" not in (known := shell(home, KNOWN)) and time.monotonic() < deadline:
        pass
    tag_kept, held, said = known.split(maxsplit=2)
    assert tag_kept == "ALPHA" and int(held) > 100 and said.startswith("('ocs', 'OCS-NG_unified_unix_agent_v"), known + done.stderr
    assert known.count("'ocs'") == 1, "none of those before"
    assert not any(KEY in line for line in running.lines)
    assert sorted((path.name, path.read_bytes()) for path in Path("/etc/ocsinventory").iterdir()) == before
