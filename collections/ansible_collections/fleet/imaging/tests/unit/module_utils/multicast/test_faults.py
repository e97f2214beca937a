# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions in which things go wrong: whatever happens, a station that is complete has every chunk, and the others are told apart."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

from .conftest import TIMEOUT, Segment, tool

ATTACKER = Path(__file__).with_name("attacker.py")
SLOWLY = {"rate": 3e6}


def test_a_station_that_is_killed_is_dead_and_the_others_go_on(segment: Segment) -> None:
    segment.image(40)
    sender = segment.send(["pc10", "pc11"], settings=SLOWLY)
    survivor, victim = segment.receive(10), segment.receive(11)
    victim.wait_for("taken", 5)
    victim.process.kill()
    assert survivor.last("outcome")["state"] == "complete"
    verdicts = sender.last("verdicts")
    assert (verdicts["pc10"]["state"], verdicts["pc11"]["state"]) == ("complete", "dead")
    assert verdicts["pc11"]["reason"]
    assert segment.complete(10)


def test_a_frozen_station_holds_up_nobody_and_goes_on_when_it_thaws(segment: Segment) -> None:
    segment.image(40)
    sender = segment.send(["pc10", "pc11"], settings=SLOWLY)
    other, frozen = segment.receive(10), segment.receive(11)
    frozen.wait_for("taken", 5)
    frozen.signal(signal.SIGSTOP)
    assert other.last("outcome")["state"] == "complete"
    frozen.signal(signal.SIGCONT)
    assert frozen.last("outcome")["state"] == "complete"
    assert {name: verdict["state"] for name, verdict in sender.last("verdicts").items()} == {"pc10": "complete", "pc11": "complete"}
    assert segment.complete(10) and segment.complete(11)


def test_a_station_that_stays_silent_is_dead_after_the_patience(segment: Segment) -> None:
    segment.image(20)
    sender = segment.send(["pc10", "pc11"], settings={**SLOWLY, "patience": 3.0})
    other, frozen = segment.receive(10), segment.receive(11)
    frozen.wait_for("taken", 2)
    frozen.signal(signal.SIGSTOP)
    verdict = sender.last("verdicts")["pc11"]
    assert (verdict["state"], verdict["reason"]) == ("dead", "silent for 3 s")
    assert other.last("outcome")["state"] == "complete"


def test_a_station_that_reboots_at_nine_tenths_gets_only_the_rest(segment: Segment) -> None:
    segment.image(40)
    sender = segment.send(["pc10", "pc11"], settings=SLOWLY)
    again = segment.receive(11, held=True)
    again.wait_for("running")
    segment.receive(10)
    segment.receive(11, dies_at=36).process.wait(TIMEOUT)
    again.signal(signal.SIGUSR1)
    assert again.last("outcome")["state"] == "complete"
    assert again.last("taken") == 4
    assert sender.last("verdicts")["pc11"]["state"] == "complete"
    assert segment.complete(11)


def test_a_sender_that_is_killed_and_started_again_goes_on_where_it_was(segment: Segment) -> None:
    segment.image(40)
    sender = segment.send(["pc10", "pc11"], settings=SLOWLY)
    stations = [segment.receive(10), segment.receive(11)]
    for station in stations:
        station.wait_for("taken", 10)
    sender.process.kill()
    sender.process.wait()
    again = segment.send(["pc10", "pc11"], settings=SLOWLY)
    assert [station.last("outcome")["state"] for station in stations] == ["complete", "complete"]  # a chunk taken twice would be an error
    assert {verdict["state"] for verdict in again.last("verdicts").values()} == {"complete"}
    assert again.last("count")["frames"] <= 31 * 201_000
    assert segment.complete(10) and segment.complete(11)


def test_a_station_whose_cable_is_out_for_a_while_comes_back(segment: Segment) -> None:
    segment.image(40)
    sender = segment.send(["pc10", "pc11"], settings=SLOWLY)
    other, cut = segment.receive(10), segment.receive(11)
    cut.wait_for("taken", 5)
    segment.cable(11, "down")
    assert other.last("outcome")["state"] == "complete"
    segment.cable(11, "up")
    assert cut.last("outcome")["state"] == "complete"
    assert segment.complete(10) and segment.complete(11)
    assert sender.last("verdicts")["pc11"]["state"] == "complete"


