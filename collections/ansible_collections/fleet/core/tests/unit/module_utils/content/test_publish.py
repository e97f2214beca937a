# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Publishing: hostile uploads are refused, an interruption anywhere leaves a store that verifies and a job that goes on."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.core.plugins.module_utils.content import publish as publish_module
from ansible_collections.fleet.core.plugins.module_utils.content import store as store_module
from ansible_collections.fleet.core.plugins.module_utils.content.chunk import CHUNK_SIZE, digest
from ansible_collections.fleet.core.plugins.module_utils.content.index import INDEX, read_index
from ansible_collections.fleet.core.plugins.module_utils.content.job import JobError, Jobs
from ansible_collections.fleet.core.plugins.module_utils.content.manifest import Manifest
from ansible_collections.fleet.core.plugins.module_utils.content.publish import publish
from ansible_collections.fleet.core.plugins.module_utils.content.sink import LocalSink
from ansible_collections.fleet.core.plugins.module_utils.content.store import ChunkStore, StoreError
from ansible_collections.fleet.core.plugins.module_utils.content.verify import Verification
from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.core.plugins.module_utils.zstd import Compressor


def uploaded(jobs: Jobs, image: Any, *, version: str = "1") -> str:
    """A job whose area holds an image, as nginx leaves it."""
    opened = jobs.open("image", "debian", version)
    put(jobs, opened.job.id, "manifest.json", image.data)
    for name, frame in image.frames().items():
        put(jobs, opened.job.id, f"chunks/{name.hex()}.zst", frame)
    return opened.job.id


def put(jobs: Jobs, job: str, name: str, content: bytes) -> Path:
    path = jobs.root / job / "incoming" / name
    path.write_bytes(content)
    os.chown(path, 33, 33)
    return path


def assert_sound(store: ChunkStore, signer: Any) -> None:
    verdict = Verification(store, allowed_signers=signer.allowed).run()
    assert [problem for problem in verdict.problems if problem.what != "index"] == []


def test_what_was_uploaded_becomes_part_of_the_store(store, jobs, signer, make_sample):
    image = make_sample()
    job = uploaded(jobs, image)
    opened = jobs.get(job).opened
    stray = put(jobs, job, f"chunks/{'00' * 32}.zst", b"nobody asked for this")
    result = publish(store, jobs, job, signer.key)
    assert (result.chunks, result.chunks_added, result.version) == (5, 5, "1")
    assert result.dropped == (stray.name,)
    assert result.bytes_added == sum(len(frame) for frame in image.frames().values())
    assert {name: store.read(name) for name in store.digests()} == image.chunks
    listed = store.load(next(store.manifests()))
    assert listed == replace(Manifest.from_bytes(image.data), created=opened), "the store's clock counts, not the station's"
    assert [str(ref) for ref in read_index((store.root / INDEX).read_bytes())] == ["image debian 1"]
    assert [path.name for path in jobs.root.iterdir()] == [".lock"]
    for name in image.chunks:
        status = store.chunk_path(name).stat()
        assert (status.st_uid, status.st_mode & 0o777) == (0, 0o644)
    assert Verification(store, allowed_signers=signer.allowed).run().sound


def test_only_new_chunks_are_added(store, jobs, signer, make_sample):
    publish(store, jobs, uploaded(jobs, make_sample()), signer.key)
    second = make_sample(version="2", seed=2)
    result = publish(store, jobs, uploaded(jobs, second, version="2"), signer.key)
    assert (result.chunks, result.chunks_added) == (5, 2)


def refused(store: ChunkStore, jobs: Jobs, job: str, signer: Any, match: str, error: type[FleetError] = FleetError) -> FleetError:
    """Publishing fails as it should: nothing is listed, no chunk is added, the door is closed."""
    with pytest.raises(error, match=match) as caught:
        publish(store, jobs, job, signer.key)
    assert not list(store.manifests())
    assert not list(store.digests())
    assert not (jobs.root / job / "credential").exists()
    return caught.value


def test_a_missing_chunk_is_named(store, jobs, signer, make_sample):
    image = make_sample()
    job = uploaded(jobs, image)
    name = min(image.chunks).hex()
    (jobs.root / job / "incoming" / "chunks" / f"{name}.zst").unlink()
    assert refused(store, jobs, job, signer, f"1 of its chunks were never uploaded.*{name}").details["missing"] == [name]


def _truncated(frame: bytes) -> bytes:
    return frame[:-7]


def _altered(frame: bytes) -> bytes:
    return frame[:40] + bytes([frame[40] ^ 1]) + frame[41:]


def _other(_frame: bytes) -> bytes:
    return bytes(Compressor().compress(b"something else"))


def _bomb(_frame: bytes) -> bytes:
    return bytes(Compressor().compress(bytes(1 << 30)))


def _bomb_of_unknown_size(_frame: bytes) -> bytes:
    return subprocess.run("head -c 100M /dev/zero | zstd -q -c", shell=True, check=True, capture_output=True).stdout


def _large(frame: bytes) -> bytes:
    return frame + bytes(2 << 20)


