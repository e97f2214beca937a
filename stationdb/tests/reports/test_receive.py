# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The forced command behind a real SSH server."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from stationdb.registry.models import Site, Station
from stationdb.reports.intake import process_spool
from stationdb.reports.models import Report
from stationdb.tests.reports.documents import REAL, REPOSITORY, fleet
from tests.ports import free_port

SSHD = "/usr/sbin/sshd"


def receive(*arguments: str, data: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "stationdb", "receive", *arguments],
        input=data,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **environment},
        check=False,
    )


class Server:
    """An SSH server on loopback that knows one station's key."""

    def __init__(self, folder: Path, home: Path, port: int) -> None:
        self.folder, self.port = folder, port
        for name in ("host", "station"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
        command = f"env STATIONDB_HOME={home} PYTHONPATH={REPOSITORY} {sys.executable} -m stationdb receive --station pc01"
        key = (folder / "station.pub").read_text().strip()
        (folder / "authorized_keys").write_text(f'restrict,command="{command}" {key}\n')
        (folder / "authorized_keys").chmod(0o600)
        (folder / "sshd_config").write_text(
            f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/authorized_keys\n"
            f"PidFile none\nStrictModes no\nPasswordAuthentication no\nUsePAM no\nPermitRootLogin forced-commands-only\n"
        )

    def ssh(self, *command: str, data: bytes = b"", options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [
                *("ssh", "-F", "none", "-p", str(self.port), "-i", str(self.folder / "station"), "-o", "BatchMode=yes"),
                *("-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={self.folder}/known", "-o", "LogLevel=ERROR", *options),
                *(f"{getpass.getuser()}@127.0.0.1", *command),
            ],
            input=data,
            capture_output=True,
            check=False,
            timeout=60,
        )


@pytest.fixture
def server(tmp_path_factory, spool) -> Iterator[Server]:
    if not Path(SSHD).exists() or not shutil.which("ssh"):
        pytest.skip("openssh-server is not installed: run make setup")
    port = free_port()
    made = Server(tmp_path_factory.mktemp("sshd"), spool.root.parent, port)
    Path("/run/sshd").mkdir(exist_ok=True) if os.geteuid() == 0 else None
    process = subprocess.Popen([SSHD, "-D", "-e", "-f", made.folder / "sshd_config"], stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if not probe.connect_ex(("127.0.0.1", port)):
                    break
            assert process.poll() is None, "sshd did not start"
            time.sleep(0.05)
        yield made
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.django_db
def test_a_report_over_ssh(server, spool):
    Site.objects.create(slug="root", name="All")
    done = server.ssh(data=REAL)
    assert done.returncode == 0, done.stderr
    [document] = spool.ids()
    assert done.stdout == f"accepted {document}\n".encode()
    assert server.ssh(data=zlib.compress(fleet("whatever"))).returncode == 0, "compressed as well"
    assert process_spool().taken == 2
    assert Station.objects.get().name == "pc01", "the key says who it is, not the document"
    assert set(Report.objects.values_list("way", "address")) == {("ssh", "127.0.0.1")}


@pytest.mark.parametrize(
    "command",
    [
        ("cat", "/etc/passwd"),
        ("stationdb", "receive", "--station", "pc02"),
        ("sh", "-c", "id"),
        ("scp", "-t", "/tmp"),
        ("$(touch pwned)",),
        ("stationdb receive; id",),
    ],
)
def test_whoever_asks_for_anything_else_gets_one_line(server, spool, command):
    done = server.ssh(*command, data=REAL)
    assert done.returncode == 2 and not done.stdout
    assert done.stderr.count(b"\n") == 1 and b"takes reports only" in done.stderr and not spool.ids()


def test_no_shell_no_terminal_no_forwarding_no_files(server, spool):
    assert server.ssh(options=("-tt",), data=b"").returncode != 0
    forwarded = server.ssh(options=("-N", "-o", "ExitOnForwardFailure=yes", "-R", "127.0.0.1:0:127.0.0.1:1"))
    assert forwarded.returncode != 0
    sftp = server.ssh("sftp", options=("-s",), data=b"")
    assert sftp.returncode != 0 and not spool.ids()


def test_exit_codes_say_whether_to_try_again(spool, tmp_path):
    assert receive("--station", "pc01").returncode == 1
    assert receive("--station", "pc01", data=b"x" * ((16 << 20) + 1)).returncode == 1
    assert receive("--station", "../pc01", data=b"<a/>").returncode == 2
    assert receive(data=b"<a/>").returncode == 2
    full = receive("--station", "pc01", data=b"<a/>", STATIONDB_SPOOL_RESERVE=str(1 << 60))
    assert full.returncode == os.EX_TEMPFAIL and b"No space left" in full.stderr and not full.stdout
    (tmp_path / "file").write_text("")
    nowhere = receive("--station", "pc01", data=b"<a/>", STATIONDB_HOME=str(tmp_path / "file/home"))
    assert nowhere.returncode == os.EX_TEMPFAIL and nowhere.stderr.count(b"\n") == 1
    assert not spool.ids()


def test_it_needs_no_database_and_no_django(spool):
    assert receive("--station", "pc01", data=b"<a/>", STATIONDB_DATABASE_URL="postgresql://nobody@127.0.0.1:1/none").returncode == 0
    loaded = subprocess.run(
        [
            *(sys.executable, "-c"),
            "import sys, io\nfrom stationdb.reports.receive import main\n"
            "main(['--station', 'pc01'], {}, io.BytesIO(b'<a/>'))\nprint('django' in sys.modules, 'lxml' in sys.modules)",
        ],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert loaded.stdout.endswith("False False\n")
