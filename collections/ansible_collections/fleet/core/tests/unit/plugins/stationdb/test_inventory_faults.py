# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to the inventory when the station database does not answer, or not as it should."""

from __future__ import annotations

import http.server
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .conftest import Ansible, StationDatabase

HEADER = b'{"fleet_inventory":1,"groups":[{"name":"stations"}]}\n'
BATCH = b'{"names":["pc01"],"groups":[0],"combinations":[[0]],"columns":{"fleet_site":{"value":"lyon"}}}\n'
END = b'{"stations":1,"etag":"e1"}\n'


@contextmanager
def answering(body: bytes, status: int = 200, kind: str = "application/x-ndjson", cut: int = 0, tls: Path | None = None) -> Iterator[str]:
    """A server that gives one answer to everything, cut short by so many bytes."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body) + cut))
            self.send_header("Location", "https://elsewhere.example/")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_said: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def refused(ansible: Ansible, **options: object) -> str:
    """What is said when an inventory cannot be read, in one line; nothing of it is in the inventory."""
    source = ansible.source(**options)
    environment = options.pop("environment", {})
    assert isinstance(environment, dict)
    done = ansible.run("ansible-inventory", "-i", str(source), "--graph", ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED="false", **environment)
    assert "pc01" not in done.stdout, "half an inventory is none"
    assert "Traceback" not in done.stderr
    return " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("body", "cut", "said"),
    [
        (HEADER + BATCH, 0, "ended before the next stations, after 1 stations"),
        (HEADER + BATCH[:40], 0, "a line cannot be read"),
        (HEADER + BATCH, 500, "ended before the next stations, after 1 stations"),
        (HEADER + BATCH + BATCH + END, 0, "should have 1 stations, and 2 came"),
        (HEADER + END, 0, "should have 1 stations, and 0 came"),
        (b"", 0, "ended before groups"),
        (HEADER.replace(b":1,", b":2,") + BATCH + END, 0, "in format 2, and this collection reads format 1"),
        (HEADER + BATCH.replace(b"[[0]]", b"[[7]]") + END, 0, "a batch of stations cannot be read"),
        (HEADER + BATCH.replace(b'"groups":[0]', b'"groups":[3]') + END, 0, "a batch of stations cannot be read"),
        (HEADER + BATCH.replace(b'{"value":"lyon"}', b"[1,2]") + END, 0, "a batch of stations cannot be read"),
        (HEADER + b"[1]\n" + END, 0, "a line cannot be read"),
    ],
)
def test_a_stream_that_is_cut_or_damaged_gives_no_inventory(ansible: Ansible, body: bytes, cut: int, said: str) -> None:
    with answering(body, cut=cut) as url:
        assert said in refused(ansible, url=url)


def test_a_whole_stream_does(ansible: Ansible) -> None:
    with answering(HEADER + BATCH + END) as url:
        assert ansible.inventory(ansible.source(url=url))["stations"]["hosts"] == ["pc01"]


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (500, b"", "failed on the server (500)"),
        (403, b'{"errors":[{"what":"You may not.","remedy":"Ask."}]}', "You may not. Ask."),
        (302, b"", "sends us to https://elsewhere.example/"),
        (200, b"<html>", "is no station database: it answers text/html"),
        (404, b"<html>not here", "was answered 404"),
    ],
)
def test_another_answer_is_told(ansible: Ansible, status: int, body: bytes, said: str) -> None:
    with answering(body, status, kind="text/html") as url:
        assert said in refused(ansible, url=url)


def test_a_token_that_is_wrong_or_has_expired(database: StationDatabase, ansible: Ansible) -> None:
    for token in ("fleet_wrong", database.tokens["expired"]):
        said = refused(ansible, token=token)
        assert "does not accept the token: it is wrong, has expired" in said
        assert "stationdb token issue" in said, "the remedy"
        assert token not in said


def test_a_token_from_a_file_that_only_its_owner_reads(database: StationDatabase, ansible: Ansible) -> None:
    ansible.environment.pop("FLEET_STATIONDB_TOKEN")
    assert "There is no token" in refused(ansible)
    assert "cannot be read" in refused(ansible, token_file="no-such-file")
    file = ansible.folder / "token"
    file.write_text(f"{database.tokens['admin']}\n")
    file.chmod(0o644)
    assert "can be read by every user of this host" in refused(ansible, token_file="token")
    file.chmod(0o600)
    assert "site_lyon" in ansible.inventory(ansible.source(token_file="token"))["all"]["children"]


def test_a_secret_never_leaves_in_clear(ansible: Ansible) -> None:
    assert "would send the token in clear" in refused(ansible, url="http://stations.example")
    assert "is no address of a station database" in refused(ansible, url="ftp://stations.example")


def test_a_server_that_is_not_there(ansible: Ansible) -> None:
    with answering(b"") as url:
        pass
    assert "cannot be reached: [Errno 111] Connection refused" in refused(ansible, url=url)


def test_a_certificate_that_is_not_trusted(ansible: Ansible) -> None:
    certificate = ansible.folder / "both.pem"
    argv = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "1",
        "-subj",
        "/CN=test",
    ]
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(ansible.folder / "key.pem"), "-out", str(ansible.folder / "ca.pem")]
    subprocess.run([*argv, *names], check=True, capture_output=True)
    certificate.write_text((ansible.folder / "key.pem").read_text() + (ansible.folder / "ca.pem").read_text())
    with answering(HEADER + BATCH + END, tls=certificate) as url:
        said = refused(ansible, url=url)
        assert "is not trusted: self-signed certificate" in said and "ca_file" in said
        assert "does not match" in refused(ansible, url=url.replace("127.0.0.1", "localhost"), ca_file="ca.pem").replace(
            "mismatch", "does not match"
        )
        assert "pc01" in ansible.run("ansible-inventory", "-i", str(ansible.source(url=url, ca_file="ca.pem")), "--graph").stdout
        assert "pc01" in ansible.run("ansible-inventory", "-i", str(ansible.source(url=url, validate_certs=False)), "--graph").stdout
        assert "cannot be read" in refused(ansible, url=url, ca_file="key.pem")


@pytest.fixture
def cached(ansible: Ansible) -> dict[str, object]:
    return {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(ansible.folder / "cache")}


def test_the_cache_is_asked_about_and_follows_every_change(database: StationDatabase, ansible: Ansible, cached: dict[str, object]) -> None:
    source = ansible.source(**cached)
    with database.client() as client:
        client.post("/stations", {"name": "pc01", "site": "lyon"})
        first = ansible.inventory(source)
        kept = next((ansible.folder / "cache").iterdir())
        kept_at = kept.stat().st_mtime_ns
        assert ansible.inventory(source) == first
        assert kept.stat().st_mtime_ns == kept_at, "304: nothing new was kept"
        client.patch("/stations/pc01", {"tag": "NEW"})
        assert ansible.inventory(source)["_meta"]["hostvars"]["pc01"]["fleet_tag"] == "NEW"
        client.patch("/stations/pc01", {"tag": "NEWER"})
        unasked = ansible.source(**cached, revalidate=False)
        assert ansible.inventory(unasked)["_meta"]["hostvars"]["pc01"]["fleet_tag"] == "NEW", "as it was told to"
        assert ansible.run("ansible-inventory", "-i", str(unasked), "--host", "pc01", "--flush-cache").stdout.count("NEWER") == 1


def test_another_token_or_filter_finds_nothing_in_the_cache(database: StationDatabase, ansible: Ansible, cached: dict[str, object]) -> None:
    with database.client() as client:
        client.post("/sites", {"slug": "paris", "name": "Paris"})
        client.post("/stations", {"name": "par-01", "site": "paris"})
    assert "par-01" in ansible.inventory(ansible.source(**cached, revalidate=False))["_meta"]["hostvars"]
    source = ansible.source(**cached, revalidate=False)
    assert ansible.inventory(source, FLEET_STATIONDB_TOKEN=database.tokens["local"])["_meta"]["hostvars"] == {}
    assert ansible.inventory(ansible.source(**cached, revalidate=False, sites=["lyon"]))["_meta"]["hostvars"] == {}


def test_without_the_server_the_cache_serves_only_when_it_may(ansible: Ansible, cached: dict[str, object]) -> None:
    with answering(HEADER + BATCH + END) as url:
        ansible.inventory(ansible.source(url=url, **cached))
    assert "cannot be reached" in refused(ansible, url=url, **cached)
    done = ansible.run("ansible-inventory", "-i", str(ansible.source(url=url, **cached, use_stale=True)), "--graph")
    assert "pc01" in done.stdout
    assert "may be out of date" in " ".join(done.stderr.split())


def test_a_damaged_cache_is_fetched_again(database: StationDatabase, ansible: Ansible, cached: dict[str, object]) -> None:
    source = ansible.source(**cached)
    first = ansible.inventory(source)
    kept = next((ansible.folder / "cache").iterdir())
    for damage in ('{"text": 1}', '["x"]'):
        kept.write_text(damage)
        assert ansible.inventory(source) == first
