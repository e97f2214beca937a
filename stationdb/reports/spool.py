# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The spool: a document is on the disk before it is acknowledged, and stays until the database has it.

``incoming/`` what waits for a worker; ``waiting/`` reports of stations without a site; ``refused/`` bad documents, each with its reason
beside it; ``documents/<day>/`` what was taken in, compressed; ``senders/`` who has how much (senders.py). A file is one line of JSON (the
envelope), then the document as it arrived. Its name is its id. A worker holds a lock on a file's inode while it works on it; the kernel
gives the lock back when the worker dies.

Standard library only: ``stationdb receive`` writes here without a database.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import time
import uuid
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from .. import home
from .document import LARGEST_SENT, is_compressed
from .errors import NotNow, ReportError
from .senders import Senders, sender_of

SUFFIX = ".report"
RESERVE = int(os.environ.get("STATIONDB_SPOOL_RESERVE", str(64 << 20)))
"""Bytes that stay free on the spool's file system, so that the database beside it can go on."""

MOST_REFUSED = 1000
"""Refused documents that are kept to be looked at; the oldest go first."""
MOST_REFUSED_BYTES = 256 << 20

_PRIVATE = ("ENVS", "PROCESSES")
"""Elements that are never stored."""


@dataclass(frozen=True)
class Envelope:
    """What is known of a document besides itself."""

    id: str
    """A UUID in hexadecimal that begins with the time of receipt, so that names sort by age."""
    received: float
    """Seconds since 1970."""
    way: str
    """ssh, https, ocs, glpi or local."""
    station: str = ""
    """The station's name, where the way itself vouches for it."""
    address: str = ""
    """Whence it came; blank when that is not the station's address."""
    agent: str = ""
    sites: list[int] | None = None
    """Ids of the sites whose stations the sender may report; None for all."""

    @property
    def uuid(self) -> uuid.UUID:
        """The id, as the database has it."""
        return uuid.UUID(self.id)

    @property
    def moment(self) -> datetime:
        """When it was received."""
        return datetime.fromtimestamp(self.received, UTC)

    def line(self) -> bytes:
        """The first line of a document's file."""
        return json.dumps(asdict(self), separators=(",", ":")).encode() + b"\n"

    @classmethod
    def read(cls, line: bytes) -> Envelope | None:
        """What a file's first line says; None when it is no envelope."""
        try:
            return cls(**json.loads(line))
        except (ValueError, TypeError):
            return None


