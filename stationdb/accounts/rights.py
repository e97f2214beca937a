# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody may do: one right per function."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Right(models.TextChoices):
    """A right is given through a role, for a site and the sites below it, or for all sites."""

    VIEW = "stations.view", _("see stations, groups, sites, software and reports")
    EDIT = "stations.edit", _("add, change, import and remove stations")
    SECRETS = "stations.secrets", _("read secret values such as licence keys")
    GROUPS = "groups.edit", _("add, change and remove groups")
    SITES = "sites.edit", _("add, change and remove sites")
    CONTENT = "content.edit", _("register images and packages")
    EXPORT = "export", _("export lists")
    REPORT = "reports.send", _("send reports of stations")
    USERS = "users.edit", _("manage users, roles and tokens")
