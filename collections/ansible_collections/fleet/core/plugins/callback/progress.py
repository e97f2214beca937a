# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's default output, and a bar for each station that is at work."""

from __future__ import annotations

DOCUMENTATION = r"""
name: progress
type: stdout
short_description: The default output, with the progress of long work
version_added: "0.1.0"
author:
  - Fleet contributors (@fleet)
description:
  - Prints what P(ansible.builtin.default#callback) prints.
  - For tasks that report progress, draws a bar for each host at the bottom of the terminal, with the operation, the percentage,
    how much, how fast and how long.
  - Where the output is not a terminal, prints a plain line for each host now and then instead.
  - Polls of other asynchronous tasks are printed as usual.
extends_documentation_fragment:
  - default_callback
  - result_format_callback
requirements:
  - Set as stdout in configuration, C(stdout_callback = fleet.core.progress).
options:
  progress_interval:
    description: Seconds between two plain lines of the same host. A new operation is always told.
    type: float
    default: 5.0
    ini:
      - section: callback_progress
        key: interval
    env:
      - name: FLEET_PROGRESS_INTERVAL
  progress_style:
    description:
      - How progress is shown.
      - V(auto) draws bars on a terminal and prints lines elsewhere; V(none) keeps silent about it.
    type: str
    choices: [auto, bars, lines, none]
    default: auto
    ini:
      - section: callback_progress
        key: style
    env:
      - name: FLEET_PROGRESS_STYLE
"""

import os
import shutil
import sys
import time
from typing import Any

from ansible import constants as C
from ansible.plugins.callback.default import CallbackModule as Default
from ansible.utils.color import stringc

from ansible_collections.fleet.core.plugins.plugin_utils.live_region import LiveRegion, RegionAwareDisplay
from ansible_collections.fleet.core.plugins.plugin_utils.progress_bar import Report

SPARE_LINES = 4
"""Lines of the terminal that bars leave to the text above them."""


class CallbackModule(Default):
    """The default callback with progress."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "fleet.core.progress"

    def __init__(self) -> None:
        super().__init__()
        self._region = LiveRegion(sys.stdout)
        self._working: dict[str, Report] = {}
        self._told: dict[str, tuple[str, float]] = {}
        self._together: dict[str, set[str]] = {}

    def set_options(self, task_keys: Any = None, var_options: Any = None, direct: Any = None) -> None:
        super().set_options(task_keys=task_keys, var_options=var_options, direct=direct)
        style = self.get_option("progress_style")
        if style == "auto":
            style = "bars" if sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb" else "lines"
        self._style = style
        if style == "bars" and not isinstance(self._display, RegionAwareDisplay):
            self._display = RegionAwareDisplay(self._display, self._region)

    def v2_runner_on_async_poll(self, result: Any) -> None:
        report = Report.of(result.result.get("progress"))
        if report is None:
            super().v2_runner_on_async_poll(result)
            return
        host = report.station or result.host.get_name()
        self._together.setdefault(result.host.get_name(), set()).add(host)
        if self._style == "bars":
            self._working[host] = report
            self._draw()
        elif self._style == "lines":
            self._tell(host, report)

    def _tell(self, host: str, report: Report) -> None:
        """Print a plain line, unless this host had one a moment ago."""
        operation, when = self._told.get(host, ("", 0.0))
        now = time.monotonic()
        if report.operation != operation or now - when >= self.get_option("progress_interval"):
            self._told[host] = (report.operation, now)
            said = [f"[{host}] {report.operation}", report.percent().strip(), report.amounts()]
            self._display.display("  ".join(part for part in said if part), color=C.COLOR_DEBUG)

    def _draw(self) -> None:
        size = shutil.get_terminal_size()
        room = max(size.lines - SPARE_LINES, 1)
        hosts = sorted(self._working)
        shown, hidden = (hosts, []) if len(hosts) <= room else (hosts[: room - 1], hosts[room - 1 :])
        names = max(map(len, shown), default=0)
        operations = max((len(self._working[host].operation) for host in shown), default=0)
        lines = [self._line(host, names, operations, size.columns - 1) for host in shown]
        if hidden:
            known = [self._working[host].fraction or 0.0 for host in hidden]
            lines.append(f"… and {len(hidden)} more, {sum(known) / len(known):.0%} done"[: size.columns - 1])
        self._region.draw(lines)

    def _line(self, host: str, names: int, operations: int, width: int) -> str:
        report = self._working[host]
        head = f"{host:{names}}  {report.operation:{operations}}  "
        drawing = report.drawing(fine="utf" in (sys.stdout.encoding or "").lower())
        tail = f"  {report.percent()}  {report.amounts()}"
        if len(head) + len(drawing) > width:
            return (head + tail.strip())[:width]
        return head + stringc(drawing, C.COLOR_OK) + tail[: width - len(head) - len(drawing)]

    def _ended(self, result: Any) -> None:
        """Forget a host whose task has ended, and those that it told of."""
        for host in self._together.pop(result.host.get_name(), ()):
            self._told.pop(host, None)
            self._working.pop(host, None)

    def v2_runner_on_ok(self, result: Any) -> None:
        self._ended(result)
        super().v2_runner_on_ok(result)
        self._draw_again()

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._ended(result)
        super().v2_runner_on_failed(result, ignore_errors)
        self._draw_again()

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._ended(result)
        super().v2_runner_on_unreachable(result)
        self._draw_again()

    def v2_playbook_on_stats(self, stats: Any) -> None:
        self._working.clear()
        self._region.erase()
        super().v2_playbook_on_stats(stats)

    def _draw_again(self) -> None:
        if self._style == "bars":
            self._draw()
