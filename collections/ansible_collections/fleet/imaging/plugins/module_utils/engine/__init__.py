# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a partition's contents become a stream and a stream a partition's contents again.

``driver`` is what an engine offers, ``registry`` names them. ``blocks`` moves used blocks. ``files`` moves files: ``fsarchiver`` makes
archives of them, ``tree`` tells whether they came back. ``stream_reader`` and ``stream_writer`` are the inner loops that all stand on,
``blockio`` is how they reach the disk.
"""
