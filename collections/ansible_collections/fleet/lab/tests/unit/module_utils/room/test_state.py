# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A room's state is the old one, the new one, or one clear error."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.fleet.core.plugins.module_utils.errors import InputError
from ansible_collections.fleet.lab.plugins.module_utils.room.state import State, StateError, hosts_of
from ansible_collections.fleet.lab.plugins.module_utils.room.station import Station

STATE = State("lab", "10.77.0.0/24", "/cache/root", "00c0ffee", True, (Station("pc1", disk_size=1 << 20), Station("pc2", loss=1.5)))

leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
anything = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3))


def test_a_state_survives_being_saved(tmp_path: Path) -> None:
    STATE.save(tmp_path)
    assert State.load(tmp_path) == STATE
    assert [path.name for path in tmp_path.iterdir()] == ["room.json"]


def test_no_file_is_no_room(tmp_path: Path) -> None:
    assert State.load(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "7", "null", "{}", '{"format": 2}', '{"format": 1, "stations": [{}]}', '"\ud83d', "\0"])
def test_a_damaged_file_is_one_clear_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "room.json").write_text(text, encoding="utf-8", errors="surrogatepass")
    with pytest.raises(StateError, match=r"room\.json is damaged: .*Remove the room"):
        State.load(tmp_path)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sampled_from(["format", "name", "subnet", "stations", "incarnation", "extra"]), anything)
def test_whatever_is_in_the_file_nothing_but_a_state_error_comes_out(tmp_path: Path, field: str, value: object) -> None:
    STATE.save(tmp_path)
    document = json.loads((tmp_path / "room.json").read_text())
    document[field] = value
    (tmp_path / "room.json").write_text(json.dumps(document))
    try:
        state = State.load(tmp_path)
    except StateError:
        return
    assert state is not None and all(isinstance(station, Station) for station in state.stations)
    assert isinstance(state.name, str) and isinstance(state.subnet, str) and isinstance(state.incarnation, str)


def test_a_station_is_found_by_name() -> None:
    assert STATE.station("pc2").loss == 1.5
    with pytest.raises(InputError, match=r"Room lab has no station 'pc3'. It has: pc1, pc2"):
        STATE.station("pc3")


def test_the_controller_has_a_subnets_first_address() -> None:
    controller, others = hosts_of("10.9.8.0/29")
    assert str(controller) == "10.9.8.1/29"
    assert others == [f"10.9.8.{number}" for number in range(2, 7)]


@pytest.mark.parametrize("subnet", ["", "10.0.0.1/24", "10.0.0.0/8", "10.0.0.0/31", "fd00::/64", "room"])
def test_a_subnet_that_fits_no_room(subnet: str) -> None:
    with pytest.raises(InputError, match="subnet"):
        hosts_of(subnet)
