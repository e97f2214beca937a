# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of a benchmark are what they claim to be: medians, ratios, a whole pipeline's CPU. Nothing here is timed."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.data import log, package_folders, photos, records  # noqa: E402
from benchmarks.measure import CommandFailed, Sample, measure  # noqa: E402
from benchmarks.report import GOALS, Report, ratio, verdict  # noqa: E402

BURN = f"{sys.executable} -c 'import time\nwhile time.process_time() < {{}}: pass'"


def sample(cpu: float, wall: float = 1.0, rss: float = 40.0, size: int = 1000) -> Sample:
    return Sample(cpu=cpu, wall=wall, rss_mib=rss, machine=cpu + 1, bytes=size)


@pytest.fixture
def report() -> Report:
    report = Report("restore")
    report.add({"ours": [sample(2.0), sample(9.0), sample(1.0)], "partclone -a 0": [sample(4.0), sample(3.0), sample(5.0)]})
    return report


def test_a_ratio_is_of_medians_so_that_one_disturbed_run_does_not_count(report: Report) -> None:
    report.compare("cpu", "ours", "partclone -a 0", "cpu_vs_partclone_nocrc")
    report.compare("machine", "ours", "partclone -a 0", "cpu_machine_vs_partclone_nocrc")
    assert report.ratios == {"cpu_vs_partclone_nocrc": 0.5, "cpu_machine_vs_partclone_nocrc": 0.6}


def test_the_last_line_is_one_json_object_with_benchmark_figures_and_ratios(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    report.compare("cpu", "ours", "partclone -a 0", "cpu_vs_partclone_nocrc")
    report.peak_rss([sample(1, rss=37.25), sample(1, rss=12)])
    report.print()
    printed = capsys.readouterr().out
    result = json.loads(printed.rstrip("\n").rsplit("\n", 1)[1])
    assert set(result) == {"benchmark", "figures", "ratios"}
    assert result["benchmark"] == "restore"
    assert result["ratios"] == {"cpu_vs_partclone_nocrc": 0.5}
    assert result["figures"]["peak_rss_mib"] == 37.2
    assert result["figures"]["ours_cpu_s"] == 2.0 and result["figures"]["ours_runs"] == 3
    assert "aim reached" in printed and "\033" not in printed


@pytest.mark.parametrize(("value", "said"), [(0.5, "aim"), (0.51, "must"), (0.65, "must"), (0.66, "missed")])
def test_a_goal_is_reached_at_its_own_value(value: float, said: str) -> None:
    assert verdict(value, 0.65, 0.5) == said


def test_every_goal_has_a_must_that_is_weaker_than_its_aim() -> None:
    assert {"capture", "restore", "delta", "reports"} <= set(GOALS)
    for must, aim in (goal for goals in GOALS.values() for goal in goals.values()):
        assert (verdict(aim, must, aim), verdict(must, must, aim)) == ("aim", "must")


def test_more_is_better_where_the_aim_is_more_than_the_must() -> None:
    assert [verdict(value, 3.0, 8.0) for value in (9.0, 8.0, 5.0, 2.9)] == ["aim", "aim", "must", "missed"]


def test_a_ratio_to_nothing_is_infinite() -> None:
    assert ratio(1.0, 0.0) == float("inf")


def test_every_member_of_a_pipeline_is_counted_and_the_size_is_taken_at_the_end(tmp_path: Path) -> None:
    burn = BURN.format(0.3)
    written = tmp_path / "written"
    found = measure(f'{burn} | {burn} | sh -c "{burn.replace(chr(34), "")}" > {written}', log=tmp_path / "log", size=lambda: 7)
    assert 0.9 <= found.cpu < 3
    assert found.machine >= 0.85 and found.bytes == 7 and found.rss_mib > 1


def test_a_pipeline_of_which_one_member_failed_is_no_sample(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="no-such-tool"):
        measure("no-such-tool | cat", log=tmp_path / "log")


def test_an_interrupted_pipeline_is_ended_as_a_whole(tmp_path: Path) -> None:
    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        with pytest.raises(KeyboardInterrupt):
            measure(f"sh -c 'echo $$ > {tmp_path}/pid; exec sleep 60' | cat", log=tmp_path / "log")
    finally:
        signal.signal(signal.SIGALRM, before)
    state = Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}/stat")
    for _attempt in range(50):
        if not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.1)
    pytest.fail("sleep is still running")


def test_the_data_is_the_same_every_time(tmp_path: Path) -> None:
    for make in (
        lambda: list(photos(random.Random(1), 9_000_000)),
        lambda: log(random.Random(1), 5000),
        lambda: records(random.Random(1), 8192),
    ):
        assert make() == make()
    assert sum(map(len, photos(random.Random(1), 9_000_000))) == 9_000_000
    assert len(records(random.Random(1), 8192)) == 8192
    for name in ("b/c/d/e/f", "b/c/d/e/g", "b/c/x", "a"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert sorted(map(sorted, package_folders(tmp_path))) == [[Path("a")], [Path("b/c/d/e/f"), Path("b/c/d/e/g")], [Path("b/c/x")]]


def test_an_unknown_benchmark_is_refused() -> None:
    done = subprocess.run([ROOT / "benchmarks/run", "no-such"], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "capture" in done.stderr
