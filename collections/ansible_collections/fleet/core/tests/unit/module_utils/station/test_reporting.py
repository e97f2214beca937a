# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a station does with its report: settings, the spool, what an answer of the centre means, and installing it all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fleet.core.plugins.module_utils.command import Completed
from ansible_collections.fleet.core.plugins.module_utils.errors import InputError
from ansible_collections.fleet.core.plugins.module_utils.station import agent, push
from ansible_collections.fleet.core.plugins.module_utils.station.install import InstallError, Plan, sources
from ansible_collections.fleet.core.plugins.module_utils.station.push import Verdict, judge
from ansible_collections.fleet.core.plugins.module_utils.station.settings import Settings
from ansible_collections.fleet.core.plugins.module_utils.station.spool import Spool, SpoolError


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    for name in ("new", "refused"):
        (tmp_path / name).mkdir()
    return Spool(tmp_path, keep=3)


@pytest.fixture
def settings(spool: Spool) -> Settings:
    return Settings(station="pc01", destination="stationdb@centre", spool=spool.path, keep=3)


def answers(monkeypatch: pytest.MonkeyPatch, *results: Completed) -> list[bytes]:
    """Let the centre answer in turn; what it was sent."""
    sent: list[bytes] = []
    waiting = list(results)

    def run(argv: list[str], *, stdin: bytes, **_options: Any) -> Completed:
        sent.append(stdin)
        return waiting.pop(0)

    monkeypatch.setattr(push, "run", run)
    return sent


ACCEPTED = Completed(("ssh",), 0, "accepted 01k\n", "")
REFUSED = Completed(("ssh",), 1, "", "stationdb receive: The document is empty.\n")
AWAY = Completed(("ssh",), 255, "", "ssh: connect to host centre port 22: Connection refused\n")


def test_a_report_is_there_whole_with_nothing_beside_it(spool: Spool) -> None:
    path = spool.put(b"<report/>")
    assert path.read_bytes() == b"<report/>"
    assert os.listdir(spool.new) == [path.name]
    assert path.stat().st_mode & 0o777 == 0o640


def test_the_newest_stay(spool: Spool) -> None:
    for moment in (5.000002, 1, 3, 4, 5.000001):
        spool.put(b"%f" % moment, moment)
    assert [float(path.read_bytes()) for path in spool.waiting()] == [4, 5.000001, 5.000002]


def test_what_was_being_written_when_the_power_failed_is_no_report(spool: Spool) -> None:
    (spool.new / ".20260101T000000.000000Z.xml.77").write_bytes(b"half")
    assert spool.waiting() == []


def test_a_link_that_was_planted_is_not_followed(spool: Spool, tmp_path: Path) -> None:
    target = tmp_path / "passwd"
    target.write_text("root")
    (spool.new / f".19700101T000001.000000Z.xml.{os.getpid()}").symlink_to(target)
    with pytest.raises(SpoolError, match=r"cannot write a report to .*: File exists"):
        spool.put(b"evil", 1)
    assert target.read_text() == "root"


def test_without_its_folders_the_spool_says_so(tmp_path: Path) -> None:
    for attempt in (lambda: Spool(tmp_path, 1).put(b""), Spool(tmp_path, 1).waiting):
        with pytest.raises(SpoolError, match=r"No such file.*fleet.core.reporting"):
            attempt()


def test_a_full_disk_leaves_what_waited(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    spool.put(b"earlier", 1)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SpoolError, match="No space left on device. Free some space"):
        spool.put(b"later", 2)
    assert [path.read_bytes() for path in spool.new.iterdir()] == [b"earlier"]


def test_refused_reports_are_kept_with_their_reasons_up_to_the_limit(spool: Spool) -> None:
    for moment in range(5):
        spool.refuse(spool.put(b"x", moment), f"reason {moment}")
    assert sorted(path.suffix for path in spool.refused.iterdir()) == [".why"] * 3 + [".xml"] * 3
    assert sorted(path.read_text() for path in spool.refused.glob("*.why")) == ["reason 2\n", "reason 3\n", "reason 4\n"]


