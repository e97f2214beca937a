# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filling a local backup when things go wrong: the power goes, who sends stops, the system's filesystem was shrunk."""

from __future__ import annotations

import dataclasses
import errno
import itertools
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.core.plugins.module_utils import progress as progress_module
from ansible_collections.fleet.core.plugins.module_utils.content import store as store_module
from ansible_collections.fleet.core.plugins.module_utils.content.fetch import Fetcher, FetchError, FetchReport
from ansible_collections.fleet.core.plugins.module_utils.content.signature import sign
from ansible_collections.fleet.core.plugins.module_utils.content.signed import SignedManifest, fetch_manifest
from ansible_collections.fleet.core.plugins.module_utils.content.store import ChunkDamaged, ManifestRef, StoreError, StoreWriter
from ansible_collections.fleet.core.plugins.module_utils.errors import InputError, ToolError
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress, Report
from ansible_collections.fleet.imaging.plugins.module_utils.backup import volume
from ansible_collections.fleet.imaging.plugins.module_utils.backup.delivery import WRITE, BackupOptions, Delivery, Unicast, fill
from ansible_collections.fleet.imaging.plugins.module_utils.backup.keeping import Keeping
from ansible_collections.fleet.imaging.plugins.module_utils.backup.volume import BackupDamaged, apply, listed, opened
from ansible_collections.fleet.imaging.plugins.module_utils.disk.device import Disk, DiskInUse
from ansible_collections.fleet.imaging.plugins.module_utils.disk.fit import last_usable
from ansible_collections.fleet.imaging.plugins.module_utils.disk.identity import DiskIdentity
from ansible_collections.fleet.imaging.plugins.module_utils.disk.layout import LayoutPlan
from ansible_collections.fleet.imaging.plugins.module_utils.disk.reserved import UNFINISHED, bytes_of, find_on, made
from ansible_collections.fleet.imaging.plugins.module_utils.disk.table import PartitionTable, TableError
from ansible_collections.fleet.imaging.plugins.module_utils.engine.stream_writer import StreamWriter
from ansible_collections.fleet.imaging.plugins.module_utils.installed.volume import partitions
from ansible_collections.fleet.imaging.tests.unit.bench import LINUX, Bench, backing_file, write
from ansible_collections.fleet.imaging.tests.unit.conftest import command
from ansible_collections.fleet.imaging.tests.unit.filesystems import MIB

SIZE = 72 * MIB


class Shelf:
    """Who sends: chunks of a store, as many as it is allowed to."""

    def __init__(self, bench: Bench, limit: int = 1 << 30) -> None:
        self.bench, self.limit, self.sent = bench, limit, 0

    def receive(self, wanted: Iterable[Any], begin: Callable[[], None], consume: Callable[[Any, memoryview], None]) -> FetchReport:
        begin()
        for item in wanted:
            if self.sent == self.limit:
                raise FetchError("the network is gone")
            consume(item, memoryview(bytearray(self.bench.store.read(item.digest))))
            self.sent += 1
        return FetchReport(self.sent, self.sent, {"shelf": self.sent})


@pytest.fixture
def signed(bench: Bench, loop_disk: Any, tmp_path: Path) -> SignedManifest:
    """An image of some ten chunks that do not compress."""
    model = loop_disk(32 * MIB, f"label: gpt\nsize=30MiB, type={LINUX}\n")
    (tmp_path / "files").mkdir()
    (tmp_path / "files/noise").write_bytes(os.urandom(10 * MIB))
    command("mkfs.ext4", "-q", "-F", "-L", "root", "-d", tmp_path / "files", model.partition(1).path)
    bench.capture(model)
    return signed_of(bench)


def signed_of(bench: Bench, version: str = "1") -> SignedManifest:
    """A version; any but 1 is 1 under another name, captured long ago."""
    ref = ManifestRef("image", "room", version)
    if version != "1":
        data = dataclasses.replace(bench.manifest("1"), version=version, created="2020-01-01T00:00:00Z").to_bytes()
        bench.store.add_manifest(ref, data, sign(data, bench.key))
    return fetch_manifest(Fetcher([bench.web.url]), ref, bench.allowed)


