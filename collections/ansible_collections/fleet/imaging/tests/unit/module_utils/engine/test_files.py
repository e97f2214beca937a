# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files engine: disks captured as archives, restored over HTTP to disks of other sizes, and what happens when something is wrong."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ansible_collections.fleet.core.plugins.module_utils.content.fetch import Fetcher
from ansible_collections.fleet.core.plugins.module_utils.content.manifest import Manifest, ManifestError
from ansible_collections.fleet.core.plugins.module_utils.content.sink import LocalSink
from ansible_collections.fleet.core.plugins.module_utils.content.store import ChunkStore
from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress
from ansible_collections.fleet.imaging.plugins.module_utils.disk.device import Disk, Partition
from ansible_collections.fleet.imaging.plugins.module_utils.disk.fit import DiskTooSmall
from ansible_collections.fleet.imaging.plugins.module_utils.engine import fsarchiver
from ansible_collections.fleet.imaging.plugins.module_utils.engine.driver import PartitionJob
from ansible_collections.fleet.imaging.plugins.module_utils.engine.files import FilesEngine, NoRoom
from ansible_collections.fleet.imaging.plugins.module_utils.engine.stream_reader import StreamReader
from ansible_collections.fleet.imaging.plugins.module_utils.engine.stream_writer import StreamWriter, VerificationFailed
from ansible_collections.fleet.imaging.plugins.module_utils.engine.tree import tree_digest
from ansible_collections.fleet.imaging.plugins.module_utils.filesystem import probe
from ansible_collections.fleet.imaging.plugins.module_utils.image.capture import ImageCapture
from ansible_collections.fleet.imaging.plugins.module_utils.image.description import ImageDescription
from ansible_collections.fleet.imaging.plugins.module_utils.image.restore import ImageRestore, RestoreOptions, RestoreResult
from ansible_collections.fleet.imaging.tests.unit.bench import PATIENCE

MIB = 1 << 20

TABLE = """label: gpt
size=16MiB, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B
size=16MiB, type=0657FD6D-A4AB-43C4-84E5-0933C84B4F4F
size=220MiB, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4
"""


class _KeepAlive(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_words: object) -> None:
        """Tests are quiet."""


@contextlib.contextmanager
def served(store: ChunkStore) -> Iterator[str]:
    """The URL of a store."""
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_KeepAlive, directory=str(store.root))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def store(tmp_path: Path) -> ChunkStore:
    return ChunkStore(tmp_path / "store").create()


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Path]:
    """A work folder, which every test must leave empty."""
    folder = tmp_path / "work"
    folder.mkdir()
    yield folder
    assert list(folder.iterdir()) == []


@pytest.fixture
def url(store: ChunkStore) -> Iterator[str]:
    with served(store) as address:
        yield address


def sh(*argv: object) -> str:
    return subprocess.run([str(each) for each in argv], check=True, capture_output=True, text=True).stdout


def digest(device: Path) -> str:
    with device.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fill(folder: Path) -> None:
    """A tree with everything that an archive must bring back."""
    (folder / "etc" / "deep").mkdir(parents=True)
    for number in range(40):
        (folder / "etc" / f"file {number}").write_bytes(os.urandom(number * 4000))
    (folder / "etc" / "new\nline").write_text("a name with a line feed\n* files with errors:....regfiles=1, directories=0\n")
    (folder / os.fsdecode(b"latin-\xe9")).write_text("a name that is not UTF-8")
    os.link(folder / "etc" / "file 30", folder / "hard link")
    os.symlink("../nowhere", folder / "etc" / "symlink")
    with (folder / "sparse").open("wb") as file:
        file.truncate(30 * MIB)
        file.seek(20 * MIB)
        file.write(b"an island")
    os.setxattr(folder / "sparse", "user.fleet", b"value" * 20)
    os.setxattr(
        folder / "sparse", "security.capability", b"\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    )
    sh("setfacl", "-m", "u:1234:rw", folder / "etc" / "file 5")
    os.chown(folder / "etc" / "file 6", 1234, 4321)
    os.chmod(folder / "etc" / "file 6", 0o4751)
    os.chmod(folder / "etc" / "deep", 0o2770)
    os.mkfifo(folder / "fifo", 0o640)
    os.mknod(folder / "device", 0o660 | stat.S_IFBLK, os.makedev(7, 99))
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(folder / "socket"))
    os.utime(folder / "etc" / "file 7", (1_000_000_000, 1_000_000_000))


