# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who was seen on the network: leases of DHCP servers and what boot servers log.

sighting.py is what is found and what could not be read; dnsmasq.py, isc.py, kea.py and log.py each read one kind of file; reader.py tells
the kinds apart. Others write to these files while we read them, half lines included: what cannot be read is told, and the rest is used.
"""
