# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Uploading over TLS to a real nginx, and what it takes to get from a station's chunk to a published image."""

from __future__ import annotations

import subprocess
import threading
import time

import pytest

from ansible_collections.fleet.core.plugins.module_utils.content import upload as upload_module
from ansible_collections.fleet.core.plugins.module_utils.content.connection import Connection, TransportError
from ansible_collections.fleet.core.plugins.module_utils.content.publish import PublishError, publish
from ansible_collections.fleet.core.plugins.module_utils.content.sink import LocalSink
from ansible_collections.fleet.core.plugins.module_utils.content.upload import Uploader, UploadError
from ansible_collections.fleet.core.plugins.module_utils.content.verify import Verification
from ansible_collections.fleet.core.plugins.module_utils.errors import InputError


def uploader(web, opened, **more):
    return Uploader(web.url, opened.job.id, opened.token, ca_file=web.ca_file, resumed=opened.resumed, **more)


def requests(web, monkeypatch):
    """The requests that are made from now on."""
    made = []
    real = Connection._exchange

    def counted(self, method, path, body=None):
        made.append((method, path.split("/")[0]))
        return real(self, method, path, body)

    monkeypatch.setattr(Connection, "_exchange", counted)
    return made


def test_an_image_is_uploaded_and_published(web, signer, make_sample):
    image = make_sample()
    opened = web.jobs.open("image", "debian", "1")
    with uploader(web, opened) as sink:
        image.send(sink)
        assert sink.sent == sum(len(frame) for frame in image.frames().values())
    assert publish(web.store, web.jobs, opened.job.id, signer.key).chunks_added == 5
    assert Verification(web.store, allowed_signers=signer.allowed).run().sound
    assert [path.name for path in web.jobs.root.iterdir()] == [".lock"]
    assert not list((web.store.root / "uploads").iterdir())


def test_what_the_store_has_is_not_sent(web, signer, make_sample, monkeypatch):
    first, second = make_sample(), make_sample(version="2", seed=1)
    sink = LocalSink(web.store, signer.key)
    first.send(sink)
    sink.close()
    opened = web.jobs.open("image", "debian", "2")
    made = requests(web, monkeypatch)
    with uploader(web, opened) as sink:
        second.send(sink)
    assert made.count(("HEAD", "chunks")) == 5
    assert made.count(("PUT", "upload")) == 2
    assert publish(web.store, web.jobs, opened.job.id, signer.key).chunks_added == 1


def test_chunks_of_a_parent_are_not_even_asked_for(web, signer, make_sample, monkeypatch):
    first, second = make_sample(), make_sample(version="2", seed=1)
    opened = web.jobs.open("image", "debian", "2")
    made = requests(web, monkeypatch)
    with uploader(web, opened, known=first.manifest.digests()) as sink:
        second.send(sink)
    assert made.count(("HEAD", "chunks")) == 1
    assert made.count(("PUT", "upload")) == 2


def test_an_interrupted_upload_is_resumed(web, signer, make_sample, monkeypatch):
    image = make_sample()
    frames = image.frames()
    with uploader(web, web.jobs.open("image", "debian", "1")) as sink:
        for name in sorted(frames)[:3]:
            sink.put(name, frames[name])
    opened = web.jobs.open("image", "debian", resume=True)
    made = requests(web, monkeypatch)
    with uploader(web, opened) as sink:
        image.send(sink)
    assert made.count(("PUT", "upload")) == 3  # two chunks and the manifest
    assert publish(web.store, web.jobs, opened.job.id, signer.key).chunks_added == 5


def test_a_chunk_of_the_parent_that_the_store_lost_is_sent_by_a_resume(web, signer, make_sample):
    first, second = make_sample(), make_sample(version="2", seed=1)
    sink = LocalSink(web.store, signer.key)
    first.send(sink)
    sink.close()
    lost = min(set(first.chunks) & set(second.chunks))
    web.store.chunk_path(lost).unlink()
    opened = web.jobs.open("image", "debian", "2")
    with uploader(web, opened, known=first.manifest.digests()) as sink:
        second.send(sink)
    with pytest.raises(PublishError, match=f"never uploaded, the first is {lost.hex()}"):
        publish(web.store, web.jobs, opened.job.id, signer.key)
    with uploader(web, web.jobs.open("image", "debian", resume=True), known=first.manifest.digests()) as sink:
        second.send(sink)
    assert publish(web.store, web.jobs, opened.job.id, signer.key).chunks_added == 2
    assert Verification(web.store, allowed_signers=signer.allowed).run().sound