def listing(folder: Path) -> dict[str, tuple[object, ...]]:
    """What is below a folder, seen independently of the engine's own digest."""
    found = {}
    for path in sorted(folder.rglob("*"), key=os.fsencode):
        status = path.lstat()
        content: object = None
        if path.is_symlink():
            content = os.readlink(path)
        elif path.is_file():
            content = path.read_bytes()
        elif stat.S_ISBLK(status.st_mode):
            content = status.st_rdev
        xattrs = sorted((name, os.getxattr(path, name, follow_symlinks=False)) for name in os.listxattr(path, follow_symlinks=False))
        links = status.st_nlink if not path.is_dir() else 0
        found[os.fsdecode(path.relative_to(folder))] = (
            status.st_mode,
            status.st_uid,
            status.st_gid,
            int(status.st_mtime),
            links,
            xattrs,
            content,
        )
    assert (folder / "hard link").stat().st_ino == (folder / "etc" / "file 30").stat().st_ino
    assert (folder / "sparse").stat().st_blocks * 512 < 4 * MIB
    return found


@pytest.fixture
def model(loop_disk: Callable[..., Disk], mounted: Callable[..., contextlib.AbstractContextManager[Path]]) -> Disk:
    """A disk with an EFI system partition, swap and ext4."""
    disk = loop_disk(256 * MIB, TABLE)
    esp, swap, root = (disk.partition(number).path for number in (1, 2, 3))
    sh("mkfs.vfat", "-n", "EFI", esp)
    sh("mkswap", "--label", "exchange", swap)
    sh("mkfs.ext4", "-q", "-F", "-L", "it's root", "-i", "8192", root)
    with mounted(root, "ext4") as folder:
        fill(folder)
    return disk


def capture(disk: Disk, store: ChunkStore, work: Path, version: str = "v1") -> ImageDescription:
    with contextlib.closing(LocalSink(store)) as sink:
        result = ImageCapture.plan(disk, FilesEngine(work), "room12", version).run(sink, Progress())
    return ImageDescription.of(Manifest.from_bytes(result.manifest.to_bytes()))


def restore(image: ImageDescription, disk: Disk, url: str, work: Path, **options: bool) -> RestoreResult:
    plan = ImageRestore.plan(disk, disk.identity, image, FilesEngine(work), RestoreOptions())
    return plan.run(StreamWriter(Fetcher([url], attempts=1, timeout=PATIENCE), Progress(), **options), Progress())


@pytest.mark.parametrize("size", [180, 256, 400])
def test_files_come_back_on_a_smaller_an_equal_and_a_larger_disk(model, store, work, url, size, loop_disk, mounted):
    image = capture(model, store, work)
    with mounted(model.partition(3).path, "ext4", "ro,noload") as folder:
        expected = listing(folder)

    disk = loop_disk(size * MIB)
    result = restore(image, disk, url, work)

    assert result.verified and result.as_dict()["changed"]
    made, original = probe(disk.partition(3).path), probe(model.partition(3).path)
    assert (made.type, made.uuid, made.label) == (original.type, original.uuid, original.label) == ("ext4", original.uuid, "it's root")
    made.check()
    assert disk.partition(3).size - made.size < 4096
    inodes = made.inodes()[0] * 8192 / made.size
    assert 0.9 < inodes < 1.1, "as many inodes for its size as the model's"
    with mounted(disk.partition(3).path, "ext4", "ro,noload") as folder:
        assert listing(folder) == expected
    assert disk.partition(1).path.read_bytes() == model.partition(1).path.read_bytes(), "the ESP is captured by blocks"
    assert (probe(disk.partition(2).path).uuid, probe(disk.partition(2).path).label) == (probe(model.partition(2).path).uuid, "exchange")


