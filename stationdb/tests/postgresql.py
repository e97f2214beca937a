# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A PostgreSQL server of Debian's packages for tests and benchmarks, on loopback and a socket in a folder of its own, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.ports import free_port

_PROGRAMS = Path("/usr/lib/postgresql")


@dataclass(frozen=True)
class Server:
    """A running server: its URL for STATIONDB_DATABASE_URL, the process of its postmaster, its folder."""

    url: str
    pid: int
    folder: Path


@contextmanager
def postgresql(**settings: str) -> Iterator[Server]:
    """Start a server with an empty database ``stationdb``; settings are those of postgresql.conf. RuntimeError when it does not start."""
    programs = max(_PROGRAMS.glob("*/bin"), key=lambda path: int(path.parent.name), default=None)
    if programs is None:
        raise RuntimeError("PostgreSQL is not installed: run make setup")
    folder = Path(tempfile.mkdtemp(prefix="stationdb-postgresql-"))
    account = pwd.getpwnam("postgres") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    os.chown(folder, account.pw_uid, account.pw_gid)

    def run(*argv: str) -> None:
        done = subprocess.run(argv, user=account.pw_uid, group=account.pw_gid, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{argv[0]} failed: {done.stderr or done.stdout}")

    data = folder / "data"
    process = None
    try:
        run(
            str(programs / "initdb"),
            "-D",
            str(data),
            "--auth=trust",
            "--username=stationdb",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        )
        port = free_port()
        given = {"unix_socket_directories": str(folder), "listen_addresses": "127.0.0.1", "port": str(port), "fsync": "off", **settings}
        process = subprocess.Popen(
            [str(programs / "postgres"), "-D", str(data), *(word for name, value in given.items() for word in ("-c", f"{name}={value}"))],
            user=account.pw_uid,
            group=account.pw_gid,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=(folder / "log").open("wb"),
        )
        deadline = time.monotonic() + 60
        while subprocess.run([programs / "pg_isready", "-q", "-h", folder, "-p", str(port)], check=False).returncode:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {(folder / 'log').read_text()}")
            time.sleep(0.05)
        run(str(programs / "createdb"), "-h", str(folder), "-p", str(port), "-U", "stationdb", "stationdb")
        yield Server(f"postgresql://stationdb@127.0.0.1:{port}/stationdb", process.pid, folder)
    finally:
        if process is not None:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.send_signal(3)  # SIGQUIT: at once, without a checkpoint
                process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    """Run a command with STATIONDB_DATABASE_URL naming a fresh server; its exit code is the command's."""
    with postgresql() as server:
        return subprocess.run(sys.argv[1:], env={**os.environ, "STATIONDB_DATABASE_URL": server.url}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
