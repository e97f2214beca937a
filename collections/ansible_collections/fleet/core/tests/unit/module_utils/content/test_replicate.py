# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filling a relay from a real nginx: only what is missing, verified, in its window, from whoever has it."""

from __future__ import annotations

import datetime
import itertools
import os
import time

import pytest

from ansible_collections.fleet.core.plugins.module_utils.content import fetch as fetch_module
from ansible_collections.fleet.core.plugins.module_utils.content.fetch import Fetcher
from ansible_collections.fleet.core.plugins.module_utils.content.index import INDEX, read_index
from ansible_collections.fleet.core.plugins.module_utils.content.prune import Retention, prune
from ansible_collections.fleet.core.plugins.module_utils.content.replicate import Replication, ReplicationError, Window
from ansible_collections.fleet.core.plugins.module_utils.content.signature import sign
from ansible_collections.fleet.core.plugins.module_utils.content.sink import LocalSink
from ansible_collections.fleet.core.plugins.module_utils.content.store import ChunkStore
from ansible_collections.fleet.core.plugins.module_utils.content.verify import Verification
from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError, InputError

NOWHERE = "https://127.0.0.1:1/content"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(fetch_module, "_FIRST_PAUSE", 0.01)


@pytest.fixture
def relay(tmp_path):
    return ChunkStore(tmp_path / "relay")


def publish(store, signer, *images):
    for image in images:
        sink = LocalSink(store, signer.key)
        image.send(sink)
        sink.close()


def fetcher(web, *urls, attempts=2, **more):
    return Fetcher(urls or [web.url], ca_file=web.ca_file, attempts=attempts, timeout=60, **more)


def fill(relay, web, signer, wanted=None, *urls, **more):
    return Replication(relay, fetcher(web, *urls), signer.allowed, **more).run(wanted)


def listed(store):
    return [str(ref) for ref in store.manifests()]


def test_a_relay_gets_everything_and_the_second_time_nothing(web, relay, signer, make_sample):
    publish(web.store, signer, make_sample(), make_sample(version="2", seed=1))
    result = fill(relay, web, signer)
    assert (result.manifests, result.chunks) == (["image debian 1", "image debian 2"], 6)
    assert result.sources == {web.url: 6}
    assert result.bytes == sum(relay.chunk_path(name).stat().st_size for name in relay.digests())
    assert set(relay.digests()) == set(web.store.digests())
    assert all(relay.chunk_path(name).read_bytes() == web.store.chunk_path(name).read_bytes() for name in relay.digests())
    assert Verification(relay, allowed_signers=signer.allowed).run().sound
    assert read_index((relay.root / INDEX).read_bytes()) == list(relay.manifests())
    assert not list((relay.root / "pending").rglob("*.json"))
    again = fill(relay, web, signer)
    assert (again.manifests, again.present, again.chunks) == ([], 2, 0)


def test_given_an_image_by_its_version_that_is_complete_here_then_no_source_needs_to_be_there(web, relay, signer, make_sample):
    publish(web.store, signer, make_sample())
    fill(relay, web, signer)
    here = fill(relay, web, signer, ["image/debian/1"], NOWHERE)
    assert (here.manifests, here.present, here.bytes) == ([], 1, 0)
    next(relay.chunk_path(name) for name in relay.digests()).unlink()
    for wanted in (["image/debian/1"], ["image/debian"], ["image/debian/*"], ["image/debian/1", "image/debian/2"]):
        with pytest.raises(FleetError):
            fill(relay, web, signer, wanted, NOWHERE)
    assert fill(relay, web, signer, ["image/debian/1"]).chunks == 1


def test_only_what_it_is_to_hold_and_only_what_it_lacks(web, relay, signer, make_sample):
    publish(web.store, signer, make_sample(), make_sample(version="2", seed=1), make_sample(name="other", seed=50))
    assert fill(relay, web, signer, ["image/debian/1"]).chunks == 5
    assert fill(relay, web, signer, ["image/debian"]).chunks == 1
    assert listed(relay) == ["image debian 1", "image debian 2"]
    with pytest.raises(ReplicationError, match="no source lists image/typo"):
        fill(relay, web, signer, ["image/debian", "image/typo"])


def test_a_preview_changes_nothing(web, relay, signer, make_sample):
    publish(web.store, signer, make_sample())
    result = fill(relay, web, signer, dry_run=True)
    assert (result.left_manifests, result.left_chunks, result.left_bytes) == (["image debian 1"], 5, 5 << 20)
    assert not list(relay.manifests())
    assert not (relay.root / "pending").exists()


