# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs: one at a time for a name, short-lived, resumable, swept."""

from __future__ import annotations

import pytest

from ansible_collections.fleet.core.plugins.module_utils.content.job import JobError, Jobs
from ansible_collections.fleet.core.plugins.module_utils.content.manifest import ManifestError
from ansible_collections.fleet.core.plugins.module_utils.content.sink import LocalSink


def test_a_job_has_a_version_a_secret_and_an_end(jobs):
    opened = jobs.open("image", "debian", holder="station1")
    assert jobs.get(opened.job.id) == opened.job
    assert len(opened.job.version) == 16
    assert opened.job.version.endswith("Z")
    assert not opened.job.expired
    assert opened.job.upload_path == f"upload/{opened.job.id}"
    assert len(opened.token) >= 43
    assert opened.token not in repr(opened)
    assert not any(opened.token in path.read_text() for path in jobs.root.rglob("*") if path.is_file())


def test_two_captures_of_the_same_name_at_once_are_refused(jobs):
    held = jobs.open("image", "debian", "1", holder="station1")
    with pytest.raises(JobError, match=f"job {held.job.id} of station1 since {held.job.opened}.*abort it.*expires at {held.job.expires}"):
        jobs.open("image", "debian", "2")
    jobs.open("image", "other")
    jobs.open("package", "debian")
    jobs.remove(held.job)
    jobs.open("image", "debian")


def test_an_expired_job_is_in_nobodys_way(jobs):
    old = jobs.open("image", "debian", lifetime=-1)
    assert jobs.open("image", "debian").job.id != old.job.id
    with pytest.raises(JobError, match="is not open"):
        jobs.get(old.job.id)


def test_a_resumed_job_keeps_what_came_and_changes_its_token(jobs):
    first = jobs.open("image", "debian")
    chunk = jobs.root / first.job.id / "incoming" / "chunks" / "x"
    chunk.write_bytes(b"x")
    before = (jobs.root / first.job.id / "credential").read_bytes()
    again = jobs.open("image", "debian", resume=True, holder="station2")
    assert again.resumed
    assert (again.job.id, again.job.version) == (first.job.id, first.job.version)
    assert again.job.holder == "station2"
    assert again.token != first.token
    assert (jobs.root / first.job.id / "credential").read_bytes() != before
    assert chunk.exists()
    assert not jobs.open("image", "none", resume=True).resumed


def test_a_job_that_is_being_published_is_not_taken_away(jobs):
    opened = jobs.open("image", "debian", lifetime=-1)
    with jobs.claim(opened.job):
        with pytest.raises(JobError, match="being published"):
            jobs.remove(opened.job)
        assert jobs.sweep() == []
    assert jobs.sweep(dry_run=True) == [opened.job]
    assert jobs.sweep() == [opened.job]
    assert list(jobs.all()) == []


def test_a_version_that_exists_is_refused_before_anything_is_captured(store, jobs, signer, make_sample):
    make_sample(version="1").send(sink := LocalSink(store, signer.key))
    sink.close()
    with pytest.raises(JobError, match="published already"):
        jobs.open("image", "debian", "1")


@pytest.mark.parametrize("name", ["../x", "", "a/b", ".hidden", "a" * 65, "a b", "a\n", "ä", None])
def test_tricks_in_names_are_refused(jobs, name):
    with pytest.raises(ManifestError):
        jobs.open("image", name)
    with pytest.raises(ManifestError):
        jobs.open("image", "ok", name or "a/../b")
    with pytest.raises(ManifestError):
        jobs.open(name or "other", "ok")


@pytest.mark.parametrize("identity", ["", "..", "../../etc", "0" * 15, "0" * 16, ".new-0123456789abcdef"])
def test_only_open_jobs_are_found(jobs, identity):
    jobs.open("image", "debian")
    with pytest.raises(JobError, match="is not open"):
        jobs.get(identity)


def test_leftovers_of_a_crash_are_no_jobs_and_are_swept(jobs):
    jobs.open("image", "debian")
    for name in (".new-0123456789abcdef", ".gone-0123456789abcdef", "0123456789abcdef"):
        (jobs.root / name / "incoming").mkdir(parents=True)
    (jobs.root / "0123456789abcdef" / "job.json").write_text("{")
    assert len(list(jobs.all())) == 1
    jobs.sweep()
    assert not list(jobs.root.glob(".[ng]*"))


def test_without_a_web_server_there_are_no_jobs(store):
    with pytest.raises(JobError, match="content_store"):
        Jobs(store, "no-such-user")
