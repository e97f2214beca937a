# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A station's side of quarantine: chunks and the manifest go to the area of its own job, and only there.

A chunk that the store has is not sent; nor is one that an interrupted upload of the same job sent. Whether it was sent right is not ours
to say: the store verifies every chunk before anybody sees it.
"""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Callable, Optional, TypeVar

from ..errors import FleetError, InputError
from ..stop import pause
from ..zstd import Buffer
from .chunk import chunk_path
from .connection import Connection, Credential, Endpoint, RateLimit, StatusError, TransportError

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 15.0
"""Seconds between two attempts; doubled each time."""

_REFUSED = {
    401: "The job's credential is not accepted: the job was published, aborted, handed over or expired. Open a job again with resume",
    403: "The job is not open any more: it was published, aborted or expired. Open a job again and capture again",
    409: "The job's area is gone: open a job again and capture again",
    413: "The store's limit for one upload is too small: raise content_store_manifest_limit",
    495: "Give the certificate authority of the store (ca_file), which the role content_store exports",
    507: "The store's disk is full: free space there (content_prune), then open the job again with resume",
}


class UploadError(FleetError):
    """The store did not take it, or could not be reached, time after time."""


Result = TypeVar("Result")


class Uploader:
    """Uploads to one job over a few kept-alive connections; a ChunkSink, safe to use from several threads."""

    def __init__(
        self,
        base_url: str,
        job: str,
        token: str,
        *,
        ca_file: Optional[Path] = None,
        connections: int = 4,
        rate: float = 0,
        resumed: bool = False,
        known: Collection[bytes] = (),
        attempts: int = 6,
        timeout: float = 30.0,
    ) -> None:
        """base_url: https://HOST/content; rate: bytes a second over all connections, 0 for no limit; timeout: seconds without a byte.

        known: digests that the store should have (a parent manifest's), which are not asked for. resumed: the job was opened before, so
        ask its area as well; and ask for the known, because one that the store has lost may be why it was not published.
        """
        if not base_url.startswith("https://"):
            raise InputError(f"{base_url} would carry the job's token in the clear", remedy="Give the https:// URL of the content store")
        credential = Credential(job, token)
        self._endpoint = Endpoint(base_url, ca_file=ca_file, credential=credential, timeout=timeout, limit=RateLimit(rate))
        self._area = f"upload/{job}"
        self._there = set() if resumed else set(known)
        self._resumed = resumed
        self._attempts = attempts
        self._slots = threading.BoundedSemaphore(connections)
        self._idle: list[Connection] = []
        self._lock = threading.Lock()
        self.sent = 0
        """Bytes of frames sent."""

    def __enter__(self) -> Uploader:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def has(self, name: bytes) -> bool:
        """Whether the store has the chunk, or this job's area does."""
        if name in self._there:
            return True
        found = self._attempt(lambda connection: connection.exists(str(chunk_path(name))))
        if not found and self._resumed:
            found = self._attempt(lambda connection: connection.exists(f"{self._area}/chunks/{name.hex()}.zst"))
        if found:
            with self._lock:
                self._there.add(name)
        return found

    def put(self, name: bytes, frame: Buffer) -> bool:
        """Send a chunk's frame; False when it was there already."""
        if self.has(name):
            return False
        with self._lock:
            if name in self._there:
                return False
            self._there.add(name)  # before it is sent: two threads with the same chunk send it once, and a failure ends the upload
        self._attempt(lambda connection: connection.put(f"{self._area}/chunks/{name.hex()}.zst", frame))
        with self._lock:
            self.sent += len(frame)
        return True

    def finish(self, manifest: bytes) -> None:
        """Send the manifest; the store's host publishes it (content_publish state=published)."""
        self._attempt(lambda connection: connection.put(f"{self._area}/manifest.json", manifest))

    def close(self) -> None:
        """Close the connections; what was sent stays in the job's area, for a resume."""
        with self._lock:
            while self._idle:
                self._idle.pop().close()

    def _attempt(self, action: Callable[[Connection], Result]) -> Result:
        """Do it on a connection of ours, again with growing pauses when the network fails; UploadError in the end."""
        for attempt in range(1, self._attempts + 1):
            try:
                with self._connection() as connection:
                    return action(connection)
            except StatusError as error:
                # pylint: disable-next=bad-exception-cause
                raise UploadError(str(error), remedy=_REFUSED.get(error.status, "See the error log of nginx on the store")) from error
            except TransportError as error:
                if attempt == self._attempts:
                    raise UploadError(  # pylint: disable=bad-exception-cause
                        f"{error} (after {attempt} attempts)",
                        remedy="Check the network, the store's disk and its nginx error log, then open the job again with resume",
                    ) from error
            pause(min(_FIRST_PAUSE * 2 ** (attempt - 1), _LONGEST_PAUSE) * random.uniform(0.5, 1.0))
        raise AssertionError("unreachable")

    @contextlib.contextmanager
    def _connection(self) -> Iterator[Connection]:
        with self._slots:
            with self._lock:
                connection = self._idle.pop() if self._idle else Connection(self._endpoint)
            try:
                yield connection
            except BaseException:
                connection.close()
                raise
            finally:
                with self._lock:
                    self._idle.append(connection)
