# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a station starts next is written whole, once, in the words of each loader."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from ansible_collections.fleet.core.plugins.module_utils.errors import InputError
from ansible_collections.fleet.imaging.plugins.module_utils.netboot import change, menu, site
from ansible_collections.fleet.imaging.plugins.module_utils.netboot.change import Request
from ansible_collections.fleet.imaging.plugins.module_utils.netboot.entry import StationState, System

MAC, NAME = "52:54:00:77:00:01", "52-54-00-77-00-01"
# Of the password "secret": 10,000 rounds, made by grub-mkpasswd-pbkdf2.
HASH = (
    "grub.pbkdf2.sha512.10000."
    "9CA0A95FFDD9C4FC28B4DF0FA6BAA0B5D7CD15E2C41CBFEA0CC9F4D8F8D2A5C1CF16E0F0F7D3C4BFBB2D3CB44F0F1B9AC79C5B6D2A2E3F405162738495A6B7C8."
    + "00"
    * 64
)


@pytest.fixture
def here(tmp_path: Path) -> site.Site:
    """A boot server's folders, without a user of its own."""
    for folder in ("srv/http/stations", "srv/tftp/stations", "srv/tftp/grub", "state/stations", "state/host-keys", "state/maintenance"):
        (tmp_path / folder).mkdir(parents=True)
    return site.Site("10.77.0.1", tmp_path / "srv", tmp_path / "state", user="", arguments=("console=ttyS0,115200",))


def state_of(here: site.Site) -> StationState:
    return StationState.from_json((here.state / f"stations/{NAME}.json").read_text())


def texts(here: site.Site) -> dict[str, str]:
    folders = {"ipxe": here.http / f"stations/{NAME}.ipxe", "grub": here.tftp / f"stations/{NAME}.cfg"}
    return {kind: path.read_text() for kind, path in folders.items() if path.exists()}


def test_a_station_starts_the_imaging_environment_by_both_loaders(here: site.Site) -> None:
    done = change.apply(here, Request("5254.0077.0001", "pc01", "imaging-once"), check=False)
    assert done.changed and done.mac == MAC and done.then == "menu" and done.host_key == str(here.state / f"host-keys/{NAME}")
    found = texts(here)
    line = f"fleet.boot=http://10.77.0.1 BOOTIF=01-{NAME} console=ttyS0,115200"
    assert f"kernel http://10.77.0.1/environment/vmlinuz initrd=initrd.img {line} || goto local" in found["ipxe"]
    assert f"linux (tftp,10.77.0.1)/environment/vmlinuz {line};" in found["grub"]
    for text in found.values():
        assert state_of(here).token not in text, "nothing secret on a kernel's command line"
    assert oct((here.state / f"stations/{NAME}.json").stat().st_mode)[-3:] == "600"


def test_the_same_again_changes_nothing_and_keeps_the_token(here: site.Site) -> None:
    request = Request(MAC, "pc01", "imaging-once")
    change.apply(here, request, check=False, now=1000.0)
    before = (state_of(here), texts(here))
    again = change.apply(here, request, check=False, now=1500.0)
    assert not again.changed and (state_of(here), texts(here)) == before


def test_a_token_that_is_used_or_expires_soon_is_replaced_and_its_host_key_forgotten(here: site.Site) -> None:
    request = Request(MAC, "pc01", "imaging")
    change.apply(here, request, check=False, now=1000.0)
    first = state_of(here)
    key = here.state / f"host-keys/{NAME}"
    key.write_text("ssh-ed25519 AAAA\n")
    later = change.apply(here, request, check=False, now=1000.0 + 3590)
    assert later.changed and state_of(here).token != first.token and not key.exists()


def test_the_way_back_keeps_the_host_key(here: site.Site) -> None:
    change.apply(here, Request(MAC, "pc01", "imaging-once"), check=False)
    key = here.state / f"host-keys/{NAME}"
    key.write_text("ssh-ed25519 AAAA\n")
    change.apply(here, Request(MAC, "pc01", "disk"), check=False)
    assert key.exists() and not state_of(here).token and state_of(here).entry == "disk"