def test_xfs_comes_back_on_a_larger_disk(loop_disk, mounted, store, work, url):
    model = loop_disk(330 * MIB, "label: dos\nsize=310MiB, type=83\n")
    sh("mkfs.xfs", "-q", "-f", "-L", "data", model.partition(1).path)
    with mounted(model.partition(1).path, "xfs") as folder:
        fill(folder)
        expected = listing(folder)
    image = capture(model, store, work)
    disk = loop_disk(400 * MIB)
    restore(image, disk, url, work)
    made = probe(disk.partition(1).path)
    assert (made.type, made.uuid, made.label) == ("xfs", probe(model.partition(1).path).uuid, "data")
    assert disk.partition(1).size - made.size < MIB
    with mounted(disk.partition(1).path, "xfs", "ro") as folder:
        assert listing(folder) == expected


def test_capture_leaves_no_byte_of_the_model_changed(loop_device, work):
    device = loop_device(310 * MIB)
    sh("mkfs.xfs", "-q", "-f", device)  # whose log is written to by a mount that is merely read-only
    before = digest(device)
    with FilesEngine(work).source(1, probe(device), Progress()):
        pass
    assert digest(device) == before


def test_restoring_again_writes_nothing_until_a_file_changes(model, store, work, url, loop_disk, mounted):
    image = capture(model, store, work)
    disk = loop_disk(256 * MIB)
    restore(image, disk, url, work)
    before = digest(disk.path)

    plan = ImageRestore.plan(disk, disk.identity, image, FilesEngine(work), RestoreOptions())
    assert plan.preview(StreamWriter(Fetcher([url], timeout=PATIENCE), Progress()))["changed"] is False
    again = restore(image, disk, url, work).as_dict()
    assert (again["changed"], again["bytes_fetched"], again["chunks_same"]) == (False, 0, again["chunks"])
    assert digest(disk.path) == before
    full = restore(image, disk, url, work, delta=False).as_dict()
    assert full["bytes_written"] > image.content(3).stream.size and full["chunks_same"] == 0, "mode full writes"

    with mounted(disk.partition(3).path, "ext4") as folder:
        os.chown(folder / "etc" / "file 8", 77, 77)
    assert plan.preview(StreamWriter(Fetcher([url], timeout=PATIENCE), Progress()))["bytes_differing"] > MIB
    assert restore(image, disk, url, work).as_dict()["changed"]
    with mounted(disk.partition(3).path, "ext4", "ro,noload") as folder:
        assert (folder / "etc" / "file 8").stat().st_uid == 0