def test_several_threads_send_each_chunk_once(web, signer, make_sample, monkeypatch):
    image = make_sample(chunks=12)
    frames = image.frames()
    opened = web.jobs.open("image", "debian", "1")
    made = requests(web, monkeypatch)
    with uploader(web, opened, connections=2) as sink:
        threads = [threading.Thread(target=lambda: [sink.put(name, frame) for name, frame in frames.items()]) for _number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        sink.finish(image.data)
    assert made.count(("PUT", "upload")) == 13
    publish(web.store, web.jobs, opened.job.id, signer.key)


def test_a_network_that_fails_is_tried_again(web, signer, make_sample, monkeypatch):
    monkeypatch.setattr(upload_module, "_FIRST_PAUSE", 0.01)
    real, failures = Connection.put, iter([True, True, False] * 100)

    def flaky(self, path, body):
        if next(failures):
            raise TransportError("the network went away")
        real(self, path, body)

    monkeypatch.setattr(Connection, "put", flaky)
    opened = web.jobs.open("image", "debian", "1")
    with uploader(web, opened) as sink:
        make_sample().send(sink)
    publish(web.store, web.jobs, opened.job.id, signer.key)


def test_a_store_that_is_gone_is_told_in_the_end(web, make_sample, monkeypatch):
    monkeypatch.setattr(upload_module, "_FIRST_PAUSE", 0.01)
    sink = Uploader("https://127.0.0.1:1/content", "0" * 16, "token", attempts=3)
    with pytest.raises(UploadError, match=r"after 3 attempts.*resume"):
        sink.put(b"x" * 32, b"frame")


def test_a_job_that_ended_is_told_at_once(web, make_sample):
    opened = web.jobs.open("image", "debian", "1")
    web.jobs.remove(opened.job)
    with uploader(web, opened) as sink, pytest.raises(UploadError, match=r"answered 403\. The job is not open any more"):
        sink.finish(b"{}")
    wrong = web.jobs.open("image", "debian", "1")
    with (
        Uploader(web.url, wrong.job.id, "wrong", ca_file=web.ca_file) as sink,
        pytest.raises(UploadError, match="credential is not accepted"),
    ):
        sink.finish(b"{}")


def test_a_server_with_a_foreign_certificate_gets_no_token(web):
    opened = web.jobs.open("image", "debian", "1")
    with Uploader(web.url, opened.job.id, opened.token) as sink, pytest.raises(UploadError, match=r"not trusted.*ca_file"):
        sink.finish(b"{}")


def test_the_rate_is_kept(web, make_sample):
    opened = web.jobs.open("image", "debian", "1")
    frame = bytes(500_000)
    with uploader(web, opened, rate=1_000_000) as sink:
        began = time.monotonic()
        for number in range(2):
            sink.put(bytes([number]) * 32, frame)
        assert 0.8 < time.monotonic() - began < 60


def test_a_full_store_is_told(web, make_sample, monkeypatch, request):
    """nginx cannot write what it received: 5xx, tried again, then told with the remedy."""
    monkeypatch.setattr(upload_module, "_FIRST_PAUSE", 0.01)
    uploads = web.store.root / "uploads"
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,uid=33,mode=0700", "tmpfs", uploads], check=True)
    request.addfinalizer(lambda: subprocess.run(["umount", uploads], check=True))
    opened = web.jobs.open("image", "debian", "1")
    with uploader(web, opened, attempts=2) as sink, pytest.raises(UploadError, match="the store's disk"):
        sink.put(b"y" * 32, bytes(900_000))
    assert not list((web.jobs.root / opened.job.id / "incoming" / "chunks").iterdir())


def test_a_credential_is_never_sent_in_the_clear():
    with pytest.raises(InputError, match="in the clear"):
        Uploader("http://127.0.0.1:1/content", "0" * 16, "token")
