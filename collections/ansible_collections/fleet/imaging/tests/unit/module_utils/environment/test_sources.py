# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Debian root is built from the host's own Debian sources and from no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.fleet.imaging.plugins.module_utils.environment.errors import BuildError
from ansible_collections.fleet.imaging.plugins.module_utils.environment.sources import deb822, debian, one_line

DEB822 = """\
# a comment
Types: deb deb-src
URIs: http://deb.debian.org/debian
Suites: bookworm bookworm-updates
# a comment inside
Components: main
 contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://deb.debian.org/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Enabled: no
Types: deb
URIs: http://deb.debian.org/debian
Suites: bookworm-backports
Components: main
"""

THIRD_PARTIES = {
    "cloud.list": "deb https://packages.cloud.example/apt cloud-sdk-bookworm main\n",
    "vendor.list": "deb [signed-by=/etc/apt/keyrings/vendor.gpg] https://apt.example/debian bookworm main\n",
    "docker.list": "deb [arch=amd64] https://download.example/linux/debian bookworm stable\n",
    "inline.sources": "Types: deb\nURIs: file:/example/debian\nSuites: bookworm\nComponents: main\nSigned-By:\n BEGIN\n .\n abc\n",
    "off.list.disabled": "deb http://deb.debian.org/debian bookworm main\n",
    "source.list": "deb-src http://deb.debian.org/debian bookworm main\n",
}


def apt(folder: Path, files: dict[str, str]) -> Path:
    (folder / "sources.list.d").mkdir()
    for name, text in files.items():
        (folder / (name if name == "sources.list" else f"sources.list.d/{name}")).write_text(text)
    return folder


def test_deb822_sources_become_one_line_entries(tmp_path: Path) -> None:
    assert debian("bookworm", apt(tmp_path, {"debian.sources": DEB822})) == [
        "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian bookworm main contrib",
        "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian bookworm-updates main contrib",
        "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian-security bookworm-security main",
    ]


def test_a_plain_sources_list_does_too(tmp_path: Path) -> None:
    text = "deb http://mirror.example/debian bookworm main non-free-firmware # ours\n#deb http://deb.debian.org/debian bookworm main\n"
    assert debian("bookworm", apt(tmp_path, {"sources.list": text})) == ["deb http://mirror.example/debian bookworm main non-free-firmware"]


def test_third_parties_are_left_out(tmp_path: Path) -> None:
    lines = debian("bookworm", apt(tmp_path, {"debian.sources": DEB822, **THIRD_PARTIES}))
    assert len(lines) == 3
    assert not [line for line in lines if "example" in line]


def test_a_host_without_debian_sources_is_told_what_to_add(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"No Debian package source for bookworm in .*Add Debian's own archive"):
        debian("bookworm", apt(tmp_path, THIRD_PARTIES))


@pytest.mark.parametrize("text", ["", "\n\n", "nonsense", ":", " : \n x", "Types: deb\n", "deb\n", "deb [ x\n", "deb [x] y\n", "\0\n"])
def test_nonsense_is_no_source(text: str) -> None:
    assert not list(deb822(text))
    assert not list(one_line(text))
