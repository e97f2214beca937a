# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Django for tests: on SQLite, or on what STATIONDB_DATABASE_URL names (scripts/with-postgresql). The installation's home is temporary."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

import django

HOME = tempfile.mkdtemp(prefix="stationdb-tests-")
atexit.register(shutil.rmtree, HOME, ignore_errors=True)
os.environ["STATIONDB_HOME"] = HOME
os.environ["DJANGO_SETTINGS_MODULE"] = "stationdb.settings"
os.environ["STATIONDB_INSECURE"] = "1"

django.setup()
