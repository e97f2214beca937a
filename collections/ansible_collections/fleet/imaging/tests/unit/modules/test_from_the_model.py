# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An image whose manifest is signed and whose chunks are on the model's disk only: what each module does with it, and refuses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.core.plugins.module_utils.content.fetch import Fetcher
from ansible_collections.fleet.core.plugins.module_utils.content.publish import publish
from ansible_collections.fleet.core.plugins.module_utils.content.quarantine import PublishError
from ansible_collections.fleet.core.plugins.module_utils.content.signature import allow, create_key
from ansible_collections.fleet.core.plugins.module_utils.content.signed import fetch_manifest
from ansible_collections.fleet.core.plugins.module_utils.content.store import ManifestRef
from ansible_collections.fleet.core.plugins.module_utils.content.vouch import signed_path, vouch
from ansible_collections.fleet.core.tests.unit.conftest import WebStore, serving
from ansible_collections.fleet.imaging.plugins.module_utils.disk.device import Disk
from ansible_collections.fleet.imaging.tests.unit.bench import LINUX, fingerprint, write
from ansible_collections.fleet.imaging.tests.unit.conftest import command
from ansible_collections.fleet.imaging.tests.unit.filesystems import MIB

SIZE = 24 * MIB
SECRET = "00112233445566778899aabbccddeeff"
REF = ManifestRef("image", "room", "1")


@pytest.fixture(scope="module")
def served() -> Iterator[WebStore]:
    with serving() as web:
        web.store.create()
        yield web


class Centre:
    """A content store, a job for the model, and a key."""

    def __init__(self, web: WebStore, folder: Path) -> None:
        self.web, self.key = web, folder / "signing_key"
        self.allowed = allow("fleet@centre", create_key(self.key))
        self.opened = web.jobs.open("image", "room", "1", holder="pc01")

    @property
    def sources(self) -> list[str]:
        return [self.web.url, f"{self.web.url}/{signed_path(self.opened.job)}"]

    def capturing(self, disk: Disk, folder: Path, **more: Any) -> dict[str, Any]:
        upload = {"url": self.web.url, "job": self.opened.job.id, "token": self.opened.token}
        own = {"image": "room", "version": "1", "disk": str(disk.path), "upload": upload, "ca_file": str(self.web.ca_file)}
        return {**own, "contents": "later", "work_dir": str(folder), **more}

    def session(self, **more: Any) -> dict[str, Any]:
        own = {"image": "room", "version": "1", "allowed_signers": self.allowed, "address": "127.0.0.1", "secret": SECRET}
        return {**own, "sources": self.sources, "ca": self.web.ca_file.read_text(), **more}

    def uploaded(self) -> list[str]:
        return sorted(path.name for path in (self.web.jobs.root / self.opened.job.id / "incoming").rglob("*") if path.is_file())


@pytest.fixture
def centre(served: WebStore, tmp_path: Path) -> Iterator[Centre]:
    made = Centre(served, tmp_path)
    yield made
    for job in list(served.jobs.all()):
        served.jobs.remove(job)


@pytest.fixture
def model(loop_disk: Any, tmp_path: Path) -> Disk:
    made: Disk = loop_disk(SIZE, f"label: gpt\nsize=20MiB, type={LINUX}\n")
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "noise").write_bytes(bytes(range(256)) * 8192)
    command("mkfs.ext4", "-q", "-F", "-L", "root", "-d", tmp_path / "files", made.partition(1).path)
    return made


def test_a_capture_whose_contents_follow_uploads_its_manifest_alone(run: Any, centre: Centre, model: Disk, tmp_path: Path) -> None:
    first = run("image_capture", **centre.capturing(model, tmp_path))
    assert first["changed"] and first["chunks"] > 2 and (first["chunks_sent"], first["bytes_sent"]) == (0, 0)
    assert centre.uploaded() == ["manifest.json"]
    vouch(centre.web.jobs, centre.opened.job.id, centre.key)
    run("image_capture", **centre.capturing(model, tmp_path, contents="now"))
    assert len(centre.uploaded()) > 2
    write(model.partition(1).path, 0, b"x")  # the first 1024 bytes are a boot sector's, which no filesystem owns
    run("image_capture", **centre.capturing(model, tmp_path, contents="now"))
    with pytest.raises(PublishError, match="room 1 was signed for stations that got it from pc01 itself, and this is something else"):
        publish(centre.web.store, centre.web.jobs, centre.opened.job.id, centre.key)


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"method": "files"}, "archives of files cannot follow later"), ({"upload": None, "store": "/nonexistent"}, "contents is later")],
)
def test_contents_that_cannot_follow_are_refused(
    changes: dict[str, Any], said: str, run: Any, centre: Centre, model: Disk, tmp_path: Path
) -> None:
    given = {key: value for key, value in centre.capturing(model, tmp_path, **changes).items() if value is not None}
    result = run("image_capture", **given)
    assert result["failed"] and said in result["msg"] and centre.uploaded() == []


@pytest.mark.parametrize("signer", ["nobody", "a stranger", "the centre"])
def test_only_what_the_sites_signer_signed_is_sent_or_written(
    signer: str, run: Any, centre: Centre, model: Disk, loop_disk: Any, tmp_path: Path
) -> None:
    run("image_capture", **centre.capturing(model, tmp_path))
    create_key(tmp_path / "other_key")
    if signer != "nobody":
        vouch(centre.web.jobs, centre.opened.job.id, centre.key if signer == "the centre" else tmp_path / "other_key")
    sent = run("multicast_send", check=True, **centre.session(disk=str(model.path)))
    station = loop_disk(SIZE, fill=0xFF)
    before = fingerprint(station)
    own = {"station": "pc02", "disk": str(station.path), "erase": f"size:{SIZE}", "work_dir": str(tmp_path)}
    received = run("multicast_receive", check=signer == "the centre", **centre.session(**own))
    assert fingerprint(station) == before
    if signer == "the centre":
        assert "failed" not in sent and received["bytes_differing"] > 0 and received["signer"] == "fleet@centre"
    for result in (sent, received) if signer != "the centre" else ():
        assert result["failed"] and ("could not be fetched" if signer == "nobody" else "a key that may not sign here") in result["msg"]


def test_the_signed_manifest_is_not_in_the_store(centre: Centre, run: Any, model: Disk, tmp_path: Path) -> None:
    run("image_capture", **centre.capturing(model, tmp_path))
    vouch(centre.web.jobs, centre.opened.job.id, centre.key)
    assert list(centre.web.store.manifests()) == [] and list(centre.web.store.digests()) == []
    fetcher: Fetcher[Any] = Fetcher(centre.sources, ca_file=centre.web.ca_file, attempts=1)
    assert fetch_manifest(fetcher, REF, centre.allowed).manifest.used > 0
