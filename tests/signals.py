# SPDX-License-Identifier: GPL-3.0-or-later
"""Signals for what tests start and then interrupt."""

from __future__ import annotations

import signal


def heed() -> None:
    """Let this process end by Ctrl-C and by a terminal that is gone, as a command of a terminal does; for ``preexec_fn`` as well.

    What a script starts in the background ignores SIGINT, what ``nohup`` starts ignores SIGHUP, and both hand that on to all they start.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