def test_a_sender_whose_cable_is_out_for_a_while_comes_back(segment: Segment) -> None:
    segment.image(30)
    segment.send(["pc10", "pc11"], settings=SLOWLY)
    stations = [segment.receive(10), segment.receive(11)]
    stations[0].wait_for("taken", 5)
    segment.cable(1, "down")
    time.sleep(6)  # longer than receivers wait before they look for their sender anew
    segment.cable(1, "up")
    assert [station.last("outcome")["state"] for station in stations] == ["complete", "complete"]
    assert segment.complete(10) and segment.complete(11)


def test_a_station_that_cannot_hear_multicast_is_known_before_the_start(segment: Segment) -> None:
    segment.image(5)
    segment.host(11)
    segment.lose(11, 100)
    sender = segment.send(["pc10", "pc11"])
    hearing, deaf = segment.receive(10), segment.receive(11)
    outcome = deaf.last("outcome")
    assert (outcome["state"], outcome["reason"], outcome["left"]) == ("unicast", "it does not hear multicast", 5)
    assert hearing.last("outcome")["state"] == "complete"
    assert sender.last("verdicts")["pc11"]["state"] == "unicast"


def test_a_station_that_loses_most_packets_is_left_to_unicast(segment: Segment) -> None:
    segment.image(100)
    segment.host(11)
    segment.lose(11, 70)
    sender = segment.send(["pc10", "pc11"], settings={"rate": 4e6, "segmentation": False})
    clean, lossy = segment.receive(10), segment.receive(11)
    outcome = lossy.last("outcome")
    assert outcome["state"] == "unicast" and outcome["reason"].startswith("it loses ")
    assert outcome["left"] + len(segment.disk(11)) == 100
    assert clean.last("outcome")["state"] == "complete"
    assert sender.last("verdicts")["pc11"]["state"] == "unicast"


def test_a_station_whose_socket_holds_one_packet_is_slow_and_holds_up_nobody(segment: Segment) -> None:
    segment.image(40)
    sender = segment.send(["pc10", "pc11"], settings=SLOWLY)
    other, narrow = segment.receive(10), segment.receive(11, room=1)
    assert other.last("outcome")["state"] == "complete"
    outcome = narrow.last("outcome")
    assert outcome["state"] == "unicast" and outcome["reason"].startswith("it is slow")
    assert sender.last("verdicts")["pc11"]["state"] == "unicast"


def test_a_lone_station_whose_socket_holds_one_packet_gets_its_image(segment: Segment) -> None:
    segment.image(2)
    segment.send(["pc10"])
    assert segment.receive(10, room=1).last("outcome")["state"] == "complete"


def test_a_disk_that_does_not_take_a_chunk_fails_its_station_alone(segment: Segment) -> None:
    segment.image(20)
    sender = segment.send(["pc10", "pc11"])
    good, bad = segment.receive(10), segment.receive(11, disk_fails_at=3)
    outcome = bad.last("outcome")
    assert outcome["state"] == "failed" and "Input/output error" in outcome["reason"]
    assert outcome["left"] == 17
    verdict = sender.last("verdicts")["pc11"]
    assert verdict["state"] == "failed" and "Input/output error" in verdict["reason"]
    assert good.last("outcome")["state"] == "complete"


def test_a_wrong_secret_or_another_image_is_not_served(segment: Segment) -> None:
    segment.image(2)
    sender = segment.send(["pc10"], start={"count": 2, "give_up": 60})
    wrong = segment.receive(10, secret="x" * 32, settings={"patience": 1.0})
    other = segment.receive(11, image="x" * 32)
    assert wrong.last("outcome")["reason"] == "no session there accepts this secret"
    assert other.last("outcome")["reason"] == "the sender sends another image"
    assert wrong.last("outcome")["state"] == other.last("outcome")["state"] == "unicast"
    sender.signal(signal.SIGTERM)
    assert sender.last("verdicts")["pc10"]["state"] == "missing"


def test_without_a_sender_a_station_ends_with_everything_left(segment: Segment) -> None:
    segment.image(2)
    outcome = segment.receive(10, settings={"patience": 1.0}).last("outcome")
    assert (outcome["state"], outcome["reason"], outcome["left"]) == ("unicast", "no sender was found", 2)