class Spool:
    """The folders of one installation."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or home.folder("spool")
        self.incoming, self.waiting, self.refused = (self._folder(name) for name in ("incoming", "waiting", "refused"))
        self.documents = root / "documents" if root else home.folder("documents")
        self.senders = Senders(self.root / "senders")

    def _folder(self, name: str) -> Path:
        path = self.root / name
        path.mkdir(mode=0o700, exist_ok=True)
        return path

    def put(self, data: bytes, way: str, *, station: str = "", address: str = "", agent: str = "", sites: list[int] | None = None) -> str:
        """Keep a document for a worker, and return its id once it is on the disk.

        NotNow when the disk has no room, TooMuch when the sender has no share left; ReportError when it is empty or too large.
        """
        if not data:
            raise ReportError("The document is empty.", "Look at the agent's own log on the station.")
        if len(data) > LARGEST_SENT:
            raise ReportError(f"The document has more than {LARGEST_SENT >> 20} MiB.", "No report is that large: look at what it sends.")
        sender = sender_of(way, station, address)
        self.senders.check(sender, len(data))
        now = time.time_ns()
        identity = now.to_bytes(8, "big") + hashlib.sha256(os.urandom(8) + data[:4096]).digest()[:8]
        envelope = Envelope(identity.hex(), now / 1e9, way, station, address, agent, sites)
        self._write(self.incoming, f"{envelope.id}{SUFFIX}", envelope.line() + data, sender)
        return envelope.id

    def _write(self, folder: Path, name: str, content: bytes, sender: str) -> None:
        temporary = folder / f".{name}"
        try:
            free = os.statvfs(folder)
            if free.f_bavail * free.f_frsize < RESERVE + len(content):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                written = 0
                while written < len(content):
                    written += os.write(descriptor, content[written:] if written else content)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            self.senders.add(sender, temporary, name)
            os.rename(temporary, folder / name)
            _sync(folder)
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink()
                self.senders.done(sender, name)
            raise NotNow(
                f"The report cannot be kept: {error.strerror}.", "Make room below the spool's folder; senders try again."
            ) from error

    def ids(self) -> list[str]:
        """Ids of what waits for a worker, oldest first."""
        with os.scandir(self.incoming) as entries:
            return sorted(entry.name.removesuffix(SUFFIX) for entry in entries if entry.name.endswith(SUFFIX) and entry.name[0] != ".")

    def claim(self, document_id: str) -> Claim | None:
        """Take a document; None when another worker has it or had it. Release it, or say what became of it."""
        path = self.incoming / f"{document_id}{SUFFIX}"
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(descriptor).st_ino != os.stat(path).st_ino:
                raise FileNotFoundError
            with os.fdopen(os.dup(descriptor), "rb") as file:
                header, _newline, data = file.read().partition(b"\n")
            envelope = Envelope.read(header) or Envelope(document_id, time.time(), "local")
        except (BlockingIOError, FileNotFoundError):
            os.close(descriptor)
            return None
        return Claim(self, path, descriptor, envelope, data)

    def waiting_ids(self) -> list[str]:
        """Ids of reports of stations without a site, oldest first."""
        return sorted(path.name.removesuffix(SUFFIX) for path in self.waiting.glob(f"*{SUFFIX}"))

    def wake_waiting(self, ids: Iterable[str] | None = None) -> int:
        """Let reports of stations without a site be tried again (None: all of them); how many there are."""
        count = 0
        for each in self.waiting_ids() if ids is None else ids:
            with contextlib.suppress(FileNotFoundError):
                (self.waiting / f"{each}{SUFFIX}").rename(self.incoming / f"{each}{SUFFIX}")
                count += 1
        return count

    def forget_waiting(self, document_id: str) -> None:
        """Remove a report that waits, since a later one of the same station does."""
        (self.waiting / f"{document_id}{SUFFIX}").unlink(missing_ok=True)

    def expire_waiting(self, days: int, now: float | None = None) -> int:
        """Remove reports that have waited for a site for longer than so many days; how many."""
        now = time.time() if now is None else now
        old = [each for each in self.waiting_ids() if now - received(each) > days * 86400]
        for each in old:
            self.forget_waiting(each)
        return len(old)

    def trim_refused(self) -> int:
        """Remove the oldest refused documents when there are more than anybody looks at; how many."""
        found = sorted(self.refused.glob(f"*{SUFFIX}"), reverse=True)
        total = count = 0
        for number, path in enumerate(found):
            with contextlib.suppress(FileNotFoundError):
                total += path.stat().st_size
                if number >= MOST_REFUSED or total > MOST_REFUSED_BYTES:
                    path.unlink()
                    path.with_suffix(".txt").unlink(missing_ok=True)
                    count += 1
        return count

    def retry_refused(self) -> int:
        """Let refused documents be tried again, as after an update; how many there are."""
        count = 0
        for path in self.refused.glob(f"*{SUFFIX}"):
            path.with_suffix(".txt").unlink(missing_ok=True)
            path.rename(self.incoming / path.name)
            count += 1
        return count

    def reasons(self) -> Iterator[tuple[str, str]]:
        """Ids of refused documents and why they were, newest first."""
        for path in sorted(self.refused.glob("*.txt"), reverse=True):
            yield path.stem, path.read_text(encoding="utf-8", errors="replace").strip()

    def document(self, document_id: str) -> bytes | None:
        """A kept document, decompressed; None when it changed nothing or its days are over."""
        path = self._kept(document_id)
        if not path.exists():
            return None
        data = path.read_bytes().partition(b"\n")[2]
        return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(data)

    def keeps_documents(self) -> bool:
        """Whether the disk has room for documents that were taken in."""
        free = os.statvfs(self.root)
        return free.f_bavail * free.f_frsize > 4 * RESERVE

    def _kept(self, document_id: str) -> Path:
        return self.documents / f"{datetime.fromtimestamp(received(document_id), UTC):%Y-%m-%d}" / f"{document_id}{SUFFIX}"

    def expire(self, days: int, now: float | None = None) -> int:
        """Remove documents that are older than so many days, and what a killed writer left; how many."""
        now = time.time() if now is None else now
        count = 0
        limit = f"{datetime.fromtimestamp(now, UTC) - timedelta(days=days):%Y-%m-%d}"
        folders = [path for path in self.documents.iterdir() if path.is_dir() and path.name < limit] if self.documents.exists() else []
        for path in [path for folder in folders for path in folder.iterdir()]:
            path.unlink(missing_ok=True)
            count += 1
        for folder in folders:
            with contextlib.suppress(OSError):
                folder.rmdir()
        for path in (*self.refused.iterdir(), *self.incoming.glob(".*")):
            with contextlib.suppress(FileNotFoundError):
                if now - path.stat().st_mtime > (3600 if path.name[0] == "." else days * 86400):
                    path.unlink()
                    count += 1
        there = {path.name for folder in (self.incoming, self.waiting) for path in folder.iterdir()}
        self.senders.sweep(there | {name[1:] for name in there if name[0] == "."})  # what is being written has its name soon
        return count


@dataclass
class Claim:
    """A document that this worker works on, alone."""

    spool: Spool
    path: Path
    descriptor: int
    envelope: Envelope
    data: bytes

    def release(self) -> None:
        """Leave it where it is, for another try."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def forget(self) -> None:
        """It said nothing new."""
        self.path.unlink(missing_ok=True)
        self._done()

    def keep(self, cleaned: bytes | None) -> None:
        """It was taken in: keep it among the documents, compressed; or cleaned, the document without what is never stored.

        Not where the disk is nearly full: new reports need what is left more than old ones.
        """
        if not self.spool.keeps_documents():
            return self.forget()
        place = self.spool._kept(self.envelope.id)
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if cleaned is None and is_compressed(self.data):
            self.path.rename(place)
        else:
            place.write_bytes(self.envelope.line() + zlib.compress(self.data if cleaned is None else cleaned, 1))
            self.path.unlink(missing_ok=True)
        self._done()

    def refuse(self, reason: str) -> None:
        """It is bad: put it aside with the reason, without what is never stored as far as that can be found."""
        data = self.data
        with contextlib.suppress(ReportError, zlib.error):
            data = zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(data, 1 << 25) if is_compressed(data) else data
            scrubbed = _without_private(data)
            if scrubbed != data:
                self.path.write_bytes(self.envelope.line() + zlib.compress(scrubbed, 1))
        (self.spool.refused / f"{self.envelope.id}.txt").write_text(f"{reason}\n", encoding="utf-8", errors="replace")
        with contextlib.suppress(FileNotFoundError):
            self.path.rename(self.spool.refused / self.path.name)
        self._done()
        self.spool.trim_refused()

    def _done(self) -> None:
        """It left the spool."""
        self.spool.senders.done(sender_of(self.envelope.way, self.envelope.station, self.envelope.address), self.path.name)
        self.release()

    def wait(self) -> None:
        """Its station has no site: keep it until one is found."""
        self.path.rename(self.spool.waiting / self.path.name)
        self.release()


def received(document_id: str) -> float:
    """When a document was received, by its id; seconds since 1970, now for what is no id."""
    try:
        return int(document_id[:16], 16) / 1e9
    except ValueError:
        return time.time()


def _without_private(data: bytes) -> bytes:
    """A document that need not be well-formed, without what is never stored; in time that grows with its length, whatever it holds."""
    for name in _PRIVATE:
        begin, end = f"<{name}>".encode(), f"</{name}>".encode()
        kept, at = [], 0
        while (first := data.find(begin, at)) >= 0 and (last := data.find(end, first)) >= 0:
            kept.append(data[at:first])
            at = last + len(end)
        data = b"".join([*kept, data[at:]]) if kept else data
    return data


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
