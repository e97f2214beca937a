# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules of the content store as Ansible runs them: results, check mode, refusals."""

from __future__ import annotations

import importlib
import json
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.fleet.core.plugins.module_utils.content.sink import LocalSink
from ansible_collections.fleet.core.plugins.module_utils.content.upload import Uploader


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a module's main() with arguments; its result."""

    def call(module_name: str, *, check: bool = False, **arguments: Any) -> dict[str, Any]:
        module = importlib.import_module(f"ansible_collections.fleet.core.plugins.modules.{module_name.rpartition('.')[2]}")
        capsys.readouterr()
        given = {**arguments, "_ansible_check_mode": check}
        with patch_module_args(given), pytest.raises(SystemExit):
            module.main()
        return json.loads(capsys.readouterr().out)

    return call


def test_from_an_open_job_to_a_relay_and_back_to_nothing(web, run, signer, make_sample, tmp_path):
    path, relay = str(web.store.root), str(tmp_path / "relay")
    image = make_sample()
    job = run("fleet.core.content_publish", path=path, state="opened", kind="image", name="debian", version="1", holder="station1")
    assert job["changed"]
    assert not job["resumed"]
    busy = run("fleet.core.content_publish", path=path, state="opened", kind="image", name="debian")
    assert busy["failed"]
    assert job["job"] in busy["msg"]
    assert busy["job"] == job["job"]
    with Uploader(web.url, job["job"], job["token"], ca_file=web.ca_file) as sink:
        image.send(sink)
    key = str(signer.key)
    assert run("fleet.core.content_publish", path=path, state="published", job=job["job"], signing_key=key, check=True)["version"] == "1"
    published = run("fleet.core.content_publish", path=path, state="published", job=job["job"], signing_key=key)
    assert (published["chunks_added"], published["version"], published["dropped"]) == (5, "1", [])
    assert published["diff"]["after"] == "image debian 1\n"
    assert "is not open" in run("fleet.core.content_publish", path=path, state="published", job=job["job"], signing_key=key)["msg"]

    found = run("fleet.core.content_info", path=path, kind="image")
    (about,) = found["manifests"]
    assert (about["name"], about["version"], about["signed"], about["chunks"], about["missing"], about["used"]) == (
        "debian",
        "1",
        True,
        5,
        0,
        5 << 20,
    )
    assert (found["chunks"], found["bytes"], found["jobs"]) == (5, about["stored"], [])

    arguments = {"path": relay, "sources": [web.url], "ca_file": str(web.ca_file), "allowed_signers": signer.allowed}
    assert run("fleet.core.content_replicate", check=True, **arguments)["left_chunks"] == 5
    first = run("fleet.core.content_replicate", **arguments)
    assert (first["changed"], first["chunks"], first["manifests"]) == (True, 5, ["image debian 1"])
    assert not run("fleet.core.content_replicate", **arguments)["changed"]
    del arguments["ca_file"]
    assert run("fleet.core.content_replicate", **arguments, ca=web.ca_file.read_text(), manifests=["image/debian"])["present"] == 1
    assert run("fleet.core.content_replicate", **arguments, manifests=["image/debian"])["msg"]
    assert run("fleet.core.content_verify", path=relay, allowed_signers=signer.allowed)["problem_count"] == 0

    assert "no manifest would remain" in run("fleet.core.content_prune", path=relay, keep=[])["msg"]
    assert run("fleet.core.content_prune", path=relay, keep=[], allow_empty=True, check=True)["chunks"] == 5
    pruned = run("fleet.core.content_prune", path=relay, keep=[], allow_empty=True)
    assert (pruned["changed"], pruned["chunks"], pruned["diff"]["before"]) == (True, 5, "image debian 1\n")
    assert not run("fleet.core.content_prune", path=relay)["changed"]


def test_opening_in_check_mode_opens_nothing(store, run):
    assert run("fleet.core.content_publish", path=str(store.root), state="opened", kind="image", name="debian", check=True)["changed"]
    assert run("fleet.core.content_info", path=str(store.root))["jobs"] == []
    assert (
        "not acceptable"
        in run("fleet.core.content_publish", path=str(store.root), state="opened", kind="image", name="../x", check=True)["msg"]
    )


def test_aborting_twice_changes_once(store, run):
    job = run("fleet.core.content_publish", path=str(store.root), state="opened", kind="image", name="debian", holder="station1")["job"]
    assert run("fleet.core.content_info", path=str(store.root))["jobs"][0]["holder"] == "station1"
    assert run("fleet.core.content_publish", path=str(store.root), state="aborted", job=job, check=True)["changed"]
    assert run("fleet.core.content_publish", path=str(store.root), state="aborted", job=job)["changed"]
    assert not run("fleet.core.content_publish", path=str(store.root), state="aborted", job=job)["changed"]


def test_verify_fails_and_repair_does_not(store, run, signer, make_sample):
    image = make_sample()
    sink = LocalSink(store, signer.key)
    image.send(sink)
    sink.close()
    store.chunk_path(min(image.chunks)).write_bytes(b"rotten")
    verdict = run("fleet.core.content_verify", path=str(store.root))
    assert verdict["failed"]
    assert min(image.chunks).hex() in verdict["msg"]
    preview = run("fleet.core.content_verify", path=str(store.root), repair=True, check=True)
    assert (preview["changed"], preview["moved"]) == (True, [])
    repaired = run("fleet.core.content_verify", path=str(store.root), repair=True)
    assert (repaired["changed"], len(repaired["moved"])) == (True, 1)


def test_lineage_is_told_as_far_as_it_is_here(store, run, signer, make_sample):
    for version, parent in (("1", "0"), ("2", "1"), ("3", "2")):
        sink = LocalSink(store, signer.key)
        make_sample(version=version, parent=parent).send(sink)
        sink.close()
    (store.root / "manifests/image/debian/broken.json").write_bytes(b"{")
    found = {each["version"]: each for each in run("fleet.core.content_info", path=str(store.root))["manifests"]}
    assert found["3"]["lineage"] == ["2", "1", "0"]
    assert "truncated" in found["broken"]["error"]
    assert not found["broken"]["signed"]


@pytest.mark.parametrize("name", ["fleet.core.content_info", "fleet.core.content_verify", "fleet.core.content_prune"])
def test_a_folder_that_is_no_store_is_refused(tmp_path, run, name):
    assert "is not a content store" in run(name, path=str(tmp_path))["msg"]


def test_a_manifest_is_signed_once_and_belongs_to_its_job(web, run, signer, make_sample):
    path, key = str(web.store.root), str(signer.key)
    job = run("fleet.core.content_publish", path=path, state="opened", kind="image", name="debian", version="1")
    with Uploader(web.url, job["job"], job["token"], ca_file=web.ca_file) as sink:
        sink.finish(make_sample().data)
    given = {"path": path, "state": "signed", "job": job["job"], "signing_key": key}
    assert run("fleet.core.content_publish", check=True, **given)["changed"]
    first = run("fleet.core.content_publish", **given)
    assert (first["changed"], first["signed_path"], first["version"]) == (True, f"signed/{job['job']}", "1")
    assert not run("fleet.core.content_publish", **given)["changed"]
    assert run("fleet.core.content_info", path=path)["manifests"] == []
    run("fleet.core.content_publish", path=path, state="aborted", job=job["job"])
    assert not list((web.store.root / "jobs").glob("[0-9a-f]*"))
