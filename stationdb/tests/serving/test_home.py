# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys of an installation."""

from __future__ import annotations

import threading

from stationdb import home


def test_processes_that_start_at_once_read_one_whole_key(tmp_path, monkeypatch):
    monkeypatch.setenv("STATIONDB_HOME", str(tmp_path / "home"))
    found, barrier = [], threading.Barrier(16)

    def read() -> None:
        barrier.wait()
        found.append(home.secret_key())

    threads = [threading.Thread(target=read) for _number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [key] = set(found)
    assert len(found) == 16 and len(key) > 40 and home.secret_key() == key
    [file] = (tmp_path / "home/keys").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