def test_the_oldest_is_sent_first_and_what_is_refused_holds_nothing_up(
    spool: Spool, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for moment in (3, 1, 2):
        spool.put(b"%d" % moment, moment)
    sent = answers(monkeypatch, ACCEPTED, REFUSED, ACCEPTED)
    code, lines = agent.push_reports(settings)
    assert sent == [b"1", b"2", b"3"]
    assert (code, lines) == (
        agent.FAILED,
        ["19700101T000002.000000Z.xml was refused: The document is empty.", "2 accepted, 1 refused, 0 waiting"],
    )
    assert spool.waiting() == []


def test_a_centre_that_is_away_is_asked_once(spool: Spool, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for moment in (1, 2):
        spool.put(b"x", moment)
    sent = answers(monkeypatch, AWAY)
    code, lines = agent.push_reports(settings)
    assert (code, len(sent), len(spool.waiting())) == (agent.NOT_NOW, 1, 2)
    assert "Connection refused" in lines[0]
    assert lines[1] == "0 accepted, 0 refused, 2 waiting"


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (ACCEPTED, Verdict.ACCEPTED),
        (REFUSED, Verdict.REFUSED),
        (AWAY, Verdict.NOT_NOW),
        (Completed((), 75, "", "stationdb receive: The report cannot be kept: disk full. Senders try again."), Verdict.NOT_NOW),
        (Completed((), 2, "", "stationdb receive: This key takes reports only."), Verdict.NOT_NOW),
        (Completed((), 1, "", "Traceback (most recent call last):\n  ImportError"), Verdict.NOT_NOW),
        (Completed((), 127, "", "sh: stationdb: not found"), Verdict.NOT_NOW),
        (Completed((), 0, "", ""), Verdict.NOT_NOW),
        (Completed((), 0, "Welcome!\naccepted 7\n", ""), Verdict.NOT_NOW),
        (Completed((), -9, "", ""), Verdict.NOT_NOW),
    ],
)
def test_only_the_centres_own_word_delivers_or_loses_a_report(answer: Completed, verdict: Verdict) -> None:
    assert judge(answer)[0] is verdict


@given(st.integers(-20, 255), st.text(max_size=60), st.text(max_size=60))
def test_no_other_answer_delivers_or_loses_a_report(code: int, printed: str, errors: str) -> None:
    verdict, reason = judge(Completed((), code, printed, errors))
    assert verdict is Verdict.NOT_NOW or printed.startswith("accepted ") or "stationdb receive: " in errors
    assert bool(reason) == (verdict is not Verdict.ACCEPTED)


def test_ssh_trusts_the_given_host_keys_only_and_forwards_nothing(settings: Settings) -> None:
    command = push.command(settings)
    shown = subprocess.run([command[0], "-G", *command[1:]], capture_output=True, text=True, check=True).stdout.splitlines()
    said = dict(line.split(" ", 1) for line in shown if " " in line)
    assert said["batchmode"] == "yes"
    assert said["stricthostkeychecking"] == "true"
    assert said["userknownhostsfile"] == "/etc/fleet/report/known_hosts"
    assert said["globalknownhostsfile"] == "none"
    assert said["forwardagent"] == "no"
    assert said["clearallforwardings"] == "yes"
    assert said["identitiesonly"] == "yes"
    assert (said["user"], said["hostname"]) == ("stationdb", "centre")


GOOD = {"station": "pc01", "destination": "stationdb@centre.example", "port": 22, "keep": 10, "sections": ["hardware"], "spool": "/x"}


