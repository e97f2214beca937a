# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real processes, killed: nothing is lost and nothing is there twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from stationdb.registry.models import Site, Station
from stationdb.reports.batch import DatabaseGone
from stationdb.reports.intake import accept, process_spool
from stationdb.reports.spool import Spool
from stationdb.tests.postgresql import postgresql
from stationdb.tests.reports.documents import REPOSITORY, fleet

COUNT = 60


def environment(spool: Spool, url: str) -> dict[str, str]:
    return {
        **os.environ,
        "STATIONDB_HOME": str(spool.root.parent),
        "STATIONDB_DATABASE_URL": url,
        "STATIONDB_INSECURE": "1",
        "DJANGO_SETTINGS_MODULE": "stationdb.settings",
        "PYTHONPATH": str(REPOSITORY),
    }


def run(spool: Spool, url: str, *arguments: str, **options: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "stationdb", *arguments], env=environment(spool, url), text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, cwd=spool.root, **options,
    )  # fmt: skip


def ask(spool: Spool, url: str, code: str) -> str:
    """What a process with that database prints."""
    program = f"import django; django.setup()\nfrom stationdb.registry.models import *\nfrom stationdb.reports.models import *\n{code}"
    done = subprocess.run([sys.executable, "-c", program], env=environment(spool, url), text=True, capture_output=True, check=True)
    return done.stdout.strip()


FIGURES = "print(Station.objects.count(), Report.objects.count(), Holding.objects.count(), MacAddress.objects.count())"


@contextmanager
def sqlite(spool: Spool):
    yield f"sqlite:///{spool.root.parent}/faults.sqlite3"


@contextmanager
def server(spool: Spool):
    with postgresql() as found:
        yield found.url


def fill(count: int = COUNT, *, memory: int = 16000, version: str = "1") -> None:
    for number in range(count):
        software = [(f"package-{each}", version) for each in range(20)]
        accept(fleet(f"pc{number:03}", mac=f"a4:bb:6d:00:00:{number:02x}", memory=memory, software=software), "local")


@pytest.mark.slow
@pytest.mark.parametrize("database", [sqlite, server])
def test_workers_that_are_killed_at_any_moment_lose_nothing_and_write_nothing_twice(spool, database):
    with database(spool) as url:
        assert run(spool, url, "migrate", "-v0").wait() == 0
        ask(spool, url, "Site.objects.create(slug='root', name='All')")
        fill()
        for delay in (0.9, 1.3, 1.6, 1.9):
            workers = [run(spool, url, "worker") for _ in range(2)]
            time.sleep(delay)
            for worker in workers:
                worker.send_signal(signal.SIGKILL)
                worker.wait()
        last = [run(spool, url, "worker", "--once") for _ in range(2)]
        said = [worker.communicate(timeout=120)[0] for worker in last]
        assert all(worker.returncode == 0 for worker in last), said
        assert not spool.ids() and not list(spool.reasons())
        assert ask(spool, url, FIGURES) == f"{COUNT} {COUNT} {COUNT * 20} {COUNT}"


DIES = """
import os, signal
from stationdb.reports.batch import Worker
from stationdb.reports.spool import Claim
Claim.keep = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
Worker().run()
"""


def test_killed_after_the_commit_and_before_the_spool_knows(spool):
    with sqlite(spool) as url:
        assert run(spool, url, "migrate", "-v0").wait() == 0
        ask(spool, url, "Site.objects.create(slug='root', name='All')")
        fill(3)
        names = spool.ids()
        with pytest.raises(subprocess.CalledProcessError) as caught:
            ask(spool, url, DIES)
        assert caught.value.returncode == -signal.SIGKILL
        assert ask(spool, url, FIGURES) == "3 3 60 3" and spool.ids() == names, "in the database, and still in the spool"
        said, _ = run(spool, url, "worker", "--once").communicate(timeout=60)
        assert "0 taken in, 0 refused, 0 of stations without a site, 3 known already" in said and not spool.ids()
        assert ask(spool, url, FIGURES) == "3 3 60 3" and ask(spool, url, "print(SectionChange.objects.count())") == "0"


@pytest.mark.slow
def test_a_database_that_is_gone_leaves_reports_in_the_spool(spool):
    with postgresql() as found:
        assert run(spool, found.url, "migrate", "-v0").wait() == 0
        ask(spool, found.url, "Site.objects.create(slug='root', name='All')")
        worker = run(spool, found.url, "worker")
        try:
            fill(5)
            wait_for(lambda: not spool.ids(), 60)
            os.kill(found.pid, signal.SIGSTOP)  # it hangs
            fill(5, memory=8000)
            os.kill(found.pid, signal.SIGCONT)
            wait_for(lambda: not spool.ids(), 60)
        finally:
            worker.terminate()
            worker.communicate(timeout=60)
        url = found.url
    fill(5, memory=4000)
    gone = run(spool, url, "worker", "--once")
    said, _ = gone.communicate(timeout=60)
    assert gone.returncode == 75 and "wait in the spool" in said and "Traceback" not in said
    assert len(spool.ids()) == 5 and not list(spool.reasons())


@pytest.mark.django_db(transaction=True)
def test_a_database_that_goes_in_the_middle_takes_all_or_nothing(spool, monkeypatch):
    from django.db import OperationalError

    from stationdb.reports import batch

    Site.objects.create(slug="root", name="All")
    fill(10)
    whole = batch.describe

    def gone(taken):
        whole(taken)
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(batch, "describe", gone)
    with pytest.raises(DatabaseGone, match="closed the connection"):
        process_spool()
    assert len(spool.ids()) == 10 and not Station.objects.exists() and not list(spool.reasons())
    monkeypatch.undo()
    monkeypatch.setenv("STATIONDB_HOME", str(spool.root.parent))
    assert process_spool().taken == 10


@pytest.mark.slow
@pytest.mark.parametrize("database", [sqlite, server])
def test_many_workers_and_many_reports_of_the_same_stations_at_once(spool, database):
    with database(spool) as url:
        assert run(spool, url, "migrate", "-v0").wait() == 0
        ask(spool, url, "Site.objects.create(slug='root', name='All')")
        for version in range(6):
            fill(10, version=str(version), memory=1000 + version)
        workers = [run(spool, url, "worker", "--once") for _ in range(3)]
        said = [worker.communicate(timeout=120)[0] for worker in workers]
        assert all(worker.returncode == 0 for worker in workers), said
        last = run(spool, url, "worker", "--once")
        last.communicate(timeout=120)
        assert not spool.ids() and not list(spool.reasons())
        assert ask(spool, url, FIGURES) == "10 60 200 10"
        assert ask(spool, url, "print({s.ram >> 20 for s in Station.objects.all()})") == "{1005}", "the newest wins, whoever took it"
        held = "print({h.software_version.version for h in Holding.objects.select_related('software_version')})"
        assert ask(spool, url, held) == "{'5'}"


def wait_for(condition, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it takes too long"
        time.sleep(0.05)


def test_the_document_of_a_test_is_where_it_belongs(spool):
    assert Path(os.environ["STATIONDB_HOME"]) == spool.root.parent
