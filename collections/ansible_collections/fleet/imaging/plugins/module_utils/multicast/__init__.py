# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One image to many stations at once: each chunk that somebody lacks is sent once, and nobody waits for the slowest.

interface   what a session is given and what it answers; begin here
session     both ends, put together
wire        packets and control messages, byte by byte (docs/multicast.md)
"""
