# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""fleet.imaging.multicast_send and fleet.imaging.multicast_receive, each by itself: what they refuse before anything is sent or written."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.fleet.core.plugins.module_utils.content.signature import allow, create_key
from ansible_collections.fleet.core.plugins.module_utils.content.store import ManifestRef
from ansible_collections.fleet.imaging.plugins.module_utils.disk.device import Disk
from ansible_collections.fleet.imaging.tests.unit.bench import LINUX, Bench, fingerprint
from ansible_collections.fleet.imaging.tests.unit.conftest import command
from ansible_collections.fleet.imaging.tests.unit.filesystems import MIB

SIZE = 24 * MIB
SECRET = "00112233445566778899aabbccddeeff"


@pytest.fixture
def disk(loop_disk: Any, bench: Bench) -> Disk:
    """A disk full of garbage, for which there is an image."""
    model = loop_disk(SIZE, f"label: gpt\nsize=20MiB, type={LINUX}\n")
    command("mkfs.ext4", "-q", "-F", "-L", "root", model.partition(1).path)
    bench.capture(model)
    made: Disk = loop_disk(SIZE, fill=0xFF)
    return made


def session(bench: Bench, **more: Any) -> dict[str, Any]:
    return {"image": "room", "version": "1", "allowed_signers": bench.allowed, "address": "127.0.0.1", "secret": SECRET, **more}


def sending(bench: Bench, **more: Any) -> dict[str, Any]:
    return session(bench, store=str(bench.store.root), **more)


def receiving(bench: Bench, disk: Disk, **more: Any) -> dict[str, Any]:
    own = {"sources": [bench.web.url], "station": "pc01", "disk": str(disk.path), "erase": f"size:{SIZE}", "work_dir": str(bench.folder)}
    return session(bench, **{**own, **more})


SESSION_FAULTS = [
    ({"address": "relay12"}, "address 'relay12' is no IP address"),
    ({"group": "10.0.0.1"}, "is no multicast address of the family of 127.0.0.1"),
    ({"group": "ff12::1"}, "is no multicast address of the family of 127.0.0.1"),
    ({"ports": "7700"}, "is no range"),
    ({"ports": "80-90"}, "is no range"),
    ({"ports": "7731-7700"}, "is no range"),
    ({"version": "2"}, "image"),
    ({"allowed_signers": ""}, "must not be used"),
]


@pytest.mark.parametrize(("changes", "said"), SESSION_FAULTS)
def test_a_sender_refuses_what_cannot_be_a_session(changes: dict[str, Any], said: str, run: Any, bench: Bench, disk: Disk) -> None:
    for check in (True, False):
        result = run("multicast_send", check=check, **{**sending(bench), **changes})
        assert result["failed"] and said in result["msg"]


@pytest.mark.parametrize(("changes", "said"), SESSION_FAULTS)
def test_a_receiver_refuses_it_as_well_and_its_disk_is_as_before(
    changes: dict[str, Any], said: str, run: Any, bench: Bench, disk: Disk
) -> None:
    before = fingerprint(disk)
    result = run("multicast_receive", **{**receiving(bench, disk), **changes})
    assert result["failed"] and said in result["msg"] and fingerprint(disk) == before


@pytest.mark.parametrize("secret", ["", "hunter2", SECRET[:-2], "x" * 32])
def test_a_secret_that_is_none_is_refused_and_not_repeated(secret: str, run: Any, bench: Bench, disk: Disk) -> None:
    result = run("multicast_send", **{**sending(bench), "secret": secret})
    assert result["failed"] and "is not 32 to 128 hexadecimal digits" in result["msg"] and (not secret or secret not in str(result))


def test_a_receiver_without_the_images_signer_refuses_before_it_looks_for_a_session(
    run: Any, bench: Bench, disk: Disk, tmp_path: Any
) -> None:
    stranger = allow("somebody", create_key(tmp_path / "other_key"))
    before = fingerprint(disk)
    result = run("multicast_receive", **receiving(bench, disk, allowed_signers=stranger))
    assert "must not be used: it is signed by a key that may not sign here" in result["msg"] and fingerprint(disk) == before


def test_a_smaller_disk_is_refused_before_the_session(run: Any, bench: Bench, disk: Disk, loop_disk: Any) -> None:
    small = loop_disk(2 * MIB, fill=0xFF)
    before = fingerprint(small)
    result = run("multicast_receive", **receiving(bench, small, erase=f"size:{2 * MIB}"))
    assert "needs at least" in result["msg"] and "Nothing was changed" in result["msg"] and fingerprint(small) == before


def test_an_unsigned_image_is_not_sent(run: Any, bench: Bench, disk: Disk) -> None:
    (bench.store.root / f"{ManifestRef('image', 'room', '1').path()}.sig").unlink()
    assert "it is not signed" in run("multicast_send", **sending(bench))["msg"]


def test_in_check_mode_nothing_is_sent_and_nothing_is_written(run: Any, bench: Bench, disk: Disk) -> None:
    assert not run("multicast_send", check=True, **sending(bench))["changed"]
    before = fingerprint(disk)
    result = run("multicast_receive", check=True, **receiving(bench, disk))
    assert result["changed"] and result["bytes_differing"] and fingerprint(disk) == before


def test_a_sender_that_nobody_comes_to_names_who_is_missing(run: Any, bench: Bench, disk: Disk) -> None:
    result = run("multicast_send", **sending(bench, interface="lo", stations=["pc01", "pc02"], start={"give_up": 1}))
    assert result["failed"] and "pc01" in result["msg"] and "pc02" in result["msg"]
