# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Agents of OCS and GLPI: their protocols, who may speak them, and the real ones of Debian's packages against a live server."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import zlib
from pathlib import Path

import pytest
from django.test import Client
from lxml import etree

from stationdb.registry.models import Site, Station, Subnet
from stationdb.reports import agents, sections
from stationdb.reports.admission import admission
from stationdb.reports.formats import read
from stationdb.reports.intake import process_spool
from stationdb.reports.models import Holding, Report
from stationdb.reports.refusals import Refusals
from stationdb.tests.reports.documents import REAL, ocs, real

PROLOG = b'<?xml version="1.0" encoding="UTF-8"?><REQUEST><DEVICEID>pc01-2026-01-01-10-00-00</DEVICEID><QUERY>PROLOG</QUERY></REQUEST>'


@pytest.fixture
def site(db) -> Site:
    made = Site.objects.create(slug="root", name="All")
    Subnet.objects.create(site=made, network="127.0.0.0/8")
    return made


def post(path: str, body: bytes, kind: str = "application/x-compress", **headers: str):
    return Client().post(path, body, content_type=kind, headers=headers)


def test_the_ocs_protocol(site, spool):
    answer = post("/ocsinventory", zlib.compress(PROLOG))
    assert answer.status_code == 200 and answer.content[:2] == b"\x78\x9c", "what FusionInventory looks for"
    reply = etree.fromstring(zlib.decompress(answer.content))
    assert (reply.tag, reply.findtext("RESPONSE"), reply.findtext("PROLOG_FREQ")) == ("REPLY", "SEND", "24")
    answer = post("/ocsinventory", zlib.compress(REAL), **{"User-Agent": "OCS-NG_unified_unix_agent_v2.10.0"})
    assert b"NO_ACCOUNT_UPDATE" in zlib.decompress(answer.content) and len(spool.ids()) == 1
    assert process_spool().taken == 1
    report = Report.objects.get()
    assert (report.way, report.address, report.agent) == ("ocs", "127.0.0.1", "OCS-NG_unified_unix_agent_v2.10.0")


def test_requests_are_answered_in_their_own_compression(site):
    assert gzip.decompress(post("/ocsinventory", gzip.compress(PROLOG)).content).startswith(b"<?xml")
    assert post("/ocsinventory", PROLOG, "application/xml").content.startswith(b"<?xml")


def test_who_is_refused_is_named_in_the_log_once(site, caplog, monkeypatch):
    monkeypatch.setattr(agents, "refusals", Refusals())
    for _again in range(5):
        assert Client(REMOTE_ADDR="192.0.2.1").post("/ocsinventory", PROLOG, content_type="application/xml").status_code == 403
    assert Client(REMOTE_ADDR="192.0.2.2").post("/agents/glpi", b"{}", content_type="application/json").status_code == 403
    remedy = "Add its subnet to a site, or put STATIONDB_AGENT_KEY at the end of the agent's server address."
    assert [record.getMessage() for record in caplog.records] == [
        f"An agent at 192.0.2.1 is refused (403): Agents may not send from 192.0.2.1. {remedy}",
        f"An agent at 192.0.2.2 is refused (403): Agents may not send from 192.0.2.2. {remedy} (4 other refusals were not written here.)",
    ]


def test_a_flood_of_refusals_does_not_flood_the_log(caplog):
    moment = 0.0
    refusals = Refusals(lambda: moment)
    for number in range(1000):
        refusals.note(f"10.0.{number // 250}.{number % 250}", 403, "No.")
    assert len(caplog.records) == 30
    moment = 61.0
    refusals.note("10.1.0.1", 403, "No.")
    refusals.note("10.0.0.1", 403, "No.")
    assert len(caplog.records) == 31 and "970 other refusals" in caplog.text
    moment = 700.0
    refusals.note("10.0.0.1", 403, "No.")
    assert len(caplog.records) == 32, "after ten minutes it is named again"


def test_a_line_of_last_is_no_user(site):
    """As the agents of Debian 12 report where nobody signed in yet."""
    asked = "<LASTLOGGEDUSER>{}</LASTLOGGEDUSER><DATELASTLOGGEDUSER>Tue May 20 00:00:00</DATELASTLOGGEDUSER></HARDWARE>"
    for user, shown in (("wtmp", ""), ("alice", "alice"), ("wtmp", "alice")):
        post("/ocsinventory", ocs().replace(b"</HARDWARE>", asked.format(user).encode()))
        process_spool()
        station = Station.objects.get()
        assert station.user == shown
        assert ("lastloggeduser" in sections.rows(station, "hardware")[0]) is (user != "wtmp")


