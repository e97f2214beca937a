# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A room is cloned and something goes wrong: what is reported done is right to the last byte, what failed says why, nobody waits for ever.

The modules are processes and the disks are loop devices. What the network does is in module_utils/multicast/test_faults.py in more ways.
On a busy machine a session may let a station go, which fetches the rest: what is asserted is that nothing comes twice, and all is right.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.imaging.plugins.module_utils.disk.device import Disk
from ansible_collections.fleet.imaging.plugins.module_utils.filesystem import probe
from ansible_collections.fleet.imaging.tests.unit.bench import Bench, fingerprint, write
from ansible_collections.fleet.imaging.tests.unit.conftest import command, release
from ansible_collections.fleet.imaging.tests.unit.filesystems import MIB
from ansible_collections.fleet.imaging.tests.unit.module_utils.image.faults import tmpfs
from ansible_collections.fleet.imaging.tests.unit.module_utils.multicast.conftest import Segment
from ansible_collections.fleet.imaging.tests.unit.modules.room import SIZE, Module, Room, capture_model


@pytest.fixture
def room(bench: Bench, loop_disk: Any) -> Iterator[Room]:
    """A room whose image has sixteen chunks and some."""
    capture_model(bench, loop_disk)
    with contextlib.ExitStack() as stack:
        yield Room(bench, stack)


def blank(loop_disk: Any, size: int = SIZE) -> Disk:
    """A disk of a station, full of something else."""
    disk: Disk = loop_disk(size, fill=0xFF)
    return disk


def written(module: Module, share: float) -> None:
    """Wait until a station has written a share of the image."""
    module.wait_for("restore")
    total = next(line["total"] for line in module.lines if "restore" in line)
    module.wait_for("restore", int(share * total))


def test_given_one_that_freezes_and_one_that_reboots_at_nine_tenths_then_all_are_right_and_little_is_sent_again(
    bench: Bench, loop_disk: Any
) -> None:
    capture_model(bench, loop_disk, 50 * MIB)
    disks = [blank(loop_disk, 50 * MIB) for _station in range(3)]
    with contextlib.ExitStack() as stack:
        room = Room(bench, stack, common={"patience": 90})
        sender = room.send("pc01", "pc02", "pc03", rate=8_000_000)
        frozen, rebooted, other = (room.receive(f"pc0{number}", disk) for number, disk in enumerate(disks, 1))
        written(frozen, 0.2)
        frozen.signal(signal.SIGSTOP)
        written(rebooted, 0.9)
        rebooted.signal(signal.SIGKILL)
        assert sum(other.result()["sources"].values()) == room.chunks()
        again = room.receive("pc02", disks[1]).result()
        frozen.signal(signal.SIGCONT)
        assert again["verified"] and sum(again["sources"].values()) <= 0.15 * room.chunks()
        assert sum(frozen.result()["sources"].values()) == room.chunks()
        assert {verdict["state"] for verdict in sender.result()["stations"].values()} <= {"complete", "unicast"}
        assert all(room.is_right(disk) for disk in disks)


def test_given_a_sender_that_is_killed_and_started_again_then_nothing_is_sent_that_was_verified(room: Room, loop_disk: Any) -> None:
    disks = [blank(loop_disk) for _station in range(2)]
    sender = room.send("pc01", "pc02")
    stations = [room.receive(f"pc0{number}", disk) for number, disk in enumerate(disks, 1)]
    for station in stations:
        written(station, 0.4)
    sender.signal(signal.SIGKILL)
    sender.process.wait()
    sent = room.send("pc01", "pc02").result()
    results = [station.result() for station in stations]
    assert all(sum(result["sources"].values()) == room.chunks() and result["sources"]["multicast"] for result in results)
    assert sent["bytes_unique"] <= 0.7 * results[0]["bytes_fetched"]  # two chunks in sixteen may have been on their way
    assert all(room.is_right(disk) for disk in disks)


def test_given_a_disk_that_fails_writes_then_that_station_alone_fails_and_says_so(room: Room, loop_disk: Any, tmp_path: Path) -> None:
    """The file behind the loop device is sparse, on a tmpfs that is soon full: writes are I/O errors."""
    good = blank(loop_disk)
    with tmpfs(tmp_path / "small", 8 * MIB) as folder:
        with (folder / "disk.img").open("wb") as file:
            file.truncate(SIZE)
        path = command("losetup", "--find", "--show", folder / "disk.img").strip()
        try:
            sender = room.send("pc01", "pc02")
            sound, failing = room.receive("pc01", good), room.receive("pc02", Disk.open(path))
            failed = failing.result()
            assert failed["failed"] and "cannot write at byte" in failed["msg"] and failed["device"].startswith(path)
            assert failed["incomplete"] == [f"{path}p1"] and probe(Disk.open(path).partition(1).path).type == "raw"
            assert sound.result()["verified"] and room.is_right(good)
            verdicts = sender.result()["stations"]
            assert verdicts["pc01"]["state"] in ("complete", "unicast")
            assert verdicts["pc02"]["state"] == "failed" and "cannot write at byte" in verdicts["pc02"]["reason"]
        finally:
            release(path)


