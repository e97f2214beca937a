# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The station database: who the stations are, what they report, and who may see it.

A Django project. ``registry`` says who the stations are, ``reports`` what they say of themselves, ``content`` which images and packages
there are, ``accounts`` who may see and do what where. ``criteria`` turns one line of text into a query over the first three. ``api``
and ``console`` show all of it to programs and to people; nothing imports them. Orders and their journal will be one more app beside
``reports``, and a due order one more group in what ``api.inventory`` streams.
"""

__version__ = "0.1.0"