def planned(disk: Disk, signed: SignedManifest) -> Delivery:
    return Delivery.plan(disk, DiskIdentity(size=disk.size), signed, BackupOptions(WRITE, str(32 * MIB)), verify=True)


@pytest.fixture
def disk(signed: SignedManifest, loop_disk: Any) -> Disk:
    """A station's disk with another system, and an empty local backup."""
    made: Disk = loop_disk(SIZE, f"label: gpt\nsize=24MiB, type={LINUX}\n")
    plan = planned(made, signed)
    apply(plan.table, plan.reserved, made)
    return made


def versions(disk: Disk) -> list[tuple[str, str]]:
    return [(each["version"], each["error"]) for each in listed(disk)]


def stored(disk: Disk) -> int:
    return opened(disk, lambda store: sum(1 for _name in store.digests()))


def test_given_a_power_cut_at_any_moment_then_nothing_half_is_listed_and_the_next_run_goes_on(
    bench: Bench, signed: SignedManifest, disk: Disk, loop_disk: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk as it was at some reports of progress: what the kernel had not written by then is lost."""
    monkeypatch.setattr(progress_module, "INTERVAL", 0)
    monkeypatch.setattr(store_module, "_BATCH", 3)
    plan, chunks = planned(disk, signed), len(signed.manifest.digests())
    cuts: list[Path] = []
    reports = itertools.count()

    def cut(report: Report) -> None:
        if report["operation"] in ("back up", "verify the backup") and report["done"] and next(reports) % (chunks // 2) == 0:
            cuts.append(tmp_path / f"cut{len(cuts)}")
            shutil.copyfile(backing_file(disk), cuts[-1])

    plan.run(Shelf(bench), Progress(cut))
    assert len(cuts) >= 4 and versions(disk) == [("1", "")]
    resumed = []
    for image in cuts:
        after: Disk = loop_disk(SIZE)
        write(after.path, 0, image.read_bytes())
        image.unlink()
        after.refresh()
        assert find_on(after) == find_on(disk) and versions(after) == []
        done = planned(after, signed).run(Shelf(bench), Progress())["backup"]
        resumed.append(done["chunks_written"])
        assert versions(after) == [("1", "")] and done["chunks_damaged"] == 0
    assert resumed[0] == chunks and resumed[-1] < chunks and resumed == sorted(resumed, reverse=True)


@pytest.mark.parametrize("sector_size", [512, 4096])
def test_given_a_cut_while_the_filesystem_is_made_then_there_is_no_backup_yet_and_the_next_run_makes_it(
    sector_size: int, bench: Bench, signed: SignedManifest, loop_disk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = f"label: gpt\nsector-size: {sector_size}\nsize=24MiB, type={LINUX}\n"
    station: Disk = loop_disk(SIZE, script, sector_size=sector_size)
    truly = volume.run

    def cut(argv: Sequence[str], **options: Any) -> Any:
        if argv[0] == "mkfs.ext4":
            raise ToolError("the power is gone")
        return truly(argv, **options)

    with monkeypatch.context() as patch:
        patch.setattr(volume, "run", cut)
        with pytest.raises(ToolError, match="the power is gone"):
            planned(station, signed).run(Shelf(bench), Progress())
    assert find_on(station) is None and PartitionTable.from_disk(station).entry(128).name == UNFINISHED
    planned(station, signed).run(Shelf(bench), Progress())
    assert versions(station) == [("1", "")] and len(PartitionTable.from_disk(station).entries) == 2


def test_given_who_sends_stops_then_what_came_is_not_asked_for_again(bench: Bench, signed: SignedManifest, disk: Disk) -> None:
    with pytest.raises(FetchError, match="the network is gone"):
        planned(disk, signed).run(Shelf(bench, limit=4), Progress())
    assert versions(disk) == [] and stored(disk) == 4
    rest = Shelf(bench)
    planned(disk, signed).run(rest, Progress())
    assert rest.sent == len(signed.manifest.digests()) - 4 and versions(disk) == [("1", "")]


def test_given_a_disk_that_takes_another_chunk_than_it_was_given_then_that_is_not_published(
    bench: Bench, signed: SignedManifest, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    truly = StoreWriter.put
    taken: list[bytes] = []

    def put(self: StoreWriter, name: bytes, frame: Any) -> bool:
        taken.append(name)
        return truly(self, name, b"rotten" if len(taken) == 3 else frame)

    with monkeypatch.context() as patch:
        patch.setattr(StoreWriter, "put", put)
        with pytest.raises(ChunkDamaged, match="does not read as it was written"):
            planned(disk, signed).run(Shelf(bench), Progress())
    assert versions(disk) == []
    assert planned(disk, signed).run(Shelf(bench), Progress())["backup"]["chunks_written"] == 1


def test_given_a_version_listed_under_a_name_that_was_captured_again_then_the_signed_one_takes_its_place(
    bench: Bench, signed: SignedManifest, disk: Disk
) -> None:
    planned(disk, signed).run(Shelf(bench), Progress())
    path = "manifests/image/room/1.json"
    opened(disk, lambda store: (store.root / path).write_bytes(b"{}"), writable=True)
    assert "truncated" in versions(disk)[0][1] or versions(disk)[0][1]
    done = planned(disk, signed).run(Shelf(bench), Progress())
    assert done["changed"] and done["backup"]["chunks_written"] == 0
    assert opened(disk, lambda store: store.manifest_bytes(ManifestRef("image", "room", "1"))) == signed.data


def test_given_days_then_what_is_older_goes_and_what_is_written_stays(bench: Bench, signed: SignedManifest, disk: Disk) -> None:
    keeping = Keeping(days=7)
    fill(disk, signed_of(bench, "old"), Shelf(bench), Progress(), keeping, verify=False)
    assert versions(disk) == [("old", "")]
    done = fill(disk, signed, Shelf(bench), Progress(), keeping, verify=False)
    assert done["pruned"] == ["image room old"] and versions(disk) == [("1", "")]


def test_a_backup_in_use_is_not_written_to(bench: Bench, signed: SignedManifest, disk: Disk, mounted: Any) -> None:
    with mounted(disk.partition(128).path, "ext4"), pytest.raises(DiskInUse, match="The local backup is in use: .* is mounted at"):
        planned(disk, signed).run(Shelf(bench), Progress())


def test_two_partitions_of_the_name_are_refused(bench: Bench, signed: SignedManifest, disk: Disk) -> None:
    table = PartitionTable.from_disk(disk)
    second = dataclasses.replace(table.entry(128), number=127, start=60 * 2048, size=2048, uuid="0FC63DAF-8483-4772-8E79-3D69D8477DE4")
    first = dataclasses.replace(table.entry(128), start=62 * 2048, size=2048)
    dataclasses.replace(table, entries=(table.entry(1), second, first)).apply(disk)
    with pytest.raises(TableError, match="Partitions 127 and 128 are both named fleet-backup"):
        planned(disk, signed)


def test_the_backup_is_no_part_of_the_installed_system(disk: Disk) -> None:
    assert [volume.number for volume in partitions(disk, PartitionTable.from_disk(disk))] == [1]


def test_given_a_system_that_has_to_shrink_for_its_backup_then_what_moved_is_fetched(
    bench: Bench, signed: SignedManifest, loop_disk: Any
) -> None:
    station: Disk = loop_disk(56 * MIB, fill=0xFF)
    wanted = BackupOptions(WRITE, str(30 * MIB))
    plan, fetcher = bench.plan(station, backup=wanted)
    backups: list[dict[str, Any]] = []
    supply = Unicast(fetcher)
    plan.run(
        StreamWriter(fetcher, Progress()),
        Progress(),
        lambda: backups.append(fill(station, signed, supply, Progress(), Keeping(), verify=True)),
    )
    assert station.partition(1).size < 30 * MIB and backups[0]["chunks_written"] == len(signed.manifest.digests())
    assert versions(station) == [("1", "")]
    command("e2fsck", "-f", "-n", station.partition(1).path)


def pipe(path: Path) -> None:
    os.mkfifo(path)


def endless(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


@pytest.mark.parametrize("plant", [pipe, endless])
@pytest.mark.parametrize("where", ["manifests/image/room/1.json", f"chunks/sha256/ab/{'ab' * 32}.zst", ".lock"])
def test_given_what_no_store_has_then_nobody_waits_for_it_or_reads_it_and_it_is_told(
    where: str, plant: Callable[[Path], None], bench: Bench, signed: SignedManifest, disk: Disk
) -> None:
    def put(point: Path) -> None:
        (point / where).parent.mkdir(parents=True, exist_ok=True)
        (point / where).unlink(missing_ok=True)
        plant(point / where)

    volume._mounted(disk.partition(128).path, "rw", put)
    with pytest.raises(BackupDamaged, match=f"holds '{where}', which no store has"):
        planned(disk, signed).run(Shelf(bench), Progress())
    assert where in versions(disk)[0][1]


def test_given_a_disk_that_fails_in_the_middle_then_that_is_an_error_of_the_backup(
    bench: Bench, signed: SignedManifest, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: Any) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Keeping, "prune", fail)
    with pytest.raises(StoreError, match="The local backup of .* failed: .*Input/output error"):
        fill(disk, signed, Shelf(bench), Progress(), Keeping(), verify=False)


def test_a_backup_that_its_admin_renamed_is_a_partition_like_others(signed: SignedManifest, disk: Disk) -> None:
    table = PartitionTable.from_disk(disk)
    theirs = dataclasses.replace(table.entry(128), name="fleet-backup-2025")
    dataclasses.replace(table, entries=(table.entry(1), theirs)).apply(disk)
    with pytest.raises(TableError, match="has no local backup, and no room for one"):
        planned(disk, signed)


@pytest.mark.parametrize("size", ["20", "15000000", "1%"])
def test_a_size_that_holds_nothing_is_refused(size: str, disk: Disk) -> None:
    with pytest.raises(InputError, match=f"'{size}' is too small for a local backup"):
        bytes_of(size, disk, 0)


def test_given_a_kept_partition_that_ends_between_two_mib_then_a_new_backup_begins_behind_it_or_lies_in_front(disk: Disk) -> None:
    table = PartitionTable.from_disk(disk)
    last, size = last_usable(table, disk.size // table.sector_size), 20 * MIB
    wall = dataclasses.replace(table.entry(128), number=5, start=50000, size=last + 1 - size // 512 - 50000)
    assert made(size, table, last, [1, 5], [wall]).entry.end == wall.start
    shorter = dataclasses.replace(wall, size=wall.size - 2048)
    assert made(size, table, last, [1, 5], [shorter]).entry.start >= shorter.end


def test_given_a_model_that_cannot_have_the_backup_then_a_layout_is_refused_and_does_not_erase_it(disk: Disk, loop_disk: Any) -> None:
    model = PartitionTable.from_disk(loop_disk(SIZE, "label: dos\nsize=24MiB, type=83\n")).as_json()
    with pytest.raises(TableError, match="MBR .* cannot keep the station's local backup"):
        LayoutPlan.build(disk, DiskIdentity(size=disk.size), model)
    plan = LayoutPlan.build(disk, DiskIdentity(size=disk.size), model, keep_backup=False)
    assert plan.changed and find_on(disk)


def test_given_boot_code_in_front_of_a_gpt_then_a_backup_that_is_made_behind_it_leaves_it(
    bench: Bench, signed: SignedManifest, loop_disk: Any
) -> None:
    station: Disk = loop_disk(SIZE, f"label: gpt\nsize=24MiB, type={LINUX}\n")
    code = os.urandom(440)
    write(station.path, 0, code)
    planned(station, signed).run(Shelf(bench), Progress())
    with station.path.open("rb") as file:
        assert file.read(440) == code


def test_an_mbr_is_told_apart_from_a_disk_without_room(signed: SignedManifest, loop_disk: Any) -> None:
    with pytest.raises(TableError, match="MBR .* cannot have a local backup"):
        planned(loop_disk(SIZE, "label: dos\nsize=24MiB, type=83\n"), signed)
