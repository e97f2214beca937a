# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role's templates in a real nginx and a real shell: who may read and write what, and what upkeep does."""

from __future__ import annotations

import base64
import http.client
import os
import ssl
import subprocess
import time
from typing import Any

import pytest

from ansible_collections.fleet.core.plugins.module_utils.content.chunk import chunk_path
from ansible_collections.fleet.core.plugins.module_utils.content.job import Opened
from ansible_collections.fleet.core.plugins.module_utils.content.sink import LocalSink
from tests.ports import free_port

FRAME = b"a frame"
HEX = "ab" * 32


def ask(web: Any, method: str, path: str, opened: Opened | None = None, body: bytes = b"", token: str = "") -> http.client.HTTPResponse:
    """One request with the path exactly as given; the answer, read to its end."""
    connection = http.client.HTTPSConnection("127.0.0.1", web.port, context=ssl.create_default_context(cafile=web.ca_file), timeout=60)
    headers = {}
    if opened:
        pair = base64.b64encode(f"{opened.job.id}:{token or opened.token}".encode()).decode()
        headers["Authorization"] = f"Basic {pair}"
    connection.request(method, path, body or None, headers)
    answer = connection.getresponse()
    answer.body = answer.read()  # type: ignore[attr-defined]
    connection.close()
    return answer


def upload(web: Any, opened: Opened, name: str = f"chunks/{HEX}.zst", **more: Any) -> int:
    return ask(web, "PUT", f"/content/upload/{opened.job.id}/{name}", opened, FRAME, **more).status


@pytest.fixture
def opened(web: Any) -> Opened:
    return web.jobs.open("image", "debian")


def test_chunks_and_manifests_are_served_for_ever(web, signer, make_sample):
    image = make_sample()
    image.send(LocalSink(web.store, signer.key))
    name = next(iter(image.chunks))
    answer = ask(web, "GET", f"/content/{chunk_path(name)}")
    assert answer.status == 200
    assert answer.body == web.store.chunk_path(name).read_bytes()
    assert "immutable" in answer.getheader("Cache-Control")
    assert answer.getheader("Content-Encoding") is None
    assert ask(web, "HEAD", f"/content/{chunk_path(name)}").status == 200
    assert ask(web, "GET", "/content/manifests/image/debian/1.json").body == image.data
    assert b"SSH SIGNATURE" in ask(web, "GET", "/content/manifests/image/debian/1.json.sig").body
    assert b'["image","debian","1"]' in ask(web, "GET", "/content/manifests/index.json").body


def test_many_requests_use_one_connection(web, signer, make_sample):
    image = make_sample(chunks=1)
    image.send(LocalSink(web.store, signer.key))
    connection = http.client.HTTPSConnection("127.0.0.1", web.port, context=ssl.create_default_context(cafile=web.ca_file))
    connection.connect()
    first = connection.sock
    for _number in range(2000):
        connection.request("HEAD", f"/content/{chunk_path(next(iter(image.chunks)))}")
        connection.getresponse().read()
    assert connection.sock is first
    connection.close()


@pytest.mark.parametrize("method", ["PUT", "DELETE", "POST", "MKCOL", "COPY", "MOVE", "OPTIONS"])
def test_nobody_writes_what_is_published(web, opened, method):
    for path in (f"/content/chunks/sha256/ab/{HEX}.zst", "/content/manifests/image/debian/1.json", "/content/manifests/index.json"):
        assert ask(web, method, path, opened, FRAME).status in (403, 404, 405)
    assert not list(web.store.digests())
    assert not list(web.store.manifests())


def test_a_job_receives_its_chunks_and_its_manifest(web, opened):
    assert upload(web, opened) == 201
    assert upload(web, opened, "manifest.json") == 201
    incoming = web.store.root / "jobs" / opened.job.id / "incoming"
    assert (incoming / "chunks" / f"{HEX}.zst").read_bytes() == FRAME
    assert (incoming / "manifest.json").read_bytes() == FRAME
    assert ask(web, "HEAD", f"/content/upload/{opened.job.id}/chunks/{HEX}.zst", opened).status == 200
    assert ask(web, "HEAD", f"/content/upload/{opened.job.id}/chunks/{'cd' * 32}.zst", opened).status == 404


def test_without_the_jobs_own_credential_its_area_is_closed(web, opened):
    other = web.jobs.open("image", "other")
    path = f"/content/upload/{opened.job.id}/chunks/{HEX}.zst"
    assert ask(web, "PUT", path, None, FRAME).status == 401
    assert ask(web, "PUT", path, opened, FRAME, token="wrong").status == 401
    assert ask(web, "PUT", path, other, FRAME).status == 401
    assert ask(web, "GET", path).status == 401
    assert not list((web.store.root / "jobs" / opened.job.id / "incoming" / "chunks").iterdir())