@pytest.mark.parametrize(
    "harm", [_truncated, _altered, _other, _bomb, _bomb_of_unknown_size, _large, lambda frame: b"", lambda frame: b"x" * 99]
)
def test_a_damaged_chunk_is_refused_and_sent_again_by_a_resume(store, jobs, signer, make_sample, harm):
    image = make_sample()
    job = uploaded(jobs, image)
    name = max(image.chunks)
    put(jobs, job, f"chunks/{name.hex()}.zst", harm(image.frames()[name]))
    assert refused(store, jobs, job, signer, "1 uploaded chunks are damaged").details["damaged"] == [name.hex()]
    assert jobs.open("image", "debian", "1", resume=True).resumed
    left = {path.name for path in (jobs.root / job / "incoming" / "chunks").iterdir()}
    assert left == {f"{each.hex()}.zst" for each in image.chunks if each != name}
    put(jobs, job, f"chunks/{name.hex()}.zst", image.frames()[name])
    assert publish(store, jobs, job, signer.key).chunks_added == 5


def test_a_chunk_larger_than_a_chunk_is_refused(store, jobs, signer, make_sample):
    image = make_sample(chunks=1)
    job = uploaded(jobs, image)
    large = bytes(CHUNK_SIZE) + b"1"
    document = json.loads(image.data)
    document["streams"][0]["size"] += 1
    put(jobs, job, f"chunks/{digest(large).hex()}.zst", bytes(Compressor().compress(large)))
    text = image.data.decode().replace(document["streams"][0]["digests"], __import__("base64").b64encode(digest(large)).decode())
    put(jobs, job, "manifest.json", text.encode())
    refused(store, jobs, job, signer, "more than 1048576 bytes")


