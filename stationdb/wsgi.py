# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The site for a WSGI server, such as gunicorn."""

import os

from django.core.wsgi import get_wsgi_application

from .serving.forwarded import Forwarded

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "stationdb.settings")
_site = get_wsgi_application()
application = Forwarded(_site) if os.environ.get("STATIONDB_BEHIND_PROXY") else _site