def test_a_job_that_ended_is_closed_at_once(web, opened):
    web.jobs.remove(opened.job)
    assert upload(web, opened) == 403


def test_a_job_that_was_handed_over_is_closed_to_its_old_token(web, opened):
    again = web.jobs.open("image", "debian", resume=True)
    assert upload(web, opened) == 401
    assert upload(web, again) == 201


@pytest.mark.parametrize(
    "path",
    [
        "chunks/../manifest.json/../../../other",
        "..%2f{other}%2fincoming%2fchunks%2f" + HEX + ".zst",
        "../{other}/chunks/" + HEX + ".zst",
        "%2e%2e/{other}/chunks/" + HEX + ".zst",
        "chunks/..%2f..%2f..%2f..%2fchunks%2fsha256%2fab%2f" + HEX + ".zst",
        "chunks/%2e%2e%5c" + HEX + ".zst",
        "chunks/" + HEX + ".zst/",
        "chunks/" + HEX + ".zst%00.json",
        "chunks/" + HEX.upper() + ".zst",
        "chunks/" + HEX,
        "chunks/x" + HEX + ".zst",
        "chunks/",
        "manifest.json.sig",
        "credential",
        "job.json",
        "../job.json",
        "",
    ],
)
def test_path_tricks_lead_nowhere(web, opened, path):
    other = web.jobs.open("image", "other")
    before = sorted(str(each) for each in web.store.root.rglob("*"))
    answer = ask(web, "PUT", f"/content/upload/{opened.job.id}/" + path.replace("{other}", other.job.id), opened, FRAME)
    assert answer.status in (400, 401, 403, 404, 405)
    assert sorted(str(each) for each in web.store.root.rglob("*")) == before


@pytest.mark.parametrize(
    "path",
    [
        "jobs/{job}/credential",
        "upload/{job}/credential",
        "upload/{job}/job.json",
        "upload/{job}/",
        "upload/",
        "manifests/",
        "chunks/sha256/ab/",
        "chunks/..%2f.lock",
        "../etc/tls/ca.key",
        "manifests/image/..%2f..%2f..%2fjobs/{job}/job.json",
        "manifests/image/%2e%2e/1.json",
        "staging/",
        ".lock",
    ],
)
def test_nothing_else_can_be_read(web, opened, path):
    assert ask(web, "GET", "/content/" + path.format(job=opened.job.id), opened).status in (400, 403, 404)


def test_an_upload_larger_than_a_chunk_is_refused(web, opened):
    connection = http.client.HTTPSConnection("127.0.0.1", web.port, context=ssl.create_default_context(cafile=web.ca_file))
    connection.putrequest("PUT", f"/content/upload/{opened.job.id}/chunks/{HEX}.zst")
    connection.putheader("Content-Length", str(2 << 20))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_an_upload_that_is_cut_off_leaves_nothing_in_the_area(web, opened):
    connection = http.client.HTTPSConnection("127.0.0.1", web.port, context=ssl.create_default_context(cafile=web.ca_file))
    pair = base64.b64encode(f"{opened.job.id}:{opened.token}".encode()).decode()
    connection.putrequest("PUT", f"/content/upload/{opened.job.id}/chunks/{HEX}.zst")
    connection.putheader("Content-Length", "500000")
    connection.putheader("Authorization", f"Basic {pair}")
    connection.endheaders()
    connection.send(b"x" * 300000)
    connection.close()
    time.sleep(0.2)
    assert not list((web.store.root / "jobs" / opened.job.id / "incoming" / "chunks").iterdir())


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_only_modern_tls(web):
    context = ssl.create_default_context(cafile=web.ca_file)
    context.minimum_version, context.maximum_version = ssl.TLSVersion.MINIMUM_SUPPORTED, ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, OSError)):
        http.client.HTTPSConnection("127.0.0.1", web.port, context=context).connect()
    with pytest.raises(ssl.SSLCertVerificationError):
        http.client.HTTPSConnection("127.0.0.1", web.port, context=ssl.create_default_context()).connect()


def test_the_certificate_is_made_once_and_renewed_when_the_names_change(web):
    script, tls = web.folder / "fleet-content-certificate.sh", web.folder / "etc" / "tls"
    before = (tls / "server.pem").read_bytes()
    assert subprocess.run([script], check=True, capture_output=True).stdout == b""
    assert (tls / "server.pem").read_bytes() == before
    assert (tls / "ca.key").stat().st_mode & 0o777 == 0o600
    (tls / "server.names").write_text("DNS:old")
    authority = web.ca_file.read_bytes()
    assert b"made a certificate for DNS:localhost,IP:127.0.0.1" in subprocess.run([script], check=True, capture_output=True).stdout
    assert (tls / "server.pem").read_bytes() != before
    assert web.ca_file.read_bytes() == authority
    subprocess.run(["openssl", "verify", "-x509_strict", "-CAfile", web.ca_file, tls / "server.pem"], check=True, capture_output=True)


