# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sites, groups and stations. Each row belongs to a site, which decides who sees it."""

from .group import Group
from .site import Site, Subnet
from .station import MacAddress, Station
from .value import StationValue

__all__ = ["Group", "MacAddress", "Site", "Station", "StationValue", "Subnet"]
