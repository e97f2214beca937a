# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How gunicorn serves the site, under ``stationdb serve`` and under systemd alike (``gunicorn -c python:stationdb.serving.gunicorn_conf``).

Settings: https://docs.gunicorn.org/en/stable/settings.html
"""

from __future__ import annotations

import os

workers = int(os.environ.get("STATIONDB_WORKERS") or 2)
# A page is some milliseconds of Python and some of waiting for the database.
worker_class = "gthread"
threads = int(os.environ.get("STATIONDB_THREADS") or 4)
# An inventory of 100,000 stations takes seconds, and a thread that waits for a slow reader does not hold up the worker's heartbeat.
timeout = 60
graceful_timeout = int(os.environ.get("STATIONDB_GRACE") or 1)
keepalive = 15
# What leaks anywhere is gone after a while, and not in all workers at once.
max_requests, max_requests_jitter = 20000, 4000
# The heartbeat is a file: on a disk that is busy, its update would wait.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None
limit_request_line = 8190
accesslog = None
loglevel = "warning"
control_socket_disable = True
