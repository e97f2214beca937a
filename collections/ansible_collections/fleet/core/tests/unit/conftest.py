# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of fleet.core: stores in folders, a signing key, and a real nginx that serves a store as the role configures it."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

import pytest

from ansible_collections.fleet.core.plugins.module_utils.content.chunk import CHUNK_SIZE, digest
from ansible_collections.fleet.core.plugins.module_utils.content.job import Jobs
from ansible_collections.fleet.core.plugins.module_utils.content.manifest import Manifest, Stream
from ansible_collections.fleet.core.plugins.module_utils.content.signature import allow, create_key
from ansible_collections.fleet.core.plugins.module_utils.content.sink import ChunkSink
from ansible_collections.fleet.core.plugins.module_utils.content.store import ChunkStore
from ansible_collections.fleet.core.plugins.module_utils.zstd import Compressor
from tests.ports import free_port

ROLE = Path(__file__).parents[2] / "roles" / "content_store"


@dataclass(frozen=True)
class Signer:
    """A key, and the file that says it may sign."""

    key: Path
    allowed: str


@dataclass(frozen=True)
class Sample:
    """An image of a few chunks, as a capture would make it."""

    manifest: Manifest
    chunks: dict[bytes, bytes]
    """Uncompressed, by digest."""

    @property
    def data(self) -> bytes:
        """The manifest's canonical bytes."""
        return self.manifest.to_bytes()

    def frames(self) -> dict[bytes, bytes]:
        """Each chunk's zstd frame by digest."""
        return {name: bytes(Compressor().compress(chunk)) for name, chunk in self.chunks.items()}

    def send(self, sink: ChunkSink) -> None:
        """Put everything into a sink."""
        for name, frame in self.frames().items():
            sink.put(name, frame)
        sink.finish(self.data)


def sample(
    name: str = "debian", version: str = "1", chunks: int = 5, seed: int = 0, kind: str = "image", parent: str | None = None
) -> Sample:
    """An image of a given number of chunks; samples whose seeds are n apart share all but n chunks."""
    content = [random.Random(seed + number).randbytes(64) * (CHUNK_SIZE // 64) for number in range(chunks)]
    size = len(content) * CHUNK_SIZE
    stream = Stream("p1", size, ((0, size),) if size else (), b"".join(digest(chunk) for chunk in content))
    manifest = Manifest(kind, name, version, "2026-11-21T00:58:00Z", (stream,), parent=parent)
    return Sample(manifest, {digest(chunk): chunk for chunk in content})


@pytest.fixture(scope="session")
def make_sample() -> Callable[..., Sample]:
    return sample


@pytest.fixture(scope="session")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    key = tmp_path_factory.mktemp("keys") / "signing_key"
    return Signer(key, allow("fleet@centre", create_key(key)))


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    key = tmp_path_factory.mktemp("stranger") / "signing_key"
    return Signer(key, allow("stranger@elsewhere", create_key(key)))


@pytest.fixture
def store(tmp_path: Path) -> ChunkStore:
    return ChunkStore(tmp_path / "store").create()


@pytest.fixture
def jobs(store: ChunkStore) -> Jobs:
    return Jobs(store)


@dataclass
class WebStore:
    """A store behind nginx, configured by the role's own templates."""

    folder: Path
    port: int
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def store(self) -> ChunkStore:
        return ChunkStore(self.folder / "store")

    @property
    def jobs(self) -> Jobs:
        return Jobs(self.store)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}/content"

    @property
    def ca_file(self) -> Path:
        return self.folder / "etc" / "ca.pem"

    def render(self, **variables: object) -> None:
        """Write the role's templates as Ansible does, with the role's defaults."""
        (self.folder / "etc" / "tls").mkdir(parents=True, exist_ok=True)
        play = self.folder / "render.yml"
        given = {
            "content_store_path": str(self.folder / "store"),
            "content_store_config_path": str(self.folder / "etc"),
            "content_store_host": "127.0.0.1",
            "content_store_listen": ["127.0.0.1"],
            "content_store_port": self.port,
            "content_store_names": ["localhost"],
            "content_store_addresses": ["127.0.0.1"],
            "content_store_access_log": str(self.folder / "access.log"),
            **variables,
        }
        template = {"src": f"{ROLE}/templates/{{{{ item }}}}.j2", "dest": f"{self.folder}/{{{{ item }}}}", "mode": "0755"}
        task = {"template": template, "vars": given, "loop": ["nginx.conf", "fleet-content-certificate.sh", "fleet-content-sweep.sh"]}
        header = {"hosts": "localhost", "gather_facts": False, "connection": "local"}
        play.write_text(json.dumps([{**header, "vars_files": [f"{ROLE}/defaults/main.yml"], "tasks": [task]}]))
        environment = {
            **os.environ,
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_CONFIG": str(self.folder / "ansible.cfg"),
            "LC_ALL": "C.UTF-8",
        }
        (self.folder / "ansible.cfg").touch()
        playbook = [
            str(Path(sys.executable).parent / "ansible-playbook"),
            "-i",
            "localhost,",
            "-e",
            f"ansible_python_interpreter={sys.executable}",
        ]
        subprocess.run([*playbook, str(play)], check=True, env=environment, stdout=subprocess.PIPE)

    def start(self) -> None:
        """Make the certificate, start nginx, wait until it listens."""
        subprocess.run([self.folder / "fleet-content-certificate.sh"], check=True, stdout=subprocess.PIPE)
        whole = self.folder / "whole.conf"
        temporary = "".join(f"{each}_temp_path {self.folder}/{each};\n" for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        whole.write_text(
            f"user www-data; worker_processes 2; daemon off; pid {self.folder}/nginx.pid; error_log {self.folder}/error.log;\n"
            f"events {{ worker_connections 512; }}\n"
            f"http {{ {temporary} include {self.folder}/nginx.conf; }}\n"
        )
        nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") or "nginx"
        process = subprocess.Popen([nginx, "-c", str(whole)], stderr=subprocess.DEVNULL)
        self.processes.append(process)
        for _attempt in range(1200):
            if (self.folder / "nginx.pid").exists():  # written once it listens on every port; it listens on the first before
                return
            if process.poll() is not None:
                break
            time.sleep(0.05)
        raise RuntimeError((self.folder / "error.log").read_text())

    def stop(self) -> None:
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
            process.wait(300)
        self.processes.clear()


@contextlib.contextmanager
def serving() -> Iterator[WebStore]:
    """An nginx on a store of its own; the folder is where its workers can go, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="fleet-web-"))
    folder.chmod(0o755)
    web = WebStore(folder, free_port())
    try:
        (folder / "store").mkdir()
        web.render()
        web.start()
        yield web
    finally:
        web.stop()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def start_web() -> Callable[[], contextlib.AbstractContextManager[WebStore]]:
    return serving


@pytest.fixture(scope="session")
def _nginx() -> Iterator[WebStore]:
    """One nginx for all tests."""
    with serving() as web:
        yield web


@pytest.fixture
def web(_nginx: WebStore) -> WebStore:
    """A store that is empty and served."""
    for path in list((_nginx.folder / "store").iterdir()):
        if path.name != "uploads":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    _nginx.store.create()
    return _nginx