def test_settings_are_read(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_text(json.dumps(GOOD))
    assert Settings.load(file) == Settings("pc01", "stationdb@centre.example", sections=("hardware",), spool=Path("/x"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "cannot read"),
        ("", "is no JSON"),
        ("[]", "it is no object"),
        ("{}", "destination"),
        (json.dumps({**GOOD, "port": "22"}), "port is no int"),
        (json.dumps({**GOOD, "port": 0}), "positive numbers"),
        (json.dumps({**GOOD, "keep": 0}), "positive numbers"),
        (json.dumps({**GOOD, "sections": "all"}), "sections is no list"),
        (json.dumps({**GOOD, "spool": 1}), "spool is no str"),
        (json.dumps({**GOOD, "destination": "-oProxyCommand=x@centre"}), "is not user@host"),
        (json.dumps({**GOOD, "destination": "centre"}), "is not user@host"),
        (json.dumps({**GOOD, "colour": "red"}), "unknown: colour"),
        (json.dumps({name: value for name, value in GOOD.items() if name != "station"}), "station"),
    ],
)
def test_bad_settings_are_refused_with_what_to_do(tmp_path: Path, text: str | None, message: str) -> None:
    file = tmp_path / "settings.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(InputError, match=f"{message}.*fleet.core.reporting"):
        Settings.load(file)
    code, lines = agent.run(["gather"], file)
    assert code == agent.USAGE
    assert len(lines) == 1


@pytest.mark.parametrize("arguments", [[], ["remove"], ["gather", "push"]])
def test_other_words_are_refused(arguments: list[str]) -> None:
    assert agent.run(arguments) == (agent.USAGE, ["fleet-report: fleet-report takes one word: gather or push"])


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    folder = tmp_path / "lib"
    Plan.build(folder).run()
    return folder


def start(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run what was installed with the system's own Python, which knows nothing of this project."""
    return subprocess.run(["/usr/bin/python3", "-I", "-B", folder, *arguments], capture_output=True, text=True, check=False, cwd="/")


def test_what_is_installed_gathers_by_itself(installed: Path, spool: Spool) -> None:
    probe = f"""
import sys; sys.path.insert(0, {str(installed)!r})
from pathlib import Path
from fleet_report.station.agent import gather_report
from fleet_report.station.settings import Settings
print(gather_report(Settings("pc01", "a@b", spool=Path({str(spool.path)!r}), sections=("hardware", "softwares"))))
"""
    done = subprocess.run(["/usr/bin/python3", "-I", "-B", "-c", probe], capture_output=True, text=True, check=True)
    assert "2 sections" in done.stdout
    (report,) = spool.waiting()
    assert b'station="pc01"' in report.read_bytes()
    assert start(installed, "nonsense").returncode == agent.USAGE
    assert start(installed, "gather").stderr.startswith("fleet-report: cannot read /etc/fleet/report/settings.json")


def test_nothing_of_ansible_is_needed_on_the_station(installed: Path) -> None:
    texts = {path.relative_to(installed): path.read_text() for path in installed.rglob("*.py")}
    assert len(texts) > 35
    assert [name for name, text in texts.items() if "import ansible" in text or "from ansible" in text] == []
    modules = {name.stem for name in texts}
    assert {"monitors", "spool", "push", "document"} <= modules
    assert "install" not in modules


def test_the_second_time_nothing_is_written_and_what_is_foreign_goes(installed: Path) -> None:
    assert not Plan.build(installed).changed
    (installed / "fleet_report/station/__pycache__").mkdir()
    (installed / "fleet_report/station/__pycache__/x.pyc").touch()
    assert not Plan.build(installed).changed
    (installed / "fleet_report/station/old.py").touch()
    (installed / "fleet_report/station/monitors.py").write_text("changed")
    plan = Plan.build(installed)
    assert (list(plan.write), plan.remove) == (["fleet_report/station/monitors.py"], ["fleet_report/station/old.py"])
    plan.run()
    assert not Plan.build(installed).changed


def test_removal_leaves_no_folder(installed: Path) -> None:
    Plan.build(installed, present=False).run()
    assert not installed.exists()
    assert not Plan.build(installed, present=False).changed


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InstallError, match=r"cannot write .*Become root"):
        Plan.build(tmp_path / "file").run()


def test_stations_need_nothing_newer_than_python_3_9() -> None:
    import ast

    for name, text in sources().items():
        ast.parse(text, name, feature_version=(3, 9))
    assert sys.version_info >= (3, 9)