def test_the_glpi_protocol(site, spool):
    agent = "8b6f3a4e-7f2c-4d0c-9b51-2f6f0f3f9a10"
    contact = {"action": "contact", "deviceid": "pc01", "name": "GLPI-Agent", "version": "1.11", "enabled-tasks": ["inventory"]}
    sent = zlib.compress(json.dumps(contact).encode())
    answer = post("/agents/glpi", sent, "application/x-compress-zlib", **{"GLPI-Agent-ID": agent})
    assert answer["Content-Type"] == "application/x-compress-zlib" and answer["GLPI-Agent-ID"] == agent
    said = json.loads(zlib.decompress(answer.content))
    assert said["status"] == "ok" and said["expiration"] == 24 and "inventory" in said["tasks"]
    document = real("glpi/examples-computer_1.json")
    plain = post("/agents/glpi", document, "application/json", **{"GLPI-Agent-ID": agent})
    assert plain.json()["status"] == "ok" and plain["Content-Type"] == "application/json"
    assert process_spool().taken == 1 and Station.objects.get().name == "glpixps"
    assert post("/agents/glpi", b'{"action": "netdiscovery"}', "application/json").status_code == 400
    assert post("/agents/glpi", zlib.compress(PROLOG)).status_code == 200, "its older protocol as well"


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"", 400, "empty"),
        (b"hello", 400, "PROLOG and INVENTORY"),
        (zlib.compress(b"x" * (40 << 20)), 400, "more than 32 MiB"),
        (zlib.compress(PROLOG)[:-9], 400, "too early"),
        (PROLOG.replace(b"PROLOG", b"DOWNLOAD"), 400, "PROLOG and INVENTORY"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]>' + PROLOG[38:], 400, "document type"),
        (b"x" * ((16 << 20) + 1), 413, "more than 16 MiB"),
        (b'{"action": ["contact"]}', 400, "contact and inventory"),
        (b"{" * 5000, 400, "damaged"),
    ],
)
def test_bad_requests_get_one_line(site, spool, body, status, said):
    answer = post("/ocsinventory", body)
    assert answer.status_code == status and said in answer.content.decode() and answer.content.count(b"\n") == 1
    assert not spool.ids()


def test_other_methods_are_refused(site):
    assert Client().get("/ocsinventory").status_code == 405


def test_agents_send_from_the_sites_subnets_only(site, settings, spool):
    def status(address: str, path: str = "/ocsinventory") -> int:
        return Client(REMOTE_ADDR=address).post(path, PROLOG, content_type="application/xml").status_code

    assert status("127.0.0.1") == 200 and status("::ffff:127.0.0.1") == 200
    assert status("192.0.2.1") == 403 and status("") == 403 and status("127.0.0.1", "/ocsinventory/guess") == 403
    admission.forget()
    settings.AGENT_SUBNETS = ["192.0.2.0/24"]
    assert status("192.0.2.1") == 200
    settings.AGENT_KEY = "k3y"
    assert status("127.0.0.1") == 403 and status("127.0.0.1", "/ocsinventory/wrong") == 403
    assert status("203.0.113.9", "/ocsinventory/k3y") == 200 and status("203.0.113.9", "/agents/glpi/k3y") == 200


def test_only_the_proxy_beside_us_is_believed_where_a_request_comes_from(site, settings):
    def status(direct: str, forwarded: str) -> int:
        return Client(REMOTE_ADDR=direct).post(
            "/ocsinventory", PROLOG, content_type="application/xml", headers={"X-Forwarded-For": forwarded}
        ).status_code  # fmt: skip

    settings.SECURE = True
    settings.SECURE_SSL_REDIRECT = False
    Subnet.objects.create(site=site, network="10.1.0.0/16")
    Subnet.objects.filter(network="127.0.0.0/8").delete()
    assert status("127.0.0.1", "10.1.2.3") == 200
    assert status("127.0.0.1", "10.1.2.3, 192.0.2.1") == 403, "the last is what the proxy saw"
    assert status("192.0.2.1", "10.1.2.3") == 403


def test_who_sends_too_often_is_slowed_down(site, settings):
    settings.AGENT_RATE = 3
    answers = [post("/ocsinventory", PROLOG) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429] and answers[-1]["Retry-After"] == "60"
    assert Client(REMOTE_ADDR="127.0.0.2").post("/ocsinventory", PROLOG, content_type="application/xml").status_code == 200


def test_a_full_disk_is_said_and_nothing_is_acknowledged(site, spool, monkeypatch):
    from stationdb.reports import spool as module

    monkeypatch.setattr(module, "RESERVE", 1 << 60)
    answer = post("/ocsinventory", zlib.compress(REAL))
    assert answer.status_code == 503 and b"No space left" in answer.content and answer["Retry-After"] and not spool.ids()


def test_reports_are_taken_while_the_database_is_gone(site, spool, monkeypatch):
    from django.db import OperationalError

    from stationdb.reports import admission as module

    assert post("/ocsinventory", PROLOG).status_code == 200  # the subnets were read once
    monkeypatch.setattr(module, "_FRESH", 0.0)

    def gone(*_arguments, **_options):
        raise OperationalError("gone")

    monkeypatch.setattr(module.Subnet.objects, "values_list", gone)
    assert post("/ocsinventory", zlib.compress(ocs())).status_code == 200 and len(spool.ids()) == 1


