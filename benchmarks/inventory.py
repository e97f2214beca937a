# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's inventory of 100,000 stations: fleet.core.stations with a real server, beside a plain plugin that is fed from memory."""

from __future__ import annotations

import contextlib
import itertools
import json
import marshal
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ansible_collections.fleet.core.plugins.module_utils.stationdb.access import Access
from ansible_collections.fleet.core.plugins.module_utils.stationdb.client import Client
from ansible_collections.fleet.core.plugins.module_utils.stationdb.inventory import InventoryReader
from tests.ports import free_port

from .bench import HOUSE, Bench, BenchError
from .measure import Sample, measure, process_cpu
from .report import Report, ratio

STATIONS = 100_000
SLICE = "site042"
OURS, PLAIN, EMPTY, ONE_SITE, UNCHANGED = "ours", "plain set_variable", "empty inventory", "ours, one site", "ours, cached"


@dataclass(frozen=True)
class Served:
    """A running station database."""

    access: Access
    cpu: Callable[[], float]
    """CPU seconds so far: gunicorn's workers and the database."""


def run(bench: Bench) -> Report:
    """Every run is ``ansible-inventory --graph`` in a fresh process; the plain plugin's loading of its data is not counted."""
    from stationdb.tests.postgresql import postgresql

    report = Report(bench.name)
    with postgresql() as database, _serving(bench, database.url, database.pid) as served:
        sources = _sources(bench, served)
        methods = {name: _method(bench, path, served) for name, path in sources.items()}
        bench.say("warming up: the server once, the small ones once, not counted")
        for name in (OURS, ONE_SITE, EMPTY, UNCHANGED):
            methods[name]()
        rounds = 3 if bench.quick else 5
        report.add(bench.interleaved({name: methods[name] for name in (OURS, PLAIN, UNCHANGED)}, rounds))
        report.add(bench.interleaved({name: methods[name] for name in (EMPTY, ONE_SITE)}, rounds * 3))
        _check_equal(bench, sources)
    report.ratios["load_cpu_vs_plain"] = ratio(report.cpu(OURS), report.cpu(PLAIN))
    report.ratios["slice_cpu_vs_empty"] = ratio(report.cpu(ONE_SITE), report.cpu(EMPTY))
    server = sorted(sample.server for sample in report.samples[OURS])[len(report.samples[OURS]) // 2]
    report.ratios["load_cpu_with_server_vs_plain"] = ratio(report.cpu(OURS) + server, report.cpu(PLAIN))
    report.figures["server_cpu_s"] = round(server, 3)
    report.peak_rss(report.samples[OURS])
    report.figures["plain_rss_mib"] = round(max(sample.rss_mib for sample in report.samples[PLAIN]), 1)
    return report


@contextlib.contextmanager
def _serving(bench: Bench, url: str, postmaster: int) -> Iterator[Served]:
    """Fill the database, start gunicorn as the role does, with one worker."""
    environment = {
        **os.environ,
        "STATIONDB_HOME": str(bench.scratch / "home"),
        "STATIONDB_DATABASE_URL": url,
        "STATIONDB_INSECURE": "1",
        "DJANGO_SETTINGS_MODULE": "stationdb.settings",
    }
    bench.say(f"filling PostgreSQL with {STATIONS} stations")
    argv = [sys.executable, "-m", "benchmarks.inventory_data", str(STATIONS)]
    done = subprocess.run(argv, env=environment, cwd=HOUSE, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(f"filling the database failed: {done.stderr[-2000:]}")
    token = done.stdout.split()[-1]
    port = free_port()
    log = (bench.scratch / "server.log").open("wb")
    argv = [sys.executable, "-m", "gunicorn", "stationdb.wsgi", "--bind", f"127.0.0.1:{port}", "--workers", "1", "--timeout", "300"]
    argv.append("--no-control-socket")
    process = subprocess.Popen(argv, env=environment, cwd=HOUSE, stdout=log, stderr=log)
    try:
        access = Access(f"http://127.0.0.1:{port}", token)
        _wait(access, process, bench.scratch / "server.log")
        yield Served(access, lambda: process_cpu([*_family(process.pid), *_family(postmaster)]))
    finally:
        process.terminate()
        process.wait(30)
        log.close()


def _wait(access: Access, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        with socket.socket() as probe:
            if probe.connect_ex((access.host, access.port)) == 0:
                return
        if process.poll() is not None or time.monotonic() > deadline:
            raise BenchError(f"the station database did not start: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.1)


def _family(pid: int) -> list[int]:
    """A process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]


def _sources(bench: Bench, served: Served) -> dict[str, Path]:
    """An inventory file for each method, each in a folder of its own, since Ansible looks for variables beside it."""
    ours = {"plugin": "fleet.core.stations", "url": served.access.url}
    cache = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(bench.scratch / "cache")}
    contents = {
        OURS: ours,
        ONE_SITE: {**ours, "sites": [SLICE]},
        UNCHANGED: {**ours, **cache},
        EMPTY: {"plugin": "plain"},
        PLAIN: {"plugin": "plain", "source": str(_fed(bench, served)), "loading": str(bench.scratch / "loading")},
    }
    paths = {}
    for number, (name, content) in enumerate(contents.items()):
        folder = bench.scratch / f"inventory{number}"
        folder.mkdir()
        paths[name] = folder / "it.stations.yml"
        paths[name].write_text(json.dumps(content))
    (bench.scratch / "token").touch(0o600)
    (bench.scratch / "token").write_text(served.access.token)
    return paths


def _fed(bench: Bench, served: Served) -> Path:
    """What the plain plugin is fed with: the very same groups, hosts and variables."""
    path = bench.scratch / "fed"

    def write() -> None:
        with Client(served.access) as client, client.lines("/inventory", {}) as lines:
            reader = InventoryReader(lines or iter(()))
            hosts = [
                (name, variables, [reader.groups[group].name for group in reader.combinations[number]])
                for batch in reader.batches()
                for name, number, variables in zip(batch.names, batch.combinations, batch.variables, strict=True)
            ]
        counted = {len(variables) for _name, variables, _groups in hosts}, {len(groups) for _name, _variables, groups in hosts}
        if counted != ({15}, {5}) and len(hosts) == STATIONS:
            bench.say(f"variables and groups of stations: {counted}")
        path.write_bytes(marshal.dumps(([(each.name, each.variables, list(each.children)) for each in reader.groups], hosts)))

    bench.apart(write)
    return path


def _method(bench: Bench, source: Path, served: Served) -> Callable[[], Sample]:
    argv = [
        str(Path(sys.executable).with_name("ansible-inventory")),
        "-i",
        str(source),
        "--graph",
        "--output",
        str(source.parent / "graph"),
    ]
    environment = {
        "ANSIBLE_CONFIG": str(HOUSE / "ansible.cfg"),
        "ANSIBLE_HOME": str(bench.scratch / "ansible"),
        "ANSIBLE_INVENTORY_PLUGINS": str(HOUSE / "benchmarks" / "plugins" / "inventory"),
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true",
        "FLEET_STATIONDB_TOKEN": served.access.token,
        "LC_ALL": "C.UTF-8",
    }
    loading = bench.scratch / "loading"

    def once() -> Sample:
        loading.unlink(missing_ok=True)
        sample = measure(argv, log=source.parent / "log", server=served.cpu, environment=environment)
        return replace(sample, cpu=sample.cpu - float(loading.read_text())) if loading.exists() else sample

    return once


def _check_equal(bench: Bench, sources: dict[str, Path]) -> None:
    """Both must have said the same."""
    ours, plain = (sorted((sources[name].parent / "graph").read_text().splitlines()) for name in (OURS, PLAIN))
    if ours != plain or len(ours) < STATIONS * 5:
        different = next((pair for pair in itertools.zip_longest(ours, plain) if pair[0] != pair[1]), len(ours))
        raise BenchError(f"the plugins disagree: {different}")
    bench.say(f"both plugins' graphs have the same {len(ours)} lines")
