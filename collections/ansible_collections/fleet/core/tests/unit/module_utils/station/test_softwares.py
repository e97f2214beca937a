# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Software lists: each package manager's own format, and the same list as a real agent's."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from ansible_collections.fleet.core.plugins.module_utils.errors import ToolError
from ansible_collections.fleet.core.plugins.module_utils.station import dpkg, flatpak, rpm, snap, softwares
from ansible_collections.fleet.core.plugins.module_utils.station.root import Root

from .conftest import MakeRoot

STATUS = """Package: bash
Essential: yes
Status: install ok installed
Maintainer: Matthias Klose <doko@debian.org>
Architecture: amd64
Version: 5.2.15-2+b2
Description: GNU Bourne Again SHell
 Version: not this one
 .
Homepage: https://x

Package: gone
Status: deinstall ok config-files
Version: 1

Package: half
Status: install reinstreq half-installed
Version: 1

Status: install ok installed

Package: libc6
Status: hold ok installed
Version: 2.36-9
Architecture: i386
"""


def test_dpkg_tells_what_is_installed_or_held_and_not_what_was_removed() -> None:
    assert dpkg.parse(STATUS) == [
        {"name": "bash", "version": "5.2.15-2+b2", "publisher": "Matthias Klose", "from": "deb", "arch": "amd64"},
        {"name": "libc6", "version": "2.36-9", "publisher": "", "from": "deb", "arch": "i386"},
    ]


@given(st.text(max_size=300))
def test_any_status_file_can_be_read(text: str) -> None:
    dpkg.parse(text)


def test_rpm(make_root: MakeRoot) -> None:
    printed = (
        "bash\t5.2.26-1.fc40\tFedora Project\tx86_64\nbind-libs\t32:9.18-1\t(none)\tx86_64\ngpg-pubkey\ta15b79cc-63d04c2c\t(none)\t(none)\n"
    )
    root = make_root({"/usr/lib/sysimage/rpm/rpmdb.sqlite": "x"}, {"rpm --query": printed})
    assert rpm.installed(root) == [
        {"name": "bash", "version": "5.2.26-1.fc40", "publisher": "Fedora Project", "from": "rpm", "arch": "x86_64"},
        {"name": "bind-libs", "version": "32:9.18-1", "publisher": "", "from": "rpm", "arch": "x86_64"},
    ]


def test_rpm_as_a_mere_tool_has_no_packages(make_root: MakeRoot) -> None:
    assert rpm.installed(make_root({}, {})) == []


def test_flatpak(make_root: MakeRoot) -> None:
    printed = "org.gimp.GIMP\t2.10.38\tstable\tx86_64\tflathub\norg.gnome.Platform\t\t46\tx86_64\tflathub\n"
    root = make_root({"/var/lib/flatpak/repo/config": ""}, {"flatpak list --system": printed})
    assert [(row["name"], row["version"], row["publisher"], row["from"]) for row in flatpak.installed(root)] == [
        ("org.gimp.GIMP", "2.10.38", "flathub", "flatpak"),
        ("org.gnome.Platform", "46", "flathub", "flatpak"),
    ]


@pytest.mark.parametrize("manager", [rpm, flatpak])
def test_what_the_tools_should_not_print_is_an_error(manager: object) -> None:
    with pytest.raises(ToolError, match="what is no"):
        manager.parse("error: rpmdb damaged\n")  # type: ignore[attr-defined]


@pytest.mark.parametrize("arches", ["architectures:\n- amd64\n", "architectures: [amd64]\n", "architectures:\n  - 'amd64'\n  - arm64\n"])
def test_snap(make_root: MakeRoot, arches: str) -> None:
    text = f"name: firefox\nversion: '132.0-1'\nsummary: version 3\napps:\n  firefox:\n    version: 7\n{arches}"
    root = make_root(
        {"/snap/firefox/5187/meta/snap.yaml": text, "/snap/firefox/current": "-> 5187", "/snap/bin/firefox": "", "/snap/README": ""}
    )
    assert snap.installed(root) == [{"name": "firefox", "version": "132.0-1", "from": "snap", "arch": "amd64"}]


@given(st.text(max_size=300))
def test_any_description_of_a_snap_can_be_read(text: str) -> None:
    assert snap.parse("x", text)["name"]


@pytest.mark.skipif(not shutil.which("ocsinventory-agent"), reason="ocsinventory-agent is not installed")
def test_the_list_is_that_of_the_ocs_agent(tmp_path: Path) -> None:
    for _attempt in range(3):
        before = Path(dpkg.STATUS).stat().st_mtime_ns
        ours = {(str(row["name"]), str(row["version"]), str(row["arch"])) for row in softwares.collect(Root())}
        subprocess.run(["ocsinventory-agent", f"--local={tmp_path}", "--tag=T"], capture_output=True, check=True, timeout=300)
        if Path(dpkg.STATUS).stat().st_mtime_ns == before:
            break
    document = max(tmp_path.rglob("*.ocs"))
    tree = etree.parse(document)
    found = ([each.findtext(name, "") for name in ("NAME", "VERSION", "ARCHITECTURE")] for each in tree.iterfind(".//SOFTWARES"))
    # A library that may be installed for two architectures carries its own in OCS's name: libc6:amd64.
    theirs = {(name.removesuffix(f":{arch}"), version, arch) for name, version, arch in found}
    assert len(ours) > 100
    assert ours == theirs
