# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people see: pages made on the server, in French and English.

A page is a function in ``views`` behind ``views.access.page``, which asks for a right; its rows begin with ``objects.within``. Lists that
grow with the fleet go through ``paging`` (from the last row of a page to the next, never by number), counts through ``figures`` and
``holdings`` (grouped, and kept for some seconds). ``sheet`` turns rows into CSV and PDF, ``charts`` and ``disks`` draw SVG.
"""