@pytest.mark.parametrize(("before", "then"), [("menu", "menu"), ("disk", "disk"), ("imaging", "disk"), ("imaging-once", "menu")])
def test_after_once_comes_what_was_before(here: site.Site, before: str, then: str) -> None:
    change.apply(here, Request(MAC, "pc01", before), check=False)
    assert change.apply(here, Request(MAC, "pc01", "imaging-once"), check=False).then == then
    after = state_of(here).after
    assert (after["ipxe"] is None) == (after["grub"] is None) == (then == "menu")


def test_the_menu_is_no_file_and_no_change_when_nothing_is_known(here: site.Site) -> None:
    assert not change.apply(here, Request(MAC, "pc01", "menu"), check=False).changed
    change.apply(here, Request(MAC, "pc01", "disk"), check=False)
    assert set(texts(here)) == {"ipxe", "grub"}
    assert change.apply(here, Request(MAC, "pc01", "menu"), check=False).changed
    assert texts(here) == {}
    assert not change.apply(here, Request(MAC, "pc01", "menu"), check=False).changed


def test_check_mode_and_diff_show_what_would_be_and_no_token(here: site.Site) -> None:
    done = change.apply(here, Request(MAC, "pc01", "imaging-once"), check=True)
    assert done.changed and texts(here) == {} and not (here.state / f"stations/{NAME}.json").exists()
    change.apply(here, Request(MAC, "pc01", "imaging-once"), check=False)
    shown = json.dumps(change.apply(here, Request(MAC, "pc01", "disk"), check=True).as_dict())
    assert state_of(here).token not in shown and "sanboot" in shown and state_of(here).entry == "imaging-once"


def test_a_damaged_state_is_written_anew(here: site.Site) -> None:
    (here.state / f"stations/{NAME}.json").write_text("{half")
    assert change.apply(here, Request(MAC, "pc01", "disk"), check=False).changed
    assert state_of(here).entry == "disk"


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (Request("../../etc/shadow", "pc01", "disk"), "no MAC address"),
        (Request(MAC, "../pc01", "disk"), "no name of a station"),
        (Request(MAC, "pc01", "windows"), "no boot entry"),
        (Request(MAC, "pc01", "installer"), "needs a kernel"),
        (Request(MAC, "pc01", "disk", System("a")), "needs a kernel"),
        (Request(MAC, "pc01", "installer", System("../../etc/shadow")), "no path of a file that is served"),
        (Request(MAC, "pc01", "installer", System("k", "i"), ("a b",)), "cannot be an argument"),
        (Request(MAC, "pc01", "imaging", lifetime=5), "cannot be good for 5 s"),
        (Request(MAC, "pc01", "imaging", language="de"), "no language"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(here: site.Site, request_: Request, message: str) -> None:
    with pytest.raises(InputError, match=message):
        change.apply(here, request_, check=False)
    assert texts(here) == {} and list((here.state / "stations").iterdir()) == []


def test_a_disk_that_is_full_leaves_the_files_as_they_were(here: site.Site, monkeypatch: pytest.MonkeyPatch) -> None:
    change.apply(here, Request(MAC, "pc01", "disk"), check=False)
    before = (state_of(here), texts(here))

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Exception, match="No space left on device"):
        change.apply(here, Request(MAC, "pc01", "imaging-once"), check=False)
    assert (state_of(here), texts(here)) == before
    assert sorted(path.name for path in (here.state / "stations").iterdir()) == [f"{NAME}.json"]


