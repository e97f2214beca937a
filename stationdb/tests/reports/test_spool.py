# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The spool on real file systems: full, cut off, shared by several workers."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from stationdb.reports import spool as module
from stationdb.reports.document import LARGEST_SENT
from stationdb.reports.errors import NotNow, ReportError
from stationdb.reports.spool import Spool


def test_what_was_put_is_claimed_once_and_in_order(spool):
    ids = [spool.put(f"<a{number}/>".encode(), "ssh", station="pc01", address="10.0.0.1", sites=[1, 2]) for number in range(3)]
    assert spool.ids() == ids == sorted(ids)
    claim = spool.claim(ids[0])
    assert claim.data == b"<a0/>" and claim.envelope.station == "pc01" and claim.envelope.sites == [1, 2]
    assert Spool(spool.root).claim(ids[0]) is None, "another worker cannot have it"
    claim.release()
    claim = spool.claim(ids[0])
    claim.forget()
    assert spool.claim(ids[0]) is None and spool.ids() == ids[1:]


def test_a_document_with_line_ends_and_nothing_else_survives(spool):
    data = b"\n{}\n\x00\xff" * 3
    assert spool.claim(spool.put(data, "local")).data == data


def test_the_file_is_on_the_disk_before_it_is_acknowledged(spool, monkeypatch):
    order = []
    fsync, rename = os.fsync, os.rename
    monkeypatch.setattr(module.os, "fsync", lambda descriptor: (order.append("fsync"), fsync(descriptor))[1])
    monkeypatch.setattr(module.os, "rename", lambda *names: (order.append("rename"), rename(*names))[1])
    spool.put(b"<a/>", "local")
    assert order == ["fsync", "rename", "fsync"], "the file, its name, the folder"


def test_sizes_are_capped(spool):
    with pytest.raises(ReportError, match="empty"):
        spool.put(b"", "local")
    with pytest.raises(ReportError, match="more than 16 MiB"):
        spool.put(b"x" * (LARGEST_SENT + 1), "local")
    assert not spool.ids()


def test_a_full_disk_refuses_before_anything_is_acknowledged(tmp_path: Path, monkeypatch):
    if os.geteuid() != 0:
        pytest.skip("mounting a file system needs root")
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(small)], check=True)
    try:
        monkeypatch.setattr(module, "RESERVE", 0)
        spool = Spool(small)
        kept = spool.put(b"<a/>", "local")
        # Room by what the file system says, but not for the writing of it: another writer is faster.
        monkeypatch.setattr(module.os, "statvfs", lambda path: os.statvfs_result((4096, 4096, 10**6, 10**6, 10**6, 0, 0, 0, 0, 255)))
        with pytest.raises(NotNow, match="No space left on device"):
            spool.put(os.urandom(400_000), "local")
        monkeypatch.undo()
        with pytest.raises(NotNow, match="No space left on device"):
            spool.put(b"<b/>", "local")  # the reserve
        assert spool.ids() == [kept] and sorted(path.name for path in spool.incoming.iterdir()) == [f"{kept}.report"]
        claim = spool.claim(kept)
        claim.release()
        assert claim.data == b"<a/>"
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_what_a_killed_writer_left_is_never_a_document(spool):
    (spool.incoming / ".18ea.report").write_bytes(b'{"id": "18ea')
    assert spool.ids() == []
    os.utime(spool.incoming / ".18ea.report", (0, 0))
    assert spool.expire(30) == 1


def test_a_file_that_somebody_else_put_there_is_taken_as_local(spool):
    (spool.incoming / "18ea11cc145c67c6726c40a7f93c1927.report").write_bytes(b"garbage\n<a/>")
    claim = spool.claim("18ea11cc145c67c6726c40a7f93c1927")
    assert claim.envelope.way == "local" and claim.data == b"<a/>"


def test_nobody_else_can_read_it(spool):
    spool.put(b"<a/>", "local")
    assert spool.root.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in spool.root.rglob("*"))
