# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a capture goes: a store's quarantine, or a store in a folder."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from ansible_collections.fleet.core.plugins.module_utils.content.fetch import Fetcher
from ansible_collections.fleet.core.plugins.module_utils.content.manifest import SIZE_LIMIT, Manifest, check_name
from ansible_collections.fleet.core.plugins.module_utils.content.sink import ChunkSink, LocalSink
from ansible_collections.fleet.core.plugins.module_utils.content.store import ChunkStore, ManifestRef
from ansible_collections.fleet.core.plugins.module_utils.content.upload import Uploader
from ansible_collections.fleet.core.plugins.module_utils.errors import InputError
from ansible_collections.fleet.core.plugins.module_utils.zstd import Buffer


class Destination(ABC):
    """Where a capture goes, as the parameters of image_capture say."""

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Destination:
        """Read the module's parameters; InputError when they contradict one another."""
        if params["contents"] == "later" and params["method"] != "blocks":
            raise InputError(
                "archives of files cannot follow later: they are on no disk",
                remedy="Capture blocks, or let the contents go with the manifest",
            )
        if params["store"]:
            return FolderDestination(Path(params["store"]), Path(params["signing_key"]) if params["signing_key"] else None)
        ca_file = Path(params["ca_file"]) if params["ca_file"] else None
        rest = {name: params[name] for name in ("connections", "rate")}
        return UploadDestination(**params["upload"], ca_file=ca_file, **rest, later=params["contents"] == "later")

    @abstractmethod
    def parent(self, image: str, version: str) -> Manifest:
        """The earlier version that a capture builds on.

        It only saves questions: a chunk that it wrongly promises is missed when the capture is published.
        """

    @abstractmethod
    def require_new(self, image: str, version: str) -> None:
        """Raise StoreError when the version is there already: better before the disk is read than after."""

    @abstractmethod
    def open(self, parent: Optional[Manifest]) -> ChunkSink:
        """The sink, to be closed by the caller."""


@dataclass(frozen=True)
class FolderDestination(Destination):
    """A store in a folder that the station reaches directly."""

    store: Path
    signing_key: Optional[Path]

    def parent(self, image: str, version: str) -> Manifest:
        return ChunkStore(self.store).load(_ref(image, version))

    def require_new(self, image: str, version: str) -> None:
        ChunkStore(self.store).require_new(_ref(image, version))

    def open(self, parent: Optional[Manifest]) -> ChunkSink:
        return LocalSink(ChunkStore(self.store).create(), self.signing_key)


@dataclass(frozen=True)
class UploadDestination(Destination):
    """The quarantine of one job of a store."""

    url: str
    job: str
    token: str
    resumed: bool
    ca_file: Optional[Path]
    connections: int
    rate: int
    later: bool = False
    """Whether the manifest is all that goes there now."""

    def parent(self, image: str, version: str) -> Manifest:
        fetcher: Fetcher[Any] = Fetcher([self.url], ca_file=self.ca_file)
        return Manifest.from_bytes(fetcher.document(_ref(image, version).path().as_posix(), SIZE_LIMIT))

    def require_new(self, image: str, version: str) -> None:
        """Opening the job made sure of it."""

    def open(self, parent: Optional[Manifest]) -> ChunkSink:
        uploader = Uploader(
            self.url,
            self.job,
            self.token,
            ca_file=self.ca_file,
            connections=self.connections,
            rate=self.rate,
            resumed=self.resumed,
            known=parent.digests() if parent else (),
        )
        return ManifestOnly(uploader) if self.later else uploader


class ManifestOnly:
    """A sink that is told of every chunk, and asks for none: what is captured is read and hashed, and neither compressed nor sent."""

    def __init__(self, sink: ChunkSink) -> None:
        """sink: takes the manifest, and is closed with this one."""
        self._sink = sink

    def has(self, name: bytes) -> bool:
        """Nobody wants it now."""
        return True

    def put(self, name: bytes, frame: Buffer) -> bool:
        """Nobody offers one."""
        return False

    def finish(self, manifest: bytes) -> None:
        """Send the manifest."""
        self._sink.finish(manifest)

    def close(self) -> None:
        """Let go of what the sink holds."""
        self._sink.close()


def _ref(image: str, version: str) -> ManifestRef:
    """A name that is safe as a path; ManifestError otherwise."""
    return ManifestRef("image", check_name(image), check_name(version, "version"))
