# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What boot repair looks for in files of the image ends soon, whatever is in them.

Each search has a process of its own: one without an end cannot be stopped otherwise.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ansible_collections.fleet.imaging.plugins.module_utils.boot import efi, settings

SEARCHES = {
    "menu of empty lines": "settings.MENU_SEARCH.search('\\n' * (8 << 20))",
    "menu of blanks": "settings.MENU_SEARCH.search(' ' * (8 << 20))",
    "menu of one line": "settings.MENU_SEARCH.search('search ' + '--fs-uuid ' * (800 << 10))",
    "kernels without a root": "settings.MENU_LINUX.search('\\n' * (4 << 20) + 'linux ' * (600 << 10))",
    "loader": "efi.SEARCH.search(b'search.fs_uuid ' * (256 << 10))",
}


@pytest.mark.parametrize("search", SEARCHES.values(), ids=SEARCHES.keys())
def test_a_search_ends(search: str) -> None:
    program = f"from ansible_collections.fleet.imaging.plugins.module_utils.boot import efi, settings\nassert {search} is None"
    subprocess.run(
        [sys.executable, "-c", program], check=True, timeout=300, env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    )


def test_what_is_meant_is_found() -> None:
    root = "759a01b2-53b2-4093-a3f5-f81585a1b858"
    hints = "--hint-bios=hd0,gpt2 --hint-efi=hd0,gpt2 --hint-baremetal=ahci0,gpt2"
    menu = f"if true; then\r\n\n\tsearch --no-floppy --fs-uuid --set=root {hints}  {root} \r\n"
    menu += f"  linux\t/boot/vmlinuz-6.1.0 root=UUID={root} ro quiet\n"
    assert settings.MENU_SEARCH.findall(menu) == settings.MENU_LINUX.findall(menu) == [root]
    assert efi.SEARCH.findall(f"search --fs-uuid --set=root {hints} {root}\nsearch.fs_uuid {root} root".encode()) == [root.encode()] * 2