def test_a_disk_smaller_than_the_files_is_refused_and_the_smallest_that_is_not_takes_them(model, store, work, url, loop_disk):
    image = capture(model, store, work)
    minimum = image.content(3).minimum_size
    assert minimum < 160 * MIB, "an ext4 of 220 MiB with few files"
    blank = loop_disk(minimum // MIB * MIB + 33 * MIB)
    with pytest.raises(DiskTooSmall, match="Nothing was changed"):
        restore(image, blank, url, work)
    assert not any(blank.path.read_bytes())
    smallest = loop_disk(minimum // MIB * MIB + 36 * MIB)
    assert restore(image, smallest, url, work).verified


def test_a_filesystem_full_of_small_files_fits_where_it_came_from(loop_disk, mounted, store, work, url):
    model = loop_disk(16 * MIB, "label: dos\nsize=12MiB, type=83\n")
    sh("mkfs.ext4", "-q", "-F", "-i", "2048", "-b", "1024", model.partition(1).path)
    with mounted(model.partition(1).path, "ext4") as folder:
        for number in range(5000):  # mke2fs would make 3072 inodes
            (folder / f"{number}").write_bytes(b"x")
    image = capture(model, store, work)
    disk = loop_disk(16 * MIB)
    assert restore(image, disk, url, work).verified


# What must be refused, or undone


@pytest.fixture
def small_work(tmp_path: Path) -> Iterator[Path]:
    """A work folder with room for 20 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    sh("mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", folder)
    try:
        yield folder
    finally:
        sh("umount", folder)


def test_a_work_folder_that_is_too_small_is_refused_before_anything_is_archived_or_written(model, store, work, small_work, url, loop_disk):
    with pytest.raises(NoRoom, match=rf"{small_work}.*Nothing was changed.*work_dir"):
        capture(model, store, small_work)
    assert list(small_work.iterdir()) == []
    image = capture(model, store, work)
    sh("fallocate", "-l", 15 * MIB, small_work / "ballast")
    disk = loop_disk(256 * MIB)
    with pytest.raises(NoRoom, match="Nothing was changed"):
        restore(image, disk, url, small_work)
    assert not any(disk.path.read_bytes())


@contextlib.contextmanager
def signalled_fsarchiver(folder: Path, number: int = signal.SIGKILL) -> Iterator[Path]:
    """Every fsarchiver gets a signal as soon as it has mounted its filesystem; the file that is given is there afterwards."""
    done, program = folder / "signalled", folder / "bin" / "fsarchiver"
    program.parent.mkdir()
    program.write_text(
        f"""#!/bin/sh
{shutil.which("fsarchiver")} "$@" &
pid=$!
until grep -q ' /tmp/fsa/' /proc/mounts; do kill -0 $pid || exit 99; done
kill -{int(number)} $pid
touch '{done}'
wait $pid
"""
    )
    program.chmod(0o755)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
        yield done


def _mounts_of(device: Path) -> list[str]:
    """Mounts of a device in every process's mount namespace."""
    found = []
    for mounts in Path("/proc").glob("[0-9]*/mounts"):
        with contextlib.suppress(OSError):
            found += [line for line in mounts.read_text(errors="replace").splitlines() if line.split()[0] == str(device)]
    return found


def test_a_killed_archive_is_no_image_and_leaves_no_mount(model, store, work, tmp_path):
    device = model.partition(3).path
    with signalled_fsarchiver(tmp_path) as signalled, pytest.raises(fsarchiver.ArchiveError, match="was killed"):
        capture(model, store, work)
    assert signalled.exists()
    assert _mounts_of(device) == []
    assert list(store.manifests()) == []
    capture(model, store, work, "v2")


def test_a_killed_restore_leaves_nothing_mountable_and_runs_again(model, store, work, url, loop_disk, tmp_path):
    image = capture(model, store, work)
    disk = loop_disk(256 * MIB)
    image.table.fitted(disk.size, disk.sector_size).apply(disk)
    device = disk.partition(3).path
    with signalled_fsarchiver(tmp_path) as signalled, pytest.raises(fsarchiver.ArchiveError, match="was killed"):
        restore(image, disk, url, work)
    assert signalled.exists()
    assert _mounts_of(device) == []
    assert probe(device).type == "raw"
    assert restore(image, disk, url, work).verified


def test_an_fsarchiver_that_hangs_is_killed_and_that_is_said(model, store, work, monkeypatch, tmp_path):
    device = model.partition(3).path
    monkeypatch.setattr(fsarchiver, "PATIENCE", 2.0)
    with (
        signalled_fsarchiver(tmp_path, signal.SIGSTOP) as signalled,
        pytest.raises(fsarchiver.ArchiveError, match="did nothing for 2 seconds, and was killed"),
    ):
        capture(model, store, work)
    assert signalled.exists()
    assert _mounts_of(device) == []
    assert list(store.manifests()) == []


def test_the_work_of_a_process_is_that_of_its_family_too():
    program = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'while True: pass'])"
    with subprocess.Popen([sys.executable, "-c", program], process_group=0) as process:
        try:
            first = fsarchiver._processor_time(process.pid)
            while fsarchiver._processor_time(process.pid) < first + 20:
                time.sleep(0.05)
            assert fsarchiver._processor_time(process.pid) > fsarchiver._processor_time(10**9) == 0
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def test_mounts_and_helpers_die_with_the_process_that_is_killed(model, work, tmp_path):
    device = model.partition(3).path
    code = (
        "import sys; from pathlib import Path; sys.path.insert(0, 'collections')\n"
        "from ansible_collections.fleet.core.plugins.module_utils.progress import Progress\n"
        "from ansible_collections.fleet.imaging.plugins.module_utils.engine.files import FilesEngine\n"
        "from ansible_collections.fleet.imaging.plugins.module_utils.filesystem import probe\n"
        "with FilesEngine(Path(sys.argv[2])).source(3, probe(Path(sys.argv[1])), Progress()): print('done')\n"
    )
    root = Path(__file__).parents[8]
    with signalled_fsarchiver(tmp_path, signal.SIGSTOP) as signalled:
        process = subprocess.Popen([sys.executable, "-c", code, str(device), str(work)], cwd=root, stdout=subprocess.PIPE)
        while not signalled.exists() and process.poll() is None:
            time.sleep(0.01)
    process.kill()
    assert process.communicate()[0] == b""
    deadline = time.monotonic() + PATIENCE
    while _mounts_of(device) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert _mounts_of(device) == []
    with FilesEngine(work).source(3, probe(device), Progress()):
        assert len(list(work.iterdir())) == 1, "what the killed one left in the work folder is gone"


