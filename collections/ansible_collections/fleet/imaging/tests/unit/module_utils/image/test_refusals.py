# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must not be done is refused, with the disk, the reason and the remedy, and nothing is changed."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.fleet.core.plugins.module_utils.content.fetch import FetchError
from ansible_collections.fleet.core.plugins.module_utils.content.signature import create_key, sign
from ansible_collections.fleet.core.plugins.module_utils.content.signed import UntrustedManifest
from ansible_collections.fleet.core.plugins.module_utils.content.store import ManifestRef
from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError, InputError
from ansible_collections.fleet.imaging.plugins.module_utils.disk.device import Disk, DiskInUse, WrongDisk
from ansible_collections.fleet.imaging.plugins.module_utils.disk.table import NoTable, TableError
from ansible_collections.fleet.imaging.plugins.module_utils.filesystem import probe
from ansible_collections.fleet.imaging.tests.unit.bench import LINUX, Bench, backing_file, fingerprint, small_model, write
from ansible_collections.fleet.imaging.tests.unit.conftest import command
from ansible_collections.fleet.imaging.tests.unit.filesystems import KINDS, MIB, make

REF = ManifestRef("image", "room", "1")


def raw_disk(loop_disk: Any, size: int = 12 * MIB) -> Disk:
    disk: Disk = loop_disk(size, f"label: gpt\nsize=8MiB, type={LINUX}\n")
    return disk


# --- restore: the disk


def test_given_another_identity_then_the_disk_is_not_touched(bench: Bench, loop_disk: Any) -> None:
    bench.capture(raw_disk(loop_disk))
    target = loop_disk(16 * MIB, fill=0xFF)
    before = fingerprint(target)
    with pytest.raises(
        WrongDisk, match=f"{target.path} is not the disk that was named: asked for serial:X1.*Nothing was changed.*disk_info"
    ):
        bench.restore(target, identity="serial:X1")
    assert fingerprint(target) == before


def test_given_a_mounted_partition_then_the_disk_is_not_touched(bench: Bench, loop_disk: Any, mounted: Any) -> None:
    bench.capture(raw_disk(loop_disk))
    target = raw_disk(loop_disk, 16 * MIB)
    make(KINDS["ext2"], target.partition(1).path)
    with (
        mounted(target.partition(1).path, "ext2") as folder,
        pytest.raises(DiskInUse, match=f"{target.path}.*mounted at {folder}.*Nothing was changed"),
    ):
        bench.restore(target)


def test_given_a_read_only_disk_then_it_is_refused(bench: Bench, loop_disk: Any) -> None:
    bench.capture(raw_disk(loop_disk))
    target = loop_disk(16 * MIB)
    command("blockdev", "--setro", target.path)
    try:
        with pytest.raises(InputError, match=r"is read-only. Nothing was changed"):
            bench.restore(Disk.open(target.path))
    finally:
        command("blockdev", "--setrw", target.path)  # the kernel remembers it for the next user of the loop device


def test_given_sectors_of_another_size_then_it_is_refused_and_unchanged(bench: Bench, loop_disk: Any) -> None:
    bench.capture(raw_disk(loop_disk))
    target = loop_disk(16 * MIB, fill=0xFF, sector_size=4096)
    before = fingerprint(target)
    with pytest.raises(
        TableError, match=r"sectors of 512 bytes, this disk has 4096. Nothing was changed.*capture a model with the same one"
    ):
        bench.restore(target)
    assert fingerprint(target) == before


# --- restore: the manifest


def altered(bench: Bench) -> None:
    path = bench.store.root / REF.path()
    path.write_bytes(path.read_bytes().replace(b'"label":""', b'"label":"x"', 1))


def unsigned(bench: Bench) -> None:
    (bench.store.root / f"{REF.path()}.sig").unlink()


def signed_by_a_stranger(bench: Bench) -> None:
    create_key(bench.folder / "stranger")
    path = bench.store.root / f"{REF.path()}.sig"
    path.write_bytes(sign((bench.store.root / REF.path()).read_bytes(), bench.folder / "stranger"))


def truncated(bench: Bench) -> None:
    path = bench.store.root / REF.path()
    path.write_bytes(path.read_bytes()[:-100])


