# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The station database, from the side of those who ask it.

client.py speaks HTTP and turns every failure into an error with its remedy; access.py says where the database is and who asks; inventory.py
reads the stream of the inventory, policy.py says which of its variables a controller accepts. entity.py compares what should be with what
is, and site.py, station.py, group.py, table.py and report.py are what the modules do with it.
"""
