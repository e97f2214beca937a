# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the attributes of Fleet's modules mean; a module says in its own C(attributes) how far it supports each."""

from __future__ import annotations


class ModuleDocFragment:
    """Fragments by name: fleet.core.attributes, fleet.core.attributes.progress."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and tell what would change, without changing anything.
  diff_mode:
    description: Tells in C(diff) what changed or, in check mode, what would.
"""

    PROGRESS = r"""
options: {}
attributes:
  progress:
    description:
      - Tells how far it is while it works. The callback P(fleet.core.progress#callback) shows it, and ansible-runner and AWX record
        it as C(runner_on_async_poll) events.
      - The work goes on when the connection is lost for a while. The variables C(fleet_progress_poll),
        C(fleet_progress_patience), C(fleet_progress_silence) and C(fleet_progress_limit) set the times, in seconds.
    support: full
"""
