# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""External tools: what they printed, in English, and a clear error when they fail."""

from __future__ import annotations

import pytest

from ansible_collections.fleet.core.plugins.module_utils.command import available, run
from ansible_collections.fleet.core.plugins.module_utils.errors import ToolError


def test_output_and_code_are_returned() -> None:
    done = run(["sh", "-c", "cat; echo error >&2"], stdin="input")
    assert (done.rc, done.stdout, done.stderr) == (0, "input", "error\n")


def test_binary_input_is_passed_as_it_is() -> None:
    assert run(["od", "-An", "-tx1"], stdin=b"\xff\x00").stdout.split() == ["ff", "00"]


def test_tools_speak_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    assert run(["sh", "-c", "echo $LC_ALL"]).stdout == "C\n"


def test_a_failure_names_the_command_the_code_what_was_said_and_the_remedy() -> None:
    with pytest.raises(ToolError, match=r"sh -c 'echo why >&2; exit 3' ended with code 3: why. Do this instead") as caught:
        run(["sh", "-c", "echo why >&2; exit 3"], remedy="Do this instead")
    assert caught.value.details["rc"] == 3


def test_codes_that_are_expected_are_no_failure() -> None:
    assert run(["sh", "-c", "exit 3"], ok=(0, 3)).rc == 3
    assert run(["sh", "-c", "exit 77"], ok=None).rc == 77


def test_a_tool_that_is_not_installed_is_named() -> None:
    with pytest.raises(ToolError, match="no-such-tool is not installed on this host. Install"):
        run(["no-such-tool"])
    assert not available("no-such-tool") and available("sh") and available("mkfs.ext4")


def test_a_tool_that_does_not_end_is_given_up() -> None:
    with pytest.raises(ToolError, match="did not end within 0.2 s"):
        run(["sleep", "10"], timeout=0.2)


def test_output_that_is_not_utf_8_does_no_harm() -> None:
    assert "�" in run(["printf", r"\377"]).stdout
