# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From one system of a station into another.

firmware.py and bcd.py find the boot entry that leads to the network, as Linux and as Windows show it; choice.py says whether there is one
to be sure of; detached.py restarts a Linux system; registration.py reads, on a boot server, which host key a station registered there.
"""