def grub_checks(path: Path) -> None:
    done = subprocess.run(["grub-script-check", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("entry", ["imaging-once", "imaging", "disk", "installer"])
def test_grub_understands_what_a_station_is_told(here: site.Site, entry: str) -> None:
    system = System(
        "installer/debian/vmlinuz", "installer/debian/initrd.gz", ("auto=true", "ds=nocloud-net;s=http://10.77.0.1/x/", "---", "quiet")
    )
    change.apply(here, Request(MAC, "pc01", entry, system if entry == "installer" else None), check=False)
    grub_checks(here.tftp / f"stations/{NAME}.cfg")
    assert "source (tftp,10.77.0.1)/grub/local.cfg" in texts(here)["grub"], "every way that fails ends at the local disk"
    assert "sanboot --no-describe --drive 0x80 || exit" in texts(here)["ipxe"]
    if entry == "installer":
        assert "'ds=nocloud-net;s=http://10.77.0.1/x/'" in texts(here)["grub"], "a ; ends GRUB's commands"
        assert "fleet.boot" not in texts(here)["grub"]


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("style", menu.STYLES)
@pytest.mark.parametrize("title", ["Fleet", "Lycée d'Arsonval – salle 12", "a'; reboot; echo '", '"${boot}" || sanboot\n$x {'])
def test_grub_understands_the_menu_whatever_its_title(here: site.Site, language: str, style: str, title: str) -> None:
    there = site.Site(here.address, here.root, here.state, user="", language=language, arguments=here.arguments)
    installers = (menu.Installer("debian", title, System("installer/debian/vmlinuz", "installer/debian/initrd.gz")),)
    shown = menu.Menu(title, 7, password=HASH, style=style, installers=installers)
    assert menu.apply(there, shown, check=True) and not (here.http / "menu.ipxe").exists()
    assert menu.apply(there, shown, check=False)
    assert menu.apply(there, shown, check=False) == []
    grub_checks(here.tftp / "grub/grub.cfg")
    grub_checks(here.tftp / "grub/local.cfg")
    for text in ((here.tftp / "grub/grub.cfg").read_text(), (here.http / "menu.ipxe").read_text()):
        assert [line for line in text.splitlines() if line.strip().startswith(("reboot", "sanboot"))] in (
            [],
            ["sanboot --no-describe --drive 0x80 || exit"],
        )
    script = (here.http / "menu.ipxe").read_text()
    assert script.isascii() and "choose --default local --timeout ${wait}" in script and "set wait 7000" in script


def test_maintenance_is_behind_a_password_and_its_scripts_are_not_served(here: site.Site) -> None:
    menu.apply(here, menu.Menu(password=HASH), check=False)
    grub = (here.tftp / "grub/grub.cfg").read_text()
    assert f"set superusers=admin\npassword_pbkdf2 admin {HASH}" in grub
    assert [line.split(" --id ")[1] for line in grub.splitlines() if line.startswith("menuentry") and "--unrestricted" in line] == [
        "local --unrestricted {"
    ]
    served = "".join(path.read_text() for path in here.http.rglob("*") if path.is_file())
    assert "kernel" not in served and HASH not in served and "clear username" in served
    assert sorted(path.stem for path in (here.state / "maintenance").iterdir()) == [
        "backup",
        "clone",
        "image",
        "memtest",
        "repartition",
        "restore",
    ]
    restore = (here.state / "maintenance/restore.ipxe").read_text()
    assert "fleet.boot=http://10.77.0.1 BOOTIF=01-${netX/mac:hexhyp} fleet.task=restore" in restore


def test_without_a_password_there_is_the_local_disk_and_nothing_else(here: site.Site) -> None:
    menu.apply(here, menu.Menu(password=HASH), check=False)
    menu.apply(here, menu.Menu(), check=False)
    assert list((here.state / "maintenance").iterdir()) == []
    grub = (here.tftp / "grub/grub.cfg").read_text()
    assert grub.count("menuentry") == 1 and "superusers=nobody" in grub
    assert "login" not in (here.http / "menu.ipxe").read_text()


@pytest.mark.parametrize(
    ("shown", "message"),
    [
        (menu.Menu(password="secret"), "not a hash"),
        (menu.Menu(password=HASH + "\nset x"), "not a hash"),
        (menu.Menu(user="a b"), "no name of the menu's user"),
        (menu.Menu(timeout=0), "cannot wait for 0 s"),
        (menu.Menu(tasks=("format",)), "format is no entry"),
        (menu.Menu(loaders=("../x",)), "no path"),
        (menu.Menu(loaders=()), "No loader"),
        (menu.Menu(colours=("red", "#000000", "#000000")), "three colours"),
        (menu.Menu(picture="../x.gif"), "no PNG"),
    ],
)
def test_a_menu_that_cannot_be_is_refused(here: site.Site, shown: menu.Menu, message: str) -> None:
    with pytest.raises(InputError, match=message):
        menu.apply(here, shown, check=False)
    assert not (here.http / "menu.ipxe").exists()


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"address": "boot"}', '{"address": "10.77.0.1", "language": "de"}', '{"address": "10.77.0.1", "arguments": ["a b"]}'],
)
def test_a_host_that_is_no_boot_server_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "boot.json").write_text(text)
    with pytest.raises(InputError):
        site.load(tmp_path / "boot.json")
    with pytest.raises(InputError, match="no boot server"):
        site.load(tmp_path / "missing.json")
