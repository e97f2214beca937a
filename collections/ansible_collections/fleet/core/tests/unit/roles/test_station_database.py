# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role's templates in a real nginx: what is written down of who asks."""

from __future__ import annotations

import http.client
import http.server
import os
import shutil
import socketserver
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import jinja2
import pytest

from tests.ports import free_port

ROLE = Path(__file__).parents[3] / "roles/station_database"
VARIABLES = {
    "ansible_managed": "Ansible",
    "station_database_logins_per_minute": 10,
    "station_database_hsts": 0,
    "station_database_body_limit": "40m",
}
KEY = "the-agents-key"
WAIT = 60
"""Seconds after which a test gives up."""


class Answer(http.server.BaseHTTPRequestHandler):
    """Says which path it was asked for."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.path)))
        self.end_headers()
        self.wfile.write(self.path.encode())

    do_GET = do_POST

    def log_message(self, *_given: object) -> None:
        """Nothing."""


class Application(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """In the place of the station database."""

    daemon_threads = True

    def get_request(self) -> tuple[object, tuple[str, int]]:
        return super().get_request()[0], ("unix", 0)


@dataclass
class Site:
    """nginx, its port and its folder with the logs."""

    port: int
    folder: Path

    def ask(self, path: str, body: bytes = b"x", method: str = "POST") -> tuple[int, str]:
        """One request with the path exactly as given: status and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT)
        connection.putrequest(method, path, skip_accept_encoding=True)
        connection.putheader("Content-Length", str(len(body)))
        connection.putheader("User-Agent", "agent")
        connection.endheaders(body)
        answer = connection.getresponse()
        said = answer.read().decode(errors="replace")
        connection.close()
        return answer.status, said

    def logs(self, lines: int) -> str:
        """All that nginx wrote, once the access log has so many lines."""
        deadline = time.monotonic() + WAIT
        while len((self.folder / "fleet-stationdb.log").read_text().splitlines()) < lines:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return "".join(path.read_text() for path in self.folder.glob("*.log"))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """nginx as the role configures it, without TLS; its application can be taken away."""
    templates = jinja2.Environment(loader=jinja2.FileSystemLoader(ROLE / "templates"), trim_blocks=True, undefined=jinja2.StrictUndefined)
    for name in ("http", "server"):
        text = templates.get_template(f"nginx-{name}.conf.j2").render(VARIABLES)
        text = text.replace("/var/log/nginx", str(tmp_path)).replace("/run/stationdb.socket", str(tmp_path / "socket"))
        (tmp_path / f"{name}.conf").write_text(text)
    port = free_port()
    folders = " ".join(f"{kind}_temp_path {tmp_path}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (tmp_path / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {tmp_path}/nginx.pid; error_log {tmp_path}/error.log;\n"
        f"events {{ }} http {{ {folders} include {tmp_path}/http.conf;\n"
        f"server {{ listen 127.0.0.1:{port}; include {tmp_path}/server.conf; }} }}\n"
    )
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") or "nginx"
    with Application(str(tmp_path / "socket"), Answer) as application:
        threading.Thread(target=application.serve_forever, daemon=True).start()
        process = subprocess.Popen([nginx, "-c", str(tmp_path / "nginx.conf")], stderr=(tmp_path / "said").open("wb"))
        try:
            deadline = time.monotonic() + WAIT
            while not (tmp_path / "nginx.pid").exists():
                assert process.poll() is None and time.monotonic() < deadline, (tmp_path / "said").read_text()
                time.sleep(0.02)
            yield Site(port, tmp_path)
        finally:
            process.terminate()
            process.wait(WAIT)
            application.shutdown()


@pytest.mark.parametrize(
    "path",
    ["/ocsinventory/{}", "/agents/glpi/{}", "/agents/glpi/{}?x=1", "//ocsinventory//{}", "/%6fcsinventory/{}", "/x/../agents/glpi/{}"],
)
def test_the_agents_key_is_in_no_log(site, path):
    status, said = site.ask(path.format(KEY))
    assert status == 200 and said.partition("?")[0].endswith(KEY), "the application gets it"
    (site.folder / "socket").unlink()
    assert site.ask(path.format(KEY))[0] == 502
    assert site.ask("/ocsinventory/" + KEY, b"x" * (41 << 20))[0] == 413
    logs = site.logs(3)
    assert KEY not in logs
    kind = "agents/glpi" if "glpi" in path else "ocsinventory"
    assert logs.count(f'"POST /{kind}/- HTTP/1.1" 200') == 1 and logs.count(f'"POST /{kind}/- HTTP/1.1" 502') == 1


def test_other_requests_are_written_down_whole(site):
    for path in ("/ocsinventory", "/agents/glpi", "/stations/?q=pc01", "/api/v1/ocsinventory/x"):
        assert site.ask(path)[1] == path
    logs = site.logs(4)
    for path in ("/ocsinventory", "/agents/glpi", "/stations/?q=pc01", "/api/v1/ocsinventory/x"):
        assert f'"POST {path} HTTP/1.1" 200' in logs and '"agent"' in logs