@pytest.mark.parametrize("damage", ["altered", "missing"])
def test_a_damaged_chunk_of_an_archive_is_never_restored(model, store, work, url, loop_disk, damage):
    image = capture(model, store, work)
    chunk = list(image.content(3).stream.chunks())[1]
    path = store.chunk_path(chunk.digest)
    if damage == "altered":
        frame = bytearray(path.read_bytes())
        frame[len(frame) // 2] ^= 1
        path.chmod(0o644)
        path.write_bytes(frame)
    else:
        path.unlink()
    disk = loop_disk(256 * MIB)
    image.table.fitted(disk.size, disk.sector_size).apply(disk)
    with pytest.raises(FleetError, match=chunk.digest.hex()):
        restore(image, disk, url, work)
    assert probe(disk.partition(3).path).type == "raw"


def _job(stream, partition: Partition) -> PartitionJob:
    return PartitionJob(stream, partition, stream.meta["filesystem"])


@pytest.mark.parametrize("damage", ["block", "end", "tree"])
def test_an_archive_that_does_not_bring_back_what_was_captured_fails_and_is_wiped(model, store, work, url, loop_disk, damage):
    """What fsarchiver itself finds (it may end with 0), and what only the digest of the tree finds."""
    engine = FilesEngine(work)
    with contextlib.closing(LocalSink(store)) as sink, engine.source(3, probe(model.partition(3).path), Progress()) as source:
        if damage != "tree":
            with source.path.open("r+b") as file:
                file.seek(source.size // 2)
                file.write(b"\0" * (100 if damage == "block" else 0))
                file.truncate(source.size if damage == "block" else source.size // 2)
                file.truncate(source.size)
        stream = StreamReader(sink, Progress()).read(source)
        sink._writer.flush()
    if damage == "tree":
        stream.meta["tree"] = "0" * 64
    partition = loop_disk(256 * MIB, TABLE).partition(3)
    error = VerificationFailed if damage == "tree" else fsarchiver.ArchiveError
    with pytest.raises(error):
        engine.restore([_job(stream, partition)], [], StreamWriter(Fetcher([url], timeout=PATIENCE), Progress()))
    assert probe(partition.path).type == "raw"


def test_a_filesystem_that_is_mounted_dirty_or_encrypted_is_refused(model, store, work, mounted):
    device = model.partition(3).path
    with mounted(device, "ext4"), pytest.raises(FleetError, match="mounted"):
        capture(model, store, work)
    sh("debugfs", "-w", "-R", "ssv state 0", device)
    with pytest.raises(FleetError, match="not unmounted cleanly"):
        capture(model, store, work)
    sh("cryptsetup", "luksFormat", "-q", "--pbkdf-force-iterations", "1000", "--pbkdf", "pbkdf2", device, "/etc/hostname")
    with pytest.raises(FleetError, match="LUKS"):
        capture(model, store, work)


def test_nobody_can_write_to_the_model_while_it_is_archived(model, work, monkeypatch, tmp_path):
    device, said = model.partition(3).path, []
    point = tmp_path / "intruder"
    point.mkdir()
    original = fsarchiver.save

    def save(*arguments):
        original(*arguments)
        done = subprocess.run(["mount", device, point], capture_output=True, text=True, check=False)
        said.append(done.stderr)
        try:
            with pytest.raises(OSError, match="Read-only"):
                (point / "file").write_text("intruder")
        finally:
            subprocess.run(["umount", point], check=False)

    monkeypatch.setattr(fsarchiver, "save", save)
    with FilesEngine(work).source(3, probe(device), Progress()):
        assert len(said) == 1


def test_a_manifest_that_says_nonsense_of_an_archive_is_refused(model, store, work):
    whole = capture(model, store, work).manifest.to_bytes()
    for where, key, value in (
        ("meta", "archive", "tar"),
        ("meta", "tree", "zz"),
        ("meta", "engine", "magic"),
        ("filesystem", "type", "ntfs"),
        ("filesystem", "bytes_per_inode", "1 -F /dev/sda"),
        ("filesystem", "bytes_per_inode", 1),
    ):
        manifest = Manifest.from_bytes(whole)
        stream = next(each for each in manifest.streams if each.name == "p3")
        (stream.meta if where == "meta" else stream.meta["filesystem"])[key] = value
        with pytest.raises(ManifestError, match="p3"):
            ImageDescription.of(Manifest.from_bytes(manifest.to_bytes()))


def test_the_digest_of_a_tree_sees_every_change(tmp_path):
    root = tmp_path / "tree"
    root.mkdir()
    fill(root)
    base = tree_digest(root, Progress())
    assert tree_digest(root, Progress()) == base
    seen = {base}
    changes: list[Callable[[], object]] = [
        lambda: (root / "etc" / "file 9").write_bytes(b"x" * 36000),
        lambda: os.utime(root / "etc" / "file 9", (5, 5)),
        lambda: os.chmod(root / "etc" / "file 9", 0o600),
        lambda: os.chown(root / "etc" / "symlink", 5, 5, follow_symlinks=False),
        lambda: os.setxattr(root / "etc", "user.a", b"b"),
        lambda: os.rename(root / "etc" / "deep", root / "etc" / "deeper"),
        lambda: ((root / "hard link").unlink(), (root / "hard link").write_bytes((root / "etc" / "file 30").read_bytes())),
        lambda: os.chmod(root, 0o700),
    ]
    for change in changes:
        change()
        seen.add(tree_digest(root, Progress()))
    assert len(seen) == 1 + len(changes)


@pytest.mark.parametrize(
    ("code", "said", "fault"),
    [
        (0, "* files with errors:...............regfiles=0, directories=0, symlinks=0, hardlinks=0, specials=0\n", ""),
        (0, "* files with errors:...............regfiles=10, directories=0, symlinks=0, hardlinks=0, specials=0\n", "left out files"),
        (0, "", "without its statistics"),
        (
            0,
            "[errno=13, Permission denied]: oper_save.c#613,createar_save_directory(): cannot open directory /x\n"
            "* files with errors:...............regfiles=0, directories=0, symlinks=0, hardlinks=0, specials=0\n",
            "cannot open directory",
        ),
        (1, "filesys.c#318,generic_mount(): cannot mount\n", "code 1: filesys.c"),
        (137, "", "killed"),
    ],
)
def test_what_fsarchiver_says_is_understood(code, said, fault):
    found = fsarchiver._fault(code, said)
    assert (fault in found) if fault else found == ""
