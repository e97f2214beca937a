# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""nginx on loopback: what a relay is to a station."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from tests.ports import free_port

from .measure import process_cpu

_CONFIG = """\
daemon off; user root; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx.err;
events {{ worker_connections 256; }}
http {{
  sendfile on; tcp_nopush on; keepalive_requests 100000; keepalive_timeout 300;
  log_format bytes '$body_bytes_sent'; access_log {folder}/nginx.log bytes;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3; uwsgi_temp_path {folder}/t4;
  scgi_temp_path {folder}/t5;
  server {{ listen 127.0.0.1:{port}; root {root}; }}
}}
"""


class Server:
    """A running nginx."""

    def __init__(self, url: str, log: Path, pid: int) -> None:
        self.url = url
        self._log = log
        self._pid = pid
        self._read = 0

    def cpu(self) -> float:
        """CPU seconds of nginx so far."""
        return process_cpu([self._pid])

    def bytes_sent(self) -> int:
        """Bytes of bodies that were sent since the last call."""
        time.sleep(0.1)  # nginx logs a request after its last byte
        with self._log.open("rb") as log:
            log.seek(self._read)
            lines = log.read()
            self._read = log.tell()
        return sum(int(line) for line in lines.split())


@contextlib.contextmanager
def nginx(root: Path, folder: Path) -> Iterator[Server]:
    """nginx that serves root; its own files are in folder. Ends with the context, by its process id."""
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(_CONFIG.format(folder=folder, root=root, port=port))
    with started(["nginx", "-c", str(config), "-e", str(folder / "nginx.err")], port) as process:
        server = Server(f"http://127.0.0.1:{port}", folder / "nginx.log", process.pid)
        with contextlib.suppress(urllib.error.HTTPError):
            urllib.request.urlopen(f"{server.url}/", timeout=5).close()
        server.bytes_sent()
        yield server


@contextlib.contextmanager
def started(argv: list[str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A daemon in the foreground that answers on a port; it is ended with the context."""
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        for _attempt in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