@pytest.mark.parametrize(("days", "renewed"), [(20, True), (40, False)])
def test_the_certificate_is_renewed_before_it_expires(web, days, renewed):
    script, tls = web.folder / "fleet-content-certificate.sh", web.folder / "etc" / "tls"
    server = tls / "server.pem"
    request = subprocess.run(["openssl", "req", "-new", "-key", server, "-subj", "/CN=short"], check=True, capture_output=True).stdout
    issue = ["openssl", "x509", "-req", "-CA", web.ca_file, "-CAkey", tls / "ca.key", "-set_serial", "1", "-days", str(days)]
    short = subprocess.run(issue, input=request, check=True, capture_output=True).stdout
    server.write_bytes(server.read_bytes().partition(b"-----BEGIN CERTIFICATE-----")[0] + short)
    said = subprocess.run([script], check=True, capture_output=True).stdout
    assert (b"made a certificate" in said) is renewed


def test_a_foreign_certificate_is_replaced(web):
    script, tls = web.folder / "fleet-content-certificate.sh", web.folder / "etc" / "tls"
    foreign = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-subj",
        "/CN=x",
        "-days",
        "900",
    ]
    subprocess.run([*foreign, "-keyout", tls / "foreign.key", "-out", tls / "server.pem"], check=True, capture_output=True)
    assert b"made a certificate" in subprocess.run([script], check=True, capture_output=True).stdout


@pytest.fixture(scope="module")
def relay(start_web):
    """A relay's configuration: no uploads; read by some networks only; plain HTTP as well."""
    with start_web() as web:
        plain = free_port()
        web.stop()
        web.render(content_store_publishes=False, content_store_plain_port=plain, content_store_networks=["127.0.0.2/32"])
        web.start()
        yield web, plain


def status(port, path, *, source="127.0.0.2", method="GET", context=None):
    """The status of one answer to a client with a given address."""
    where = {"host": "127.0.0.1", "port": port, "source_address": (source, 0)}
    connection = http.client.HTTPSConnection(context=context, **where) if context else http.client.HTTPConnection(**where)
    connection.request(method, path, b"x" if method == "PUT" else None)
    answer = connection.getresponse().status
    connection.close()
    return answer


def test_a_relay_takes_no_uploads_and_serves_its_networks_only(relay, signer, make_sample):
    web, plain = relay
    image = make_sample(chunks=1)
    image.send(LocalSink(web.store.create(), signer.key))
    chunk, tls = f"/content/{chunk_path(next(iter(image.chunks)))}", ssl.create_default_context(cafile=web.ca_file)
    upload_path = f"/content/upload/{'0' * 16}/manifest.json"
    for port, context in ((web.port, tls), (plain, None)):
        for path in (chunk, "/content/manifests/image/debian/1.json", "/content/manifests/index.json"):
            assert status(port, path, context=context) == 200
            assert status(port, path, source="127.0.0.1", context=context) == 403
            assert status(port, path, method="PUT", context=context) == 403
        assert status(port, upload_path, method="PUT", context=context) in (404, 405)


def test_the_sweep_ends_expired_jobs_only(web, opened):
    expired = web.jobs.open("image", "old", lifetime=-5)
    held = web.jobs.open("image", "held", lifetime=-5)
    upload(web, opened)
    with web.jobs.claim(held.job):
        subprocess.run([web.folder / "fleet-content-sweep.sh"], check=True)
    assert [job.id for job in web.jobs.all()] == sorted([opened.job.id, held.job.id])
    assert upload(web, expired) == 403
    assert upload(web, opened, "manifest.json") == 201
    assert not list((web.store.root / "jobs").glob(".gone-*"))


def test_what_nginx_wrote_only_nginx_and_root_can_read(web, opened):
    upload(web, opened)
    folder = web.store.root / "jobs" / opened.job.id
    assert (folder / "job.json").stat().st_mode & 0o777 == 0o600
    assert (folder / "credential").stat().st_mode & 0o777 == 0o640
    assert opened.token not in (folder / "credential").read_text()
    assert (folder / "incoming").stat().st_mode & 0o777 == 0o700
    nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "cat", folder / "credential"]
    assert subprocess.run(nobody, capture_output=True, check=False).returncode != 0
    assert os.stat(folder).st_uid == 0
