# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Django's settings. What differs between installations comes from the environment, whose names begin with STATIONDB_."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import dj_database_url

from . import home

SECRET_KEY = home.secret_key()
DEBUG = False
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", socket.getfqdn(), *os.environ.get("STATIONDB_HOSTS", "").split()]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "ninja",
    "stationdb.accounts",
    "stationdb.registry",
    "stationdb.content",
    "stationdb.reports",
    "stationdb.api",
    "stationdb.console",
    "stationdb.serving",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "stationdb.accounts.middleware.PerimeterMiddleware",
    "stationdb.console.middleware.ConsoleMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "stationdb.urls"
WSGI_APPLICATION = "stationdb.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "stationdb.console.context.console",
            ]
        },
    }
]

DATABASES = {
    "default": dj_database_url.parse(
        os.environ.get("STATIONDB_DATABASE_URL") or f"sqlite:///{home.home() / 'stationdb.sqlite3'}",
        conn_max_age=600,
        conn_health_checks=True,
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Writers queue for 20 s rather than fail, and readers never wait: https://sqlite.org/wal.html
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-32000;",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["stationdb.accounts.backends.PasswordBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher", "django.contrib.auth.hashers.PBKDF2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in (
        ("UserAttributeSimilarityValidator", {}),
        ("MinimumLengthValidator", {"min_length": 12}),
        ("CommonPasswordValidator", {}),
        ("NumericPasswordValidator", {}),
    )
]
LOGIN_URL = "console:login"
LOGIN_REDIRECT_URL = "console:dashboard"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("fr", "Français")]
LOCALE_PATHS = [Path(__file__).parent / "locale"]
# What went wrong stands where the server's output goes (systemd's journal); Django's default would mail it to nobody.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"output": {"class": "logging.StreamHandler"}, "nowhere": {"class": "logging.NullHandler"}},
    "loggers": {
        "django": {"handlers": ["output"], "level": "ERROR"},
        "django.security.DisallowedHost": {"handlers": ["nowhere"], "propagate": False},  # anybody can send any Host
    },
}

USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True  # works before anybody collected the files
STATIC_ROOT = home.home() / "static"

# The site is served over TLS; `stationdb serve` on loopback says otherwise.
SECURE = os.environ.get("STATIONDB_INSECURE") != "1"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_AGE = 12 * 3600
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "stationdb.console.views.errors.forged"
DATA_UPLOAD_MAX_MEMORY_SIZE = 32 << 20

REPORT_DOCUMENT_DAYS = int(os.environ.get("STATIONDB_DOCUMENT_DAYS", "30"))
"""Days for which raw documents are kept."""
REPORT_WAITING_DAYS = int(os.environ.get("STATIONDB_WAITING_DAYS", "30"))
"""Days for which reports of stations without a site wait for one."""

AGENT_KEY = os.environ.get("STATIONDB_AGENT_KEY", "")
"""What agents of OCS and GLPI have at the end of their server address; blank: they send from the sites' subnets without it."""
AGENT_SUBNETS = os.environ.get("STATIONDB_AGENT_SUBNETS", "").split()
"""Subnets from which agents may send, besides those of the sites."""
AGENT_RATE = int(os.environ.get("STATIONDB_AGENT_RATE", "600"))
"""Requests a minute from one address; a whole site may be behind one."""
AGENT_HOURS = int(os.environ.get("STATIONDB_AGENT_HOURS", "24"))
"""Hours between two reports of an agent."""