def test_the_schema_is_published_and_is_the_one_that_our_documents_follow(client):
    answer = client.get("/schema/fleet-report-1.xsd")
    assert answer.status_code == 200 and answer["Content-Type"] == "application/xml"
    schema = etree.XMLSchema(etree.fromstring(b"".join(answer.streaming_content)))
    ours = (
        b'<report format="1" agent="fleet/0.1.0" created="2026-11-21T12:00:00Z" station="pc01"><smart><item device="a"/></smart></report>'
    )
    assert schema.validate(etree.fromstring(ours)), schema.error_log
    assert read(ours).first("smart") == {"device": "a"}


def agent(name: str, tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    if not shutil.which(name):
        pytest.skip(f"{name} is not installed: run make setup")
    environment = {**os.environ, "LC_ALL": "C", "no_proxy": "*", "HOME": str(tmp_path)}
    return subprocess.run([name, *arguments], capture_output=True, text=True, env=environment, check=False, timeout=300)


@pytest.mark.slow
def test_the_real_ocs_agent_to_a_file(tmp_path, site, spool):
    done = agent("ocsinventory-agent", tmp_path, f"--local={tmp_path}", "--tag=ALPHA", f"--basevardir={tmp_path}/var")
    paths = [path for path in tmp_path.iterdir() if path.is_file()]
    assert len(paths) == 1, done.stderr
    whole(read(paths[0].read_bytes()))


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_real_ocs_agent_over_http(tmp_path, live_server, spool):
    Subnet.objects.create(site=Site.objects.create(slug="root", name="All"), network="127.0.0.0/8")
    for _ in range(2):
        done = agent(
            "ocsinventory-agent", tmp_path, f"--server={live_server.url}/ocsinventory", "--tag=ALPHA", f"--basevardir={tmp_path}/var",
            "--force", "--debug", "--nolocal",
        )  # fmt: skip
        assert len(spool.ids()) == 1, done.stdout + done.stderr
        assert process_spool().taken == 1
    station = arrived("ALPHA")
    first, second = Report.objects.order_by("received")
    assert first.agent.startswith("OCS-NG_unified_unix_agent_v") and "softwares" in first.changed
    assert "softwares" not in second.changed, "the second run found the same software"
    assert station.os_name


@pytest.mark.slow
def test_the_real_fusioninventory_agent_to_a_file(tmp_path, site, spool):
    done = agent("fusioninventory-agent", tmp_path, f"--local={tmp_path}/out.ocs", "--tag=BETA", "--no-task=deploy")
    assert (tmp_path / "out.ocs").exists(), done.stderr
    report = read((tmp_path / "out.ocs").read_bytes())
    whole(report)
    assert report.cleaned is not None and b"<PROCESSES>" not in report.cleaned, "it ships processes; we do not keep them"
    assert report.first("hardware").get("lastloggeduser") != "wtmp"


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_real_fusioninventory_agent_over_http(tmp_path, live_server, spool):
    Subnet.objects.create(site=Site.objects.create(slug="root", name="All"), network="127.0.0.0/8")
    done = agent(
        "fusioninventory-agent", tmp_path, f"--server={live_server.url}/ocsinventory", "--tag=BETA", "--force",
        "--tasks=inventory", "--debug",
    )  # fmt: skip
    assert len(spool.ids()) == 1, done.stdout + done.stderr
    assert process_spool().taken == 1, list(spool.reasons())
    station = arrived("BETA")
    assert Report.objects.get().agent.startswith("FusionInventory-Agent") and sections.rows(station, "operatingsystem")
    [document] = spool.documents.rglob("*.report")
    kept = zlib.decompress(document.read_bytes().partition(b"\n")[2])
    assert b"<PROCESSES>" not in kept and b"<ENVS>" not in kept and b"<SOFTWARES>" in kept


def whole(report) -> None:
    """Of a real Debian, read by its real agent."""
    assert report.name and len(report.software) > 100
    assert {"deb"} <= {title.source for title in report.software} and all(title.version for title in report.software)
    assert int(report.first("hardware")["memory"]) > 100 and report.sections["networks"]
    assert "processes" not in report.sections and "envs" not in report.sections


def arrived(tag: str) -> Station:
    [station] = Station.objects.all()
    assert station.tag == tag and station.last_seen and station.ram and station.site.slug == "root"
    dpkg = {line.split()[0]: line.split()[1] for line in installed().splitlines()}
    held = {row["name"].partition(":")[0]: row["version"] for row in sections.rows(station, "softwares") if row.get("from") == "deb"}
    assert Holding.objects.filter(station=station).count() == len(sections.rows(station, "softwares"))
    assert len(held) > 100 and sum(held.get(name) == version for name, version in dpkg.items()) > 0.95 * len(dpkg)
    return station


def installed() -> str:
    """What dpkg itself says."""
    return subprocess.run(["dpkg-query", "-W", "-f=${Package} ${Version}\n"], capture_output=True, text=True, check=True).stdout