@pytest.mark.parametrize(
    ("harm", "match"),
    [
        (lambda data: data[: len(data) // 2], "truncated"),
        (lambda data: b"", "truncated"),
        (lambda data: b"[" * 100000, "truncated"),
        (lambda data: data.replace(b'"debian"', b'"other"'), "job .* may add image debian 1, but the manifest is of image other"),
        (lambda data: data.replace(b'"version":"1"', b'"version":"2"'), "may add"),
        (lambda data: data.replace(b'"debian"', b'"../debian"'), "not acceptable"),
        (lambda data: data.replace(b"{", b"{ ", 1), "canonical"),
        (lambda data: data.replace(b'"chunk_size":1048576', b'"chunk_size":131072'), "digests for another number|chunks of 131072"),
        (lambda data: data.replace(b'"format":1', b'"format":2'), "format 2 is unknown"),
    ],
)
def test_a_manifest_that_is_not_the_jobs_is_refused(store, jobs, signer, make_sample, harm, match):
    image = make_sample()
    job = uploaded(jobs, image)
    put(jobs, job, "manifest.json", harm(image.data))
    refused(store, jobs, job, signer, match)


def test_without_a_manifest_nothing_is_published(store, jobs, signer, make_sample):
    job = uploaded(jobs, make_sample())
    (jobs.root / job / "incoming" / "manifest.json").unlink()
    refused(store, jobs, job, signer, "its manifest was not uploaded")


def test_links_and_devices_in_quarantine_are_not_followed(store, jobs, signer, make_sample, tmp_path):
    image = make_sample()
    job = uploaded(jobs, image)
    incoming = jobs.root / job / "incoming"
    (incoming / "manifest.json").unlink()
    os.symlink("/etc/shadow", incoming / "manifest.json")
    refused(store, jobs, job, signer, "symbolic link")
    (incoming / "manifest.json").unlink()
    os.mkfifo(incoming / "manifest.json")
    refused(store, jobs, job, signer, "not a regular file")
    (incoming / "manifest.json").unlink()
    put(jobs, job, "manifest.json", image.data)
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "kept").touch()
    name = min(image.chunks)
    chunk = incoming / "chunks" / f"{name.hex()}.zst"
    chunk.unlink()
    os.symlink(victim, chunk)
    refused(store, jobs, job, signer, "never uploaded")
    (incoming / "chunks").rename(incoming / "real")
    os.symlink(victim, incoming / "chunks")
    refused(store, jobs, job, signer, "is not a folder")
    assert (victim / "kept").exists()


def test_what_is_being_published_belongs_to_root_until_the_job_is_handed_on(store, jobs, signer, make_sample):
    job = uploaded(jobs, make_sample())
    folders = [jobs.root / job / "incoming", jobs.root / job / "incoming" / "chunks"]
    (folders[0] / "manifest.json").unlink()
    refused(store, jobs, job, signer, "its manifest was not uploaded")
    assert [(path.stat().st_uid, path.stat().st_mode & 0o777) for path in folders] == [(0, 0o700)] * 2
    jobs.open("image", "debian", "1", resume=True)
    assert [(path.stat().st_uid, path.stat().st_mode & 0o777) for path in folders] == [(33, 0o700)] * 2


def test_a_job_whose_folder_became_a_link_is_not_handed_on(jobs, tmp_path):
    job = jobs.open("image", "debian", "1").job
    chunks = jobs.root / job.id / "incoming" / "chunks"
    chunks.rmdir()
    chunks.symlink_to(tmp_path)
    owner = tmp_path.stat().st_uid
    with pytest.raises(JobError, match="is not a folder"):
        jobs.open("image", "debian", "1", resume=True)
    assert tmp_path.stat().st_uid == owner


def test_an_expired_job_is_not_published(store, jobs, signer, make_sample):
    image = make_sample()
    opened = jobs.open("image", "debian", "1", lifetime=-1)
    put(jobs, opened.job.id, "manifest.json", image.data)
    with pytest.raises(JobError, match="expired at"):
        publish(store, jobs, opened.job.id, signer.key)


def test_a_published_version_is_never_replaced(store, jobs, signer, make_sample):
    job = uploaded(jobs, make_sample())
    other = make_sample(seed=50)
    sink = LocalSink(store, signer.key)
    other.send(sink)
    sink.close()
    with pytest.raises(StoreError, match="exists already"):
        publish(store, jobs, job, signer.key)
    assert store.load(next(store.manifests())).streams == Manifest.from_bytes(other.data).streams
    assert_sound(store, signer)


STEPS = ("open", "rename", "replace", "link", "unlink", "mkdir", "chmod", "fchmod", "fchown", "fsync", "rmdir", "write")


class Interruption:
    """Counts the system calls that publish makes, and does something at one of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int, action: Any) -> None:
        self.count = 0
        for name in STEPS:
            monkeypatch.setattr(os, name, self._wrap(getattr(os, name), at, action))
        sync = self._wrap(store_module.sync_filesystem, at, action)
        monkeypatch.setattr(store_module, "sync_filesystem", sync)
        monkeypatch.setattr(publish_module, "sync_filesystem", sync)

    def _wrap(self, function: Any, at: int, action: Any) -> Any:
        def counted(*arguments: Any, **named: Any) -> Any:
            self.count += 1
            if self.count == at:
                action()
            return function(*arguments, **named)

        return counted


def _killed_at(step: int, store: ChunkStore, jobs: Jobs, job: str, key: Path) -> bool:
    """Publish in a process that dies at a step; whether it did."""
    child = os.fork()
    if child == 0:
        try:
            with pytest.MonkeyPatch.context() as patch:
                Interruption(patch, step, lambda: os._exit(9))
                publish(store, jobs, job, key)
        except BaseException:
            os._exit(1)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, 9)
    return code == 9


def test_killed_at_any_step_it_leaves_a_sound_store_and_can_be_run_again(tmp_path, signer, make_sample):
    image, step, died = make_sample(chunks=2), 0, True
    while died:
        step += 1
        store = ChunkStore(tmp_path / str(step)).create()
        jobs = Jobs(store)
        job = uploaded(jobs, image)
        died = _killed_at(step, store, jobs, job, signer.key)
        assert_sound(store, signer)
        if list(jobs.all()):
            publish(store, jobs, job, signer.key)
        assert [str(ref) for ref in store.manifests()] == ["image debian 1"]
        assert Verification(store, allowed_signers=signer.allowed).run().sound
        assert set(store.digests()) == set(image.chunks)
        jobs.sweep()
        assert not any((jobs.root / name).exists() for name in (job, f".gone-{job}"))
    assert step > 30


def test_an_error_at_any_step_is_told_and_leaves_a_sound_store(tmp_path, signer, make_sample):
    image, step, reached = make_sample(chunks=2), 0, True

    def full() -> None:
        raise OSError(28, "No space left on device")

    while reached:
        step += 1
        store = ChunkStore(tmp_path / str(step)).create()
        jobs = Jobs(store)
        job = uploaded(jobs, image)
        failed = False
        with pytest.MonkeyPatch.context() as patch:
            interruption = Interruption(patch, step, full)
            try:
                publish(store, jobs, job, signer.key)
            except FleetError as error:
                failed = True
                assert "No space left" in str(error) or "being" in str(error) or "not open" in str(error) or "damaged" in str(error)
            except OSError:
                failed = True
                assert step <= 3  # the locks, before anything is touched
        reached = interruption.count >= step
        assert_sound(store, signer)
        assert failed or list(store.manifests())  # what cannot be removed at the very end is left to the sweep
    assert step > 30


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A filesystem of 6 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_full_disk_is_told_and_nothing_half_is_listed(small_disk, signer, make_sample):
    store = ChunkStore(small_disk).create()
    jobs = Jobs(store)
    image = make_sample()
    job = uploaded(jobs, image)
    filler = small_disk / "filler"
    with open(filler, "wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
        while True:
            file.write(bytes(4096))
    with pytest.raises(FleetError, match=r"No space left on device.*Free space there"):
        publish(store, jobs, job, signer.key)
    assert not list(store.manifests())
    assert not (small_disk / INDEX).exists()
    assert_sound(store, signer)
    filler.unlink()
    publish(store, jobs, job, signer.key)
    assert Verification(store, allowed_signers=signer.allowed).run().sound