def truncated_before_it_was_signed(bench: Bench) -> None:
    truncated(bench)
    path = bench.store.root / REF.path()
    (bench.store.root / f"{REF.path()}.sig").write_bytes(sign(path.read_bytes(), bench.key))


def of_another_image(bench: Bench) -> None:
    other = ManifestRef("image", "room", "2")
    for suffix in ("", ".sig"):
        (bench.store.root / f"{other.path()}{suffix}").rename(bench.store.root / f"{REF.path()}{suffix}")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (altered, "does not hold"),
        (unsigned, "is not signed"),
        (signed_by_a_stranger, "a key that may not sign here"),
        (truncated, "does not hold"),
        (truncated_before_it_was_signed, "truncated or not JSON"),
        (of_another_image, "its manifest is that of image room 2"),
    ],
)
def test_given_a_manifest_that_is_not_to_be_trusted_then_it_is_named_and_nothing_is_written(
    change: Callable[[Bench], None], said: str, bench: Bench, loop_disk: Any
) -> None:
    model = raw_disk(loop_disk)
    bench.capture(model)
    bench.capture(model, "2")
    change(bench)
    target = loop_disk(16 * MIB, fill=0xFF)
    before = fingerprint(target)
    with pytest.raises(UntrustedManifest, match=f"image room 1 must not be used: .*{said}") as caught:
        bench.restore(target)
    assert caught.value.remedy or caught.value.__cause__.remedy  # type: ignore[union-attr]
    assert fingerprint(target) == before


def test_given_a_version_that_is_not_there_then_it_says_so(bench: Bench, loop_disk: Any) -> None:
    with pytest.raises(FetchError, match=r"manifests/image/room/1.json could not be fetched .*404"):
        bench.restore(loop_disk(16 * MIB))


# --- restore: the chunks


def missing(bench: Bench, name: bytes) -> None:
    bench.store.chunk_path(name).rename(bench.folder / "chunk")


