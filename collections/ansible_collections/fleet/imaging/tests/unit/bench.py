# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bench for images: a model's disk, a signed store, a real nginx before it, and capture and restore as the modules do them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

from ansible_collections.fleet.core.plugins.module_utils.content.fetch import Fetcher
from ansible_collections.fleet.core.plugins.module_utils.content.manifest import Manifest
from ansible_collections.fleet.core.plugins.module_utils.content.signature import allow, create_key
from ansible_collections.fleet.core.plugins.module_utils.content.signed import fetch_manifest
from ansible_collections.fleet.core.plugins.module_utils.content.sink import LocalSink
from ansible_collections.fleet.core.plugins.module_utils.content.store import ChunkStore, ManifestRef
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress, Report
from ansible_collections.fleet.imaging.plugins.module_utils.disk.device import Disk
from ansible_collections.fleet.imaging.plugins.module_utils.disk.identity import DiskIdentity
from ansible_collections.fleet.imaging.plugins.module_utils.engine.registry import engine_named
from ansible_collections.fleet.imaging.plugins.module_utils.engine.stream_writer import StreamWriter
from ansible_collections.fleet.imaging.plugins.module_utils.filesystem import SwapArea
from ansible_collections.fleet.imaging.plugins.module_utils.image.capture import CaptureResult, ImageCapture
from ansible_collections.fleet.imaging.plugins.module_utils.image.description import ImageDescription
from ansible_collections.fleet.imaging.plugins.module_utils.image.restore import ImageRestore, RestoreOptions, RestoreResult
from ansible_collections.fleet.imaging.tests.unit.filesystems import KINDS, MIB, Kind, contents, fill, make, tree
from tests.ports import free_port

BIOS_BOOT = "21686148-6449-6E6F-744E-656564454649"
LINUX = "0FC63DAF-8483-4772-8E79-3D69D8477DE4"
SWAP = "0657FD6D-A4AB-43C4-84E5-0933C84B4F4F"
PATIENCE = 300.0
"""Seconds without a byte from a server of the tests: a busy machine is no failure."""
SWAP_UUID = "7d3c3c5c-9a55-4c5e-8e59-0f5d3e0d6a11"


@dataclass
class WebServer:
    """A real nginx, in a folder of its own, that serves a store as /content without TLS."""

    folder: Path
    store: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/content"

    def start(self) -> None:
        self.folder.mkdir(exist_ok=True)
        temporary = "".join(f"{name}_temp_path {self.folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (self.folder / "nginx.conf").write_text(
            f"user root; worker_processes 1; daemon off; pid {self.folder}/pid; error_log {self.folder}/error.log;\n"
            f"events {{ worker_connections 64; }}\n"
            f"http {{ access_log {self.folder}/access.log; {temporary}\n"
            f"  server {{ listen 127.0.0.1:{self.port}; location /content/ {{ alias {self.store}/; }} }} }}\n"
        )
        nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") or "nginx"
        self.process = subprocess.Popen([nginx, "-p", self.folder, "-c", self.folder / "nginx.conf"], stderr=subprocess.DEVNULL)
        for _attempt in range(3000):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise RuntimeError((self.folder / "error.log").read_text())

    def stop(self) -> None:
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(PATIENCE)
            self.process = None

    def requests(self) -> list[str]:
        """Paths of chunks that were asked for."""
        lines = (self.folder / "access.log").read_text().splitlines()
        return [line.split('"')[1].split()[1] for line in lines if "/chunks/" in line]