def test_what_is_not_signed_by_who_may_is_refused_and_the_rest_comes(web, relay, signer, stranger, make_sample):
    publish(web.store, signer, make_sample(), make_sample(name="good", seed=50))
    path = web.store.root / "manifests/image/debian/1.json.sig"
    genuine = path.read_bytes()
    for signature in (sign(path.with_suffix("").read_bytes(), stranger.key), b"", b"garbage"):
        path.write_bytes(signature)
        with pytest.raises(ReplicationError, match=r"1 manifests were not replicated.*image debian 1") as caught:
            fill(relay, web, signer)
        assert list(caught.value.details["failed"]) == ["image debian 1"]
        assert listed(relay) == ["image good 1"]
    path.write_bytes(genuine)
    assert fill(relay, web, signer).manifests == ["image debian 1"]


def test_an_altered_or_exchanged_manifest_is_refused(web, relay, signer, make_sample):
    publish(web.store, signer, make_sample(), make_sample(version="2", seed=1))
    folder = web.store.root / "manifests/image/debian"
    genuine = (folder / "1.json").read_bytes()
    (folder / "1.json").write_bytes(genuine.replace(b"2026-11", b"2026-10"))
    with pytest.raises(ReplicationError, match="does not hold"):
        fill(relay, web, signer, ["image/debian/1"])
    for suffix in ("json", "json.sig"):  # an old version passed off as a new one
        (folder / f"1.{suffix}").write_bytes((folder / f"2.{suffix}").read_bytes())
    with pytest.raises(ReplicationError, match="image debian 1 must not be used: its manifest is that of image debian 2"):
        fill(relay, web, signer, ["image/debian/1"])
    assert listed(relay) == []


@pytest.mark.parametrize("harm", ["altered", "exchanged"])
def test_a_damaged_chunk_keeps_its_manifest_from_being_listed(web, relay, signer, make_sample, harm):
    image = make_sample()
    publish(web.store, signer, image)
    path = web.store.chunk_path(max(image.chunks))
    genuine = path.read_bytes()
    path.write_bytes(genuine[:-1] + b"x" if harm == "altered" else web.store.chunk_path(min(image.chunks)).read_bytes())
    with pytest.raises(ReplicationError, match="could not be fetched"):
        fill(relay, web, signer)
    assert listed(relay) == []
    assert Verification(relay).run().sound
    assert max(image.chunks) not in set(relay.digests())
    came = len(list(relay.digests()))
    path.write_bytes(genuine)
    assert fill(relay, web, signer).chunks == 5 - came


def test_the_next_source_is_asked_when_one_fails(web, relay, signer, make_sample):
    publish(web.store, signer, make_sample())
    assert fill(relay, web, signer, None, NOWHERE, web.url).sources == {web.url: 5}
    with pytest.raises(FleetError, match="could not be fetched"):
        fill(relay, web, signer, None, NOWHERE)


def test_what_was_moved_aside_is_fetched_again(web, relay, signer, make_sample):
    image = make_sample()
    publish(web.store, signer, image)
    fill(relay, web, signer)
    relay.chunk_path(min(image.chunks)).write_bytes(b"rotten")
    (relay.root / "manifests/image/debian/1.json").write_bytes(b"rotten")
    Verification(relay, allowed_signers=signer.allowed, repair=True).run()
    result = fill(relay, web, signer)
    assert (result.manifests, result.chunks) == (["image debian 1"], 1)
    relay.chunk_path(min(image.chunks)).unlink()
    assert fill(relay, web, signer).chunks == 1  # its manifest is listed, and complete again
    assert Verification(relay, allowed_signers=signer.allowed).run().sound


class ClosingWindow(Window):
    """Open for a number of questions."""

    left = 0

    def open(self, now=None):
        type(self).left -= 1
        return self.left >= 0


def test_when_the_window_closes_it_stops_and_goes_on_the_next_night(web, relay, signer, make_sample):
    image = make_sample(chunks=8)
    publish(web.store, signer, image, make_sample(name="other", seed=50))
    window = ClosingWindow(datetime.time(1), datetime.time(2))
    ClosingWindow.left = 4
    result = fill(relay, web, signer, window=window)
    assert result.window_closed
    assert (result.chunks, result.left_chunks) == (3, 5)
    assert result.left_manifests == ["image debian 1", "image other 1"]
    assert listed(relay) == []
    prune(relay, Retention())  # by day; it leaves what is on its way alone
    ClosingWindow.left = 1000
    result = fill(relay, web, signer, window=window)
    assert (result.chunks, result.left_manifests, result.window_closed) == (5 + 5, [], False)
    assert Verification(relay, allowed_signers=signer.allowed).run().sound


