# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A manifest that is signed before its chunks are there: who gets it, what it is good for, and what may be published after it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.core.plugins.module_utils.content.fetch import Fetcher, FetchError, NotThere
from ansible_collections.fleet.core.plugins.module_utils.content.job import JobError, Jobs, Opened
from ansible_collections.fleet.core.plugins.module_utils.content.publish import publish
from ansible_collections.fleet.core.plugins.module_utils.content.quarantine import PublishError
from ansible_collections.fleet.core.plugins.module_utils.content.signed import UntrustedManifest, fetch_manifest
from ansible_collections.fleet.core.plugins.module_utils.content.store import ManifestRef
from ansible_collections.fleet.core.plugins.module_utils.content.upload import Uploader
from ansible_collections.fleet.core.plugins.module_utils.content.verify import Verification
from ansible_collections.fleet.core.plugins.module_utils.content.vouch import signed_path, vouch

REF = ManifestRef("image", "debian", "1")


@pytest.fixture
def opened(web: Any, make_sample: Any) -> Iterator[Opened]:
    """A job that received a manifest and no chunk."""
    opened = web.jobs.open("image", "debian", "1", holder="pc01")
    send(web, opened, make_sample().data)
    yield opened


def send(web: Any, opened: Opened, manifest: bytes) -> None:
    with Uploader(web.url, opened.job.id, opened.token, ca_file=web.ca_file) as uploader:
        uploader.finish(manifest)


def fetcher(web: Any, opened: Opened) -> Fetcher[Any]:
    """As a station asks: the store first, and the job's area last."""
    return Fetcher([web.url, f"{web.url}/{signed_path(opened.job)}"], ca_file=web.ca_file, attempts=1)


def test_it_is_served_with_its_signature_and_not_listed(web, opened, signer, make_sample):
    assert vouch(web.jobs, opened.job.id, signer.key)
    signed = fetch_manifest(fetcher(web, opened), REF, signer.allowed)
    assert signed.signer == "fleet@centre" and signed.manifest.streams == make_sample().manifest.streams
    assert signed.manifest.created == opened.job.opened, "the store's clock counts"
    assert list(web.store.manifests()) == [] and not (web.store.root / "manifests/index.json").exists()
    assert not vouch(web.jobs, opened.job.id, signer.key), "once is enough"


def test_before_it_is_signed_nobody_gets_it_and_the_signature_of_a_stranger_is_none(web, opened, signer, stranger):
    with pytest.raises(NotThere):
        fetch_manifest(fetcher(web, opened), REF, signer.allowed)
    vouch(web.jobs, opened.job.id, stranger.key)
    with pytest.raises(UntrustedManifest, match="a key that may not sign here"):
        fetch_manifest(fetcher(web, opened), REF, signer.allowed)


def test_what_the_job_receives_afterwards_does_not_change_it(web, opened, signer, make_sample):
    vouch(web.jobs, opened.job.id, signer.key)
    send(web, opened, make_sample(seed=3).data)
    signed = fetch_manifest(fetcher(web, opened), REF, signer.allowed)
    assert signed.manifest.streams == make_sample().manifest.streams
    said = "debian 1 was signed for stations that got it from pc01 itself, and this is something else"
    for attempt in (lambda: vouch(web.jobs, opened.job.id, signer.key), lambda: publish(web.store, web.jobs, opened.job.id, signer.key)):
        with pytest.raises(PublishError, match=said) as refused:
            attempt()
        assert opened.job.id in str(refused.value) and "another version" in str(refused.value)
    assert list(web.store.manifests()) == []


def test_what_was_signed_is_what_is_published_also_by_a_job_that_was_taken_over(web, opened, signer, make_sample):
    vouch(web.jobs, opened.job.id, signer.key)
    first = fetch_manifest(fetcher(web, opened), REF, signer.allowed)
    with pytest.raises(PublishError, match="5 of its chunks were never uploaded"):
        publish(web.store, web.jobs, opened.job.id, signer.key)
    again = web.jobs.open("image", "debian", resume=True, holder="pc01")
    describe(web.jobs, again, "2026-11-21T00:00:00Z")  # surely another time
    with Uploader(web.url, again.job.id, again.token, ca_file=web.ca_file, resumed=again.resumed) as uploader:
        make_sample().send(uploader)
    assert again.resumed and not vouch(web.jobs, again.job.id, signer.key)
    publish(web.store, web.jobs, again.job.id, signer.key)
    assert web.store.manifest_bytes(REF) == first.data
    assert Verification(web.store, allowed_signers=signer.allowed).run().sound
    with pytest.raises(FetchError):
        fetcher(web, again).document(f"{signed_path(again.job)}/{REF.path()}", 1 << 20)


def describe(jobs: Jobs, opened: Opened, time: str) -> None:
    path = jobs.root / opened.job.id / "job.json"
    path.write_text(path.read_text().replace(opened.job.opened, time))


@pytest.mark.parametrize(("version", "said"), [("2", "may add image debian 1"), ("1", "not in canonical form")])
def test_only_the_jobs_own_manifest_is_signed(web, signer, make_sample, version, said):
    opened = web.jobs.open("image", "debian", "1")
    send(web, opened, make_sample(version=version).data + (b" " if version == "1" else b""))
    with pytest.raises(Exception, match=said):
        vouch(web.jobs, opened.job.id, signer.key)
    assert not (web.jobs.root / opened.job.id / "signed").exists()


def test_a_link_in_quarantine_is_not_followed(web, opened, signer, tmp_path: Path):
    path = web.jobs.root / opened.job.id / "incoming" / "manifest.json"
    (tmp_path / "elsewhere").write_bytes(path.read_bytes())
    path.unlink()
    os.symlink(tmp_path / "elsewhere", path)
    with pytest.raises(PublishError, match="symbolic link"):
        vouch(web.jobs, opened.job.id, signer.key)


def test_without_a_manifest_or_after_its_time_there_is_nothing_to_sign(web, signer):
    with pytest.raises(PublishError, match="its manifest was not uploaded"):
        vouch(web.jobs, web.jobs.open("image", "debian").job.id, signer.key)
    with pytest.raises(JobError, match="expired"):
        vouch(web.jobs, web.jobs.open("image", "other", lifetime=-1).job.id, signer.key)