def test_a_chunk_that_cannot_be_read_is_left_to_unicast(segment: Segment) -> None:
    digests = segment.image(6)
    (segment.store / digests[2]).unlink()
    (segment.store / digests[4]).write_bytes((segment.store / digests[0]).read_bytes())
    sender = segment.send(["pc10"])
    outcome = segment.receive(10).last("outcome")
    assert (outcome["state"], outcome["left"], outcome["damaged"]) == ("unicast", 2, 3)
    assert segment.disk(10) == sorted(set(digests) - {digests[2], digests[4]})
    assert sender.last("verdicts")["pc10"]["state"] == "unicast"


def test_a_host_without_a_way_to_the_group_says_so(segment: Segment) -> None:
    segment.image(1)
    assert "there is no interface eth9" in segment.send(["pc10"], settings={"interface": "eth9"}).last("error")
    assert "cannot listen on 192.0.2.1" in segment.send(["pc10"], settings={"sender": "192.0.2.1"}).last("error")
    assert "no multicast address" in segment.send(["pc10"], settings={"group": "10.0.0.1"}).last("error")


def test_a_sender_without_a_route_for_multicast_says_so_and_what_to_do(segment: Segment) -> None:
    segment.image(1)
    tool("ip", "-n", segment.host(20), "link", "set", "eth0", "down")
    tool("ip", "-n", segment.host(21), "-6", "route", "flush", "table", "all")
    for number, settings in ((20, {"sender": "10.77.0.20"}), (21, {"sender": "fd77::21", "group": "ff12::4d01"})):
        said = segment.send(["pc10"], number=number, settings=settings).last("error")
        assert f"no way from {settings['sender']} to the multicast group" in said and "Network is unreachable" in said
        assert "Name the interface of the stations' network; transport=unicast needs no multicast" in said


def test_garbage_replays_and_forgeries_cost_speed_and_never_correctness(segment: Segment) -> None:
    segment.image(30)
    attacker = segment.run(12, sys.executable, str(ATTACKER), "239.255.77.1", "7700", "10.77.0.1", "10.77.0.12")
    attacker.wait_for("ready")
    settings = {**SLOWLY, "ports": [7700, 7700], "patience": 5.0}
    sender = segment.send(["pc10", "pc11"], settings=settings)
    outcomes = [station.last("outcome") for station in [segment.receive(10, settings=settings), segment.receive(11, settings=settings)]]
    attacker.close()
    assert attacker.lines[-1].get("sent", 0) > 100
    for number, outcome in zip((10, 11), outcomes):
        assert outcome["state"] in ("complete", "unicast")
        assert len(segment.disk(number)) == 30 - outcome["left"]
    assert set(sender.last("verdicts")) == {"pc10", "pc11"}


def test_a_port_that_passes_small_packets_only_is_deaf_and_a_sender_behind_one_sends_in_pieces(segment: Segment) -> None:
    segment.image(5)
    segment.host(11)
    segment.port_mtu(11, 1280)
    segment.send(["pc10", "pc11"])
    hearing, narrow = segment.receive(10), segment.receive(11)
    assert narrow.last("outcome")["reason"] == "it does not hear multicast"
    assert hearing.last("outcome")["state"] == "complete"
    settings = {"sender": "10.77.0.11"}
    segment.send(["pc12"], number=11, settings=settings)
    assert segment.receive(12, settings=settings).last("outcome")["state"] == "complete"


def test_thirty_stations_all_get_a_small_image(segment: Segment) -> None:
    segment.image(10)
    numbers = range(10, 40)
    sender = segment.send([f"pc{number}" for number in numbers])
    stations = {number: segment.receive(number) for number in numbers}
    outcomes = {number: station.last("outcome") for number, station in stations.items()}
    assert all(len(segment.disk(number)) == 10 - outcome["left"] for number, outcome in outcomes.items())
    assert sum(outcome["state"] == "complete" for outcome in outcomes.values()) >= 20  # a busy machine may make some of them slow
    assert {verdict["state"] for verdict in sender.last("verdicts").values()} <= {"complete", "unicast"}
    assert sender.last("count")["frames"] <= 2 * 10 * 201_000