def test_a_closed_window_is_no_error(web, relay, signer, make_sample):
    publish(web.store, signer, make_sample())
    ClosingWindow.left = 0
    result = fill(relay, web, signer, window=ClosingWindow(datetime.time(1), datetime.time(2)))
    assert (result.window_closed, result.left_manifests, result.chunks) == (True, ["image debian 1"], 0)


@pytest.mark.parametrize(
    ("text", "hour", "is_open"),
    [
        ("20:00-06:00", 23, True),
        ("20:00-06:00", 3, True),
        ("20:00-06:00", 6, False),
        ("20:00-06:00", 12, False),
        ("08:30-18:00", 9, True),
        ("08:30-18:00", 8, False),
        ("08:30-18:00", 18, False),
    ],
)
def test_windows(text, hour, is_open):
    assert Window.parse(text).open(datetime.datetime(2026, 11, 21, hour)) is is_open


@pytest.mark.parametrize("text", ["", "20-06", "24:00-01:00", "10:00-10:00", "8:00-9:00", "10:60-11:00", "10:00-11:00 "])
def test_what_is_no_window_is_refused(text):
    with pytest.raises(InputError, match="HH:MM-HH:MM"):
        Window.parse(text)


def test_the_rate_is_kept(web, relay, signer, make_sample):
    image = make_sample(chunks=2)
    publish(web.store, signer, image)
    size = sum(path.stat().st_size for path in (web.store.chunk_path(name) for name in image.chunks))
    began = time.monotonic()
    Replication(relay, fetcher(web, rate=size), signer.allowed).run()
    assert 0.7 < time.monotonic() - began < 60


def test_killed_at_any_chunk_it_leaves_a_sound_relay_and_goes_on(web, tmp_path, signer, make_sample, monkeypatch):
    publish(web.store, signer, make_sample(chunks=3))
    for step in itertools.count(1):
        relay = ChunkStore(tmp_path / str(step))
        child = os.fork()
        if child == 0:
            count = itertools.count(1)
            for name in ("open", "rename", "replace", "link"):
                real = getattr(os, name)

                def counted(*arguments, real=real, count=count, step=step, **named):
                    if next(count) == step:
                        os._exit(9)
                    return real(*arguments, **named)

                setattr(os, name, counted)
            try:
                fill(relay, web, signer)
            except BaseException:
                os._exit(1)
            os._exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert code in (0, 9)
        verdict = Verification(relay.create(), allowed_signers=signer.allowed).run()
        assert [problem for problem in verdict.problems if problem.what != "index"] == []
        fill(relay, web, signer)
        assert Verification(relay, allowed_signers=signer.allowed).run().sound
        assert listed(relay) == ["image debian 1"]
        if code == 0:
            break
    assert step > 10


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"format":2,"manifests":[]}', b'{"format":1,"manifests":[["image","../x","1"]]}', b"[" * 9999]
)
def test_a_list_that_is_none_is_refused(web, relay, signer, content):
    (web.store.root / INDEX).write_bytes(content)
    with pytest.raises(InputError, match=r"list of manifests|not acceptable"):
        fill(relay, web, signer)


def test_another_source_is_asked_when_ones_manifest_is_bad(web, start_web, relay, signer, make_sample):
    image = make_sample()
    publish(web.store, signer, image)
    with start_web() as bad:
        publish(bad.store.create(), signer, image)
        path = bad.store.root / "manifests/image/debian/1.json"
        path.write_bytes(path.read_bytes().replace(b"2026-11", b"2026-10"))
        authorities = relay.create().root / "authorities.pem"
        authorities.write_bytes(bad.ca_file.read_bytes() + web.ca_file.read_bytes())
        result = Replication(relay, Fetcher([bad.url, web.url], ca_file=authorities), signer.allowed).run()
    assert result.manifests == ["image debian 1"]
    assert relay.manifest_bytes(next(relay.manifests())) == image.data


def test_a_signature_error_names_what_it_is_about(web, relay, signer, stranger, make_sample):
    publish(web.store, signer, make_sample())
    fill(relay, web, signer)
    with pytest.raises(ReplicationError, match=r"image debian 1 must not be used: .* may not sign here"):
        fill(relay, web, stranger)