def test_given_a_sender_whose_chunk_is_damaged_then_it_comes_from_elsewhere_or_the_station_fails(room: Room, loop_disk: Any) -> None:
    """What nobody sends is fetched; who must not fetch says what is missing. Nobody waits for it."""
    damaged = room.bench.folder / "damaged"
    shutil.copytree(room.bench.store.root, damaged)
    chunk = sorted((damaged / "chunks").rglob("*.zst"))[3]
    data = bytearray(chunk.read_bytes())
    data[len(data) // 2] ^= 1
    chunk.write_bytes(data)
    disks = [blank(loop_disk) for _station in range(2)]
    sender = room.send("pc01", "pc02", store=str(damaged))
    free, bound = room.receive("pc01", disks[0]), room.receive("pc02", disks[1], transport="multicast")
    done, failed = free.result(), bound.result()
    assert done["sources"][room.bench.web.url] >= 1 and sum(done["sources"].values()) == room.chunks() and room.is_right(disks[0])
    assert done["session"]["state"] == "unicast" and done["session"]["reason"]
    assert failed["failed"] and "of the chunks did not come by multicast: " in failed["msg"]
    assert failed["incomplete"] and probe(disks[1].partition(1).path).type == "raw"
    assert {verdict["state"] for verdict in sender.result()["stations"].values()} == {"unicast"}


def test_given_two_rooms_at_once_and_one_who_knows_no_secret_then_each_gets_its_own_image(room: Room, loop_disk: Any) -> None:
    model = blank(loop_disk)
    room.bench.restore(model)
    write(model.partition(1).path, 6 * MIB, os.urandom(3 * MIB))
    room.bench.capture(model, "2")
    before = fingerprint(model)
    other = Room(room.bench, room.stack, common={"version": "2"})
    disks = [blank(loop_disk) for _station in range(2)]
    senders = [room.send("pc01"), other.send("pc01")]
    first, second = room.receive("pc01", disks[0]), other.receive("pc01", disks[1])
    stranger = Room(room.bench, room.stack, common={"patience": 1}).receive("pc01", model, transport="multicast").result()
    assert stranger["failed"] and "no session there accepts this secret" in stranger["msg"] and fingerprint(model) == before
    assert all(result["sources"]["multicast"] and result["verified"] for result in (first.result(), second.result()))
    assert room.is_right(disks[0]) and room.is_right(disks[1], "2") and not room.is_right(disks[0], "2")
    assert all(sender.result()["stations"].keys() == {"pc01"} for sender in senders)


@pytest.fixture
def segment(tmp_path: Path) -> Iterator[Segment]:
    """A sender and stations with cables."""
    segment = Segment(tmp_path)
    try:
        yield segment
    finally:
        segment.close()


def test_over_ipv6_given_a_cable_that_is_out_for_a_while_and_a_port_that_passes_small_packets_only_then_all_are_right(
    room: Room, segment: Segment, loop_disk: Any
) -> None:
    """Seven seconds are as good as twenty: after five a receiver looks for its sender anew, for twice its patience."""
    on = {number: ("nsenter", f"--net=/run/netns/{segment.host(number)}") for number in (1, 10, 11, 12)}
    segment.port_mtu(12, 1400)
    room.address, room.common = "fd77::1", {"interface": "eth0", "patience": 30}
    (room.bench.folder / "www").mkdir()
    (room.bench.folder / "www" / "content").symlink_to(room.bench.store.root)
    serve = [sys.executable, "-u", "-m", "http.server", "7780", "--bind", "::", "--directory", str(room.bench.folder / "www")]
    server = subprocess.Popen([*on[1], *serve], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    room.stack.callback(server.wait)
    room.stack.callback(server.kill)
    assert server.stdout and b"Serving" in server.stdout.readline()
    sources = ["http://[fd77::1]:7780/content"]

    disks = {number: blank(loop_disk) for number in (10, 11, 12)}
    sender = room.send("pc10", "pc11", "pc12", on=on[1], rate=3_000_000)
    stations = {number: room.receive(f"pc{number}", disk, on=on[number], sources=sources) for number, disk in disks.items()}
    written(stations[11], 0.3)
    segment.cable(11, "down")
    out = time.monotonic()
    deaf = stations[12].result()
    whole = stations[10].result()
    time.sleep(max(out + 7 - time.monotonic(), 0))
    segment.cable(11, "up")
    cut = stations[11].result()

    assert whole["sources"]["multicast"] and sum(whole["sources"].values()) == room.chunks()
    assert deaf["sources"] == {sources[0]: room.chunks()} and deaf["session"]["reason"] == "it does not hear multicast"
    assert sum(cut["sources"].values()) == room.chunks()  # whoever it got them from: the sender waits ten seconds for who comes back
    assert all(room.is_right(disk) for disk in disks.values())
    assert sender.result()["stations"]["pc12"]["state"] == "unicast"