def altered_chunk(bench: Bench, name: bytes) -> None:
    path = bench.store.chunk_path(name)
    frame = bytearray(path.read_bytes())
    path.rename(bench.folder / "chunk")
    frame[len(frame) // 2] ^= 1
    path.write_bytes(frame)


def another_chunk(bench: Bench, name: bytes) -> None:
    """A sound frame under the wrong name."""
    other = next(each for each in bench.store.digests() if each != name)
    path = bench.store.chunk_path(name)
    path.rename(bench.folder / "chunk")
    path.write_bytes(bench.store.chunk_path(other).read_bytes())


@pytest.mark.parametrize("change", [missing, altered_chunk, another_chunk])
def test_given_a_chunk_that_is_not_right_then_it_is_named_the_partition_is_not_mountable_and_the_next_run_fetches_what_is_missing(
    change: Callable[[Bench, bytes], None], bench: Bench, loop_disk: Any, mounted: Any
) -> None:
    model = small_model(loop_disk, mounted)
    captured = bench.capture(model.disk)
    name = [chunk.digest for chunk in captured.manifest.streams[2].chunks() if not chunk.is_zero][-1]
    change(bench, name)
    target = loop_disk(model.disk.size)
    with pytest.raises(FetchError, match=f"{name.hex()}.*(404|hash to its name|zstd).*content_verify"):
        bench.restore(target)
    assert probe(target.partition(2).path).type == "raw"

    (bench.folder / "chunk").replace(bench.store.chunk_path(name))
    again = bench.restore(target)

    assert again.verified and 0 < sum(again.count.sources.values()) <= 8
    probe(target.partition(2).path).check()


def test_given_a_damaged_chunk_on_the_relay_then_it_comes_from_the_centre(bench: Bench, loop_disk: Any, tmp_path: Any) -> None:
    model = raw_disk(loop_disk)
    write(model.partition(1).path, 0, b"contents" * 1000)
    bench.capture(model)
    with Bench.open(tmp_path / "relay") as relay:
        subprocess.run(["cp", "-a", f"{bench.store.root}/.", relay.store.root], check=True)
        name = next(iter(bench.manifest().digests()))
        relay.store.chunk_path(name).write_bytes(b"not zstd")
        restored = bench.restore(loop_disk(12 * MIB), sources=[relay.web.url, bench.web.url])
    assert restored.verified and restored.count.sources == {bench.web.url: 1}


# --- capture


def luks(disk: Disk, _mounted: Any) -> None:
    header = b"LUKS\xba\xbe" + struct.pack(">H", 1) + b"aes".ljust(32, b"\0") + b"xts-plain64".ljust(32, b"\0") + b"sha256".ljust(32, b"\0")
    write(disk.partition(1).path, 0, header + bytes(64) + b"0b1d3f02-1111-4222-8333-444455556666\0")


def bitlocker(disk: Disk, _mounted: Any) -> None:
    write(disk.partition(1).path, 0, b"\xeb\x58\x90-FVE-FS-" + bytes(499) + b"\x55\xaa")


def dirty(disk: Disk, _mounted: Any) -> None:
    make(KINDS["ext2"], disk.partition(1).path)
    command("debugfs", "-w", "-R", "ssv state 0", disk.partition(1).path)


def hibernated(disk: Disk, mounted: Any) -> None:
    make(KINDS["ntfs"], disk.partition(1).path)
    with mounted(disk.partition(1).path, "ntfs") as folder:
        (folder / "hiberfil.sys").write_bytes(b"hibr" + bytes(8188))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (luks, "encrypted.*LUKS.*cryptsetup"),
        (bitlocker, "encrypted.*BitLocker.*manage-bde"),
        (dirty, "dirty.*e2fsck"),
        (hibernated, "hibernated.*powercfg"),
    ],
)
def test_given_a_partition_that_cannot_be_captured_then_disk_partition_reason_and_remedy_are_named_and_nothing_is_stored(
    spoil: Callable[[Disk, Any], None], said: str, bench: Bench, loop_disk: Any, mounted: Any
) -> None:
    disk = raw_disk(loop_disk)
    spoil(disk, mounted)
    before = fingerprint(disk)
    with pytest.raises(FleetError, match=f"(?s){disk.path}.*{disk.partition(1).path}.*{said}") as caught:
        bench.capture(disk)
    assert caught.value.details["partitions"][0]["device"] == str(disk.partition(1).path)
    assert not list(bench.store.digests()) and not list(bench.store.manifests())
    assert fingerprint(disk) == before


def test_given_two_bad_partitions_then_both_are_named_at_once(bench: Bench, loop_disk: Any) -> None:
    disk = loop_disk(12 * MIB, f"label: gpt\nsize=4MiB, type={LINUX}\nsize=4MiB, type={LINUX}\n")
    for number in (1, 2):
        write(disk.partition(number).path, 0, b"\xeb\x58\x90-FVE-FS-" + bytes(499) + b"\x55\xaa")
    with pytest.raises(FleetError, match=f"{disk.path}p1.*{disk.path}p2"):
        bench.capture(disk)


def test_given_a_mounted_model_then_it_is_refused(bench: Bench, loop_disk: Any, mounted: Any) -> None:
    disk = raw_disk(loop_disk)
    make(KINDS["ext2"], disk.partition(1).path)
    with mounted(disk.partition(1).path, "ext2"), pytest.raises(DiskInUse, match="mounted at"):
        bench.capture(disk)


def test_given_no_partition_table_then_it_is_refused(bench: Bench, loop_disk: Any) -> None:
    with pytest.raises(NoTable, match="has no partition table"):
        bench.capture(loop_disk(4 * MIB))


def test_given_a_disk_whose_table_is_damaged_then_it_is_refused(bench: Bench, loop_disk: Any) -> None:
    disk = raw_disk(loop_disk)
    for sector in (1, disk.size // 512 - 1):
        write(disk.path, sector * 512, bytes(512))
    with pytest.raises(TableError):
        bench.capture(disk)
    assert not list(bench.store.manifests()) and backing_file(disk).exists()


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "", ".hidden", "a..b", "-rf", "x" * 65, "a\nb", "é"])
def test_given_a_name_that_is_a_path_trick_then_it_is_refused(name: str, bench: Bench, loop_disk: Any) -> None:
    with pytest.raises(InputError, match="is not acceptable"):
        bench.capture(raw_disk(loop_disk), version=name)