@dataclass
class Bench:
    """A signed store behind nginx, and what the two modules do with it."""

    folder: Path
    store: ChunkStore
    web: WebServer
    key: Path
    allowed: str

    @classmethod
    @contextlib.contextmanager
    def open(cls, folder: Path) -> Iterator[Bench]:
        folder.mkdir(exist_ok=True)
        store = ChunkStore(folder / "store").create()
        key = folder / "signing_key"
        web = WebServer(folder / "web", store.root)
        web.start()
        try:
            yield cls(folder, store, web, key, allow("fleet@centre", create_key(key)))
        finally:
            web.stop()

    def capture(self, disk: Disk, version: str = "1", *, parent: str | None = None, progress: Progress | None = None) -> CaptureResult:
        """The disk as version of the image room."""
        old = self.manifest(parent) if parent else None
        plan = ImageCapture.plan(disk, engine_named("blocks", self.folder), "room", version, parent=old)
        with contextlib.closing(LocalSink(self.store, self.key)) as sink:
            return plan.run(sink, progress or Progress())

    def manifest(self, version: str = "1") -> Manifest:
        return self.store.load(ManifestRef("image", "room", version))

    def plan(
        self, disk: Disk, version: str = "1", *, sources: Sequence[str] = (), identity: str = "", **options: Any
    ) -> tuple[ImageRestore, Fetcher[Any]]:
        """A restore that may begin, and where its chunks come from."""
        attempts, timeout = options.pop("attempts", 2), options.pop("timeout", PATIENCE)
        fetcher: Fetcher[Any] = Fetcher(sources or [self.web.url], attempts=attempts, timeout=timeout)
        signed = fetch_manifest(fetcher, ManifestRef("image", "room", version), self.allowed)
        image = ImageDescription.of(signed.manifest)
        wanted = DiskIdentity.parse(identity or f"size:{disk.size}")
        engine = engine_named(image.engine, self.folder)
        return ImageRestore.plan(disk, wanted, image, engine, RestoreOptions(**options)), fetcher

    def restore(
        self,
        disk: Disk,
        version: str = "1",
        *,
        delta: bool = True,
        verify: bool = True,
        reporter: Callable[[Report], None] | None = None,
        **options: Any,
    ) -> RestoreResult:
        """Version of the image room on the disk."""
        progress = Progress(reporter) if reporter else Progress()
        plan, fetcher = self.plan(disk, version, **options)
        return plan.run(StreamWriter(fetcher, progress, delta=delta, verify=verify), progress)

    def chunks(self) -> Iterator[bytes]:
        """The content of every chunk in the store."""
        for name in self.store.digests():
            yield self.store.read(name)


@dataclass
class Model:
    """A GPT disk with boot code, a BIOS boot partition, a filled filesystem and swap."""

    disk: Disk
    kind: Kind
    files: dict[str, tuple[object, ...]]

    @property
    def device(self) -> Path:
        return self.disk.partition(2).path


def make_model(kind: Kind, loop_disk: Any, mounted: Any, amount: int = 12 * MIB, secret: bytes = b"", sector_size: int = 512) -> Model:
    """A model; with secret, a file full of it was there and is deleted."""
    script = (
        f"label: gpt\nsector-size: {sector_size}\n"
        f"size=1MiB, type={BIOS_BOOT}, name=grub\n"
        f'size={kind.size >> 20}MiB, type={LINUX}, name="the système", attrs="GUID:63"\n'
        f"size=8MiB, type={SWAP}\n"
    )
    disk = loop_disk(kind.size + 16 * MIB, script, sector_size=sector_size)
    write(disk.path, 0, random.Random("boot code").randbytes(440))
    write(disk.partition(1).path, 0, random.Random("core.img").randbytes(100_000))
    make(kind, disk.partition(2).path)
    SwapArea.create(disk.partition(3).path, SWAP_UUID, "swap")
    with contents(kind, disk.partition(2).path, mounted) as folder:
        fill(folder, kind, amount)
        if secret:
            (folder / "secret").write_bytes(secret * (MIB // len(secret)))
    if secret:
        with contents(kind, disk.partition(2).path, mounted) as folder:
            (folder / "secret").unlink()
    with contents(kind, disk.partition(2).path, mounted) as folder:
        files = tree(folder)
    return Model(disk, kind, files)


def small_model(loop_disk: Any, mounted: Any, amount: int = 12 * MIB) -> Model:
    """A model that is quick to make: 64 MiB of ext4."""
    return make_model(KINDS["ext4-1k"], loop_disk, mounted, amount)


def write(path: Path, offset: int, data: bytes) -> None:
    """Write bytes to a device and wait until they are there."""
    with path.open("r+b", buffering=0) as file:
        file.seek(offset)
        file.write(data)
        os.fsync(file.fileno())


def read(path: Path, offset: int, length: int) -> bytes:
    """Bytes of a device as another program sees them."""
    with path.open("rb", buffering=0) as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        file.seek(offset)
        return file.read(length)


def backing_file(disk: Disk) -> Path:
    """The file behind a loop device."""
    return Path((Path("/sys/block") / disk.kernel_name / "loop" / "backing_file").read_text().strip())


def fingerprint(disk: Disk) -> str:
    """A hash of all that is on a disk."""
    subprocess.run(["blockdev", "--flushbufs", str(disk.path)], check=True)
    with backing_file(disk).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
