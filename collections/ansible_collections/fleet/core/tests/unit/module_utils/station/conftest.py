# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the collectors: captured trees, tools that print what was captured, and the real data that lies beside the project."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Callable

import pytest

from ansible_collections.fleet.core.plugins.module_utils.errors import ToolError
from ansible_collections.fleet.core.plugins.module_utils.station.root import Root

REPOSITORY = Path(__file__).parents[8]
TEST_DATA = Path(os.environ.get("FLEET_TEST_DATA", REPOSITORY.parent / "shared/data"))
HEX_LINE = re.compile(r"^((?:[0-9a-f]{2} ){15}[0-9a-f]{2})$", re.MULTILINE)

MakeRoot = Callable[..., Root]


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real documents; FLEET_TEST_DATA names it."""
    if not TEST_DATA.is_dir():
        pytest.skip("the real data of FLEET_TEST_DATA is not here")
    return TEST_DATA


@pytest.fixture
def make_root(tmp_path: Path) -> MakeRoot:
    """Make a captured tree of files (text, bytes, or a symbolic link as ``-> target``) and of what its tools print."""

    def make(files: Mapping[str, str | bytes] | None = None, tools: Mapping[str, str] | None = None) -> Root:
        for name, content in (files or {}).items():
            path = tmp_path / name.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                path.write_bytes(content)
            elif content.startswith("-> "):
                path.symlink_to(content[3:])
            else:
                path.write_text(content)

        def run(argv: Sequence[str]) -> str:
            printed = next((text for command, text in (tools or {}).items() if " ".join(argv).startswith(command)), None)
            if printed is None:
                raise ToolError(f"{argv[0]} is not installed on this host")
            return printed

        return Root(tmp_path, run if tools is not None else None)

    return make
