# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every station is somebody, and its key is known under its address."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.fleet.lab.plugins.module_utils.room import identity
from ansible_collections.fleet.lab.plugins.module_utils.room.station import Station

STATIONS = [Station("pc1", address="10.0.0.2"), Station("pc2", address="10.0.0.3")]


def test_an_identity_is_made_once_and_with_the_modes_that_sshd_wants(tmp_path: Path) -> None:
    key = identity.ensure_layer(tmp_path / "identity", "pc1", "ssh-ed25519 AAAA admin")
    assert identity.ensure_layer(tmp_path / "identity", "pc1", "ssh-ed25519 AAAA admin") == key
    modes = {str(path.relative_to(tmp_path / "identity")): oct(path.stat().st_mode & 0o777) for path in (tmp_path / "identity").rglob("*")}
    assert modes == {
        "etc": "0o755",
        "etc/hostname": "0o644",
        "etc/machine-id": "0o444",
        "etc/ssh": "0o755",
        "etc/ssh/ssh_host_ed25519_key": "0o600",
        "etc/ssh/ssh_host_ed25519_key.pub": "0o644",
        "root": "0o700",
        "root/.ssh": "0o700",
        "root/.ssh/authorized_keys": "0o600",
    }
    assert identity.ensure_layer(tmp_path / "other", "pc2", "") != key


def test_an_identity_that_was_cut_short_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "identity.making").mkdir()
    (tmp_path / "key").write_text("half a key")
    assert identity.ensure_layer(tmp_path / "identity", "pc1", "").startswith("ssh-ed25519 ")
    assert identity.ensure_key(tmp_path / "key", "admin").startswith("ssh-ed25519 ")


def test_each_address_is_known_under_its_own_key_and_under_every_systems(tmp_path: Path) -> None:
    identity.write_known_hosts(
        tmp_path / "known", STATIONS, {"pc1": "ssh-ed25519 ONE c", "pc2": "ssh-ed25519 TWO c"}, ["ssh-ed25519 SYS c"]
    )
    assert (tmp_path / "known").read_text().splitlines() == [
        "10.0.0.2,pc1 ssh-ed25519 ONE",
        "10.0.0.2,pc1 ssh-ed25519 SYS",
        "10.0.0.3,pc2 ssh-ed25519 TWO",
        "10.0.0.3,pc2 ssh-ed25519 SYS",
    ]


def test_names_change_in_the_very_file_that_stations_have(tmp_path: Path) -> None:
    identity.write_hosts(tmp_path / "hosts", STATIONS)
    inode = (tmp_path / "hosts").stat().st_ino
    identity.write_hosts(tmp_path / "hosts", STATIONS[:1])
    assert (tmp_path / "hosts").stat().st_ino == inode
    assert "pc1" in (tmp_path / "hosts").read_text() and "pc2" not in (tmp_path / "hosts").read_text()
